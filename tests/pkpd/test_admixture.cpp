#include "pkpd/gene_frame.hpp"
#include "pkpd/loaded.hpp"

#include <gemel/sim/distributions.hpp>

#include <cmath>
#include <fstream>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

constexpr std::uint64_t n_people = 100000;

const std::string of_both = "[population.genotypes]\nCYP2C9 = { by = \"ancestry\" }\n"
                            "CYP2C19 = { by = \"ancestry\" }\n";

Population admixed(const std::string& ancestry, const std::string& more = "") {
    return read_well("size = 100000\nancestry = " + ancestry + "\n" + more + of_both,
                     gene_frame({"CYP2C9", "CYP2C19"}));
}

double frequency(const char* gene, const char* group, const char* allele) {
    const auto table = library_gene(gene);
    return table->group(group)->frequencies[static_cast<std::size_t>(table->find_allele(allele))];
}

const CohortBlock::Gene&
gene_of(const Population& population, const CohortBlock& block, const char* gene) {
    std::size_t g = 0;
    while (population.genotypes[g].gene != gene)
        ++g;
    return block.genes[g];
}

double share_with_two(const std::vector<double>& copies) {
    return static_cast<double>(std::ranges::count(copies, 2.0)) /
           static_cast<double>(copies.size());
}

/// Four standard errors of a share.
double allowed(double share) {
    return 4.0 * std::sqrt(share * (1.0 - share) / double(n_people));
}

} // namespace

TEST_CASE("people of an admixed group have shares of a Dirichlet law about the group's") {
    // Oracle: with two ancestors Beta(c·m, c·(1 − m)), m = 0.3 and c = 8.
    const Population population =
        admixed("{ mixed = { share = 1, admixed = { EUR = 0.3, SSA = 0.7 }, concentration = 8 } }");
    const CohortBlock block = draw_all(population);
    CHECK(population.ancestors() == std::vector<std::string>{"EUR", "SSA"});
    REQUIRE(block.ancestor_shares.size() == 2 * n_people);
    const auto eur = column(block.ancestor_shares, n_people, 0),
               ssa = column(block.ancestor_shares, n_people, 1);
    CHECK(ks_distance(eur, [](double x) { return sim::beta_probability(2.4, 5.6, x); }) <
          ks_critical(n_people));
    for (std::uint64_t s = 0; s < 100; ++s)
        CHECK(eur[s] + ssa[s] == doctest::Approx(1.0).epsilon(1e-15));
}

TEST_CASE("personal shares keep mean frequencies and make homozygotes more, genes correlated") {
    // Oracle (Wahlund 1928): with frequencies p, p' of an allele in two ancestors and shares of
    // mean m and variance v = m(1 − m)/(c + 1): frequency m·p + (1 − m)·p', homozygotes its square
    // plus v(p − p')², and the copies of two genes' alleles have the covariance 4·v·(p − p')(q −
    // q'). CYP2C9*1 differs by 0.07, CYP2C19*1 by 0.07: a covariance of 0.0009 is 5 standard
    // errors.
    const double m = 0.4, c = 1.0, v = m * (1.0 - m) / (c + 1.0);
    const Population population =
        admixed("{ mixed = { share = 1, admixed = { EUR = 0.4, SSA = 0.6 }, concentration = 1 } }");
    const CohortBlock block = draw_all(population);
    const auto check = [&](const char* gene, const char* allele) {
        const double p = frequency(gene, "EUR", allele), q = frequency(gene, "SSA", allele);
        const auto copies = copies_of(gene_of(population, block, gene),
                                      population.model->genes.at(gene)->find_allele(allele));
        const double mixed = m * p + (1.0 - m) * q;
        const double twice = mixed * mixed + v * (p - q) * (p - q);
        INFO(gene, allele);
        CHECK(std::abs(mean(copies) / 2.0 - mixed) < allowed(mixed));
        CHECK(std::abs(share_with_two(copies) - twice) < allowed(twice));
    };
    check("CYP2C9", "*1");
    check("CYP2C9", "*2");
    check("CYP2C9", "*8");
    check("CYP2C19", "*1");
    const auto two = copies_of(gene_of(population, block, "CYP2C9"),
                               population.model->genes.at("CYP2C9")->find_allele("*2"));
    const auto one = copies_of(gene_of(population, block, "CYP2C19"),
                               population.model->genes.at("CYP2C19")->find_allele("*1"));
    const double expected = 4.0 * v *
                            (frequency("CYP2C9", "EUR", "*2") - frequency("CYP2C9", "SSA", "*2")) *
                            (frequency("CYP2C19", "EUR", "*1") - frequency("CYP2C19", "SSA", "*1"));
    const double covariance = correlation(two, one) * sd(two) * sd(one);
    CHECK(std::abs(covariance - expected) < 4.0 * sd(two) * sd(one) / std::sqrt(double(n_people)));
    CHECK(expected > 2.0 * sd(two) * sd(one) / std::sqrt(double(n_people)));
}

