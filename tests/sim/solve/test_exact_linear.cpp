#include "sim/solve/precise_linear.hpp"
#include "sim/solve/problems.hpp"
#include "solve/exact_linear.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace gemel::sim;

namespace {

BlockResult
solve_exactly(const Problem& problem, const CompiledSystem& system, const char* solver) {
    return solve(*find_solver(solver), system, problem, problem.patients(1), {});
}

} // namespace

TEST_CASE("an infusion into the depot of a two-compartment model follows a hundred digits") {
    // Oracle: precise_linear over the infusion, then over what follows. 1e-12: rounding.
    Problem p("infused depot", 24.0);
    const Term ka = p.input("ka", 0.7), k10 = p.input("k10", 0.2), k12 = p.input("k12", 0.3);
    const Term k21 = p.input("k21", 0.1), kin = p.input("kin", 0.5);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const Term peripheral = p.dosed_state("peripheral");
    p.rate(depot, -ka * depot);
    p.rate(central, kin + ka * depot - (k10 + k12) * central + k21 * peripheral);
    p.rate(peripheral, k12 * central - k21 * peripheral);
    p.output("central", central);
    p.bolus(depot, 10.0);
    p.infuse(depot, 30.0, 6.0, 0.0);
    p.sample_output(0, {3.0, 6.0, 24.0});
    const CompiledSystem system = compile(p.system);
    CHECK(choose_solver(system).solver->name == "exact-closed-form");

    const std::vector<double> a{-0.7, 0.0, 0.0, 0.7, -(0.2 + 0.3), 0.1, 0.0, 0.3, -0.1};
    const std::vector<double> with{5.0, 0.5, 0.0}, without{0.0, 0.5, 0.0}, start{10.0, 0.0, 0.0};
    const std::vector<double> at_6 = precise_linear(3, a, with, start, 6.0);
    const double expected[] = {precise_linear(3, a, with, start, 3.0)[1],
                               at_6[1],
                               precise_linear(3, a, without, at_6, 18.0)[1]};
    for (const char* solver : {"exact-closed-form", "exact-expm"}) {
        CAPTURE(solver);
        const BlockResult result = solve_exactly(p, system, solver);
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(result.sampled[0][i] == doctest::Approx(expected[i]).epsilon(1e-12));
    }
}

TEST_CASE("a subject whose couplings have opposite signs is solved by expm") {
    // x' = −y·w, y' = x·w: the structure of two compartments, but x = cos(w·t).
    Problem p("rotation", 10.0);
    const Term w = p.input("w", 1.3);
    const Term x = p.state("x", p.number(1.0)), y = p.state("y", p.number(0.0));
    p.rate(x, -w * y);
    p.rate(y, w * x);
    p.output("x", x);
    p.sample(20);
    const CompiledSystem system = compile(p.system);
    CHECK(closed_form_applies(system));
    const BlockResult result = solve_exactly(p, system, "exact-closed-form");
    REQUIRE(result.status[0] == SolverStatus::ok);
    for (std::size_t i = 0; i <= 20; ++i)
        CHECK(result.sampled[0][i] ==
              doctest::Approx(std::cos(1.3 * 0.5 * static_cast<double>(i))).epsilon(1e-12));
}

TEST_CASE("growth beyond all doubles ends as not finite") {
    Problem p("growth", 24.0);
    const Term growth = p.input("growth", 1e6);
    const Term y = p.state("y", p.number(1.0));
    p.rate(y, growth * y);
    p.output("y", y);
    p.sample(4);
    const CompiledSystem system = compile(p.system);
    for (const char* solver : {"exact-closed-form", "exact-expm"}) {
        const BlockResult result = solve_exactly(p, system, solver);
        CHECK(result.status[0] == SolverStatus::not_finite);
        CHECK(std::isnan(result.sampled[0][0]));
    }
}

TEST_CASE("a state that neither decays nor flows keeps what it is given") {
    // Closed form: amounts and infusions add up; equal rates everywhere are rates of 0.
    Problem p("no elimination", 1e6);
    const Term ka = p.input("ka", 0.0);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot);
    p.output("depot", depot);
    p.output("central", central);
    p.bolus(depot, 3.0);
    p.infuse(central, 8.0, 4.0, 2.0);
    p.sample_output(0, {1e6});
    p.sample_output(1, {1.0, 4.0, 1e6});
    const CompiledSystem system = compile(p.system);
    const BlockResult result = solve_exactly(p, system, "exact-closed-form");
    CHECK(result.sampled[0][0] == 3.0);
    CHECK(result.sampled[1][0] == 0.0);
    CHECK(result.sampled[1][1] == 4.0);
    CHECK(result.sampled[1][2] == 8.0);
}

TEST_CASE("a subject with a one-way coupling follows its closed form, areas included") {
    // k21 = 0 makes the peripheral a trap: x = D·e^{−at}, p = D·k12/a·(1 − e^{−at}), a = k10 + k12.
    Problem p("trap", 48.0);
    const Term k10 = p.input("k10", 0.2), k12 = p.input("k12", 0.3), k21 = p.input("k21", 0.0);
    const Term x = p.dosed_state("x"), trap = p.dosed_state("trap");
    p.rate(x, k21 * trap - (k10 + k12) * x);
    p.rate(trap, k12 * x - k21 * trap);
    p.output("x", x);
    p.output("trap", trap);
    p.bolus(x, 10.0);
    p.sample_output(0, {1.0, 48.0});
    p.sample_output(1, {1.0, 48.0});
    p.functional(FunctionalKind::integral, 0, 0.0, 48.0);
    p.functional(FunctionalKind::integral, 1, 0.0, 48.0);
    const CompiledSystem system = compile(p.system);
    const BlockResult result = solve_exactly(p, system, "exact-closed-form");
    const double decayed = -std::expm1(-24.0);
    CHECK(result.sampled[0][0] == doctest::Approx(10.0 * std::exp(-0.5)).epsilon(1e-12));
    CHECK(result.sampled[0][1] == doctest::Approx(10.0 * std::exp(-24.0)).epsilon(1e-12));
    CHECK(result.sampled[1][0] == doctest::Approx(-6.0 * std::expm1(-0.5)).epsilon(1e-12));
    CHECK(result.sampled[1][1] == doctest::Approx(6.0 * decayed).epsilon(1e-12));
    CHECK(result.functionals[0] == doctest::Approx(20.0 * decayed).epsilon(1e-10));
    CHECK(result.functionals[1] == doctest::Approx(6.0 * (48.0 - 2.0 * decayed)).epsilon(1e-10));
}
