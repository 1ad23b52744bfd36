#include "fixed_steps.hpp"
#include "order_conditions.hpp"
#include "sim/solve/problems.hpp"
#include "solve/runge_kutta_tableau.hpp"
#include "solve/tsit5.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace lane_systems;
using namespace order_conditions;

namespace {

constexpr int n_stages = RungeKuttaTableau::n_stages;

Vector product(const Vector& x) {
    const RungeKuttaTableau& t = tsit5_tableau();
    Vector y(n_stages, 0.0);
    for (int i = 0; i < n_stages; ++i)
        for (int j = 0; j < n_stages; ++j)
            y[i] += t.a[i][j] * x[j];
    return y;
}

/// Hairer, Nørsett & Wanner, Solving ODEs I, table II.2.2: all trees up to order 5.
std::vector<Condition> conditions() {
    const Vector one(n_stages, 1.0), c(tsit5_tableau().c, tsit5_tableau().c + n_stages);
    const Vector c2 = times(c, c), c3 = times(c2, c), ac = product(c), ac2 = product(c2);
    const Vector aac = product(ac), cac = times(c, ac);
    return {{1, one, 1},
            {2, c, 2},
            {3, c2, 3},
            {3, ac, 6},
            {4, c3, 4},
            {4, cac, 8},
            {4, ac2, 12},
            {4, aac, 24},
            {5, times(c3, c), 5},
            {5, times(c2, ac), 10},
            {5, times(c, ac2), 15},
            {5, times(c, aac), 30},
            {5, times(ac, ac), 20},
            {5, product(c3), 20},
            {5, product(cac), 40},
            {5, product(ac2), 60},
            {5, product(aac), 120}};
}

/// 1e-14: coefficients up to 50 in size, each within 2⁻⁵³ of its true value.
constexpr double rounding = 1e-14;

} // namespace

TEST_CASE("the coefficients of Tsit5 satisfy all conditions of order 5") {
    for (const Condition& c : conditions())
        CHECK(std::abs(dot(tsit5_tableau().a[n_stages - 1], c.x) - 1.0 / c.r) < rounding);
}

TEST_CASE("the error estimate of Tsit5 vanishes up to order 4 and not at order 5") {
    double largest = 0.0;
    for (const Condition& c : conditions())
        if (c.order <= 4)
            CHECK(std::abs(dot(tsit5_tableau().e, c.x)) < rounding);
        else
            largest = std::max(largest, std::abs(dot(tsit5_tableau().e, c.x)));
    CHECK(largest > 1e-4);
}

TEST_CASE("the dense output of Tsit5 satisfies all conditions of order 4, its slopes match") {
    const RungeKuttaTableau& t = tsit5_tableau();
    for (double theta : {0.2, 0.5, 0.9}) {
        Vector b(n_stages);
        for (int j = 0; j < n_stages; ++j)
            b[j] = theta * t.a[n_stages - 1][j] +
                   theta * (1.0 - theta) * (t.h[0][j] + theta * (t.h[1][j] + theta * t.h[2][j]));
        for (const Condition& c : conditions())
            if (c.order <= 4)
                CHECK(std::abs(dot(b, c.x) - std::pow(theta, c.order) / c.r) < rounding);
    }
    // The curve leaves with slope k_1 and arrives with k_7: it is smooth across steps.
    for (int j = 0; j < n_stages; ++j) {
        const double leaves = t.a[n_stages - 1][j] + t.h[0][j];
        const double arrives = t.a[n_stages - 1][j] - (t.h[0][j] + t.h[1][j] + t.h[2][j]);
        CHECK(std::abs(leaves - (j == 0 ? 1.0 : 0.0)) < rounding);
        CHECK(std::abs(arrives - (j == n_stages - 1 ? 1.0 : 0.0)) < rounding);
    }
}

TEST_CASE("the nodes of Tsit5 are the row sums of its stages, the last two at the end") {
    const Vector sums = product(Vector(n_stages, 1.0));
    for (int i = 0; i < n_stages; ++i)
        CHECK(std::abs(sums[i] - tsit5_tableau().c[i]) < rounding);
    CHECK(tsit5_tableau().c[n_stages - 2] == 1.0);
    CHECK(tsit5_tableau().c[n_stages - 1] == 1.0);
}

TEST_CASE("Tsit5 converges with order 5 on an autonomous problem") {
    check_autonomous_orders(tsit5_method(), 4.0, 64);
}

TEST_CASE("Tsit5 converges with order 5 on a non-autonomous problem") {
    check_non_autonomous_orders(tsit5_method(), 4.0, 64);
}

namespace {

/// y' = −λ·(y − cos t) from y(0) = 0, 100 h: y follows cos t, some (λ + 1) fast for an explicit
/// method at 3.5/λ per step.
CompiledSystem follower() {
    Builder b;
    const Expr rate = b.input("rate");
    const Expr wave = b.system.graph.unary(Op::cosine, b.time());
    b.add_state("y", b.mul(b.neg(rate), b.sub(b.state(0), wave)), b.constant(0.0)).scale = 1.0;
    b.add_output("y", b.state(0));
    return b.compiled();
}

} // namespace

TEST_CASE("Tsit5 gives a stiff subject up and leaves its neighbours' bits alone") {
    check_that_a_stiff_subject_is_given_up(follower(), "tsit5");
}

TEST_CASE("many steps alone do not make a system stiff") {
    // y' = cos(300 t)·y: accuracy sets some tens of thousands of steps. y = exp(sin(300 t)/300).
    Builder b;
    const Expr wave = b.system.graph.unary(Op::cosine, b.mul(b.constant(300.0), b.time()));
    b.add_state("y", b.mul(wave, b.state(0)), b.constant(1.0));
    b.add_output("y", b.state(0));
    const BlockResult result =
        solve(b.compiled(), {}, {{}, 100.0}, on_grid(1, 10.0, 100.0), {}, "tsit5");
    CHECK(result.status[0] == SolverStatus::ok);
    CHECK(result.n_steps[0] > 5000);
    for (std::size_t i = 0; i <= 10; ++i) // 30·rtol
        CHECK(result.sampled[0][i] ==
              doctest::Approx(std::exp(std::sin(3000.0 * static_cast<double>(i)) / 300.0))
                  .epsilon(3e-5));
}
