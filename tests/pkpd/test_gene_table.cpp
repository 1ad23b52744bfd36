#include "library.hpp"
#include "reference_file.hpp"

#include <gemel/pkpd/population.hpp>

#include <algorithm>
#include <cmath>
#include <map>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

/// Two alleles drawn independently: P(a/b) = p_a² or 2·p_a·p_b.
template <class Visit>
void for_each_diplotype(const GeneTable& gene, const AlleleFrequencies& group, Visit visit) {
    const int n = static_cast<int>(gene.alleles.size());
    for (int a = 0; a < n; ++a)
        for (int b = a; b < n; ++b) {
            const double p = group.frequencies[static_cast<std::size_t>(a)] *
                             group.frequencies[static_cast<std::size_t>(b)];
            if (p > 0.0) visit(Diplotype{a, b}, a == b ? p : 2.0 * p);
        }
}

/// CPIC's classes: "1.25", ">=3.0" or "n/a" by score, the phenotype's name by function.
std::string cpic_class(const GeneTable& gene, const Diplotype& diplotype) {
    if (!gene.has_score)
        return gene.phenotypes[static_cast<std::size_t>(gene.phenotype(diplotype))].name;
    const auto score = gene.score(diplotype);
    if (!score) return "n/a";
    const std::string text = gene.score_text(diplotype);
    return text.find('.') == std::string::npos ? text + ".0" : text;
}

using ByClass = std::map<std::string, double>;

/// Gene, group, class → frequency.
std::map<std::string, std::map<std::string, ByClass>> cpic_phenotype_frequencies() {
    std::map<std::string, std::map<std::string, ByClass>> published;
    for (const auto& row : reference_rows("cpic_phenotype_frequency.csv"))
        published[row[0]][row[2]][row[1]] = std::stod(row[3]);
    return published;
}

/// Genotypes alone: the model has no covariate, no map and no random effect that is drawn.
ByClass drawn_classes(const std::shared_ptr<const GeneTable>& gene,
                      const std::string& group,
                      std::uint64_t n) {
    Population population;
    population.model = std::make_shared<const Model>();
    population.size = n;
    population.seed = 20260511;
    population.has_variability = false;
    population.groups = {group};
    population.group_proportions = {1.0};
    GenotypeDistribution law;
    law.kind = GenotypeDistribution::Kind::ancestry;
    law.gene = gene->name;
    law.table = gene;
    population.genotypes = {law};
    std::map<Diplotype, double> counts;
    constexpr std::uint64_t block = 65536;
    for (std::uint64_t first = 0; first < n; first += block) {
        const CohortBlock drawn = population.draw({0, first, std::min(block, n - first)});
        for (const Diplotype& diplotype : drawn.genes[0].diplotype)
            counts[diplotype] += 1.0;
    }
    ByClass classes;
    for (const auto& [diplotype, count] : counts)
        classes[cpic_class(*gene, diplotype)] += count;
    return classes;
}

/// Standard normal if `count` is binomial: by the variance where many are expected, else by the
/// Freeman–Tukey root (1950, Ann Math Stat 21:607), which is normal enough from 0 on. Where nearly
/// all are expected, those who are not are counted.
double sampling_z(double count, double n, double p) {
    const double expected = n * p;
    if (n - expected < 100.0) return -sampling_z(n - count, n, 1.0 - p);
    if (expected > 100.0) return (count - expected) / std::sqrt(expected * (1.0 - p));
    return std::sqrt(count) + std::sqrt(count + 1.0) - std::sqrt(4.0 * expected + 1.0);
}

} // namespace

TEST_CASE("diplotypes are unordered and have one text") {
    const auto gene = library_gene("CYP2C9");
    CHECK(gene->parse_diplotype("*3/*1") == gene->parse_diplotype("*1/*3"));
    CHECK(gene->text(*gene->parse_diplotype("*3/*1")) == "*1/*3");
    CHECK(gene->text(*gene->parse_diplotype("*10/*2")) ==
          "*2/*10"); // order of the file, not of text
}

TEST_CASE("the spellings of a VKORC1 diplotype mean the same") {
    // VKORC1 -1639 G>A is rs9923231 C>T on the forward strand: one change, two names.
    const auto gene = library_gene("VKORC1");
    const auto ag = gene->parse_diplotype("AG");
    REQUIRE(ag);
    for (const char* text : {"GA",
                             "A/G",
                             "G/A",
                             "-1639A/-1639G",
                             "-1639G/-1639A",
                             "rs9923231 T/rs9923231 C",
                             "rs9923231 C/T"})
        CHECK_MESSAGE(gene->parse_diplotype(text) == ag, text);
}