TEST_CASE("who draws genomes of own shares does not depend on the range") {
    // Invariant; and a group without a concentration draws what it drew before there was one.
    const std::string groups =
        "{ EUR = 0.5, mixed = { share = 0.5, admixed = { EUR = 0.3, SSA = 0.7 }";
    const Population own = admixed(groups + ", concentration = 20 } }"),
                     alike = admixed(groups + " } }");
    const CohortBlock whole = own.draw({3, 0, 5000}), part = own.draw({3, 1234, 100});
    for (std::size_t g = 0; g < 2; ++g)
        CHECK(std::equal(part.genes[g].diplotype.begin(),
                         part.genes[g].diplotype.end(),
                         whole.genes[g].diplotype.begin() + 1234));
    const CohortBlock same = alike.draw({3, 0, 5000});
    CHECK(same.ancestor_shares.empty());
    CHECK(same.ancestry == whole.ancestry);
    for (std::size_t s = 0; s < 5000; ++s)
        if (same.ancestry[s] == 0) CHECK(same.genes[0].diplotype[s] == whole.genes[0].diplotype[s]);
}

TEST_CASE("shares of genomes may stand in covariates, and rows of a table") {
    // Oracle: everybody whose share is 0 has the alleles of the other group alone.
    const std::string group =
        "{ mixed = { share = 1, admixed = { EUR = \"rest\", SSA = \"AFR\" } } }";
    const auto none = admixed(group, "covariates = { AFR = { unit = \"1\", uniform = [0, 1] } }\n");
    const CohortBlock block = draw_all(none);
    CHECK(column(block.ancestor_shares, n_people, 1) == column(block.covariates, n_people, 0));
    const double v = 1.0 / 12.0, p = frequency("CYP2C9", "EUR", "*2"), mixed = 0.5 * p;
    const double q = frequency("CYP2C9", "SSA", "*2"), frequency_of_both = mixed + 0.5 * q;
    const auto copies = copies_of(gene_of(none, block, "CYP2C9"),
                                  none.model->genes.at("CYP2C9")->find_allele("*2"));
    const double twice = frequency_of_both * frequency_of_both + v * (p - q) * (p - q);
    CHECK(std::abs(mean(copies) / 2.0 - frequency_of_both) < allowed(frequency_of_both));
    CHECK(std::abs(share_with_two(copies) - twice) < allowed(twice));
}

