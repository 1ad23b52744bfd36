#include "sim/solve/problems.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

/// Functionals of outputs that wave faster than the steps or pieces of a solver.
using namespace gemel::sim;

namespace {

using Curve = std::function<double(double)>;
constexpr double pi = std::numbers::pi;

/// The largest value of a curve on [from, to]: a scan finer than any wave here, then ternary
/// search.
double largest(const Curve& curve, double from, double to) {
    constexpr int n = 100000;
    const double step = (to - from) / n;
    int best = 0;
    for (int i = 1; i <= n; ++i)
        if (curve(from + i * step) > curve(from + best * step)) best = i;
    double a = std::max(from, from + (best - 1) * step);
    double b = std::min(to, from + (best + 1) * step);
    for (int i = 0; i < 100; ++i) {
        const double third = (b - a) / 3.0;
        (curve(a + third) < curve(b - third) ? a : b) =
            curve(a + third) < curve(b - third) ? a + third : b - third;
    }
    return curve(0.5 * (a + b));
}

/// Time above a level: the same scan, crossings by bisection.
double time_above(const Curve& curve, double level, double from, double to) {
    constexpr int n = 100000;
    const double step = (to - from) / n;
    double total = 0.0;
    for (int i = 0; i < n; ++i) {
        double a = from + i * step, b = a + step;
        const bool is_above = curve(a) > level, ends_above = curve(b) > level;
        if (is_above && ends_above) total += step;
        if (is_above == ends_above) continue;
        const double left = a, right = b;
        for (int k = 0; k < 60; ++k) {
            const double middle = 0.5 * (a + b);
            ((curve(middle) > level) == is_above ? a : b) = middle;
        }
        total += is_above ? a - left : right - a;
    }
    return total;
}

/// y' = w·v − g·y, v' = −w·y from y = 0, v = 1: y = (w/W)·e^{−gt/2}·sin Wt, W² = w² − g²/4.
struct Oscillator {
    double w = 10.0, g = 0.0;

    double frequency() const { return std::sqrt(w * w - 0.25 * g * g); }
    double y(double t) const {
        return w / frequency() * std::exp(-0.5 * g * t) * std::sin(frequency() * t);
    }
    double v(double t) const {
        const double f = frequency();
        return std::exp(-0.5 * g * t) * (std::cos(f * t) + 0.5 * g / f * std::sin(f * t));
    }
    double area(double from, double to) const { return (v(from) - v(to)) / w; }
};

Problem oscillator_problem(const Oscillator& o) {
    Problem p("oscillator", 24.0);
    const Term w = p.input("w", o.w), g = p.input("g", o.g);
    const Term y = p.state("y", p.number(0.0)), v = p.state("v", p.number(1.0));
    p.definition(y).scale = 1.0;
    p.rate(y, w * v - g * y);
    p.rate(v, -w * y);
    p.output("y", y);
    p.functional(FunctionalKind::integral, 0, 0.0, 23.7);
    p.functional(FunctionalKind::integral, 0, 11.3, 17.4);
    p.functional(FunctionalKind::maximum, 0, 0.0, 24.0);
    p.functional(FunctionalKind::maximum, 0, 6.3, 6.9);
    p.functional(FunctionalKind::time_above, 0, 0.0, 24.0, 0.2);
    p.functional(FunctionalKind::time_above, 0, 3.0, 11.0, 0.2);
    return p;
}

/// y = D·e^{−kt}, C = y/V·(1 + a·sin wt).
struct Circadian {
    double dose = 100.0, v = 40.0, k = 0.002, a = 0.5, w = 2.0 * pi / 24.0;

