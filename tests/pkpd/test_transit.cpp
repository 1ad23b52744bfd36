#include "loaded.hpp"

#include <gemel/pkpd/dosing.hpp>
#include <gemel/sim/solver.hpp>

#include <fmt/format.h>

#include <cmath>
#include <fstream>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

/// A depot behind a transit, and a compartment of 10 L: ka = 0.5 1/h, k = 0.1 1/h.
std::string model_text(double n, double mtt, const std::string& more, const std::string& tests) {
    return fmt::format(R"(gemel = "model/1"
[model]
name = "transit"
source = "test"
time = "h"
equations = '''
transits(depot) = n
mtt(depot) = MTT
F(depot) = bioavailable
lag(depot) = delay
d/dt(depot) = -ka * depot
d/dt(central) = ka * depot - k * central
Cp = central / 10[L]
{2}
'''
[routes.oral]
into = "depot"
[parameters]
n = {{ value = {0}, unit = "1" }}
MTT = {{ value = {1}, unit = "h" }}
bioavailable = {{ value = 1, unit = "1" }}
delay = {{ value = 0, unit = "h" }}
ka = {{ value = 0.5, unit = "1/h" }}
k = {{ value = 0.1, unit = "1/h" }}
{3}
)",
                       n,
                       mtt,
                       more,
                       tests);
}

const std::string states = "[states]\ndepot = { unit = \"mg\" }\ncentral = { unit = \"mg\" }\n"
                           "[outputs]\nCp = { unit = \"mg/L\" }\n";

Loaded load(const std::string& text) {
    return load_text(text, "transit.toml");
}

/// The model's tests by every solver that solves it.
void check_by_all(const std::string& text, double rtol) {
    const Loaded loaded = load(text);
    INFO(loaded.messages);
    REQUIRE(loaded.model);
    REQUIRE_FALSE(loaded.model->tests.empty());
    const sim::CompiledSystem compiled = sim::compile(loaded.model->system);
    int n_solvers = 0;
    for (const sim::Solver& solver : sim::solvers()) {
        // Its error estimate is blind to a pure function of time (docs/theory/odeint.md).
        if (!solver.applies(compiled) || solver.name == "odeint-fehlberg78") continue;
        ++n_solvers;
        for (ModelTest test : loaded.model->tests) {
            INFO(solver.name);
            // multistep methods let errors of many small steps add up
            if (solver.has_variable_order) test.within *= 100.0;
            CHECK(run_model_test(*loaded.model, test, std::string(solver.name), rtol) == "");
        }
    }
    CHECK(n_solvers >= 2);
}

std::string test_of(const std::string& doses,
                    const std::string& at,
                    const std::string& expect,
                    double within,
                    const std::string& parameters = "") {
    return fmt::format("[[tests]]\ndoses = [ {} ]\nat = [ {} ]\nexpect = {{ {} }}\nwithin = {}\n"
                       "parameters = {{ {} }}\nsource = \"see the test\"\n",
                       doses,
                       at,
                       expect,
                       within,
                       parameters);
}

} // namespace

TEST_CASE("a whole number of transits is a chain of compartments") {
    // Oracle: the chain itself, whose first compartment takes the dose and whose last feeds a
    // depot: n + 1 = 5 compartments of rate (n + 1)/MTT. The solution is smooth, so that at rtol
    // 1e-11 the two ways agree far below 1e-8.
    const std::string chain = R"(ktr = 5 / MTT
d/dt(a1) = -ktr * a1
d/dt(a2) = ktr * (a1 - a2)
d/dt(a3) = ktr * (a2 - a3)
d/dt(a4) = ktr * (a3 - a4)
d/dt(a5) = ktr * (a4 - a5)
d/dt(depot_of_chain) = ktr * a5 - ka * depot_of_chain
d/dt(central_of_chain) = ka * depot_of_chain - k * central_of_chain
ratio = central / central_of_chain)";
    std::string rest = "[states]\ndepot = { unit = \"mg\" }\ncentral = { unit = \"mg\" }\n";
    for (const char* state : {"a1", "a2", "a3", "a4", "a5", "depot_of_chain", "central_of_chain"})
        rest += fmt::format("{} = {{ unit = \"mg\" }}\n", state);
    rest += "[outputs]\nCp = { unit = \"mg/L\" }\nratio = { unit = \"1\" }\n";
    check_by_all(
        model_text(
            4,
            2.5,
            chain,
            rest + test_of("{ dose = \"100 mg\", every = \"3 h\", count = 4, into = \"depot\" }, "
                           "{ dose = \"100 mg\", every = \"3 h\", count = 4, into = \"a1\" }",
                           "\"1 h\", \"2.5 h\", \"4 h\", \"9 h\", \"12 h\", \"30 h\"",
                           "ratio = [1, 1, 1, 1, 1, 1]",
                           1e-8)),
        1e-11);
}

