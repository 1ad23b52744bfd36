#include "pkpd/drawn.hpp"
#include "pkpd/loaded.hpp"

#include <gemel/pkpd/genotype_call.hpp>

#include <doctest/doctest.h>

#include <fstream>

namespace gemel::pkpd {
namespace {

Model frame_with(const std::string& gene) {
    Model model;
    model.id = "frame";
    model.genes[gene] = library_gene(gene);
    list_inputs(model);
    return model;
}

/// Reads a population beside a table of genotypes.
Read read_beside(const std::string& table,
                 const std::string& toml,
                 const std::string& gene,
                 std::shared_ptr<const DataCohort> data = nullptr) {
    const auto folder = temporary_path("called");
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "g.csv") << table;
    const Read result = read(toml, frame_with(gene), 1, folder / "study.toml", std::move(data));
    std::filesystem::remove_all(folder);
    return result;
}

const std::string four = "subject,gene,diplotype,probability\n"
                         "a,TPMT,*1/*1,\n"
                         "b,TPMT,*1/*3A,0.8\n"
                         "b,TPMT,*3B/*3C,0.2\n"
                         "c,TPMT,*2/*3A,\n";

} // namespace

TEST_CASE("patients take called genotypes in the order of the file's subjects") {
    const Read result =
        read_beside(four, "size = 30000\ngenotypes = { TPMT = { file = \"g.csv\" } }\n", "TPMT");
    REQUIRE(result.messages == "");
    const Population& population = result.population;
    REQUIRE(population.files.size() == 1);
    CHECK(population.files[0].name == "genotypes_g_csv");
    const GeneTable& gene = *population.genotypes[0].table;
    const CohortBlock block = draw_all(population);
    double n_likely = 0.0;
    for (std::uint64_t s = 0; s < population.size; ++s) {
        const std::string drawn = gene.text(block.genes[0].diplotype[s]);
        if (s % 3 == 0) CHECK(drawn == "*1/*1");
        if (s % 3 == 2) CHECK(drawn == "*2/*3A");
        if (s % 3 != 1) continue;
        CHECK((drawn == "*1/*3A" || drawn == "*3B/*3C"));
        n_likely += drawn == "*1/*3A" ? 1.0 : 0.0;
    }
    // Binomial, n = 10,000, p = 0.8: |z| > 4 once in 16,000 seeds, and the seed is fixed.
    CHECK(std::abs(n_likely - 8000.0) < 4.0 * std::sqrt(10000.0 * 0.8 * 0.2));
    // Any range is that part of the whole.
    const CohortBlock part = population.draw({0, 1001, 500});
    for (std::size_t s = 0; s < 500; ++s)
        CHECK(part.genes[0].diplotype[s] == block.genes[0].diplotype[1001 + s]);
}

TEST_CASE("a subject without a call is a mistake unless it is said what then") {
    const std::string with_gap = four + "d,TPMT,no call,\n";
    CHECK(read_beside(with_gap, "size = 10\ngenotypes = { TPMT = { file = \"g.csv\" } }\n", "TPMT")
              .messages.find("g.csv has no call of TPMT for the subject 'd'") != std::string::npos);
    const Read result = read_beside(with_gap,
                                    "size = 40000\nancestry = \"EUR\"\ngenotypes = { TPMT = { file "
                                    "= \"g.csv\", missing = { by = \"ancestry\" } } }\n",
                                    "TPMT");
    REQUIRE(result.messages == "");
    const CohortBlock block = draw_all(result.population);
    const GeneTable& gene = *result.population.genotypes[0].table;
    const double p = gene.group("EUR")->frequencies[0];
    double n_reference = 0.0;
    for (std::uint64_t s = 3; s < 40000; s += 4)
        n_reference += block.genes[0].diplotype[s] == gene.reference_diplotype() ? 1.0 : 0.0;
    // Hardy–Weinberg of those without a call, with p of the gene's file.
    const double q = p * p;
    CHECK(std::abs(n_reference - 10000.0 * q) < 4.0 * std::sqrt(10000.0 * q * (1.0 - q)));
    CHECK(gene.text(block.genes[0].diplotype[0]) == "*1/*1");
    CHECK(gene.text(block.genes[0].diplotype[2]) == "*2/*3A");
}

TEST_CASE("what a population can have of called genotypes are the calls, and what stands in for "
          "them") {
    const auto texts = [](const Read& result) {
        REQUIRE(result.messages == "");
        std::vector<std::string> names;
        const GenotypeDistribution& law = result.population.genotypes[0];
        for (const Diplotype& diplotype : possible_diplotypes(result.population, law))
            names.push_back(law.table->text(diplotype));
        return names;
    };
    CHECK(texts(read_beside(
              four, "size = 3\ngenotypes = { TPMT = { file = \"g.csv\" } }\n", "TPMT")) ==
          std::vector<std::string>{"*1/*1", "*1/*3A", "*2/*3A", "*3B/*3C"});
    CHECK(texts(read_beside(four + "d,TPMT,NA,\n",
                            "size = 3\ngenotypes = { TPMT = { file = \"g.csv\", missing = "
                            "\"*1/*2\" } }\n",
                            "TPMT")) ==
          std::vector<std::string>{"*1/*1", "*1/*2", "*1/*3A", "*2/*3A", "*3B/*3C"});
}

TEST_CASE("subjects of a data file have the calls of their IDs") {
    auto data = std::make_shared<DataCohort>();
    data->ids = {"c", "a"};
    data->keys = {1001, 1002};
    data->first_row = {0, 2, 3}; // the first subject has two rows of inputs
    const std::string toml = "genotypes = { TPMT = { file = \"g.csv\" } }\n";
    const Read result = read_beside(four, toml, "TPMT", data);
    REQUIRE(result.messages == "");
    const GeneTable& gene = *result.population.genotypes[0].table;
    const CohortBlock block = draw_all(result.population);
    CHECK(gene.text(block.genes[0].diplotype[0]) == "*2/*3A");
    CHECK(gene.text(block.genes[0].diplotype[1]) == "*1/*1");
    const auto nobody = std::make_shared<DataCohort>(*data);
    nobody->ids[1] = "x";
    CHECK(read_beside(four, toml, "TPMT", nobody)
              .messages.find("has no call of TPMT for the subject 'x'") != std::string::npos);
}

} // namespace gemel::pkpd
