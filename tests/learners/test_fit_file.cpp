#include "fit_files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace gemel::learners {

namespace {

std::string text_of_file(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

std::vector<std::string> number_names(const FitSetup& setup) {
    std::vector<std::string> names;
    for (const FitNumber& number : setup.numbers)
        names.push_back(number.law.name);
    return names;
}

std::string told_of_fit(const std::filesystem::path& file) {
    try {
        load_fit(file, pkpd::library());
        return "no mistake\n";
    } catch (const sim::InputError& error) {
        std::string text = std::string(error.what()) + "\n";
        const std::string folder = (test_folder() / "errors").string() + "/";
        for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder))
            text.erase(at, folder.size());
        return text;
    }
}

} // namespace

TEST_CASE("broken fits are told as the texts beside them say") {
    // Golden texts, read by a person when written: GEMEL_UPDATE_EXPECTED=1 writes them anew.
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(test_folder() / "errors"))
        if (entry.path().filename().string().starts_with("fit_") &&
            entry.path().extension() == ".toml")
            files.push_back(entry.path());
    REQUIRE(files.size() >= 7);
    for (const std::filesystem::path& file : files) {
        CAPTURE(file.string());
        auto expected = file;
        expected.replace_extension(".expected");
        const std::string text = told_of_fit(file);
        if (std::getenv("GEMEL_UPDATE_EXPECTED") != nullptr) std::ofstream(expected) << text;
        CHECK(text == text_of_file(expected));
    }
}

TEST_CASE("numbers of a fit stand in their order, with starts and bounds") {
    // By the order that load_fit promises; k is computed, halflife has no error and no data.
    const FitSetup setup = load_fit_text(theophylline_fit(""));
    CHECK(number_names(setup) == std::vector<std::string>{"ka",
                                                          "CL",
                                                          "V",
                                                          "CL_WT",
                                                          "iiv.ka.sd",
                                                          "iiv.CL.sd",
                                                          "iiv.V.sd",
                                                          "iiv.CL.V.covariance",
                                                          "error.Cp.proportional"});
    CHECK(number_of(setup, "ka").start == 1.5);
    CHECK(number_of(setup, "ka").lower == 0.01);
    CHECK(number_of(setup, "ka").upper == 10.0);
    CHECK(number_of(setup, "CL").lower == -std::numeric_limits<double>::infinity());
    CHECK(number_of(setup, "iiv.ka.sd").start == 0.6);
    CHECK(number_of(setup, "iiv.ka.sd").lower == 0.0);
    const double sd_CL = std::sqrt(std::log(1.09)); // a log-normal's CV of 0.3
    CHECK(number_of(setup, "iiv.CL.sd").start == doctest::Approx(sd_CL).epsilon(1e-14));
    CHECK(number_of(setup, "iiv.CL.V.covariance").start ==
          doctest::Approx(0.2 * sd_CL * 0.1).epsilon(1e-14));
    CHECK(std::ranges::none_of(setup.numbers,
                               [](const FitNumber& number) { return number.is_fixed; }));
    CHECK(setup.population.size == 12);
    CHECK_FALSE(setup.population.has_variability);
    CHECK(setup.options.method == Method::saem);
    CHECK(setup.options.seed == 1);
    CHECK(setup.inputs.size() == 3);
}