TEST_CASE("shares of genomes may be those of a table's rows") {
    // Oracle: two kinds of people, wholly of one group each, are a mixture of people: the share of
    // homozygotes is the mean of the squares. Rows that do not sum to 1 are told.
    const auto csv = temporary_path("shares.csv");
    const auto with_rows = [&](const char* rows) {
        std::ofstream(csv) << "E,S\n" << rows;
        return read(
            "size = 100000\nancestry = { mixed = { share = 1, admixed = { EUR = \"E\", SSA = "
            "\"S\" } } }\ncovariates = { E = { unit = \"1\" }, S = { unit = \"1\" } }\n"
            "rows = { file = \"" +
                csv.filename().string() + "\", columns = [\"E\", \"S\"] }\n" + of_both,
            gene_frame({"CYP2C9", "CYP2C19"}),
            1,
            csv);
    };
    const Read good = with_rows("1,0\n0,1\n");
    CHECK(good.messages == "");
    const CohortBlock block = draw_all(good.population);
    const double p = frequency("CYP2C19", "EUR", "*2"), q = frequency("CYP2C19", "SSA", "*2");
    const auto copies = copies_of(gene_of(good.population, block, "CYP2C19"),
                                  good.population.model->genes.at("CYP2C19")->find_allele("*2"));
    const double twice = 0.5 * (p * p + q * q);
    CHECK(std::abs(share_with_two(copies) - twice) < allowed(twice));
    CHECK(with_rows("1,0\n0.4,0.5\n").messages.find("genomes can sum to 0.9") != std::string::npos);
    std::filesystem::remove(csv);
}

TEST_CASE("linked genes come in the haplotypes that are given") {
    // Oracle: two haplotypes drawn independently: alleles by their sums, and copies of two genes'
    // alleles with the covariance 2·D, D = P(both) − P(one)·P(other).
    const Population population = read_well(
        "size = 100000\n[[population.linked]]\ngenes = [\"CYP2C9\", \"CYP2C19\"]\n"
        "haplotypes = { \"*1 *1\" = 0.5, \"*1 *2\" = 0.3, \"*2 *1\" = 0.15, \"*2 *2\" = 0.05 }\n",
        gene_frame({"CYP2C9", "CYP2C19"}));
    const CohortBlock block = draw_all(population);
    const auto nine = copies_of(gene_of(population, block, "CYP2C9"),
                                population.model->genes.at("CYP2C9")->find_allele("*2"));
    const auto nineteen = copies_of(gene_of(population, block, "CYP2C19"),
                                    population.model->genes.at("CYP2C19")->find_allele("*2"));
    CHECK(std::abs(mean(nine) / 2.0 - 0.20) < allowed(0.2));
    CHECK(std::abs(mean(nineteen) / 2.0 - 0.35) < allowed(0.35));
    CHECK(std::abs(share_with_two(nine) - 0.04) < allowed(0.04));
    const double covariance = correlation(nine, nineteen) * sd(nine) * sd(nineteen);
    CHECK(std::abs(covariance - 2.0 * (0.05 - 0.2 * 0.35)) <
          4.0 * sd(nine) * sd(nineteen) / std::sqrt(double(n_people)));
    const CohortBlock part = population.draw({0, 777, 50});
    CHECK(std::equal(part.genes[0].diplotype.begin(),
                     part.genes[0].diplotype.end(),
                     block.genes[0].diplotype.begin() + 777));
}

TEST_CASE("haplotypes go by the ancestor a chromosome comes from, and may be uncertain") {
    // Oracle: each ancestor has one haplotype, so that both genes of a chromosome tell its
    // ancestor: nobody has an allele pair that is of neither. Counted in 50 people, a frequency is
    // Beta(100·p + ½, 100·(1 − p) + ½).
    const std::string linked =
        "[[population.linked]]\ngenes = [\"CYP2C9\", \"CYP2C19\"]\nsubjects = 50\n"
        "haplotypes.EUR = { \"*2 *2\" = 1 }\nhaplotypes.SSA = { \"*8 *9\" = 0.8, \"*2 *2\" = 0.2 "
        "}\n";
    const Model model = gene_frame({"CYP2C9", "CYP2C19"});
    const Population population = read_well(
        "size = 100000\nfrequencies = \"uncertain\"\nancestry = { mixed = { share = 1, admixed = { "
        "EUR = 0.5, SSA = 0.5 }, concentration = 5 } }\n" +
            linked,
        model);
    const CohortBlock block = draw_all(population);
    const auto eight = copies_of(gene_of(population, block, "CYP2C9"),
                                 model.genes.at("CYP2C9")->find_allele("*8"));
    const auto nine = copies_of(gene_of(population, block, "CYP2C19"),
                                model.genes.at("CYP2C19")->find_allele("*9"));
    CHECK(eight == nine);
    const auto* law = population.frequencies->find("CYP2C9+CYP2C19", "SSA");
    REQUIRE(law != nullptr);
    std::vector<double> drawn;
    for (std::uint32_t r = 0; r < 20000; ++r)
        drawn.push_back(population.frequencies->frequencies(*law, r)[1]);
    CHECK(ks_distance(drawn, [](double x) { return sim::beta_probability(80.5, 20.5, x); }) <
          ks_critical(20000));
}

