#include "pkpd/drawn.hpp"

#include <algorithm>
#include <cmath>
#include <map>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

Model with_gene(std::vector<std::string> categories = {"female", "male"}) {
    Model model;
    model.id = "frame";
    if (!categories.empty()) add_covariate(model, "SEX", "1", std::move(categories));
    model.genes["G6PD"] = library_gene("G6PD");
    list_inputs(model);
    return model;
}

const std::string people =
    "size = 50000\nancestry = \"SSA\"\n"
    "covariates = { SEX = { categorical = { female = 0.5, male = 0.5 } } }\n";

std::string messages_of(const std::string& genotypes, const Model& model = with_gene()) {
    return read(people + "genotypes = { G6PD = " + genotypes + " }\n", model).messages;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

struct Share {
    double count = 0.0, of = 0.0;
    double z(double p) const { return (count - of * p) / std::sqrt(of * p * (1.0 - p)); }
};

} // namespace

TEST_CASE("a man's diplotype of an X-linked gene is one allele beside Y") {
    const auto gene = library_gene("G6PD");
    CHECK(gene->text(*gene->parse_diplotype("Y/A- 202A_376G")) == "A- 202A_376G/Y");
    CHECK(gene->parse_diplotype("Mediterranean/Y") == gene->parse_diplotype("Y/Dallas"));
    std::string why;
    CHECK_FALSE(gene->parse_diplotype("Y/Y", &why));
    CHECK(why == "'Y' is no copy of G6PD: one allele must stand beside it, as 'B (reference)/Y'");
}

TEST_CASE("men have the phenotype of their one allele, women of a pair") {
    // Closed form: with q the deficient alleles' share, men are deficient with q; women with q²,
    // and variable with 2·q·(1−q). Koromina 2025: q = 0.116 + 0.005, men's prevalence 0.122.
    const Population population = read_well(
        people + "genotypes = { G6PD = { by = \"ancestry\", hemizygous = \"SEX_male\" } }\n",
        with_gene());
    const CohortBlock block = draw_all(population);
    const GeneTable& gene = *population.genotypes[0].table;
    Share deficient_men, deficient_women, variable_women;
    for (std::uint64_t s = 0; s < population.size; ++s) {
        const bool is_man = block.covariates[s] == 1.0;
        const Diplotype& diplotype = block.genes[0].diplotype[s];
        CHECK((diplotype.second == gene.hemizygous_allele()) == is_man);
        CHECK(diplotype.first != gene.hemizygous_allele());
        const std::string& phenotype = gene.phenotypes[block.genes[0].phenotype[s]].name;
        for (Share* share : {&deficient_men, &deficient_women, &variable_women})
            share->of += (share == &deficient_men) == is_man ? 1.0 : 0.0;
        (is_man ? deficient_men : deficient_women).count += phenotype == "Deficient" ? 1.0 : 0.0;
        variable_women.count += phenotype == "Variable" ? 1.0 : 0.0;
    }
    const double q = 0.116 + 0.005;
    // Binomial sampling; |z| > 4 once in 16,000 seeds, and the seed is fixed.
    CHECK(std::abs(deficient_men.z(q)) < 4.0);
    CHECK(std::abs(deficient_women.z(q * q)) < 4.0);
    CHECK(std::abs(variable_women.z(2.0 * q * (1.0 - q))) < 4.0);
}

TEST_CASE("women draw the same alleles whoever else has one copy") {
    const std::string given =
        "genotypes = { G6PD = { alleles = { B = 0.9, A = 0.1 }, hemizygous = ";
    const CohortBlock men = draw_all(read_well(people + given + "\"SEX_male\" } }\n", with_gene()));
    const CohortBlock women =
        draw_all(read_well(people + given + "\"SEX_female\" } }\n", with_gene()));
    const int y = library_gene("G6PD")->hemizygous_allele();
    for (std::size_t s = 0; s < men.genes[0].diplotype.size(); ++s) {
        const Diplotype& a = men.genes[0].diplotype[s];
        const Diplotype& b = women.genes[0].diplotype[s];
        CHECK((a.second == y) != (b.second == y));
        const Diplotype &one = a.second == y ? a : b, &two = a.second == y ? b : a;
        CHECK((one.first == two.first || one.first == two.second)); // the first draw is the same
    }
}

TEST_CASE("a population is told what the sex of its patients is missing for") {
    const std::string by_sex = "study.toml:5:22: error: ";
    CHECK(has(messages_of("{ by = \"ancestry\" }"),
              by_sex + "who has only one copy of G6PD is not said"));
    CHECK(has(messages_of("{ by = \"ancestry\" }"), "hemizygous = \"SEX_male\""));
    CHECK(has(messages_of("{ B = 0.9, A = 0.1 }"), "who has only one copy of G6PD is not said"));
    CHECK(has(messages_of("{ by = \"ancestry\", hemizygous = \"SEX_mail\" }"),
              "'SEX_mail' is no category of a covariate of this population"));
    CHECK(has(messages_of("{ by = \"ancestry\", hemizygous = \"SEX_mail\" }"),
              "did you mean 'SEX_male'?"));
    CHECK(has(messages_of("{ diplotypes = { \"B/Y\" = 1 }, hemizygous = \"SEX_male\" }"),
              "genotypes of G6PD are drawn by the frequencies of its alleles"));
    CHECK(has(messages_of("{ alleles = { B = 0.5, Y = 0.5 }, hemizygous = \"SEX_male\" }"),
              "'Y' stands for a missing copy and has no frequency"));
    CHECK(messages_of("\"B/Y\"") == "");
    const Model without = with_gene({});
    CHECK(has(read("size = 10\nancestry = \"SSA\"\ngenotypes = { G6PD = { by = \"ancestry\", "
                   "hemizygous = \"SEX_male\" } }\n",
                   without)
                  .messages,
              "it has none; declare for example SEX"));
}