TEST_CASE("doses that overlap in the transit add up, with lag and bioavailability") {
    // Oracle: incomplete gamma functions in 40 digits (tools/nonlinear_model_numbers.py).
    check_by_all(model_text(2.3,
                            5,
                            "",
                            states + test_of("{ dose = \"100 mg\", every = \"2 h\", count = 4 }",
                                             "\"3 h\", \"5 h\", \"8 h\", \"12 h\", \"24 h\"",
                                             "Cp = [0.2929195553, 1.89004759, 7.073852419, "
                                             "14.97615537, 9.095035372]",
                                             1e-8,
                                             "bioavailable = 0.8, delay = 0.7")),
                 1e-10);
}

TEST_CASE("no step passes over an input that comes late") {
    // Oracle: the same closed form. The dose is at 0, its height at 98.8 h, and until 70 h nothing
    // stirs: a free step would take the whole study at once. The first value is 40000 times below
    // the largest and allowed the absolute part of the tolerance.
    check_by_all(
        model_text(80,
                   100,
                   "",
                   states + test_of("{ dose = \"100 mg\" }",
                                    "\"80 h\", \"100 h\", \"120 h\", \"150 h\"",
                                    "Cp = [0.1413632054, 2.317638325, 2.048453027, 0.1638150692]",
                                    1e-5)),
        1e-7);
}

TEST_CASE("fewer transits than one, and none, are as exact") {
    // Oracle: the same closed form. With n = 0.5 the input begins with an infinite slope; with
    // n = 0 it is the first-order input of a dose at once.
    check_by_all(model_text(0.5,
                            1,
                            "",
                            states + test_of("{ dose = \"100 mg\" }",
                                             "\"0.1 h\", \"1 h\", \"10 h\"",
                                             "Cp = [0.008060235865, 1.275770851, 4.945162555]",
                                             1e-6)),
                 1e-9);
    check_by_all(model_text(0,
                            0.8,
                            "",
                            states + test_of("{ dose = \"100 mg\" }",
                                             "\"0.1 h\", \"1 h\", \"10 h\"",
                                             "Cp = [0.0293894596, 1.734052964, 4.858015081]",
                                             1e-8)),
                 1e-10);
}

TEST_CASE("two doses at one time are one, and a study may give many") {
    // Oracle: linearity against the library model's own numbers, twice its doses.
    const auto model = library_model("transit_absorption");
    ModelTest test = model->tests[1];
    auto doses = *test.doses;
    doses.insert(doses.end(), test.doses->begin(), test.doses->end());
    test.doses = std::make_shared<const std::vector<DoseWords>>(doses);
    for (double& value : test.expect.at("Cp"))
        value *= 2.0;
    CHECK(run_model_test(*model, test, "", 1e-9) == "");
}

TEST_CASE("more doses on their way than are kept end in a status, not in a wrong number") {
    const std::string dose = "{ dose = \"100 mg\", every = \"1 h\", count = 8 }";
    const auto run = [&](const std::string& keeps) {
        std::string text =
            model_text(2.3, 5, "", states + test_of(dose, "\"24 h\"", "Cp = [1]", 1e9));
        if (!keeps.empty())
            text.replace(text.find("depot = { unit"), 7, "depot = { keeps_doses = " + keeps + ", ");
        if (!keeps.empty()) text.replace(text.find(",  {"), 4, ", ");
        const Loaded loaded = load(text);
        INFO(loaded.messages);
        REQUIRE(loaded.model);
        return run_model_test(*loaded.model, loaded.model->tests[0], "", 1e-6);
    };
    CHECK(run("").find("invalid_parameter") != std::string::npos);
    CHECK(run("8") == "");
}

