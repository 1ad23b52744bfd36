#include "sim/solve/agreement.hpp"
#include "sim/solve/random_models.hpp"
#include "solve/exact_linear_modes.hpp"
#include "solve/exact_part.hpp"
#include "solve/step_program.hpp"

#include <doctest/doctest.h>

#include <cmath>

/// Systems whose linear part is solved exactly while the rest is stepped.
using namespace gemel::sim;

namespace {

/// depot → central ↔ peripheral, with a constant source in each; inputs ka, k10, k12, k21.
Problem oral_two_compartments() {
    Problem p("oral, two compartments", 24.0);
    const Term ka = p.input("ka", 1.0), k10 = p.input("k10", 0.3);
    const Term k12 = p.input("k12", 0.5), k21 = p.input("k21", 0.2);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const Term peripheral = p.dosed_state("peripheral");
    p.rate(depot, 0.3 - ka * depot);
    p.rate(central, 0.2 + ka * depot - (k10 + k12) * central + k21 * peripheral);
    p.rate(peripheral, 0.1 + k12 * central - k21 * peripheral);
    return p;
}

/// The above drives a turnover.
Problem driven_turnover() {
    Problem q("driven turnover", 72.0);
    const Term ka = q.input("ka", 1.0, 0.3), k10 = q.input("k10", 0.3, 0.2);
    const Term k12 = q.input("k12", 0.5, 0.3), k21 = q.input("k21", 0.2, 0.2);
    const Term kout = q.input("kout", 0.1, 0.2);
    const Term depot = q.dosed_state("depot"), central = q.dosed_state("central");
    const Term peripheral = q.dosed_state("peripheral"), r = q.state("R", q.number(50.0));
    q.rate(depot, -ka * depot);
    q.rate(central, ka * depot - (k10 + k12) * central + k21 * peripheral);
    q.rate(peripheral, k12 * central - k21 * peripheral);
    q.rate(r, kout * (50.0 * (1.0 - central / (5.0 + central)) - r));
    q.output("A", central);
    q.output("R", r);
    q.bolus(depot, 40.0, 0.0, 12.0, 4);
    q.infuse(depot, 10.0, 3.0, 5.0);
    q.infuse(central, 20.0, 2.5, 30.0);
    q.sample(96);
    q.functional(FunctionalKind::integral, 0, 0.0, 72.0);
    q.functional(FunctionalKind::maximum, 0, 0.0, 72.0);
    q.functional(FunctionalKind::time_of_maximum, 0, 12.0, 24.0);
    q.functional(FunctionalKind::time_above, 0, 0.0, 72.0, 8.0);
    q.functional(FunctionalKind::integral, 1, 0.0, 72.0);
    return q;
}

struct Rates {
    double ka, k10, k12, k21;
};

/// Values of the exact part at τ from states 7, 2, 3 with infusions 0.5, 0.4, 0 — by the
/// expressions.
std::vector<double> by_expressions(const Rates& rates, double tau) {
    CompiledSystem system = compile(oral_two_compartments().system);
    const ExactPart part = exact_part(system);
    REQUIRE(part.states == std::vector<int>{0, 1, 2});
    const double inputs[] = {rates.ka, rates.k10, rates.k12, rates.k21};
    const double states[] = {7.0, 2.0, 3.0}, infusions[] = {0.5, 0.4, 0.0};
    std::vector<double> values;
    for (Expr value : part.values)
        values.push_back(system.system.graph.evaluate(value, [&](Leaf leaf) {
            return leaf.kind == LeafKind::time    ? tau
                   : leaf.kind == LeafKind::input ? inputs[leaf.index]
                   : leaf.kind == LeafKind::state ? states[leaf.index]
                                                  : infusions[leaf.index];
        }));
    return values;
}

/// The same by the modes of the exact solver, with Jacobi rotations.
std::vector<double> by_modes(const Rates& r, double tau) {
    const double a[] = {-r.ka, 0.0, 0.0, r.ka, -(r.k10 + r.k12), r.k21, 0.0, r.k12, -r.k21};
    const double start[] = {7.0, 2.0, 3.0}, source[] = {0.8, 0.6, 0.1};
    LinearModes modes(*modal_parts(compile(oral_two_compartments().system).structure), 3);
    REQUIRE(modes.set_matrix(a));
    modes.start(start, source);
    std::vector<double> y(3);
    modes.at(tau, y.data());
    return y;
}

constexpr double split_rtol = 1e-7;

/// Both split solvers against Rodas5P at 1e-11 on the whole system, then whatever else is to hold.
template <class Check>
void check_split(const Problem& problem, const CompiledSystem& system, const Check& check) {
    const std::vector<double> inputs = problem.patients(20);
    SolverOptions precise, usual;
    precise.rtol = 1e-11;
    usual.rtol = split_rtol;
    const BlockResult reference = solve(*find_solver("rodas5p"), system, problem, inputs, precise);
    REQUIRE(all_ok(reference));
    for (const char* name : {"rodas5p-split", "tsit5-split"}) {
        CAPTURE(name);
        const BlockResult result = solve(*find_solver(name), system, problem, inputs, usual);
        REQUIRE(all_ok(result));
        const Errors errors = errors_of(problem, result, reference);
        CHECK(errors.rms <= 2.0 * split_rtol); // the battery's bar
        CHECK(errors.maximum <= 30.0 * split_rtol);
        check(result, reference);
    }
}

} // namespace