    double at(double t) const { return dose / v * std::exp(-k * t) * (1.0 + a * std::sin(w * t)); }
    double antiderivative(double t) const {
        const double wave = (k * std::sin(w * t) + w * std::cos(w * t)) / (k * k + w * w);
        return -dose / v * std::exp(-k * t) * (1.0 / k + a * wave);
    }
    double area(double from, double to) const { return antiderivative(to) - antiderivative(from); }
};

Problem circadian_problem(const Circadian& c) {
    Problem p("circadian", 2000.0);
    const Term k = p.input("k", c.k), v = p.input("V", c.v), a = p.input("a", c.a);
    const Term y = p.dosed_state("y");
    p.rate(y, -k * y);
    p.output("C", y / v * (1.0 + a * cos(c.w * p.time() - 0.5 * pi)));
    p.output("y", y);
    p.bolus(y, c.dose);
    p.functional(FunctionalKind::integral, 0, 0.0, 2000.0);
    p.functional(FunctionalKind::integral, 0, 0.0, 1536.0); // 24 h × 2⁶: halves are whole periods
    p.functional(FunctionalKind::integral, 0, 777.0, 1111.0);
    p.functional(FunctionalKind::maximum, 0, 0.0, 2000.0);
    p.functional(FunctionalKind::maximum, 0, 1000.0, 1100.0);
    p.functional(FunctionalKind::time_above, 0, 0.0, 2000.0, 1.0);
    p.functional(FunctionalKind::integral, 1, 0.0, 2000.0);
    return p;
}

/// Differences within tolerance × (|expected| + scale).
void check_all(const Problem& problem,
               const std::vector<double>& expected,
               double scale,
               double rtol,
               double steps_tolerance) {
    const CompiledSystem system = compile(problem.system);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        SolverOptions options;
        options.rtol = rtol;
        const BlockResult result = solve(solver, system, problem, problem.patients(1), options);
        CAPTURE(solver.name);
        REQUIRE(result.status[0] == SolverStatus::ok);
        // Exact solvers: the quadrature's 1e-10.
        const double tolerance = solver.order == 0 ? 1e-10 : steps_tolerance;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CAPTURE(i);
            CAPTURE(result.functionals[i]);
            CAPTURE(expected[i]);
            CHECK(std::fabs(result.functionals[i] - expected[i]) <=
                  tolerance * (std::fabs(expected[i]) + scale));
        }
    }
}

} // namespace

TEST_CASE("functionals of oscillators agree with their closed forms in every solver") {
    // Areas in closed form; peaks and times by scanning the closed form. Some 38 periods: steps
    // of relative 1e-9 add up to about 1e-6 in phase.
    for (double g : {0.0, 0.3, 3.0}) {
        const Oscillator o{10.0, g};
        CAPTURE(g);
        const Curve y = [&](double t) { return o.y(t); };
        check_all(oscillator_problem(o),
                  {o.area(0.0, 23.7),
                   o.area(11.3, 17.4),
                   largest(y, 0.0, 24.0),
                   largest(y, 6.3, 6.9),
                   time_above(y, 0.2, 0.0, 24.0),
                   time_above(y, 0.2, 3.0, 11.0)},
                  0.1,
                  1e-9,
                  1e-5);
    }
}

TEST_CASE("functionals of an output that waves in time agree with their closed forms") {
    // As above; no solver's steps know of the wave. Steps: 30·rtol as in the battery.
    const Circadian c;
    const Curve curve = [&](double t) { return c.at(t); };
    check_all(circadian_problem(c),
              {c.area(0.0, 2000.0),
               c.area(0.0, 1536.0),
               c.area(777.0, 1111.0),
               largest(curve, 0.0, 2000.0),
               largest(curve, 1000.0, 1100.0),
               time_above(curve, 1.0, 0.0, 2000.0),
               -c.dose / c.k * std::expm1(-c.k * 2000.0)},
              0.0,
              1e-8,
              3e-7);
}

TEST_CASE("an output that mentions time changes no bit of another output's functionals") {
    // Invariant: the functionals of y alone, and beside those of C in the same windows.
    const Problem both = circadian_problem({});
    Problem alone = both;
    alone.observation.functionals = {both.observation.functionals.back()};
    const CompiledSystem system = compile(both.system);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult a = solve(solver, system, both, both.patients(1), {});
        const BlockResult b = solve(solver, system, alone, alone.patients(1), {});
        CHECK(a.functionals.back() == b.functionals[0]);
    }
}

TEST_CASE("an output that jumps in time is integrated up to its jump") {
    // Closed form: ∫ e^{−kt} over [0, 7.3]. 1e-6: the jump is located to 2⁻²⁰ of a piece.
    Problem p("jump", 24.0);
    const Term k = p.input("k", 0.1), y = p.state("y", p.number(1.0));
    p.rate(y, -k * y);
    p.output("on", select(p.time() < 7.3, y, p.number(0.0)));
    p.functional(FunctionalKind::integral, 0, 0.0, 24.0);
    check_all(p, {-std::expm1(-0.73) / 0.1}, 1e4, 1e-8, 1e-10);
}