TEST_CASE("VKORC1's A is the allele of East Asia, by -1639 and not by the forward strand") {
    // Oracle: CPIC's frequencies of rs9923231 T, which is -1639A; taken for the other strand's they
    // would be 0.587 and 0.134.
    const auto gene = library_gene("VKORC1");
    const auto of = [&](const char* group, const char* allele) {
        return gene->group(group)->frequencies[static_cast<std::size_t>(gene->find_allele(allele))];
    };
    for (const char* allele : {"A", "-1639A", "rs9923231 T"}) {
        CHECK(of("EUR", allele) == 0.41326);
        CHECK(of("EAS", allele) == 0.866491);
    }
}

TEST_CASE("a bare base is refused where its strand is not known") {
    const auto gene = library_gene("VKORC1");
    std::string why;
    CHECK_FALSE(gene->parse_diplotype("C/T", &why));
    CHECK(why == "a bare 'C' does not say its strand; write 'rs9923231 C'");
}

TEST_CASE("what is no diplotype is explained") {
    const auto gene = library_gene("CYP2C9");
    std::string why;
    CHECK_FALSE(gene->parse_diplotype("*1", &why).has_value());
    CHECK(why.find("no allele") != std::string::npos); // "*1" reads as "*" and "1"
    CHECK_FALSE(gene->parse_diplotype("*1/*99", &why).has_value());
    CHECK(why.find("'*99' is no allele of CYP2C9") == 0);
    CHECK_FALSE(gene->parse_diplotype("", &why).has_value());
    CHECK(why.find("'' is no diplotype") == 0);
}

TEST_CASE("an allele of uncertain function leaves score and phenotype open") {
    const auto gene = library_gene("CYP2C9");
    const auto diplotype = gene->parse_diplotype("*1/*7");
    REQUIRE(diplotype);
    CHECK_FALSE(gene->score(*diplotype));
    CHECK(gene->phenotypes[static_cast<std::size_t>(gene->phenotype(*diplotype))].label == "IND");
}

TEST_CASE("allele frequencies of every group and gene sum to one") {
    // Oracle: CPIC's tables; six digits and up to a hundred alleles.
    for (const std::string& name : library().names("genes")) {
        const auto gene = library_gene(name);
        for (const AlleleFrequencies& group : gene->frequencies) {
            double sum = 0.0;
            for (double p : group.frequencies)
                sum += p;
            INFO(name, " ", group.group);
            CHECK(std::abs(sum - 1.0) < 1e-5);
        }
    }
    // Which groups CPIC has is part of the facts.
    const std::map<std::string, std::size_t> n_groups{{"ABCG2", 9},
                                                      {"CYP2B6", 8},
                                                      {"CYP2C19", 9},
                                                      {"CYP2C9", 9},
                                                      {"CYP2D6", 9},
                                                      {"CYP3A5", 7},
                                                      {"DPYD", 6},
                                                      {"NUDT15", 4},
                                                      {"SLCO1B1", 8},
                                                      {"TPMT", 7},
                                                      {"UGT1A1", 8},
                                                      {"VKORC1", 8}};
    for (const auto& [name, n] : n_groups)
        CHECK_MESSAGE(library_gene(name)->frequencies.size() == n, name);
}

TEST_CASE("Hardy-Weinberg on the alleles gives CPIC's phenotype frequencies") {
    // Oracle: CPIC's own phenotype frequency tables of the nine genes that have one (data file
    // beside this test). Both tables have six digits: an error of 5e-7 in each of the two alleles
    // and in the phenotype itself; the largest difference is 1.9e-6, SLCO1B1 of normal function in
    // Europe.
    constexpr double printed_digits = 2e-6;
    std::map<std::string, int> n_rows;
    for (const auto& [name, published] : cpic_phenotype_frequencies()) {
        const auto gene = library_gene(name);
        std::map<std::string, std::map<std::string, double>> ours;
        for (const AlleleFrequencies& group : gene->frequencies)
            for_each_diplotype(*gene, group, [&](const Diplotype& diplotype, double p) {
                ours[group.group][cpic_class(*gene, diplotype)] += p;
            });
        for (const auto& [group, classes] : published)
            for (const auto& [what, frequency] : classes) {
                INFO(name, " ", what, " in ", group);
                CHECK(std::abs(ours[group][what] - frequency) < printed_digits);
                ours[group].erase(what);
                ++n_rows[name];
            }
        for (const auto& [group, rest] : ours)
            for (const auto& [what, frequency] : rest)
                CHECK_MESSAGE(
                    frequency < printed_digits, name, " ", what, " in ", group, " is not CPIC's");
    }
    CHECK(n_rows["CYP2D6"] == 198); // 22 scores × 9 groups
    CHECK(n_rows["CYP2C9"] == 54);
    CHECK(n_rows["CYP2C19"] == 72);
    CHECK(n_rows["CYP3A5"] == 35);
    CHECK(n_rows["CYP2B6"] == 48);
    CHECK(n_rows["SLCO1B1"] == 48);
    CHECK(n_rows["ABCG2"] == 27);
    CHECK(n_rows["NUDT15"] == 20);
    CHECK(n_rows["TPMT"] == 35);
    CHECK(n_rows.size() == 9);
}