TEST_CASE("the exact part is the linear one upstream, no more than two states at a time") {
    const auto blocks = [](const Problem& problem) {
        return exact_blocks(compile(problem.system));
    };
    const std::vector<ExactBlock> driven = blocks(driven_turnover());
    REQUIRE(driven.size() == 2);
    CHECK(driven[0].states == std::vector<int>{0});
    CHECK(driven[1].states == std::vector<int>{1, 2});
    CHECK(driven[1].depots == std::vector<int>{0});
    CHECK(can_split(compile(driven_turnover().system)));
    CHECK(blocks(target_mediated()).size() == 1);                    // the depot; the drug binds
    CHECK_FALSE(can_split(compile(oral_two_compartments().system))); // nothing would be left
    CHECK_FALSE(can_split(compile(van_der_pol().system)));
    CHECK_FALSE(can_split(compile(modulated_growth().system)));
}

TEST_CASE("closed forms of the exact part agree with modes by Jacobi rotations") {
    // Independent method. Equal rates, hardly any exchange, no elimination, very fast and slow
    // ones.
    for (const Rates& rates : {Rates{1.0, 0.3, 0.5, 0.2},
                               Rates{0.2, 0.2, 0.5, 0.2},
                               Rates{0.3, 0.3, 1e-4, 0.3},
                               Rates{1.0, 0.0, 0.5, 0.2},
                               Rates{1e-7, 0.3, 0.5, 0.2},
                               Rates{0.3, 1e-6, 1e-3, 1e-3},
                               Rates{50.0, 20.0, 10.0, 0.01}})
        for (double tau : {1e-6, 1e-3, 0.05, 0.7, 3.0, 24.0, 200.0}) {
            const std::vector<double> y = by_expressions(rates, tau),
                                      expected = by_modes(rates, tau);
            for (std::size_t i = 0; i < 3; ++i) {
                CAPTURE(rates.ka);
                CAPTURE(tau);
                CAPTURE(i);
                // Differences lose up to two digits where series take over, of what is there: 12 at
                // the start and what came in since.
                CHECK(std::abs(y[i] - expected[i]) <= 1e-13 * (12.0 + 1.5 * tau));
            }
        }
}