TEST_CASE("transits that cannot be are a status of the subject") {
    const Loaded loaded = load(
        model_text(3, 5, "", states + test_of("{ dose = \"1 mg\" }", "\"1 h\"", "Cp = [1]", 1e9)));
    REQUIRE(loaded.model);
    ModelTest test = loaded.model->tests[0];
    for (const auto& [name, value] : {std::pair("n", -0.5), {"MTT", 0.0}, {"MTT", -1.0}}) {
        test.parameters = {{name, value}};
        CAPTURE(name);
        CHECK(run_model_test(*loaded.model, test, "", 1e-6).find("invalid_parameter") !=
              std::string::npos);
    }
}

TEST_CASE("mistakes about transits are told") {
    const auto says = [](const std::string& text, const std::string& message) {
        const std::string told = load(text).messages;
        CAPTURE(told);
        CHECK(told.find(message) != std::string::npos);
    };
    const std::string good = model_text(3, 5, "", states);
    std::string lone = good;
    lone.replace(lone.find("mtt(depot) = MTT"), 16, "x = MTT");
    says(lone, "transits(depot) and mtt(depot) come together");
    says(model_text(3, 5, "duration(depot) = 1[h]", states), "which take no infusions");
    says(model_text(
             3,
             5,
             "",
             states +
                 test_of("{ dose = \"1 mg\", infuse_over = \"1 h\" }", "\"1 h\"", "Cp = [1]", 1)),
         "which take no infusions");
    std::string kept = good;
    kept.replace(kept.find("central = { unit"), 16, "central = { keeps_doses = 2, unit");
    says(kept, "'central' keeps no doses");
}

TEST_CASE("sensitivities go through the transit: number, mean time, lag and bioavailability") {
    // Oracle: central differences of the solution itself at rtol 1e-11, step 1e-4 of the parameter:
    // truncation some 1e-8, noise 1e-11/1e-4; doses overlap.
    const Loaded loaded = load(model_text(2.3, 5, "", states));
    INFO(loaded.messages);
    REQUIRE(loaded.model);
    const std::vector<std::string> wrt{"theta/n", "theta/MTT", "theta/bioavailable", "theta/delay"};
    const std::vector<double> at{2.3, 5.0, 0.8, 0.7};
    sim::Timeline timeline;
    timeline.end = 24.0;
    sim::Record record;
    record.amount = 100.0;
    record.state = loaded.model->find_state("depot");
    record.interval = 2.0;
    record.count = 4;
    timeline.records = {record};
    const auto solve = [&](const sim::OdeSystem& system, const std::vector<double>& inputs) {
        sim::Observation watched;
        for (std::size_t k = 0; k < system.outputs.size(); ++k)
            watched.sampled.push_back({static_cast<int>(k), {3.0, 8.0, 24.0}});
        sim::SolverOptions options;
        options.rtol = 1e-11;
        sim::BlockResult result;
        sim::find_solver("rodas5p")
            ->prepare(sim::compile(system), options)
            ->worker()
            ->solve({1, inputs, &timeline, &watched}, result);
        REQUIRE(result.status[0] == sim::SolverStatus::ok);
        return result.sampled;
    };
    TypicalPatient patient;
    patient.parameters = {{"bioavailable", 0.8}, {"delay", 0.7}};
    const std::vector<double> inputs = typical_inputs(*loaded.model, patient);
    const auto with = solve(
        sim::with_sensitivities(loaded.model->system, wrt, sim::StepControl::own_states), inputs);
    for (std::size_t k = 0; k < wrt.size(); ++k) {
        CAPTURE(wrt[k]);
        std::size_t input = 0;
        while (loaded.model->system.inputs[input].name != wrt[k])
            ++input;
        const double step = 1e-4 * at[k];
        std::vector<double> up = inputs, down = inputs;
        up[input] += step;
        down[input] -= step;
        const auto above = solve(loaded.model->system, up)[0];
        const auto below = solve(loaded.model->system, down)[0];
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(with[1 + k][i] ==
                  doctest::Approx((above[i] - below[i]) / (2.0 * step)).epsilon(1e-6));
    }
}
