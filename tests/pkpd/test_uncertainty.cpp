#include "uncertain.hpp"

using namespace gemel;
using namespace gemel::pkpd;

namespace {

const char* const uncertain_model = R"(gemel = "model/1"
[model]
name = "uncertain"
source = "test"
time = "h"
equations = """
d/dt(x) = -CL / V * x
C = x / V
"""
[routes.iv]
into = "x"
[states]
x = { unit = "mg" }
[outputs]
C = { unit = "mg/L" }
[parameters]
CL = { value = 5, unit = "L/h", iiv = { sd = 0.3 } }
V = { value = "V70 * 1", unit = "L" }
V70 = { value = 40, unit = "L", upper = 1000 }
)";

std::shared_ptr<const Model> the_model() {
    const Loaded loaded = load_text(uncertain_model, "uncertain.toml");
    REQUIRE(loaded.messages == "");
    return loaded.model;
}

std::vector<double>
typical(const Model& model, const ParameterUncertainty* uncertainty, std::uint32_t replicate) {
    return laws_of_replicate(model, uncertainty, 5, replicate)->typical;
}

/// A parameter's typical value in replicates 0, 1, …
std::vector<double> over_replicates(const Model& model,
                                    const ParameterUncertainty& uncertainty,
                                    const char* name,
                                    std::uint32_t n) {
    std::vector<double> values;
    for (std::uint32_t r = 0; r < n; ++r)
        values.push_back(
            typical(model, &uncertainty, r)[static_cast<std::size_t>(model.find_parameter(name))]);
    return values;
}

} // namespace

TEST_CASE("typical values of replicates have the covariance that is declared") {
    // Oracle: the normal law; standard errors of mean, sd and correlation, four of which are
    // allowed.
    constexpr std::uint32_t n = 65000;
    const auto model = the_model();
    const auto [read, messages] =
        uncertainty(*model, "of = [\"CL\", \"V70\"]\ncovariance = [[0.16], [0.48, 4]]\n", n);
    REQUIRE(messages == "");
    const auto cl = over_replicates(*model, *read, "CL", n),
               v = over_replicates(*model, *read, "V70", n);
    const double root_n = std::sqrt(static_cast<double>(n));
    CHECK(ks_distance(cl, [](double x) { return phi((x - 5.0) / 0.4); }) < ks_critical(n));
    CHECK(ks_distance(v, [](double x) { return phi((x - 40.0) / 2.0); }) < ks_critical(n));
    CHECK(std::abs(correlation(cl, v) - 0.6) < 4.0 * 0.64 / root_n);
}

TEST_CASE("relative standard errors are those of independent values, of logarithms on request") {
    constexpr std::uint32_t n = 65000;
    const auto model = the_model();
    const auto plain = uncertainty(*model, "rse = { CL = 0.08, V70 = 0.12 }\n", n);
    REQUIRE(plain.messages == "");
    CHECK(ks_distance(over_replicates(*model, *plain.read, "V70", n),
                      [](double x) { return phi((x - 40.0) / 4.8); }) < ks_critical(n));
    const auto logs = uncertainty(*model, "rse = { CL = 0.5 }\nlaw = \"lognormal\"\n", n);
    REQUIRE(logs.messages == "");
    const double log_sd = std::sqrt(std::log(1.25)); // a log-normal with a CV of 50 %
    CHECK(ks_distance(over_replicates(*model, *logs.read, "CL", n),
                      [&](double x) { return phi(std::log(x / 5.0) / log_sd); }) < ks_critical(n));
    // What is not uncertain stays.
    CHECK(typical(*model, logs.read.get(), 7)[2] == 40.0);
}

