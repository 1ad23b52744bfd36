#include "sim/solve/problems.hpp"

#include <gemel/sim/ode_system.hpp>
#include <gemel/sim/sensitivity.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace gemel::sim;

namespace {

/// y' = a while t < switch_time, afterwards −b·y.
Problem switching_problem() {
    Problem p("a rate that switches", 10.0);
    const Term a = p.input("a", 2.0), b = p.input("b", 0.5), at = p.input("switch", 3.3);
    const Term y = p.state("y", p.number(0.0));
    p.rate(y, select(p.time() - at < 0.0, a, -(b * y)));
    p.output("y", y);
    p.sample_output(0, {3.2999, 3.3001, 7.0, 10.0});
    return p;
}

} // namespace

TEST_CASE("steps end where a rate compares the time with something fixed") {
    // y = a·t up to the switch, then an exponential, by every solver that applies.
    const Problem p = switching_problem();
    const CompiledSystem system = compile(p.system);
    REQUIRE(system.model_times.size() == 1);
    SolverOptions options;
    options.rtol = 1e-6;
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult result = solve(solver, system, p, p.medians, options);
        REQUIRE(name(result.status[0]) == "ok");
        const std::vector<double>& y = result.sampled[0];
        const double top = 2.0 * 3.3;
        CHECK(y[0] == doctest::Approx(2.0 * 3.2999).epsilon(1e-6));
        CHECK(y[1] == doctest::Approx(top * std::exp(-0.5 * 0.0001)).epsilon(1e-6));
        CHECK(y[2] == doctest::Approx(top * std::exp(-0.5 * 3.7)).epsilon(2e-6));
        CHECK(y[3] == doctest::Approx(top * std::exp(-0.5 * 6.7)).epsilon(2e-6));
    }
}

TEST_CASE("derivatives by what moves a corner jump there") {
    // y = a·s at the switch s, then y = a·s·e^{−b(t−s)}: ∂y/∂s = a·(1 + b·s)·e^{−b(t−s)} after it,
    // 0 before; ∂y/∂a = s·e^{−b(t−s)}, ∂y/∂b = −(t − s)·y.
    Problem p = switching_problem();
    p.system = with_sensitivities(p.system, std::vector<std::string>{"switch", "a", "b"});
    p.observation = {};
    for (int k = 0; k < 4; ++k)
        p.sample_output(k, {3.2, 3.4, 7.0, 10.0});
    const CompiledSystem system = compile(p.system);
    SolverOptions options;
    options.rtol = 1e-9;
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult result = solve(solver, system, p, p.medians, options);
        REQUIRE(name(result.status[0]) == "ok");
        for (std::size_t i = 1; i < 4; ++i) {
            const double since = p.observation.sampled[0].times[i] - 3.3,
                         left = std::exp(-0.5 * since);
            CHECK(result.sampled[1][i] ==
                  doctest::Approx(2.0 * (1.0 + 0.5 * 3.3) * left).epsilon(1e-6));
            CHECK(result.sampled[2][i] == doctest::Approx(3.3 * left).epsilon(1e-6));
            CHECK(result.sampled[3][i] == doctest::Approx(-since * 6.6 * left).epsilon(1e-6));
        }
        CHECK(result.sampled[1][0] == doctest::Approx(0.0));
        CHECK(result.sampled[2][0] == doctest::Approx(3.2).epsilon(1e-6));
    }
}

TEST_CASE("CVODES' derivatives jump at corners forward and backward") {
    // y(t) = a·s·e^{−b(t−s)} after the switch s, by a, b and s: closed form; the adjoint's is the
    // sum over two times.
    Problem p = switching_problem();
    SolverOptions options;
    options.rtol = 1e-9;
    CvodesSensitivities cvodes(p.system, {0, 1, 2}, options);
    const std::vector<SampledOutput> sampled{{0, {4.0, 9.0}}};
    const SubjectProblem subject{p.medians, &p.timeline, sampled};
    const SubjectSensitivities forward = cvodes.forward(subject);
    const SubjectGradient adjoint =
        cvodes.adjoint(subject, {Objective::Law::weighted_sum, {{1.0, 1.0}}, {}});
    REQUIRE(name(forward.status) == "ok");
    REQUIRE(name(adjoint.status) == "ok");
    double sums[3] = {0.0, 0.0, 0.0};
    for (std::size_t i = 0; i < 2; ++i) {
        const double since = sampled[0].times[i] - 3.3, left = std::exp(-0.5 * since);
        const double expected[] = {3.3 * left, -since * 6.6 * left, 2.0 * (1.0 + 0.5 * 3.3) * left};
        for (std::size_t k = 0; k < 3; ++k) {
            CHECK(forward.derivatives[k][0][i] == doctest::Approx(expected[k]).epsilon(1e-6));
            sums[k] += expected[k];
        }
    }
    for (std::size_t k = 0; k < 3; ++k)
        CHECK(adjoint.gradient[k] == doctest::Approx(sums[k]).epsilon(1e-6));
}

