#include "loaded.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

/// One compartment with an infusion; tests replace lines of it.
constexpr const char* head = R"(gemel = "model/1"
[model]
name = "small"
source = "test"
time = "h"
)";

Loaded load_refused(const std::string& text) {
    return load_text(text, "refused_model.toml");
}

std::string compartment(const std::string& equations,
                        const std::string& parameters,
                        const std::string& rest = "") {
    return std::string(head) + "equations = '''\nd/dt(central) = -CL / V * central\n" +
           "Cp = central / V\n" + equations + "'''\n[routes.iv]\ninto = \"central\"\n" +
           "[states]\ncentral = { unit = \"mg\" }\n[outputs]\nCp = { unit = \"mg/L\" }\n" +
           "[parameters]\nV = { value = 40, unit = \"L\" }\n" + parameters + rest;
}

const std::string clearance = "CL = { value = 5, unit = \"L/h\" }\n";

bool says(const Loaded& loaded, const std::string& text) {
    CAPTURE(loaded.messages);
    return loaded.messages.find(text) != std::string::npos;
}

Loaded with_map(const std::string& map) {
    return load_refused(compartment("",
                                    "CL = { value = 5, unit = \"L/h\", scale = \"M\" }\n",
                                    "[maps.M]\nby = \"diplotype\"\nreference = \"*1/*1\"\n" + map));
}

} // namespace

TEST_CASE("an infusion leaves rate or duration to the model") {
    // Closed form: Cp = R/CL·(1 − exp(−k·t)) while 25 mg/h run for 4 h, then declining.
    const double k = 5.0 / 40.0;
    const auto during = [&](double t) { return 25.0 / 5.0 * (1.0 - std::exp(-k * t)); };
    const std::string expected =
        fmt::format("at = [\"1 h\", \"4 h\", \"10 h\"]\nexpect = {{ Cp = [{}, {}, {}] }}\n"
                    "within = 1e-7\nsource = \"closed form\"\n",
                    during(1),
                    during(4),
                    during(4) * std::exp(-k * 6));
    const Loaded timed = load_refused(compartment(
        "duration(central) = TD\n",
        clearance + "TD = { value = 4, unit = \"h\" }\n",
        "[[tests]]\ndoses = [ { dose = \"100 mg\", infuse_over = \"model\" } ]\n" + expected));
    REQUIRE(timed.messages == "");
    CHECK(run_model_test(*timed.model, timed.model->tests.at(0), "", 1e-9) == "");
    const Loaded rated = load_refused(
        compartment("rate(central) = RT\n",
                    clearance + "RT = { value = 0.6, unit = \"g/d\" }\n",
                    "[[tests]]\ndoses = [ { dose = \"100 mg\", rate = \"model\" } ]\n" + expected));
    REQUIRE(rated.messages == "");
    CHECK(run_model_test(*rated.model, rated.model->tests.at(0), "", 1e-9) == "");
}

TEST_CASE("a log-normal parameter is above 0 as the file gives it") {
    for (const char* law : {"sd = 0.3", "sd = 0.3, law = \"boxcox\", lambda = 0.5"})
        for (const char* value : {"-5", "0"}) {
            const Loaded loaded = load_refused(compartment(
                "",
                fmt::format(
                    "CL = {{ value = {}, unit = \"L/h\", iiv = {{ {} }} }}\n", value, law)));
            CHECK(says(loaded, fmt::format("needs a typical value above 0, not {}", value)));
        }
    CHECK(load_refused(
              compartment("",
                          "CL = { value = -5, unit = \"L/h\", iiv = { sd = 1, law = \"normal\" } "
                          "}\n"))
              .messages == "");
}

TEST_CASE("a patient whose scale makes a log-normal parameter negative is no patient") {
    const auto status = [&](const std::string& iiv, double age) {
        const Loaded loaded = load_refused(compartment(
            "",
            "CL = { value = 5, unit = \"L/h\", scale = \"1 - (AGE - 70[a]) / 68[a]\"" + iiv +
                " }\n",
            fmt::format("[covariates]\nAGE = {{ unit = \"a\", reference = 70 }}\n"
                        "[[tests]]\ndoses = [ {{ dose = \"100 mg\" }} ]\nat = [\"1e-9 h\"]\n"
                        "covariates = {{ AGE = {} }}\nexpect = {{ Cp = [2.5] }}\nsource = \"V\"\n",
                        age)));
        REQUIRE(loaded.messages == "");
        return run_model_test(*loaded.model, loaded.model->tests.at(0), "", 1e-8);
    };
    CHECK(status(", iiv = { sd = 0.3 }", 137) == "");
    CHECK(status(", iiv = { sd = 0.3 }", 138) == ""); // 0 may be meant: a pathway that is missing
    CHECK(status(", iiv = { sd = 0.3 }", 139).find("invalid") != std::string::npos);
    CHECK(status("", 139) == ""); // without a law nothing is known about its sign
}

