#include "sim/solve/problems.hpp"
#include "sim/special_numbers.hpp"

#include <doctest/doctest.h>

#include <cmath>

/// Subjects that no number helps, and borders of parameters: every solver gives the right values or
/// a status, and ends within its steps.
using namespace gemel::sim;

namespace {

SolverOptions patient_options() {
    SolverOptions options;
    options.max_steps = 20'000;
    return options;
}

bool all_missing(const BlockResult& result) {
    for (const std::vector<double>& sampled : result.sampled)
        for (const double value : sampled)
            if (!std::isnan(value)) return false;
    return true;
}

/// y' = y² from 1: y = 1/(1 − t), infinite at t = 1.
Problem blow_up() {
    Problem p("blow-up", 2.0);
    p.input("unused", 1.0);
    const Term y = p.state("y", p.number(1.0));
    p.rate(y, y * y);
    p.output("y", y);
    p.sample(4);
    return p;
}

/// y' = 1, and no number from t = 5 on.
Problem number_until_five() {
    Problem p("a number until 5", 10.0);
    p.input("unused", 1.0);
    const Term y = p.state("y", p.number(0.0));
    p.definition(y).scale = 1.0;
    p.rate(y, select(p.time() < 5.0, p.number(1.0) + 0.0 * y * y, p.number(not_a_number)));
    p.output("y", y);
    p.sample(10);
    return p;
}

/// y' = 1 − y/100 until t = 3.7, then −1 − y/100.
Problem jump() {
    Problem p("a jump of the rates", 10.0);
    p.input("unused", 1.0);
    const Term y = p.state("y", p.number(0.0));
    p.definition(y).scale = 1.0;
    p.rate(y, select(p.time() < 3.7, p.number(1.0), p.number(-1.0)) - y / 100.0);
    p.output("y", y);
    p.sample(10);
    return p;
}

/// An oral bolus of 100 in one compartment; the inputs are ka, CL and V.
Problem bordered_compartment() {
    Problem p("borders of one compartment", 24.0);
    const Term ka = p.input("ka", 1.2), cl = p.input("CL", 5.0), v = p.input("V", 42.0);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - cl / v * central);
    p.output("C", central / v);
    p.bolus(depot, 100.0);
    p.sample_output(0, {0.0, 1.0, 6.0, 24.0});
    p.functional(FunctionalKind::integral, 0, 0.0, 24.0);
    return p;
}

struct Patient {
    const char* about;
    double ka, cl, v;
};

/// Bateman's curve with its limits: D·ka·t·e^{−kt}·(1 − e^{−x})/x with x = (ka − k)·t.
double concentration(const Patient& p, double t) {
    const double k = p.cl / p.v, x = (p.ka - k) * t;
    const double ratio = x == 0.0 ? 1.0 : -std::expm1(-x) / x;
    return 100.0 * p.ka * t * std::exp(-k * t) * ratio / p.v;
}

} // namespace

TEST_CASE("a solution that becomes infinite ends in a status near its pole") {
    // Closed form: the pole of 1/(1 − t).
    const Problem problem = blow_up();
    const CompiledSystem system = compile(problem.system);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult result =
            solve(solver, system, problem, problem.patients(1), patient_options());
        CHECK(result.status[0] != SolverStatus::ok);
        CHECK(std::fabs(result.stopped_at[0] - 1.0) < 1e-3);
        CHECK(all_missing(result));
    }
}

TEST_CASE("rates that stop being numbers end in a status where they do") {
    const Problem problem = number_until_five();
    const CompiledSystem system = compile(problem.system);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult result =
            solve(solver, system, problem, problem.patients(1), patient_options());
        CHECK(result.status[0] != SolverStatus::ok);
        CHECK(result.stopped_at[0] > 4.9);
        CHECK(result.stopped_at[0] <= 5.0);
        CHECK(all_missing(result));
    }
}

