#include "fit_files.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/learners/fit_results.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace gemel::learners {

namespace {

/// With what individuals and observations a fit gives besides.
FitResult whole_result(const FitSetup& setup) {
    FitResult result = made_result(setup);
    result.effect_names = {"eta.ka", "eta.CL", "eta.V"};
    result.shrinkage = {{"eta.ka", 0.05, 0.0975}, {"epsilon.Cp", 0.1, 0.19}};
    result.warnings = {{"the shrinkage of eta.V is 45 %", "fix iiv.V or observe more"}};
    result.notes = {"mu-referenced: ka, CL, V"};
    result.trace = {result.values, result.values};
    for (std::size_t s = 0; s < setup.data->subjects.size(); ++s) {
        IndividualEstimate individual;
        individual.mode = {0.1 * static_cast<double>(s), 0.2, 0.3};
        individual.covariance_expected = 0.01 * Eigen::MatrixXd::Identity(3, 3);
        individual.covariance_observed = 0.02 * Eigen::MatrixXd::Identity(3, 3);
        individual.parameters.assign(setup.model->system.parameters.size(), 2.5);
        result.individuals.push_back(individual);
        const auto& observations = setup.data->subjects[s].observations;
        for (std::size_t i = 0; i < observations.size(); ++i)
            result.observations.push_back({s,
                                           i,
                                           observations[i].output,
                                           observations[i].time,
                                           observations[i].dv,
                                           false,
                                           1.0,
                                           2.0,
                                           0.5,
                                           0.25,
                                           -0.5,
                                           0.3});
    }
    for (const bool is_corrected : {false, true}) {
        VpcBin bin;
        bin.output = result.observations.front().output;
        bin.is_corrected = is_corrected;
        bin.n = result.observations.size();
        result.vpc.push_back(bin);
    }
    return result;
}

} // namespace

TEST_CASE("the table tells estimates with their errors and intervals") {
    const FitSetup setup = load_fit_text(theophylline_fit("", "fixed = [\"CL_WT\"]\n"));
    const FitResult result = whole_result(setup);
    const std::string text = fit_table(setup, result);
    INFO(text);
    CHECK(fit_says(text, "12 subjects, 132 observations"));
    CHECK(fit_says(text, "converged: nothing changes by more than 1e-6"));
    // ka 1.65 ± 0.165: RSE 10 %; of the logarithm 1.65·exp(∓0.196) = 1.356 … 2.007
    CHECK(fit_says(text, "1.356 … 2.007"));
    CHECK(fit_says(text, "10.0"));
    CHECK(fit_says(text, "fixed"));
    // CV of ω = 0.66: 100·√(exp(0.66²) − 1) = 73.9 %
    CHECK(fit_says(text, "73.9"));
    CHECK(fit_says(text, "-2LL         360.700 ± 0.05 (importance sampling; n·log 2π is in it)"));
    // 8 estimated: AIC 360.7 + 16; BIC 360.7 + 8·log 12; BICc: ka, CL, V, 3 sds, 1 covariance
    // vary: 360.7 + 7·log 12 + log 132
    CHECK(fit_says(text, "AIC          376.700"));
    CHECK(fit_says(text, "BIC          380.579 (n = 12 subjects)"));
    CHECK(fit_says(text, "BICc         382.977 (n = 12 subjects for the 7 numbers"));
    CHECK(fit_says(text, "correlation of iiv.CL and iiv.V: 0.182")); // 0.2 · 1.1 / 1.1²
    CHECK(fit_says(text, "condition number of their correlation 1.25"));
    CHECK(fit_says(text, "warning      the shrinkage of eta.V is 45 %"));
    CHECK(fit_says(text, "shrinkage    epsilon.Cp: 10.0 %"));
}

TEST_CASE("what is not known is said with its reason, never as NaN") {
    const FitSetup setup = load_fit_text(theophylline_fit(""));
    FitResult result = made_result(setup);
    result.is_converged = false;
    result.stop_reason = "200 iterations";
    result.uncertainties.front().is_usable = false;
    result.uncertainties.front().why_not = "the Hessian is flat along CL_WT";
    result.likelihoods.front().minus_two_ll = std::numeric_limits<double>::quiet_NaN();
    result.values[0] = std::numeric_limits<double>::quiet_NaN();
    std::string text = fit_table(setup, result);
    INFO(text);
    CHECK(fit_says(text, "NOT CONVERGED: 200 iterations"));
    CHECK(fit_says(text, "SE (linearised): not available: the Hessian is flat along CL_WT"));
    CHECK(fit_says(text, "-2LL         not available: importance sampling gave no finite number"));
    CHECK(fit_says(text, "AIC, BIC     not available: there is no likelihood"));
    for (const char* word : {"nan", "NaN", "inf"})
        CHECK_FALSE(fit_says(text, word));
    result.uncertainties.clear();
    result.likelihoods.clear();
    text = fit_table(setup, result);
    CHECK(fit_says(text, "SE: not available: none were computed"));
    for (const char* word : {"nan", "NaN"})
        CHECK_FALSE(fit_says(text, word));
}

