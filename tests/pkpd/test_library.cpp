#include "library.hpp"

#include <gemel/sim/solver.hpp>

using namespace gemel;
using namespace gemel::pkpd;

TEST_CASE("every model of the library passes its own tests") {
    // Oracle: the numbers in the files, each with its source. rtol 1e-8 is far below any `within`.
    REQUIRE(library().names("models").size() >= 8);
    for (const std::string& name : library().names("models")) {
        const auto model = library_model(name);
        CHECK_MESSAGE(!model->tests.empty(), name, " has no tests");
        CHECK_MESSAGE(!model->source.empty(), name, " has no source");
        for (const ModelTest& test : model->tests) {
            INFO(name, " line ", test.span.line);
            CHECK(run_model_test(*model, test, "", 1e-8) == "");
        }
    }
}

TEST_CASE("every model of the library passes its own tests by the reference solver") {
    // Oracle: the same numbers; a method that shares no code with those chosen by structure.
    for (const std::string& name : library().names("models")) {
        const auto model = library_model(name);
        for (const ModelTest& test : model->tests) {
            INFO(name, " line ", test.span.line);
            CHECK(run_model_test(*model, test, "odeint-dopri5", 1e-9) == "");
        }
    }
}

TEST_CASE("every gene of the library passes its own tests") {
    // Oracle: the rows in the files, from CPIC's diplotype tables.
    REQUIRE(library().names("genes").size() >= 2);
    for (const std::string& name : library().names("genes")) {
        const auto gene = library_gene(name);
        CHECK_MESSAGE(!gene->tests.empty(), name, " has no tests");
        for (const GeneTable::Test& test : gene->tests) {
            INFO(name, " ", test.diplotype);
            std::string why;
            const auto diplotype = gene->parse_diplotype(test.diplotype, &why);
            INFO(why);
            REQUIRE(diplotype);
            CHECK(gene->score(*diplotype) == test.score);
            const auto phenotype = static_cast<std::size_t>(gene->phenotype(*diplotype));
            CHECK(gene->phenotypes[phenotype].name == test.phenotype);
        }
    }
}
