#include "fixed_steps.hpp"
#include "sim/solve/problems.hpp"
#include "solve/taylor.hpp"
#include "solve/taylor_step.hpp"

#include <doctest/doctest.h>

using namespace lane_systems;

TEST_CASE("the Taylor method converges with order 9") {
    check_autonomous_orders(taylor_method(), 4.0, 8, 9.0);
}

namespace {

/// y' = λ·(1 − y), y(0) = 0.
CompiledSystem approach() {
    Builder b;
    const Expr rate = b.input("rate");
    b.add_state("y", b.mul(rate, b.sub(b.constant(1.0), b.state(0))), b.constant(0.0)).scale = 1.0;
    b.add_output("y", b.state(0));
    return b.compiled();
}

/// y' = λ·(u − y), u' = 0.01·(1 − u): y follows u, λ·100 h/4.7 steps by stability alone.
CompiledSystem slow_follower() {
    Builder b;
    const Expr rate = b.input("rate"), u = b.state(1);
    b.add_state("y", b.mul(rate, b.sub(u, b.state(0))), b.constant(0.0)).scale = 1.0;
    b.add_state("u", b.mul(b.constant(0.01), b.sub(b.constant(1.0), u)), b.constant(0.0)).scale =
        1.0;
    b.add_output("y", b.state(0));
    return b.compiled();
}

} // namespace

TEST_CASE("the Taylor method gives a stiff subject up and leaves its neighbours' bits alone") {
    check_that_a_stiff_subject_is_given_up(slow_follower(), "taylor9");
}

TEST_CASE("many steps alone do not make a system stiff for the Taylor method") {
    // A turning pair, 300 per hour for 100 h: accuracy sets thousands of steps. c = cos(300 t).
    Builder b;
    const Expr w = b.constant(300.0);
    b.add_state("c", b.neg(b.mul(w, b.state(1))), b.constant(1.0));
    b.add_state("s", b.mul(w, b.state(0)), b.constant(0.0));
    b.add_output("c", b.state(0));
    const BlockResult result =
        solve(b.compiled(), {}, {{}, 100.0}, on_grid(1, 10.0, 100.0), {}, "taylor9");
    CHECK(result.status[0] == SolverStatus::ok);
    CHECK(result.n_steps[0] > 5000);
    for (std::size_t i = 0; i <= 10; ++i) { // phases add up: rtol for each radian
        const double angle = 3000.0 * static_cast<double>(i);
        CHECK(std::abs(result.sampled[0][i] - std::cos(angle)) <= 1e-6 * angle);
    }
}

TEST_CASE("a fast approach costs the Taylor method steps by stability, not its accuracy") {
    // Oracle: y = 1 − exp(−50 t). 50·20/4.7 steps at least.
    const BlockResult result =
        solve(approach(), {50.0}, {{}, 20.0}, on_grid(1, 0.01, 0.2), {}, "taylor9");
    CHECK(result.status[0] == SolverStatus::ok);
    CHECK(result.n_steps[0] > 200);
    CHECK(result.n_steps[0] < 400);
    for (std::size_t i = 0; i <= 20; ++i)
        CHECK(std::abs(result.sampled[0][i] - (1.0 - std::exp(-0.5 * static_cast<double>(i)))) <
              1e-6);
}

TEST_CASE("the Taylor method takes no rates that ask for the time, and no exponents that vary") {
    const auto applies_to = [](auto rate) {
        Builder b;
        b.add_state("y", rate(b.system.graph, b.state(0), b.time()), b.constant(0.5));
        b.add_output("y", b.state(0));
        return find_solver("taylor9")->applies(b.compiled());
    };
    CHECK(!applies_to([](auto& g, Expr, Expr t) { return g.unary(Op::cosine, t); }));
    CHECK(!applies_to([](auto& g, Expr y, Expr) { return g.negate(g.power(y, y)); }));
    CHECK(applies_to([](auto& g, Expr y, Expr) { return g.negate(g.power(y, g.constant(0.7))); }));
}

TEST_CASE("a switch within a step is seen by the error of the Taylor method") {
    // y' = 1 below 1, then −(y − 3)·0.5: y = 3 − 2·exp(−0.5 (t − 1)) after t = 1.
    Builder b;
    const Expr y = b.state(0);
    const Expr is_low = b.system.graph.binary(Op::less, y, b.constant(1.0));
    const Expr later = b.mul(b.constant(0.5), b.sub(b.constant(3.0), y));
    b.add_state("y", b.system.graph.select(is_low, b.constant(1.0), later), b.constant(0.0)).scale =
        1.0;
    b.add_output("y", y);
    SolverOptions options;
    options.rtol = 1e-8;
    const BlockResult result =
        solve(b.compiled(), {}, {{}, 8.0}, on_grid(1, 1.0, 8.0), options, "taylor9");
    CHECK(result.status[0] == SolverStatus::ok);
    for (std::size_t i = 1; i <= 8; ++i)
        CHECK(result.sampled[0][i] ==
              doctest::Approx(3.0 - 2.0 * std::exp(-0.5 * (static_cast<double>(i) - 1.0)))
                  .epsilon(3e-7)); // 30·rtol
}

TEST_CASE("a depot that no output sees sets no steps of the Taylor method, and is exact") {
    // Oracle: the closed form. A dose, then an infusion into the depot; from no absorption at all
    // to one that is over in minutes.
    const CompiledSystem system = one_compartment();
    const std::vector<double> ka{0.0, 1e-9, 0.05, 1.2, 30.0, 5000.0};
    const std::size_t n = ka.size();
    std::vector<double> inputs = ka;
    inputs.insert(inputs.end(), n, 5.0);
    inputs.insert(inputs.end(), n, 50.0);
    Record dose, infusion;
    dose.amount = 100.0;
    infusion = {.time = 24.0, .kind = RecordKind::infuse, .amount = 200.0, .duration = 12.0};
    const Timeline timeline{{dose, infusion}, 72.0};
    const Observation observation = on_grid(1, 1.5, 72.0);
    SolverOptions options;
    options.rtol = 1e-8;
    const BlockResult exact =
        solve(system, inputs, timeline, observation, options, "exact-closed-form");
    const BlockResult result = solve(system, inputs, timeline, observation, options, "taylor9");
    for (std::size_t s = 0; s < n; ++s) {
        CAPTURE(ka[s]);
        CHECK(result.status[s] == SolverStatus::ok);
        // By stability 5000·72/4.7. While an infusion holds a fast depot level, its series still
        // sees rounding times (kh)^9/9!.
        CHECK(result.n_steps[s] < 1000);
        for (std::size_t i = 0; i < 49; ++i) // 30·rtol, of peaks near 2
            CHECK(std::abs(result.sampled[0][s * 49 + i] - exact.sampled[0][s * 49 + i]) < 6e-7);
    }
}
