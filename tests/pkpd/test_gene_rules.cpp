#include "library.hpp"
#include "reference_file.hpp"

#include <algorithm>
#include <map>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

/// An allele as CPIC's table of functions has it.
struct CpicAllele {
    std::string name, activity, function;
    bool is_known() const { return !activity.empty() && activity != "n/a"; }
};

/// CPIC's rules of one gene, read anew from its tables: no gene file has a part in it.
struct CpicGene {
    std::vector<CpicAllele> alleles;
    std::map<std::pair<std::string, std::string>, std::string> by_pair;
    struct Band {
        double from = 0.0, to = 0.0;
        std::string phenotype;
    };
    std::vector<Band> by_score;
    std::string not_known; ///< phenotype where an activity is "n/a" or not given

    std::string phenotype(const CpicAllele& a, const CpicAllele& b) const {
        if (by_score.empty()) return by_pair.at(std::minmax(a.function, b.function));
        if (!a.is_known() || !b.is_known()) return not_known;
        const double score = std::stod(a.activity) + std::stod(b.activity);
        for (const Band& band : by_score)
            if (score >= band.from && score <= band.to) return band.phenotype;
        return "no band";
    }
};

std::map<std::string, CpicGene> cpic_genes() {
    std::map<std::string, CpicGene> genes;
    for (const auto& row : reference_rows("cpic_allele_functions.csv")) {
        std::string name = row[1];
        std::ranges::replace(name, ';', ',');
        genes[row[0]].alleles.push_back({name, row[2], row[4]});
    }
    for (const auto& row : reference_rows("cpic_phenotype_rules.csv")) {
        CpicGene& gene = genes[row[0]];
        if (!row[1].empty())
            gene.by_score.push_back(
                {std::stod(row[1]), row[2].empty() ? 100.0 : std::stod(row[2]), row[5]});
        else if (row[3] == "n/a")
            gene.not_known = row[5];
        else
            gene.by_pair[std::minmax(row[3], row[4])] = row[5];
    }
    return genes;
}

} // namespace

TEST_CASE("every pair of alleles has the phenotype of CPIC's rules") {
    // Oracle: CPIC's tables of functions and rules (data files beside this test), read by this test
    // alone; CPIC's own diplotype tables have as many rows (16,836 of them for CYP2D6).
    int n_pairs = 0;
    for (const auto& [name, cpic] : cpic_genes()) {
        const auto gene = library_gene(name);
        CHECK_MESSAGE(gene->alleles.size() == cpic.alleles.size(), name);
        for (std::size_t i = 0; i < cpic.alleles.size(); ++i)
            for (std::size_t j = i; j < cpic.alleles.size(); ++j) {
                const CpicAllele &a = cpic.alleles[i], &b = cpic.alleles[j];
                const int first = gene->find_allele(a.name), second = gene->find_allele(b.name);
                INFO(name, " ", a.name, "/", b.name);
                REQUIRE(std::min(first, second) >= 0);
                const auto ours = static_cast<std::size_t>(
                    gene->phenotype({std::min(first, second), std::max(first, second)}));
                CHECK(gene->phenotypes[ours].name == cpic.phenotype(a, b));
                ++n_pairs;
            }
    }
    CHECK(n_pairs == 29113);
}