TEST_CASE("a jump of the rates inside a step is found") {
    // Closed form: y → 100·s with rate 1/100 towards s = ±1. Several times rtol: the jump itself
    // lies in one step, which the error estimate shortens.
    const Problem problem = jump();
    const CompiledSystem system = compile(problem.system);
    const double at_jump = -100.0 * std::expm1(-0.037);
    for (const Solver& solver : solvers()) {
        // Fehlberg's estimate is blind to rates that hardly depend on the state.
        if (!solver.applies(system) || solver.name == "odeint-fehlberg78") continue;
        CAPTURE(solver.name);
        const BlockResult result =
            solve(solver, system, problem, problem.patients(1), patient_options());
        REQUIRE(result.status[0] == SolverStatus::ok);
        for (std::size_t i = 0; i <= 10; ++i) {
            const double t = static_cast<double>(i);
            const double expected = t <= 3.7
                                        ? -100.0 * std::expm1(-0.01 * t)
                                        : -100.0 + (at_jump + 100.0) * std::exp(-0.01 * (t - 3.7));
            CHECK(std::fabs(result.sampled[0][i] - expected) < 3e-5 * (1.0 + std::fabs(expected)));
        }
    }
}

TEST_CASE("borders of parameters have the values of their limits in every solver") {
    const Problem problem = bordered_compartment();
    const CompiledSystem system = compile(problem.system);
    const Patient patients[] = {{"no clearance", 1.2, 0.0, 42.0},
                                {"equal rates", 0.125, 5.0, 40.0},
                                {"nearly equal rates", 0.125 * (1.0 + 1e-13), 5.0, 40.0},
                                {"no absorption", 0.0, 5.0, 42.0},
                                {"negative volume", 1.2, 5.0, -42.0},
                                {"negative clearance", 1.2, -5.0, 42.0}};
    constexpr std::size_t n = std::size(patients);
    std::vector<double> inputs(3 * n);
    for (std::size_t i = 0; i < n; ++i) {
        inputs[i] = patients[i].ka;
        inputs[n + i] = patients[i].cl;
        inputs[2 * n + i] = patients[i].v;
    }
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        const BlockResult result = solve(solver, system, problem, inputs, patient_options());
        for (std::size_t i = 0; i < n; ++i) {
            CAPTURE(solver.name);
            CAPTURE(patients[i].about);
            REQUIRE(result.status[i] == SolverStatus::ok);
            double largest = 0.0;
            for (const double t : problem.observation.sampled[0].times)
                largest = std::max(largest, std::fabs(concentration(patients[i], t)));
            for (std::size_t k = 0; k < 4; ++k) {
                const double t = problem.observation.sampled[0].times[k];
                const double expected = concentration(patients[i], t);
                // As in the battery: 30·rtol of the value and of a thousandth of the largest.
                const double tolerance = 3e-5 * (std::fabs(expected) + 1e-3 * largest);
                CHECK(std::fabs(result.sampled[0][4 * i + k] - expected) <= tolerance);
            }
        }
    }
}

TEST_CASE("parameters that are no use end in a status in every solver") {
    const Problem problem = bordered_compartment();
    const CompiledSystem system = compile(problem.system);
    const Patient patients[] = {{"no volume", 1.2, 5.0, 0.0},
                                {"neither volume nor clearance", 1.2, 0.0, 0.0},
                                {"infinite clearance", 1.2, infinite, 42.0},
                                {"clearance that is no number", 1.2, not_a_number, 42.0},
                                {"growth beyond all numbers", 1.2, -1e6, 42.0}};
    constexpr std::size_t n = std::size(patients);
    std::vector<double> inputs(3 * n);
    for (std::size_t i = 0; i < n; ++i) {
        inputs[i] = patients[i].ka;
        inputs[n + i] = patients[i].cl;
        inputs[2 * n + i] = patients[i].v;
    }
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        const BlockResult result = solve(solver, system, problem, inputs, patient_options());
        CAPTURE(solver.name);
        for (std::size_t i = 0; i < n; ++i) {
            CAPTURE(patients[i].about);
            CHECK(result.status[i] != SolverStatus::ok);
            CHECK(std::isnan(result.functionals[i]));
        }
    }
}