TEST_CASE("what a fit says of parameters, groups and errors is in place of the model's") {
    const FitSetup setup = load_fit_text(theophylline_fit(R"(
[parameters]
ka = { value = 2, upper = 20 }
V = { iiv = "none" }
CL_WT = { value = 1, lower = 0 }
[[omega]]
of = ["ka", "CL"]
correlation = [[-0.5]]
[outputs]
Cp = { error = { law = "combined2", proportional = 0.1, additive = 0.5 } }
)"));
    CHECK(number_names(setup) == std::vector<std::string>{"ka",
                                                          "CL",
                                                          "V",
                                                          "CL_WT",
                                                          "iiv.ka.sd",
                                                          "iiv.CL.sd",
                                                          "iiv.ka.CL.covariance",
                                                          "error.Cp.proportional",
                                                          "error.Cp.additive"});
    CHECK(number_of(setup, "ka").start == 2.0);
    CHECK(number_of(setup, "ka").lower == 0.01); // as the model says
    CHECK(number_of(setup, "ka").upper == 20.0);
    CHECK(number_of(setup, "iiv.ka.sd").start == 0.6);
    CHECK(number_of(setup, "CL_WT").lower == 0.0);
    CHECK(number_of(setup, "error.Cp.additive").start == 0.5);
    const FitSetup none = load_fit_text(theophylline_fit("[[omega]]\nof = [\"CL\", \"V\"]\n"
                                                         "covariance = [[0.0862], [0.001, 0.01]]"));
    CHECK(number_of(none, "iiv.CL.V.covariance").start == 0.001);
}

TEST_CASE("numbers stay fixed by their name, with its reading or without") {
    const FitSetup setup = load_fit_text(
        theophylline_fit("", "fixed = [\"CL_WT\", \"iiv.ka\", \"error.Cp.proportional.var\"]\n"));
    for (const FitNumber& number : setup.numbers) {
        CAPTURE(number.law.name);
        CHECK(number.is_fixed == (number.law.name == "CL_WT" || number.law.name == "iiv.ka.sd" ||
                                  number.law.name == "error.Cp.proportional"));
    }
    CHECK(fit_says(fit_mistakes(theophylline_fit("", "fixed = [\"iiv.CL\"]\n")),
                   "of the [[omega]] of CL, V only iiv.CL is fixed"));
    CHECK(fit_mistakes(theophylline_fit(
              "", "fixed = [\"iiv.CL\", \"iiv.V.sd\", \"iiv.V.CL.correlation\"]\n")) == "");
}

TEST_CASE("outputs that are not named are left out of the fit") {
    // Warfarin's effect needs no error where concentrations alone are fitted.
    const std::string folder = (test_folder() / "data").string();
    const std::string text = "gemel = \"fit/1\"\n[fit]\nmodel = \"" + folder +
                             "/pkpd_model.toml\"\noutputs = [\"%\"]\n[data]\nfile = \"" + folder +
                             "/warfarin_pkpd.csv\"\n[data.columns]\nTIME = { unit = \"h\" }\n"
                             "AMT = { unit = \"mg\" }\nDVID = { outputs = { 1 = { output = \"Cp\", "
                             "unit = \"mg/L\" }, 2 = { output = \"PCA\", unit = \"%\" } } }\n"
                             "WT = { unit = \"kg\" }\n"
                             "SEX = { categories = { 0 = \"female\", 1 = \"male\" } }\n"
                             "AGE = { carry = true }\n[outputs]\n"
                             "Cp = { error = { law = \"proportional\", proportional = 0.1 } }\n";
    const auto with = [&](const std::string& output) {
        std::string changed = text;
        return changed.replace(changed.find("[\"%\"]") + 2, 1, output);
    };
    const FitSetup setup = load_fit_text(with("Cp"));
    CHECK(setup.outputs == std::vector<int>{0});
    CHECK(number_names(setup).back() == "error.Cp.proportional");
    CHECK(fit_says(fit_mistakes(with("Cq")), "'Cq' is no output of the model"));
    CHECK(fit_says(fit_mistakes(with("PCA")), "PCA is observed, and the model does not say"));
}

TEST_CASE("options of the command replace those of the file") {
    const FitSetup setup = load_fit_text(
        theophylline_fit("[options]\nchains = 4\nsolver = \"auto\"\n", "seed = 5\n"),
        {{"fit.method=focei", "options.chains=7", "parameters.ka.value=3"}, 18446744073709551615u});
    CHECK(setup.options.method == Method::focei);
    CHECK(setup.options.n_chains == 7);
    CHECK(setup.options.solver.empty());
    CHECK(setup.options.seed == 18446744073709551615u);
    CHECK(number_of(setup, "ka").start == 3.0);
    CHECK(setup.overrides.back() == "fit.seed=18446744073709551615");
}

TEST_CASE("check tells what is estimated from where") {
    const std::string text =
        describe_fit(load_fit_text(theophylline_fit("", "fixed = [\"CL_WT\"]\n")));
    CHECK(fit_says(text, "12 subjects, 12 dose records, 132 observations"));
    CHECK(fit_says(text, "method    saem, seed 1"));
    CHECK(fit_says(text, "0.01 … 10"));
    CHECK(fit_says(text, "fixed"));
    CHECK(fit_says(text, "column    DV"));
}

} // namespace gemel::learners