TEST_CASE("each mistake of linked genes and personal shares is told, with its cure") {
    const Model model = gene_frame({"CYP2C9", "CYP2C19"});
    const auto messages = [&](const std::string& toml) {
        return read("size = 10\n" + toml, model).messages;
    };
    const auto linked = [&](const std::string& rest) {
        return messages("[[population.linked]]\n" + rest);
    };
    const std::string both = "genes = [\"CYP2C9\", \"CYP2C19\"]\n";
    const std::pair<std::string, const char*> mistakes[] = {
        {linked("genes = [\"CYP2C9\"]\nhaplotypes = { \"*1\" = 1 }\n"), "two or more genes"},
        {linked("genes = [\"CYP2C9\", \"CYP2C8\"]\nhaplotypes = { \"*1 *1\" = 1 }\n"),
         "the model frame has no map of the gene 'CYP2C8'"},
        {linked(both + "haplotypes = { \"*1 *1\" = 0.6, \"*2\" = 0.4 }\n"),
         "\"*2\" is no haplotype"},
        {linked(both + "haplotypes = { \"*1 *1\" = 0.6, \"*1 *99\" = 0.4 }\n"), "is no haplotype"},
        {linked(both + "haplotypes = { \"*1 *1\" = 0.6 }\n"), "haplotype frequencies sum to 0.6"},
        {linked(both + "haplotypes = { EUR = { \"*1 *1\" = 1 } }\n"), "need the ancestry"},
        {messages("ancestry = { EUR = 0.5, SSA = 0.5 }\n[[population.linked]]\n" + both +
                  "haplotypes = { EUR = { \"*1 *1\" = 1 } }\n"),
         "no haplotypes of CYP2C9 and CYP2C19 in the group SSA"},
        {messages("genotypes = { CYP2C9 = \"*1/*1\" }\n[[population.linked]]\n" + both +
                  "haplotypes = { \"*1 *1\" = 1 }\n"),
         "CYP2C9 stands in `genotypes` and in `linked`"},
        {messages("ancestry = { m = { share = 1, admixed = { EUR = 1 }, concentration = 0 } }\n" +
                  of_both),
         "'concentration'"},
        {messages(
             "ancestry = { m = { share = 1, admixed = { EUR = \"AFR\", SSA = \"rest\" } } }\n" +
             of_both),
         "is no covariate without unit"},
        {messages(
             "covariates = { AFR = { unit = \"1\", uniform = [0, 1] }, NAT = { unit = \"1\", "
             "uniform = [0, 0.5] } }\nancestry = { m = { share = 1, admixed = { EUR = \"rest\", "
             "SSA = \"AFR\", AME = \"NAT\" } } }\n" +
             of_both),
         "the shares of m's genomes can sum to 1.5"},
        {messages(
             "covariates = { AFR = { unit = \"1\", normal = { mean = 0.5, sd = 0.1 } } }\n"
             "ancestry = { m = { share = 1, admixed = { EUR = \"rest\", SSA = \"AFR\" } } }\n" +
             of_both),
         "AFR, a share of a genome, can be below 0"},
    };
    for (const auto& [told, expected] : mistakes) {
        INFO(told);
        CHECK(told.find(expected) != std::string::npos);
    }
}
