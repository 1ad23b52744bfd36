#include "loaded.hpp"

#include <gemel/sim/ode_system.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

std::shared_ptr<const Model> load_good(const std::string& text) {
    const auto path = temporary_path("good_model.toml");
    std::ofstream(path) << text;
    sim::DiagnosticList diagnostics;
    auto model = load_model(path, library(), diagnostics);
    std::filesystem::remove(path);
    INFO(diagnostics.render());
    REQUIRE(model);
    return model;
}

/// A decaying amount, with what a test adds.
std::string small_model(const std::string& equations, const std::string& rest) {
    return "gemel = \"model/1\"\n[model]\nname = \"small\"\nsource = \"test\"\ntime = \"h\"\n"
           "equations = '''\nd/dt(x) = -k * x\n" +
           equations + "'''\n[states]\nx = { unit = \"mg\" }\n[outputs]\nx = { unit = \"mg\" }\n" +
           rest;
}

/// An individual parameter, with values given for inputs by name.
double parameter_value(const Model& model,
                       const std::string& name,
                       const std::map<std::string, double>& inputs) {
    for (const sim::NamedExpr& parameter : model.system.parameters)
        if (parameter.name == name)
            return model.system.graph.evaluate(parameter.value, [&](sim::Leaf leaf) {
                REQUIRE(leaf.kind == sim::LeafKind::input);
                return inputs.at(model.system.inputs[static_cast<std::size_t>(leaf.index)].name);
            });
    FAIL("no parameter ", name);
    return 0.0;
}

constexpr double rounding = 1e-14;

} // namespace

