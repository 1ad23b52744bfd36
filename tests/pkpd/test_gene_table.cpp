#include "library.hpp"
#include "reference_file.hpp"

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
    // Oracle: CPIC's tables; six digits and up to a dozen alleles.
    for (const char* name : {"CYP2C9", "VKORC1"}) {
        const auto gene = library_gene(name);
        for (const AlleleFrequencies& group : gene->frequencies) {
            double sum = 0.0;
            for (double p : group.frequencies)
                sum += p;
            INFO(name, " ", group.group);
            CHECK(std::abs(sum - 1.0) < 1e-5);
        }
    }
    CHECK(library_gene("CYP2C9")->frequencies.size() == 9);
    CHECK(library_gene("VKORC1")->frequencies.size() == 8); // CPIC has none for Oceania
}

TEST_CASE("Hardy-Weinberg on the alleles gives CPIC's frequencies of the activity score") {
    // Oracle: CPIC's own phenotype frequency table (data file beside this test); 2e-5 covers the
    // six digits the allele frequencies are printed with.
    const auto gene = library_gene("CYP2C9");
    std::map<std::pair<std::string, std::string>, double> ours;
    for (const AlleleFrequencies& group : gene->frequencies)
        for_each_diplotype(*gene, group, [&](const Diplotype& diplotype, double p) {
            const auto score = gene->score(diplotype);
            ours[{score ? std::to_string(*score).substr(0, 3) : "n/a", group.group}] += p;
        });
    int n_rows = 0;
    for (const auto& row : reference_rows("cpic_phenotype_frequency_cyp2c9.csv")) {
        INFO("score ", row[1], " in ", row[2]);
        const double published = std::stod(row[3]);
        const auto found = ours.find({row[1], row[2]});
        CHECK(std::abs((found == ours.end() ? 0.0 : found->second) - published) < 2e-5);
        ++n_rows;
    }
    CHECK(n_rows == 54); // 6 scores × 9 groups
}