TEST_CASE("of a gene held per variant the two lowest activities count") {
    // Facts of CPIC's DPYD table; order and number of what else is carried change nothing.
    const auto gene = library_gene("DPYD");
    const auto of = [&](const char* text) { return *gene->parse_diplotype(text); };
    CHECK(gene->score(of("*9A/HapB3/*2A/*5")) == 0.5);
    CHECK(of("*9A/HapB3/*2A/*5") == of("*2A/*5/*9A/HapB3"));
    CHECK(of("*5/*9A/*6") == of("*6/*5/*9A"));
    CHECK(of("*9A/*5") == of("c.1627A>G (*5)/c.85T>C"));
    std::string why;
    CHECK_FALSE(gene->parse_diplotype("*2A", &why));
    CHECK(why.find("'*2A' is no diplotype; write two alleles") == 0);
    CHECK_FALSE(gene->parse_diplotype("*2A/*9A/*99", &why));
    CHECK(why.find("'*99' is no allele of DPYD") == 0);

    // An activity that is not known may be the lowest, unless two are known to be 0.
    GeneTable unsure = *gene;
    unsure.alleles[static_cast<std::size_t>(unsure.find_allele("*5"))].activity.reset();
    CHECK_FALSE(unsure.score(*unsure.parse_diplotype("*9A/HapB3/*5")));
    CHECK_FALSE(unsure.score(*unsure.parse_diplotype("HapB3/HapB3/*5")));
    CHECK(unsure.score(*unsure.parse_diplotype("*2A/*5/*13")) == 0.0);
}

TEST_CASE("Hardy-Weinberg gives the phenotypes of DPYD that its single variants add up to") {
    // Closed form, in Europe: a chromosome's activity is 0 with z, 0.5 with h, else 1, by CPIC's
    // frequencies of variants without function (z) and of decreased function (h).
    const auto gene = library_gene("DPYD");
    const AlleleFrequencies& europe = *gene->group("EUR");
    double z = 0.0, h = 0.0;
    for (std::size_t a = 0; a < gene->alleles.size(); ++a) {
        if (gene->alleles[a].activity == 0.0) z += europe.frequencies[a];
        if (gene->alleles[a].activity == 0.5) h += europe.frequencies[a];
    }
    std::map<std::string, double> ours;
    for_each_diplotype(*gene, europe, [&](const Diplotype& diplotype, double p) {
        ours[gene->phenotypes[static_cast<std::size_t>(gene->phenotype(diplotype))].label] += p;
    });
    const double rest = 1.0 - z - h;
    CHECK(ours["PM"] == doctest::Approx(z * z + 2.0 * z * h).epsilon(1e-9));
    CHECK(ours["IM"] == doctest::Approx(h * h + 2.0 * (z + h) * rest).epsilon(1e-9));
    CHECK(ours["NM"] == doctest::Approx(rest * rest).epsilon(1e-9));
}

TEST_CASE("a frequency with a source of its own says how much it is worth") {
    // Facts of the files: NAT2 in sub-Saharan Africa was counted (Sabbagh 2008, Table 3); Europe's
    // printed digits sum to 1.0001; South Asia's are remembered.
    const auto gene = library_gene("NAT2");
    const auto origin = [&](const char* group, const char* allele) {
        return gene->group(group)->origins[static_cast<std::size_t>(gene->find_allele(allele))];
    };
    CHECK(origin("SSA", "*5").confidence == "seen");
    CHECK(origin("SSA", "*5").source.starts_with("Sabbagh 2008"));
    CHECK(origin("EUR", "*4").confidence == "derived");
    CHECK(origin("SAS", "*6").confidence == "remembered");
    CHECK(library_gene("CYP2C9")->group("EUR")->origins.front().confidence.empty());
}