TEST_CASE("a variability of 30 on the scale of logarithms is a percentage") {
    const std::pair<const char*, const char*> mistakes[] = {
        {"cv = 30", "for 30 % write cv = 0.30"},
        {"cv_approx = 30", "for 30 % write cv_approx = 0.30"},
        {"sd = 50", "for 30 % write sd = 0.30"},
        {"var = 900", "for a CV of 30 % write cv = 0.30"},
        {"sd = 10, law = \"logit\"", "for 30 % write sd = 0.30"},
    };
    for (const auto& [iiv, help] : mistakes) {
        CAPTURE(iiv);
        CHECK(says(
            load_refused(compartment(
                "", fmt::format("CL = {{ value = 0.5, unit = \"1\", iiv = {{ {} }} }}\n", iiv))),
            help));
    }
    CHECK(load_refused(
              compartment("",
                          "CL = { value = 5, unit = \"L/h\", iiv = { sd = 50, law = \"normal\" } "
                          "}\n"))
              .messages == "");
}

TEST_CASE("a chain of definitions is told before it exhausts the program") {
    std::string equations, parameters = "CL = { value = \"P0\", unit = \"L/h\" }\n";
    for (int i = 0; i < 5000; ++i)
        parameters += fmt::format("P{} = {{ value = \"P{}\", unit = \"L/h\" }}\n", i, i + 1);
    parameters += "P5000 = { value = 5, unit = \"L/h\" }\n";
    CHECK(
        says(load_refused(compartment("", parameters)), "through more than 500 other definitions"));
    parameters = "CL = { value = 5, unit = \"L/h\" }\n";
    for (int i = 0; i < 450; ++i)
        equations += fmt::format("y{} = y{} + 1[mg]\n", i, i + 1);
    CHECK(load_refused(compartment(equations + "y450 = central\n", clearance)).messages == "");
}

TEST_CASE("an empty gene, a value that is not finite and a factor other than 1 are told") {
    const std::string table = "table = { \"*1/*1\" = 1, \"*1/*2\" = 0.7 }\n";
    CHECK(says(with_map("gene = \"\"\n" + table), "there is no gene ''"));
    CHECK(says(with_map("gene = \"CYP2C9\"\ntable = { \"*1/*1\" = 1, \"*1/*2\" = nan }\n"),
               "nan stands here; a finite number is expected"));
    CHECK(
        says(with_map("gene = \"CYP2C9\"\n" + table +
                      "otherwise = { by = \"activity_score\", source = \"assumed\", table = { "
                      "\"2\" = 0.9, \"1.5\" = 0.7, \"1\" = 0.5, \"0.5\" = 0.3, \"0\" = 0.1 } }\n"),
             "the factor at the activity score 2, which is that of the reference *1/*1, is 0.9; "
             "it must be 1"));
    CHECK(says(
        load_refused(compartment("",
                                 "CL = { value = 5, unit = \"L/h\", scale = \"WT / 70[kg]\" }\n",
                                 "[covariates]\nWT = { unit = \"kg\", reference = nan }\n")),
        "nan stands here; a finite number is expected"));
}

TEST_CASE("a percentage never becomes a number without being asked") {
    const Loaded share = load_refused(
        compartment("F(central) = FF\n", clearance + "FF = { value = 60, unit = \"%\" }\n"));
    CHECK(says(share,
               "F(central) is a number without unit, but this expression is in % (a percentage)"));
    CHECK(says(share, "for the fraction of x in % write x / 100[%]"));
    CHECK(load_refused(compartment("F(central) = FF / 100[%]\n",
                                   clearance + "FF = { value = 60, unit = \"%\" }\n"))
              .messages == "");
}

TEST_CASE("a correlation of 1 is accepted however it is written") {
    const std::string both = "CL = { value = 5, unit = \"L/h\", iiv = { sd = 0.3 } }\n"
                             "Q = { value = 1, unit = \"1/h\", iiv = { sd = 0.1 } }\n"
                             "[[omega]]\nof = [\"CL\", \"Q\"]\n";
    const std::string use = "q = Q * central\n";
    CHECK(load_refused(compartment(use, both + "correlation = [[1]]\n")).messages == "");
    CHECK(load_refused(compartment(use, both + "covariance = [[0.09], [0.03, 0.01]]\n")).messages ==
          "");
    CHECK(says(load_refused(compartment(use, both + "correlation = [[1.0001]]\n")),
               "not positive semi"));
}