TEST_CASE("equal rates with exchange one way only, where there are no two modes") {
    // Closed form: what leaves the peripheral state at the rate at which the central one is left.
    const double k = 0.2, ka = 1.0;
    for (const double apart : {0.0, 1e-12, 1e-9, 1e-7, 1e-5})
        for (const double tau : {1e-3, 0.05, 0.7, 3.0, 24.0, 200.0}) {
            const std::vector<double> y = by_expressions({ka, k * (1.0 + apart), 0.0, k}, tau);
            const double c = k * (1.0 + apart), x = (c - k) * tau, e = std::exp(-c * tau);
            const double both = tau * e * (1.0 + x / 2.0 + x * x / 6.0); // ∫ e^{−c(τ−u)} e^{−ku} du
            const double depot = 0.8 / ka + (7.0 - 0.8 / ka) * std::exp(-ka * tau);
            const double peripheral = 0.1 / k + (3.0 - 0.1 / k) * std::exp(-k * tau);
            const double central = 2.0 * e + (3.0 * k - 0.1) * both -
                                   (0.8 + 0.6 + 0.1) * std::expm1(-c * tau) / c +
                                   (7.0 * ka - 0.8) * (e - std::exp(-ka * tau)) / (ka - c);
            CAPTURE(apart);
            CAPTURE(tau);
            CHECK(y[0] == doctest::Approx(depot).epsilon(1e-12));
            CHECK(std::abs(y[1] - central) < 1e-10 * (12.0 + 1.5 * tau));
            CHECK(std::abs(y[2] - peripheral) < 1e-10 * (12.0 + 1.5 * tau));
        }
}

TEST_CASE("what a slow depot with a source gives on keeps its digits") {
    // Closed form: with x = aτ and y = bτ the source's part is τ²·(d + y·d′ + …), d = (e^x − 1 −
    // x)/x² and d′ = (d − 1/2)/x; what comes after is below y²/10.
    Problem p("slow depot", 100.0);
    const Term feed = p.input("feed", 0.5), loss = p.input("loss", 1e-9), k = p.input("k", 0.2);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const Term effect = p.state("effect", p.number(1.0));
    p.rate(depot, 0.3 - loss * depot);
    p.rate(central, feed * depot - k * central);
    p.rate(effect, 1.0 / (1.0 + central) - effect);
    CompiledSystem system = compile(p.system);
    const ExactPart part = exact_part(system);
    REQUIRE(part.states == std::vector<int>{0, 1});
    const auto central_at = [&](double slow, double tau) {
        const double inputs[] = {0.5, slow, 0.2};
        return system.system.graph.evaluate(part.values[1], [&](Leaf leaf) {
            return leaf.kind == LeafKind::time    ? tau
                   : leaf.kind == LeafKind::input ? inputs[leaf.index]
                                                  : 0.0; // states and infusions
        });
    };
    for (const double tau : {1e-3, 1.0, 30.0}) {
        const double x = -0.2 * tau;
        const bool is_small = x > -1e-2;
        const double d = is_small ? 0.5 + x / 6.0 + x * x / 24.0 + x * x * x / 120.0
                                  : (std::expm1(x) - x) / (x * x);
        const double slope = is_small ? 1.0 / 6.0 + x / 24.0 + x * x / 120.0 : (d - 0.5) / x;
        for (const double slow : {1e-16, 1e-13, 1e-10, 1e-8, 1e-7}) {
            const double expected = 0.3 * 0.5 * tau * tau * (d - slow * tau * slope);
            CHECK(std::abs(central_at(slow, tau) / expected - 1.0) < 3e-12);
        }
    }
}

TEST_CASE("split solvers agree with the others, functionals of exact outputs too") {
    // Oracle: Rodas5P at 1e-11 on the whole system.
    const Problem problem = driven_turnover();
    const CompiledSystem system = compile(problem.system);
    check_split(problem, system, [](const BlockResult& result, const BlockResult& reference) {
        for (std::size_t f = 0; f < result.functionals.size(); ++f) {
            // Of the exact output: the observer's 1e-10 and the reference; a peak's time has the
            // root of half its digits. Of the stepped one: the bar.
            const double tolerance = f / 20 == 2 ? 1e-5 : f / 20 < 4 ? 1e-8 : 30.0 * split_rtol;
            CHECK(result.functionals[f] ==
                  doctest::Approx(reference.functionals[f]).epsilon(tolerance));
        }
    });
}