TEST_CASE("UGT1A1*80 alone is not drawn, as it tags *28") {
    // Oracle: CPIC's *1 of 0.360721 and *80 of 0.314245 in Europe, where *28 has 0.316475.
    const auto gene = library_gene("UGT1A1");
    for (const AlleleFrequencies& group : gene->frequencies)
        CHECK(group.frequencies[static_cast<std::size_t>(gene->find_allele("*80"))] == 0.0);
    const auto& europe = gene->group("EUR")->frequencies;
    CHECK(europe[static_cast<std::size_t>(gene->find_allele("*1"))] ==
          doctest::Approx(0.360721 + 0.314245).epsilon(1e-12));
}

TEST_CASE("a score that is a lower bound says so, and has a phenotype where none above differs") {
    // Facts of CPIC's CYP2D6 table: *1x>=3 counts as at least 3.
    const auto gene = library_gene("CYP2D6");
    const auto of = [&](const char* text) { return *gene->parse_diplotype(text); };
    CHECK(gene->score_text(of("*4/*1x>=3")) == ">=3");
    CHECK(gene->score_text(of("*1x>=3/*10")) == ">=3.25");
    CHECK(gene->score_text(of("*4/*4x>=3")) == "0"); // three copies of nothing
    CHECK(gene->score_text(of("*22/*1x>=3")) == "not known");
    CHECK_FALSE(gene->is_score_lower_bound(of("*1/*1x2")));
    CHECK_FALSE(gene->is_score_lower_bound(of("*22/*1x>=3"))); // not known at all
    CHECK(of("*1xN/*2") == of("*1x>=3/*2"));

    GeneTable unsure = *gene; // "at least 1" may be any phenotype from there on
    unsure.alleles[static_cast<std::size_t>(unsure.find_allele("*2"))].is_activity_lower_bound =
        true;
    const auto phenotype = [&](const char* text) {
        return unsure.phenotypes[static_cast<std::size_t>(unsure.phenotype(of(text)))].label;
    };
    CHECK(phenotype("*2/*4") == "IND");
    CHECK(phenotype("*2/*1") == "IND");
    CHECK(phenotype("*2/*1x2") == "UM"); // at least 3
}

TEST_CASE("copies of one allele have its activity as many times") {
    // Oracle: CPIC counts a duplication as that many alleles of the same function, and the deleted
    // gene as none.
    const auto gene = library_gene("CYP2D6");
    int n_copied = 0;
    for (const Allele& allele : gene->alleles) {
        const auto x = allele.name.find('x');
        const bool is_tandem = allele.name.find('+') != std::string::npos;
        if (x == std::string::npos || is_tandem) continue;
        INFO(allele.name);
        const int single = gene->find_allele(allele.name.substr(0, x));
        REQUIRE(single >= 0);
        const auto& activity = gene->alleles[static_cast<std::size_t>(single)].activity;
        CHECK(allele.activity.has_value() == activity.has_value());
        if (activity) CHECK(*allele.activity == allele.copies * *activity);
        CHECK(allele.is_copies_lower_bound == allele.name.ends_with("x>=3"));
        ++n_copied;
    }
    CHECK(n_copied == 21);
    const Allele& deleted = gene->alleles[static_cast<std::size_t>(gene->find_allele("*5"))];
    CHECK(deleted.copies == 0);
    CHECK(deleted.activity == 0.0);
    CHECK(deleted.variants.empty());
}

TEST_SUITE("slow") {
    TEST_CASE("phenotype shares of 1,000,000 drawn patients per group agree with CPIC's") {
        // Oracle: CPIC's phenotype frequency tables, binomial sampling. Some 500 cells: |z| < 4.5
        // fails by chance once in 300 seeds; the seed is fixed. CPIC's rounding (2e-6) is 0.004
        // standard deviations at most.
        constexpr std::uint64_t n_patients = 1'000'000;
        double largest = 0.0;
        for (const auto& [name, published] : cpic_phenotype_frequencies())
            for (const auto& [group, classes] : published) {
                auto counts = drawn_classes(library_gene(name), group, n_patients);
                for (const auto& [what, frequency] : classes) {
                    INFO(name, " ", what, " in ", group, ": ", counts[what], " of ", n_patients);
                    const double z = sampling_z(counts[what], n_patients, frequency);
                    CHECK(std::abs(z) < 4.5);
                    largest = std::max(largest, std::abs(z));
                }
            }
        CHECK(largest > 1.0); // it is a sample
    }
}