TEST_CASE("a recovery tells bias, error and coverage, and which fits failed") {
    const FitSetup setup = load_fit_text(theophylline_fit(""));
    RecoverResult result;
    result.n = 3;
    result.n_converged = 2;
    const double none = std::numeric_limits<double>::quiet_NaN();
    result.numbers = {{1, "CL", 3.0, 3.3, 0.3, 0.05, 0.4, 0.1, 0.1333, 0.5, 2},
                      {3, "CL_WT", 0.0, 0.1, 0.1, 0.02, 0.2, none, none, none, 0}};
    result.failures = {{2, "200 iterations"}};
    const std::string text = recovery_table(setup, result);
    INFO(text);
    CHECK(fit_says(text, "3 data sets simulated at the starts, 2 fits converged"));
    CHECK(fit_says(text, "10.0    0.4     13.3         50.0              2"));
    CHECK(fit_says(text, "data set 3: 200 iterations"));
    CHECK_FALSE(fit_says(text, "nan"));
}

TEST_CASE("the result file holds what the fit gave, in layout gemel-fit/1") {
    const FitSetup setup = load_fit_text(theophylline_fit(""));
    const FitResult result = whole_result(setup);
    const auto path = pkpd::temporary_path("fit.h5");
    write_fit_file(setup, result, {"test", "gemel fit"}, path);
    CHECK(std::filesystem::exists(path));
    // Who reads studies says what this is instead.
    CHECK_THROWS_WITH(io::ResultReader{path},
                      (path.string() + ": this is no result file of layout gemel-trajectory/1, "
                                       "but of gemel-fit/1")
                          .c_str());
    if (const char* kept = std::getenv("GEMEL_LAYOUT_FOLDER")) // tests/io/check_layout.py --fit
        std::filesystem::copy_file(path, std::filesystem::path(kept) / "fit.h5");
    std::filesystem::remove(path);
}

TEST_CASE("a calibrated model is the model with the estimates and what they leave open") {
    const FitSetup setup = load_fit_text(theophylline_fit(
        "[outputs]\nCp = { error = { law = \"combined1\", proportional = 0.1, additive = 0.5 } }\n",
        "fixed = [\"CL_WT\"]\n"));
    const FitResult result = made_result(setup);
    const auto path = pkpd::temporary_path("calibrated.toml");
    std::ofstream(path) << calibrated_model(setup, result, pkpd::library(), path);
    const pkpd::Loaded loaded = pkpd::load_file(path);
    std::filesystem::remove(path);
    INFO(loaded.messages);
    REQUIRE(loaded.model);
    // Every number is read back to its last bit, but for covariances: Ω is written whole, and its
    // sds come from the rows of the parameters.
    const pkpd::PopulationLaws laws = pkpd::laws_of(*loaded.model);
    for (std::size_t k = 0; k < setup.numbers.size(); ++k) {
        CAPTURE(setup.numbers[k].law.name);
        CHECK(pkpd::value_of(laws, setup.numbers[k].law) == result.values[k]);
    }
    CHECK(loaded.model->tests.empty());
    CHECK(fit_says(loaded.model->source, "calibrated by gemel_"));
    CHECK(loaded.model->parameters[0].upper == 10.0);
    CHECK(loaded.model->parameters[4].is_computed);
    CHECK(loaded.model->parameters[1].about == "clearance");
    REQUIRE(loaded.model->uncertainty);
    CHECK(loaded.model->uncertainty->of.size() == result.estimated.size());
}

TEST_CASE("numbers whose errors say nothing are left out of a calibrated model's uncertainty") {
    const FitSetup setup = load_fit_text(theophylline_fit(""));
    FitResult result = made_result(setup);
    Eigen::MatrixXd& covariance = result.uncertainties.front().covariance;
    const auto row_of = [&](const char* name) {
        for (std::size_t k = 0; k < setup.numbers.size(); ++k)
            if (setup.numbers[k].law.name == name) return static_cast<Eigen::Index>(k);
        return Eigen::Index{-1};
    };
    covariance(row_of("iiv.ka.sd"), row_of("iiv.ka.sd")) = 100.0; // its sd is 10 beside 0.66
    covariance(row_of("iiv.V.sd"), row_of("iiv.V.sd")) = 1.0;     // 1 beside 0.11
    const std::string text = calibrated_model(setup, result, pkpd::library(), "x.toml");
    INFO(text);
    CHECK(fit_says(text, "# not in [uncertainty]: iiv.ka.sd, its standard error is greater"));
    CHECK(
        fit_says(text, "# not in [uncertainty]: iiv.CL.V.covariance, of one group with iiv.V.sd"));
    CHECK(fit_says(text, "of = [\"ka\", \"CL\", \"V\", \"CL_WT\", \"error.Cp.proportional\"]"));
}

} // namespace gemel::learners