TEST_CASE("typical values that have bounds keep them, and are normal where they have none") {
    // Oracle: the normal law of log, logit and log of the distance from a bound; to the first order
    // the errors are those given.
    constexpr std::uint32_t n = 65000;
    const Loaded loaded = load_text("gemel = \"model/1\"\n[model]\nname = \"a\"\nsource = \"b\"\n"
                                    "time = \"h\"\nequations = \"\"\"\n"
                                    "d/dt(x) = -CL / V * F * E * x\nC = x / V\n\"\"\"\n"
                                    "[states]\nx = { unit = \"mg\" }\n"
                                    "[outputs]\nC = { unit = \"mg/L\" }\n[parameters]\n"
                                    "CL = { value = 5, unit = \"L/h\", iiv = { sd = 0.3 } }\n"
                                    "F = { value = 0.4, unit = \"1\", iiv = { sd = 0.3, law = "
                                    "\"logit\" } }\n"
                                    "E = { value = 1, unit = \"1\", upper = 3 }\n"
                                    "V = { value = 40, unit = \"L\" }\n",
                                    "bounded.toml");
    REQUIRE(loaded.messages == "");
    const Model& model = *loaded.model;
    const auto [read, messages] =
        uncertainty(model,
                    "of = [\"CL\", \"F\", \"E\", \"V\"]\nlaw = \"bounded\"\n"
                    "covariance = [[6.25], [0, 0.0144], [0, 0, 1], [0, 0, 0, 4]]\n",
                    n);
    REQUIRE(messages == "");
    const auto all = [&](const char* name) { return over_replicates(model, *read, name, n); };
    const auto is_law = [&](const char* name, auto place, double mean, double sd) {
        return ks_distance(all(name), [&](double x) { return phi((place(x) - mean) / sd); }) <
               ks_critical(n);
    };
    const auto log = [](double x) { return std::log(x); };
    const auto logit = [](double x) { return std::log(x / (1.0 - x)); };
    const auto below_3 = [](double x) { return -std::log(3.0 - x); };
    CHECK(is_law("CL", log, std::log(5.0), 0.5));                       // 2.5 / 5
    CHECK(is_law("F", logit, std::log(0.4 / 0.6), 0.12 / (0.4 * 0.6))); // 0.12 / F(1 − F)
    CHECK(is_law("E", below_3, -std::log(2.0), 0.5));                   // 1 / (3 − 1)
    CHECK(is_law(
        "V", [](double x) { return x; }, 40.0, 2.0));
    const std::vector<double> drawn = all("E");
    CHECK(*std::ranges::max_element(drawn) < 3.0);
}

TEST_CASE("a table of draws gives each replicate its row, in the units of its headers") {
    const auto model = the_model();
    const auto table = temporary_path("draws.csv");
    std::ofstream(table) << "CL [mL/min],V70,objective\n100,41,-3\n110,42,-4\n";
    const std::string words =
        fmt::format("of = [\"V70\", \"CL\"]\ndraws = \"{}\"\n", table.filename().string());
    const auto good = uncertainty(*model, words, 2);
    REQUIRE(good.messages == "");
    const auto values = typical(*model, good.read.get(), 1);
    CHECK(values[0] == doctest::Approx(110.0 * 60.0 / 1000.0).epsilon(1e-15)); // L/h
    CHECK(values[2] == 42.0);
    CHECK(uncertainty(*model, words, 3).messages.find("has 2 rows for 3 replicates") !=
          std::string::npos);
    const std::string all = fmt::format("draws = \"{}\"\n", table.filename().string());
    CHECK(uncertainty(*model, all, 2).messages.find("'objective' is no parameter") !=
          std::string::npos);
    std::ofstream(table) << "CL [kg],V70\n100,x\n";
    const std::string messages = uncertainty(*model, all, 1).messages;
    CHECK(messages.find("the column is in kg, CL in L/h") != std::string::npos);
    CHECK(messages.find("'x' is no finite number") != std::string::npos);
    CHECK(messages.find(":2:5") != std::string::npos);
    std::ofstream(table) << "CL,V70\n";
    CHECK(uncertainty(*model, all, 1).messages.find("has 0 rows for 1 replicates") !=
          std::string::npos);
    std::filesystem::remove(table);
    CHECK(uncertainty(*model, all, 1).messages.find("there is no file") != std::string::npos);
}

TEST_CASE("mistakes of an uncertainty are told, and replicates without patients, too") {
    const auto model = the_model();
    const auto told = [&](const std::string& toml) {
        return uncertainty(*model, toml, 1000).messages;
    };
    CHECK(told("of = [\"CL\"]\n").find("covariance") != std::string::npos);
    CHECK(told("of = [\"CLL\"]\ncovariance = [[1]]\n").find("'CLL' is no parameter") !=
          std::string::npos);
    CHECK(told("of = [\"V\"]\ncovariance = [[1]]\n").find("the value of 'V' is an expression") !=
          std::string::npos);
    CHECK(told("covariance = [[1]]\n").find("is not said") != std::string::npos);
    CHECK(told("of = [\"CL\", \"V70\"]\ncovariance = [[1], [5, 1]]\n")
              .find("not positive semidefinite") != std::string::npos);
    CHECK(told("rse = { CL = 12 }\n").find("is a fraction") != std::string::npos);
    CHECK(told("rse = { CL = 0.1 }\nof = [\"CL\"]\n").find("leave 'of' out") != std::string::npos);
    // Of 1000 normal numbers some are below −2 sd: a clearance below 0.
    const std::string below = told("rse = { CL = 0.5 }\n");
    CHECK(below.find("which is not above 0, as law \"lognormal\" needs it") != std::string::npos);
    CHECK(below.find("of 1000 are like that") != std::string::npos);
    CHECK(told("of = [\"V70\"]\ncovariance = [[1000000]]\n").find("above the upper bound 1000") !=
          std::string::npos);
}
