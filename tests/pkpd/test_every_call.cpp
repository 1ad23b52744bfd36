#include "pkpd/vcf_text.hpp"

#include <doctest/doctest.h>

// Every pair of alleles of every gene, written as a VCF straight from the definitions, and called.
namespace gemel::pkpd {
namespace {

/// Alleles that short variants tell: by hand, so that the program's own choice is tested.
std::vector<int> written_alleles(const GeneTable& gene) {
    std::vector<int> alleles;
    for (int a = 0; a < static_cast<int>(gene.alleles.size()); ++a) {
        const Allele& allele = gene.alleles[static_cast<std::size_t>(a)];
        const bool is_undefined = gene.name == "TPMT" && allele.name == "*47"; // no variant at all
        if (allele.structure.empty() && allele.name != "Y" && !is_undefined) alleles.push_back(a);
    }
    return alleles;
}

struct WrittenPair {
    Diplotype diplotype;
    std::string sample;
};

std::vector<WrittenPair> all_pairs(const GeneTable& gene) {
    std::vector<WrittenPair> pairs;
    const std::vector<int> alleles = written_alleles(gene);
    for (std::size_t i = 0; i < alleles.size(); ++i)
        for (std::size_t j = i; j < alleles.size(); ++j)
            pairs.push_back({{alleles[i], alleles[j]}, "s" + std::to_string(pairs.size())});
    return pairs;
}

std::string genotype_of(const GeneTable& gene,
                        const WrittenPair& pair,
                        const VcfSite& site,
                        bool phased,
                        bool with_optional) {
    const auto value = [&](int allele) {
        return vcf_value(gene.alleles[static_cast<std::size_t>(allele)], site, with_optional);
    };
    const int a = value(pair.diplotype.first), b = value(pair.diplotype.second);
    // The second allele first in phased files, the smaller number first in unphased ones.
    return phased ? fmt::format("{}|{}", b, a)
                  : fmt::format("{}/{}", std::min(a, b), std::max(a, b));
}

std::string vcf_of_pairs(const GeneTable& gene,
                         const std::vector<WrittenPair>& pairs,
                         bool phased,
                         bool with_optional = true) {
    std::vector<std::string> samples;
    for (const WrittenPair& pair : pairs)
        samples.push_back(pair.sample);
    std::string text = vcf_header(samples);
    for (const VcfSite& site : vcf_sites(gene)) {
        text += site.columns();
        for (const WrittenPair& pair : pairs)
            text += "\t" + genotype_of(gene, pair, site, phased, with_optional);
        text += "\n";
    }
    return text;
}

/// Which pairs have the same genotypes, order forgotten: by the texts of an unphased file.
std::map<std::string, std::set<std::string>>
pairs_by_genotypes(const GeneTable& gene, const std::vector<WrittenPair>& pairs) {
    std::map<std::string, std::set<std::string>> same;
    for (const WrittenPair& pair : pairs) {
        std::string key;
        for (const VcfSite& site : vcf_sites(gene))
            key += genotype_of(gene, pair, site, false, true) + " ";
        same[key].insert(gene.text(pair.diplotype));
    }
    return same;
}

const std::vector<std::string> called_genes{"ABCG2",
                                            "CYP2B6",
                                            "CYP2C19",
                                            "CYP2C9",
                                            "CYP3A4",
                                            "CYP3A5",
                                            "CYP4F2",
                                            "NAT2",
                                            "NUDT15",
                                            "SLCO1B1",
                                            "TPMT",
                                            "UGT1A1",
                                            "VKORC1"};

/// Of few alleles; a definition of NUDT15 allows either base.
const std::vector<std::string> small_genes{"ABCG2", "CYP3A4", "CYP3A5", "NUDT15", "UGT1A1"};

/// Oracle: the definitions. Nothing but TPMT *47 has the definition of another allele.
void check_phased(const std::vector<std::string>& genes) {
    for (const std::string& name : genes)
        for (const bool with_optional : {true, false}) {
            CAPTURE(name);
            const auto gene = library_gene(name);
            const auto pairs = all_pairs(*gene);
            const VcfCalls calls =
                call_vcf(vcf_of_pairs(*gene, pairs, true, with_optional), {name});
            REQUIRE(calls.messages == "");
            REQUIRE(calls.calls.size() == pairs.size());
            std::vector<std::string> wrong;
            for (const WrittenPair& pair : pairs)
                if (calls.text(pair.sample, name) != gene->text(pair.diplotype))
                    wrong.push_back(gene->text(pair.diplotype) + " called " +
                                    calls.text(pair.sample, name));
            CHECK(fmt::format("{}", fmt::join(wrong, "; ")) == "");
        }
}

/// Oracle: pairs whose lists of unordered genotypes are the same text, by brute force. Alleles
/// whose definition allows either base are in the called set besides.
void check_unphased(const std::vector<std::string>& genes) {
    for (const std::string& name : genes) {
        CAPTURE(name);
        const auto gene = library_gene(name);
        const auto pairs = all_pairs(*gene);
        const VcfCalls calls = call_vcf(vcf_of_pairs(*gene, pairs, false), {name});
        REQUIRE(calls.messages == "");
        std::vector<std::string> wrong;
        for (const auto& [genotypes, expected] : pairs_by_genotypes(*gene, pairs)) {
            const auto is_one = [&](const WrittenPair& pair) {
                return gene->text(pair.diplotype) == *expected.begin();
            };
            const GenotypeCall& call = calls.of(std::ranges::find_if(pairs, is_one)->sample, name);
            double sum = 0.0;
            std::set<std::string> found;
            for (const CallCandidate& candidate : call.candidates) {
                sum += candidate.probability;
                found.insert(candidate.text);
            }
            CHECK(sum == doctest::Approx(1.0).epsilon(1e-12)); // rounding of a sum
            const bool has_either = std::ranges::any_of(gene->alleles, [](const Allele& allele) {
                return std::ranges::any_of(allele.variants, &AlleleVariant::is_optional);
            });
            const bool is_right =
                has_either ? std::ranges::includes(found, expected) : found == expected;
            if (!is_right) wrong.push_back(*expected.begin());
        }
        CHECK(fmt::format("{}", fmt::join(wrong, "; ")) == "");
    }
}

} // namespace

TEST_CASE("every pair of alleles of small genes is called, phased and unphased") {
    check_phased(small_genes);
    check_unphased(small_genes);
}

TEST_SUITE("slow") {
    TEST_CASE("every pair of alleles, phased, is called and nothing else") {
        check_phased(called_genes);
    }

    TEST_CASE("every pair of alleles, unphased, is called with all that have its genotypes") {
        check_unphased(called_genes);
    }
}

TEST_CASE("every variant of DPYD, alone and in pairs") {
    const auto gene = library_gene("DPYD");
    const auto pairs = all_pairs(*gene);
    const VcfCalls calls = call_vcf(vcf_of_pairs(*gene, pairs, false), {"DPYD"});
    REQUIRE(calls.messages == "");
    std::vector<std::string> wrong;
    for (const WrittenPair& pair : pairs) {
        const GenotypeCall& call = calls.of(pair.sample, "DPYD");
        if (call.candidates.size() != 1 || call.candidates[0].diplotype != pair.diplotype)
            wrong.push_back(gene->text(pair.diplotype) + " called " +
                            calls.text(pair.sample, "DPYD"));
    }
    CHECK(fmt::format("{}", fmt::join(wrong, "; ")) == "");
}

TEST_CASE("every allele of G6PD in men, and every pair of two in women") {
    const auto gene = library_gene("G6PD");
    std::vector<WrittenPair> pairs = all_pairs(*gene);
    // Of 17,000 pairs those of neighbours in the file, which are the likely confusions.
    std::erase_if(pairs, [](const WrittenPair& pair) {
        return pair.diplotype.second - pair.diplotype.first > 8 && pair.diplotype.first > 2;
    });
    const VcfCalls women = call_vcf(vcf_of_pairs(*gene, pairs, true), {"G6PD"});
    REQUIRE(women.messages == "");
    std::vector<std::string> wrong;
    for (const WrittenPair& pair : pairs)
        if (women.text(pair.sample, "G6PD") != gene->text(pair.diplotype))
            wrong.push_back(gene->text(pair.diplotype));

    std::vector<std::string> samples;
    for (const int allele : written_alleles(*gene))
        samples.push_back("m" + std::to_string(allele));
    std::string text = vcf_header(samples);
    for (const VcfSite& site : vcf_sites(*gene)) {
        text += site.columns();
        for (const int allele : written_alleles(*gene))
            text += fmt::format("\t{}",
                                vcf_value(gene->alleles[static_cast<std::size_t>(allele)], site));
        text += "\n";
    }
    const VcfCalls men = call_vcf(text, {"G6PD"});
    REQUIRE(men.messages == "");
    for (const int allele : written_alleles(*gene)) {
        const std::string& name = gene->alleles[static_cast<std::size_t>(allele)].name;
        if (men.text("m" + std::to_string(allele), "G6PD") != name + "/Y") wrong.push_back(name);
    }
    CHECK(fmt::format("{}", fmt::join(wrong, "; ")) == "");
}

} // namespace gemel::pkpd
