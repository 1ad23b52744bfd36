#include "pkpd/drawn.hpp"
#include "pkpd/library.hpp"

#include <gemel/pkpd/derived_covariates.hpp>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

std::shared_ptr<const DerivedCovariates> shipped() {
    sim::DiagnosticList diagnostics;
    auto file = load_derived_covariates(library().find("covariates", "derived"), diagnostics);
    INFO(diagnostics.render());
    REQUIRE(file);
    return file;
}

Model renal() {
    Model model;
    model.id = "renal";
    add_covariate(model, "EGFR", "L/h");
    add_covariate(model, "BSA", "m2");
    list_inputs(model);
    return model;
}

const char* const patients = R"(size = 2000
[population.covariates]
SEX = { categories = ["female", "male"], categorical = { female = 0.5, male = 0.5 } }
AGE = { unit = "a", uniform = [20, 90] }
SCR = { unit = "umol/L", lognormal = { median = 80, cv = 0.3 } }
WT  = { unit = "kg", normal = { mean = 75, sd = 10 } }
HT  = { unit = "m", normal = { mean = 1.7, sd = 0.08 } }
EGFR = { derived = "CKD_EPI_2021" }
BSA  = { derived = "BSA_Mosteller" }
)";

/// Creatinine by mass, as the formulas ask it.
std::string by_mass() {
    std::string toml = patients;
    toml.replace(toml.find("\"umol/L\", lognormal = { median = 80"),
                 35,
                 "\"mg/L\", lognormal = { median = 9");
    return toml;
}

} // namespace

TEST_CASE("the shipped formulas give the values worked out from their papers") {
    // Oracle: the published equations, evaluated outside this program; digits as printed.
    const auto file = shipped();
    CHECK(file->rows.size() >= 18);
    for (const DerivedCovariate& row : file->rows) {
        CHECK_MESSAGE(!row.tests.empty(), row.name);
        CHECK_MESSAGE(!row.source.empty(), row.name);
        for (const auto& test : row.tests)
            CHECK(run_derived_test(*file, row, test) == "");
    }
    // A test that must fail does.
    DerivedCovariate::Test wrong = file->rows.front().tests.front();
    wrong.expect *= 1.001;
    CHECK(run_derived_test(*file, file->rows.front(), wrong) != "");
}

TEST_CASE("a population derives covariates by name, whatever units it uses") {
    const Read read_ = read(by_mass(), renal());
    REQUIRE(read_.messages == "");
    const Population& population = read_.population;
    CHECK(population.files.size() == 1);
    CHECK(population.files[0].name == "covariates_derived_toml");
    const CohortBlock block = draw_all(population);
    const std::size_t n = population.size;
    const auto at = [&](std::size_t c, std::size_t s) { return block.covariates[c * n + s]; };
    for (std::size_t s = 0; s < n; ++s) {
        // Order: the model's EGFR [L/h] and BSA, then SEX, AGE, SCR [mg/L], WT, HT [m].
        const bool is_female = at(2, s) == 0.0;
        const double scr = at(4, s) / 10.0, kappa = is_female ? 0.7 : 0.9;
        const double egfr = 142.0 *
                            std::pow(std::min(scr / kappa, 1.0), is_female ? -0.241 : -0.302) *
                            std::pow(std::max(scr / kappa, 1.0), -1.2) *
                            std::pow(0.9938, at(3, s)) * (is_female ? 1.012 : 1.0);
        CHECK(at(0, s) == doctest::Approx(egfr * 0.06).epsilon(1e-12)); // powers of the C library
        CHECK(at(1, s) ==
              doctest::Approx(std::sqrt(at(6, s) * 100.0 * at(5, s) / 3600.0)).epsilon(1e-13));
    }
}

TEST_CASE("what a derived covariate lacks is told") {
    struct Mistake {
        const char* from;
        const char* to;
        const char* expected;
    };
    const Mistake mistakes[] = {
        {"CKD_EPI_2021", "CKD_EPI_2012", "the library derives no covariate 'CKD_EPI_2012'"},
        {"CKD_EPI_2021", "BMI", "the covariate EGFR by BMI"},
        {"CKD_EPI_2021", "MDRD", "MDRD needs RACE_black, which the population does not give"},
        {"WT  =", "WTT =", "BSA_Mosteller needs WT, which the population does not give"},
        {"\"BSA_Mosteller\"", "\"BSA_Mosteller\", within = [1, 2]", "is not drawn within limits"},
        {"\"BSA_Mosteller\"", "3", "the library derives no covariate ''"},
    };
    for (const Mistake& mistake : mistakes) {
        std::string toml = by_mass();
        toml.replace(toml.find(mistake.from), std::string(mistake.from).size(), mistake.to);
        const Read result = read(toml, renal());
        CAPTURE(result.messages);
        CHECK(result.messages.find(mistake.expected) != std::string::npos);
        CHECK(result.messages.find("1 error") != std::string::npos);
    }
    // Creatinine by substance meets a formula by mass.
    CHECK(read(patients, renal()).messages != "");
}