TEST_CASE("model times are what rates compare the time with, and nothing else") {
    Problem p("corners in time", 10.0);
    const Term a = p.input("a", 2.0);
    const Term y = p.state("y", p.number(1.0));
    const Term t = p.time();
    // 2·t − a < 0 is t < a/2; t − y < 0 changes with the state; y < 0.5 has no time.
    p.rate(y,
           select(2.0 * t - a < 0.0, a, -y) + select(t - y < 0.0, a, -y) + select(y < 0.5, a, -y));
    p.output("y", y);
    const CompiledSystem system = compile(p.system);
    REQUIRE(system.model_times.size() == 1);
    CHECK(system.system.graph.evaluate(system.model_times[0], [](Leaf) { return 2.0; }) == 1.0);
}

TEST_CASE("the time since the last dose is that of the later dose where a steady state is added") {
    // Lag 2: the dose at 0 comes at 2. A pattern every 12 h before 24 h last came at 14 h, one
    // every 40 h at −14 h, which is before 0; the record's own dose comes at 26 h.
    const auto problem = [](double interval, bool has_earlier) {
        Problem p("time since dose in a steady state", 30.0);
        const Term lag = p.input("lag", 2.0);
        const Term y = p.dosed_state("y");
        p.definition(y).lag = lag.expr;
        p.rate(y, -y);
        if (has_earlier) p.bolus(y, 10.0, 0.0);
        p.bolus(y, 10.0, 24.0, interval, 1);
        p.timeline.records.back().steady = SteadyState::adds;
        const int last = add_last_dose(p.system);
        p.output("tad",
                 p.time() - Term{&p.system.graph, p.system.graph.leaf(LeafKind::state, last)});
        p.sample_output(0, {23.0, 25.0, 27.0});
        return p;
    };
    struct Case {
        double interval;
        bool has_earlier;
        double at_23, at_25;
    };
    for (const Case& c : {Case{12.0, true, 21.0, 11.0},
                          Case{40.0, true, 21.0, 23.0},
                          Case{40.0, false, 23.0, 25.0}}) {
        CAPTURE(c.interval);
        const Problem p = problem(c.interval, c.has_earlier);
        const CompiledSystem system = compile(p.system);
        for (const Solver& solver : solvers()) {
            if (!solver.applies(system)) continue;
            CAPTURE(solver.name);
            const BlockResult result = solve(solver, system, p, p.medians, {});
            REQUIRE(name(result.status[0]) == "ok");
            CHECK(result.sampled[0][0] == doctest::Approx(c.at_23).epsilon(1e-14));
            CHECK(result.sampled[0][1] == doctest::Approx(c.at_25).epsilon(1e-14));
            CHECK(result.sampled[0][2] == doctest::Approx(1.0).epsilon(1e-13));
        }
    }
}

TEST_CASE("the time since the last dose starts anew with each, lag included") {
    // Outputs alone: t − time of the dose before.
    Problem p("time since dose", 30.0);
    const Term lag = p.input("lag", 1.5);
    const Term y = p.dosed_state("y");
    p.definition(y).lag = lag.expr;
    p.rate(y, -y);
    p.bolus(y, 10.0, 2.0, 10.0, 2); // come at 3.5 and 13.5
    p.infuse(y, 10.0, 5.0, 20.0);   // begins at 21.5
    const int last = add_last_dose(p.system);
    p.output("tad", p.time() - Term{&p.system.graph, p.system.graph.leaf(LeafKind::state, last)});
    p.sample_output(0, {1.0, 3.5, 4.0, 13.0, 13.5, 21.0, 25.0, 30.0});
    const CompiledSystem system = compile(p.system);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult result = solve(solver, system, p, p.medians, {});
        REQUIRE(name(result.status[0]) == "ok");
        const double expected[] = {1.0, 0.0, 0.5, 9.5, 0.0, 7.5, 3.5, 8.5};
        for (std::size_t i = 0; i < std::size(expected); ++i)
            CHECK(result.sampled[0][i] == doctest::Approx(expected[i]).epsilon(1e-14));
    }
}