TEST_CASE("switches that are solved exactly leave errors of all stepped states in control") {
    // Oracle: Rodas5P at 1e-11 on the whole system.
    Problem problem("switched", 40.0);
    const Term ka = problem.input("ka", 1.0, 0.3), k = problem.input("k", 0.1, 0.2);
    const Term depot = problem.dosed_state("depot"), central = problem.dosed_state("central");
    problem.rate(depot, -ka * depot);
    problem.rate(central, ka * depot - k * central);
    problem.output("A", central);
    problem.bolus(depot, 40.0, 0.0, 12.0, 3);
    problem.sample(40);
    Record off;
    off.kind = RecordKind::switch_off;
    off.time = 25.0;
    off.state = 0;
    problem.timeline.records.push_back(off);
    problem.system = with_switches(problem.system, {0, 1});
    const CompiledSystem system = compile(problem.system);
    REQUIRE(can_split(system));
    check_split(problem, system, [](const BlockResult&, const BlockResult&) {});
}

TEST_CASE("what drives a system and is solved exactly does not set its steps") {
    const Problem problem = driven_turnover();
    const CompiledSystem system = compile(problem.system);
    const std::vector<double> inputs = problem.patients(8);
    for (const std::string name : {"rodas5p", "tsit5"}) {
        const BlockResult whole = solve(*find_solver(name), system, problem, inputs, {});
        const BlockResult split = solve(*find_solver(name + "-split"), system, problem, inputs, {});
        for (std::size_t s = 0; s < 8; ++s)
            CHECK(split.n_steps[s] < whole.n_steps[s]);
    }
}

TEST_CASE("a driver that is yet to come is not stepped over") {
    // The effect is flat until the drug has arrived: with no rate of its own at the start. Its
    // whole response must be there. Oracle: Rodas5P at 1e-10 on the whole system.
    Problem p("late driver", 400.0);
    const Term ka = p.input("ka", 0.5), k = p.input("k", 0.3);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const Term r = p.state("R", p.number(1.0));
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - k * central);
    const Term effect = pow(central, 8.0) / (1e4 + pow(central, 8.0));
    p.rate(r, 0.01 * (1.0 - effect - r));
    p.output("R", r);
    p.bolus(depot, 10.0);
    p.sample(40);
    const CompiledSystem system = compile(p.system);
    SolverOptions precise;
    precise.rtol = 1e-10;
    const BlockResult reference = solve(*find_solver("rodas5p"), system, p, p.patients(1), precise);
    for (const char* name : {"rodas5p-split", "tsit5-split"}) {
        CAPTURE(name);
        const BlockResult result = solve(*find_solver(name), system, p, p.patients(1), {});
        CHECK(errors_of(p, result, reference).maximum <= 3e-5); // 30·rtol
    }
}

TEST_CASE("states that turn around each other end in a status in split solvers") {
    Problem p("waves", 10.0);
    const Term w = p.input("w", 3.0);
    const Term c = p.state("c", p.number(1.0)), s = p.state("s", p.number(0.0));
    const Term y = p.state("y", p.number(1.0));
    p.rate(c, -w * s);
    p.rate(s, w * c);
    p.rate(y, c * y);
    p.output("y", y);
    p.sample(5);
    const CompiledSystem system = compile(p.system);
    for (const char* name : {"rodas5p-split", "tsit5-split"})
        CHECK(solve(*find_solver(name), system, p, p.patients(1), {}).status[0] ==
              SolverStatus::not_finite);
    const Pilot pilot{4, p.patients(4), p.timeline};
    const std::string chosen(choose_solver(system, {}, &pilot).solver->name);
    CHECK(chosen.find("split") == std::string::npos);
}