TEST_CASE("random effects enter as their law says") {
    // Oracle: the definitions in docs/guide/models.md, with std::exp.
    const auto model = load_good(small_model("y = a + b + c * 1[mg] + d\n", R"(
y = { unit = "mg" }
[parameters]
k = { value = 1, unit = "1/h" }
a = { value = 2, unit = "mg", iiv = { sd = 0.3 } }
b = { value = 2, unit = "mg", iiv = { sd = "500 ug", law = "normal" } }
c = { value = 0.2, unit = "1", iiv = { var = 0.09, law = "logit" } }
d = { value = 2, unit = "mg", iiv = { sd = 0.3, law = "boxcox", lambda = -0.5 } }
)"));
    const double eta = 0.7;
    const std::map<std::string, double> inputs{{"theta/a", 2.0},
                                               {"theta/b", 2.0},
                                               {"theta/c", 0.2},
                                               {"theta/d", 2.0},
                                               {"eta/a", eta},
                                               {"eta/b", eta},
                                               {"eta/c", eta},
                                               {"eta/d", eta}};
    const auto close = [](double x) { return doctest::Approx(x).epsilon(rounding); };
    CHECK(parameter_value(*model, "a", inputs) == close(2.0 * std::exp(eta)));
    CHECK(parameter_value(*model, "b", inputs) == close(2.0 + eta));
    const double logit = std::log(0.2 / 0.8) + eta;
    CHECK(parameter_value(*model, "c", inputs) == close(1.0 / (1.0 + std::exp(-logit))));
    const double boxcox = (std::pow(std::exp(eta), -0.5) - 1.0) / -0.5;
    CHECK(parameter_value(*model, "d", inputs) == close(2.0 * std::exp(boxcox)));
    // An sd with a unit is in the parameter's unit: 500 ug are 0.5 mg.
    CHECK(model->parameters[2].iiv->sd == close(0.5));
    CHECK(model->parameters[3].iiv->sd == close(0.3));
}

TEST_CASE("the readings of a published CV give the sd they say") {
    // Oracle: var of exp(η) for normal η is exp(ω²) − 1, so ω² = ln(1 + cv²).
    const auto model = load_good(small_model("y = a + b\n", R"(
y = { unit = "1" }
[parameters]
k = { value = 1, unit = "1/h" }
a = { value = 1, unit = "1", iiv = { cv = 0.4 } }
b = { value = 1, unit = "1", iiv = { cv_approx = 0.4 } }
)"));
    CHECK(model->parameters[1].iiv->sd ==
          doctest::Approx(std::sqrt(std::log(1.16))).epsilon(rounding));
    CHECK(model->parameters[2].iiv->sd == 0.4);
}

TEST_CASE("a percentage is a quantity of its own, kept as the number it is") {
    const auto model = load_good(small_model("d/dt(R) = kin - k * R\nR(0) = R0\n", R"(
R = { unit = "%" }
[states.R]
unit = "%"
[parameters]
k = { value = 1, unit = "1/h" }
R0 = { value = 100, unit = "%" }
kin = { value = 100, unit = "%/h" }
)"));
    const sim::State& state = model->system.states[1];
    const auto theta = [](sim::Leaf) { return 100.0; };
    CHECK(model->system.graph.evaluate(state.initial, theta) == 100.0);
    CHECK(state.unit.text == "%");
    CHECK_FALSE(state.unit.is_dimensionless());
}

TEST_CASE("states are numbered by their d/dt lines, not by [states]") {
    const auto model = library_model("two_compartment_oral");
    CHECK(model->find_state("depot") == 0);
    CHECK(model->find_state("central") == 1);
    CHECK(model->find_state("peripheral") == 2);
    CHECK(model->find_route("") == model->find_route("oral"));
}

TEST_CASE("units convert once, at loading") {
    // k in 1/min in a model in hours: 2 · 60 · 3 mg.
    const auto model = load_good(small_model("", R"(
[parameters]
k = { value = 2, unit = "1/min" }
)"));
    const double rate =
        model->system.graph.evaluate(model->system.states[0].rate, [](sim::Leaf leaf) {
            return leaf.kind == sim::LeafKind::state ? 3.0 : 2.0;
        });
    CHECK(rate == doctest::Approx(-360.0).epsilon(rounding));
}

TEST_CASE("categories are seen as indicators") {
    const auto model = load_good(small_model("", R"(
[parameters]
k = { value = 2, unit = "1/h", scale = "SEX_female ? 0.5 : 1" }
[covariates]
SEX = { categories = ["male", "female"], reference = "female" }
)"));
    const auto inputs = typical_inputs(*model, {});
    REQUIRE(inputs.size() == 3);
    CHECK(inputs == std::vector<double>{2.0, 0.0, 1.0});
    CHECK(typical_inputs(*model, {{}, {{"SEX", 0.0}}, {}}) == std::vector<double>{2.0, 1.0, 0.0});
}

TEST_CASE("a correlation becomes a covariance of the effects") {
    const auto model = load_good(small_model("y = a * b\n", R"(
y = { unit = "1" }
[parameters]
k = { value = 1, unit = "1/h" }
a = { value = 1, unit = "1", iiv = { sd = 0.4 } }
b = { value = 1, unit = "1", iiv = { sd = 0.5 } }
[[omega]]
of = ["b", "a"]
correlation = [[0.6]]
)"));
    REQUIRE(model->omega.size() == 1);
    CHECK(model->omega[0].of == std::vector<int>{2, 1});
    const std::vector<double> expected{0.25, 0.12, 0.12, 0.16};
    for (std::size_t i = 0; i < 4; ++i)
        CHECK(model->omega[0].covariance[i] == doctest::Approx(expected[i]).epsilon(rounding));
}

TEST_CASE("a model's test that is wrong is told with what came out") {
    auto model = library_model("one_compartment_iv");
    ModelTest test = model->tests.front();
    test.expect["Cp"][1] *= 1.001;
    CHECK(run_model_test(*model, test, "", 1e-8).find("Cp at 4 h is 1.4789") == 0);
}

TEST_CASE("a typical patient who is not described is refused by name") {
    const auto model = library_model("warfarin_hamberg2007");
    const auto message = [&](const TypicalPatient& patient) -> std::string {
        try {
            typical_inputs(*model, patient);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    };
    CHECK(message({}) == "");
    CHECK(message({{{"CYP2D6", "*1/*1"}}, {}, {}}) == "typical_inputs: no gene 'CYP2D6'");
    CHECK(message({{}, {{"WT", 70}}, {}}) == "typical_inputs: no covariate 'WT'");
    CHECK(message({{}, {}, {{"EC50", 3}}}) ==
          "typical_inputs: the value of parameter 'EC50' is an expression");
    CHECK(message({{{"CYP2C9", "*1/*7"}}, {}, {}}) ==
          "typical_inputs: the map 'CYP2C9_on_CL' has no value for *1/*7");
}

TEST_CASE("the graph of a model of 300 states grows with its equations, not faster") {
    // A ring; each state adds some ten operations.
    std::string equations, states = "[states]\n";
    for (int i = 0; i < 300; ++i) {
        const std::string n = std::to_string(i), before = std::to_string((i + 299) % 300);
        equations += "flow" + n + " = k * s" + n + " / (1 + (s" + n + " / 1[mg])^gamma)\n";
        equations += "d/dt(s" + n + ") = flow" + before + " - flow" + n + "\n";
        states += "s" + n + " = { unit = \"mg\" }\n";
    }
    const auto model = load_good(
        "gemel = \"model/1\"\n[model]\nname = \"ring\"\nsource = \"test\"\ntime = \"h\"\n"
        "equations = '''\n" +
        equations + "'''\n" + states +
        "[outputs]\ns0 = { unit = \"mg\" }\n[parameters]\nk = { value = 1, unit = \"1/h\" }\n"
        "gamma = { value = 2.5, unit = \"1\" }\n");
    CHECK(model->system.states.size() == 300);
    CHECK(model->system.graph.size() < 300 * 15);
}
