#include "sim/solve/agreement.hpp"
#include "sim/solve/problems.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

/// What every solver of the registry must pass. A new solver is tested by its line in the registry.
using namespace gemel::sim;

namespace {

const Solver& oracle() {
    return *find_solver("odeint-fehlberg78");
}

/// An explicit solver that is guarded says so where it meets stiffness.
bool gave_up_as_stiff(const Solver& solver, const BlockResult& result) {
    return !solver.is_stiff &&
           std::count(result.status.begin(), result.status.end(), SolverStatus::stiff) > 0;
}

void check_accuracy(const Solver& solver,
                    const CompiledSystem& system,
                    const Problem& problem,
                    const std::vector<double>& inputs,
                    const BlockResult& reference) {
    for (double rtol : {1e-4, 1e-6, 1e-8}) {
        SolverOptions options;
        options.rtol = rtol;
        const BlockResult result = solve(solver, system, problem, inputs, options);
        if (problem.is_stiff && gave_up_as_stiff(solver, result)) continue;
        const Errors errors = errors_of(problem, result, reference);
        CAPTURE(problem.name);
        CAPTURE(solver.name);
        CAPTURE(rtol);
        CAPTURE(errors.rms);
        CHECK(all_ok(result));
        // Exact solvers: rounding, and the reference's own 1e-13 per step.
        CHECK(errors.rms <= (solver.order == 0 ? 1e-11 : 2.0 * rtol));
        CHECK(errors.maximum <= (solver.order == 0 ? 1e-11 : 30.0 * rtol));
    }
}

BlockResult precisely(const char* solver,
                      double rtol,
                      const CompiledSystem& system,
                      const Problem& problem,
                      const std::vector<double>& inputs) {
    SolverOptions options;
    options.rtol = rtol;
    options.max_steps = 100'000'000;
    BlockResult result = solve(*find_solver(solver), system, problem, inputs, options);
    REQUIRE(all_ok(result));
    return result;
}

/// Multistep methods and references go subject by subject and by many small steps: judged on the
/// first few patients, who are the same however many there are.
int n_judged(const Solver& solver, int n_patients) {
    return std::min(n_patients,
                    solver.has_variable_order ? 8
                    : solver.is_reference     ? 24
                                              : n_patients);
}

/// Reference: the oracle at 1e-13; for the oracle itself dopri5 at 1e-12.
void run_battery_on(const Problem& problem, int n_patients) {
    const CompiledSystem system = compile(problem.system);
    const std::vector<double> inputs = problem.patients(n_patients);
    const BlockResult reference = precisely("odeint-fehlberg78", 1e-13, system, problem, inputs);
    const BlockResult other = precisely(
        "odeint-dopri5", 1e-12, system, problem, problem.patients(n_judged(oracle(), n_patients)));
    for (const Solver& solver : solvers())
        if (solver.applies(system))
            check_accuracy(solver,
                           system,
                           problem,
                           problem.patients(n_judged(solver, n_patients)),
                           solver.name == oracle().name ? other : reference);
}

/// The oracle's steps are set by stability here, so it judges explicit methods on a few patients.
/// Stiff ones are judged on all, by Rodas5P at 1e-11, which is first judged by the oracle on the
/// few.
void run_battery_on_stiff(const Problem& problem, int n_patients, int n_few) {
    const CompiledSystem system = compile(problem.system);
    const std::vector<double> few = problem.patients(n_few), all = problem.patients(n_patients);
    const BlockResult reference = precisely("odeint-fehlberg78", 1e-13, system, problem, few);
    const BlockResult stiff_reference = precisely("rodas5p", 1e-11, system, problem, all);
    // The few are the first of all: a patient's numbers depend on its own number alone.
    const Errors errors = errors_of(problem, stiff_reference, reference);
    CAPTURE(problem.name);
    CHECK(errors.rms <= 1e-10); // a hundredth of the sharpest bar it is used for
    CHECK(errors.maximum <= 1e-9);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system) || solver.name == oracle().name) continue;
        if (solver.is_stiff)
            check_accuracy(solver,
                           system,
                           problem,
                           problem.patients(n_judged(solver, n_patients)),
                           stiff_reference);
        else
            check_accuracy(solver, system, problem, few, reference);
    }
}

void run_battery(int n_patients, int n_few_stiff) {
    for (const Problem& problem : all_problems())
        if (problem.is_stiff)
            run_battery_on_stiff(problem, n_patients, n_few_stiff);
        else
            run_battery_on(problem, n_patients);
}

/// A bolus through a depot of rate ka: C = D·ka/(V(ka − k))·(e^{−kt} − e^{−ka·t}).
struct Bateman {
    double dose = 100.0, ka = 1.2, k = 0.12, v = 42.0;

    double factor() const { return dose * ka / (v * (ka - k)); }
    double at(double t) const { return factor() * (std::exp(-k * t) - std::exp(-ka * t)); }
    double area(double t) const {
        return factor() * (-std::expm1(-k * t) / k + std::expm1(-ka * t) / ka);
    }
    double peak_time() const { return std::log(ka / k) / (ka - k); }
    /// When the curve crosses `level` between two times on either side of it.
    double crossing(double level, double before, double after) const {
        const bool rises = at(before) < level;
        for (int i = 0; i < 200; ++i) {
            const double middle = 0.5 * (before + after);
            ((at(middle) < level) == rises ? before : after) = middle;
        }
        return before;
    }
};

Problem bateman_problem(const Bateman& curve) {
    Problem p("Bateman", 24.0);
    const Term ka = p.input("ka", curve.ka), k = p.input("k", curve.k), v = p.input("V", curve.v);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - k * central);
    p.output("C", central / v);
    p.bolus(depot, curve.dose);
    p.functional(FunctionalKind::integral, 0, 0.0, 24.0);
    p.functional(FunctionalKind::integral, 0, 3.3, 17.0);
    p.functional(FunctionalKind::maximum, 0, 0.0, 24.0);
    p.functional(FunctionalKind::time_of_maximum, 0, 0.0, 24.0);
    p.functional(FunctionalKind::value_before, 0, 0.0, 24.0);
    p.functional(FunctionalKind::time_above, 0, 0.0, 24.0, 1.0);
    p.functional(FunctionalKind::maximum, 0, 10.0, 24.0);
    return p;
}

/// Steps of one size: a loose tolerance, and events that add nothing at every step's end.
Problem stepwise(Problem problem, int n_steps) {
    const double step = problem.timeline.end / n_steps;
    Record nothing;
    nothing.amount = 1e-300;
    nothing.interval = step;
    nothing.count = n_steps;
    problem.timeline.records.push_back(nothing);
    std::vector<double> times;
    for (int k = 1; k <= 10; ++k)
        times.push_back(n_steps / 10 * k * step);
    for (SampledOutput& sampled : problem.observation.sampled)
        sampled.times = times;
    return problem;
}

/// Error with `n_steps` equal steps against half as many: log2 of the quotient.
double observed_order(const Solver& solver, const Problem& problem, int n_steps) {
    double errors[2];
    for (int half : {0, 1}) {
        const Problem fixed = stepwise(problem, half ? n_steps / 2 : n_steps);
        const CompiledSystem system = compile(fixed.system);
        const std::vector<double> inputs = fixed.patients(4);
        SolverOptions precise, loose;
        precise.rtol = 1e-13;
        loose.rtol = 0.9;
        const BlockResult reference = solve(oracle(), system, fixed, inputs, precise);
        const BlockResult result = solve(solver, system, fixed, inputs, loose);
        REQUIRE(all_ok(result));
        CHECK(result.n_steps[0] == static_cast<std::uint32_t>(half ? n_steps / 2 : n_steps));
        errors[half] = errors_of(fixed, result, reference).rms;
    }
    return std::log2(errors[1] / errors[0]);
}

/// modulated_growth() with the wave as two states: the same solution, autonomous.
Problem autonomous_growth() {
    Problem p("modulated growth, autonomous", 10.0);
    const Term a = p.input("a", 2.0, 0.2), w = p.input("w", 3.0, 0.1), y0 = p.input("y0", 1.0, 0.3);
    const Term y = p.state("y", y0);
    const Term c = p.state("c", p.number(1.0)), s = p.state("s", p.number(0.0));
    p.definition(s).scale = 1.0;
    p.rate(y, a * c * y);
    p.rate(c, -w * s);
    p.rate(s, w * c);
    p.output("y", y);
    p.sample(50);
    return p;
}

/// One compartment with V = 1e-300: elimination at 5e300 per hour.
Problem tiny_volume(bool is_oral) {
    Problem p("tiny volume", 24.0);
    const Term ka = p.input("ka", 1.2), cl = p.input("CL", 5.0), v = p.input("V", 1e-300);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - cl / v * central);
    p.output("C", central / v);
    p.bolus(is_oral ? depot : central, 100.0);
    p.sample_output(0, {1.0, 6.0, 24.0});
    p.functional(FunctionalKind::integral, 0, 0.0, 24.0);
    return p;
}

/// A drug that drives an effect site: 0 at the start, without a dose and without a declared scale.
Problem effect_site() {
    Problem p("effect site", 24.0);
    const Term ka = p.input("ka", 1.2, 0.3), k = p.input("k", 0.2, 0.2), ke0 = p.input("ke0", 0.4);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const Term site = p.state("site", p.number(0.0));
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - k * central);
    p.rate(site, ke0 * (central - site));
    p.output("site", site);
    p.bolus(depot, 1e-5); // small in its unit: a fixed absolute tolerance of 1 would see nothing
    p.sample(48);
    return p;
}

} // namespace

TEST_CASE("every solver keeps its promise of accuracy on every problem it applies to") {
    // Oracle: Fehlberg 8(7) at rtol 1e-13, itself judged by dopri5 at 1e-12. The bar: rms ≤ 2·rtol,
    // maximum ≤ 30·rtol.
    run_battery(48, 6);
}

TEST_CASE("functionals of a Bateman curve agree with their closed forms in every solver") {
    const Bateman curve;
    const Problem problem = bateman_problem(curve);
    const CompiledSystem system = compile(problem.system);
    const double peak = curve.peak_time();
    const std::vector<double> expected{curve.area(24.0),
                                       curve.area(17.0) - curve.area(3.3),
                                       curve.at(peak),
                                       peak,
                                       curve.at(24.0),
                                       curve.crossing(1.0, peak, 24.0) -
                                           curve.crossing(1.0, 0.0, peak),
                                       curve.at(10.0)};
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        SolverOptions options;
        options.rtol = 1e-8;
        const BlockResult result = solve(solver, system, problem, problem.patients(1), options);
        CAPTURE(solver.name);
        REQUIRE(all_ok(result));
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CAPTURE(i);
            // Steps: 30·rtol as in the battery; exact solvers: the quadrature's 1e-10. A peak's
            // time is the root of half the value's digits.
            const bool is_time =
                problem.observation.functionals[i].kind == FunctionalKind::time_of_maximum;
            const double tolerance = is_time ? 1e-5 : solver.order == 0 ? 1e-10 : 3e-7;
            CHECK(result.functionals[i] == doctest::Approx(expected[i]).epsilon(tolerance));
        }
    }
}

TEST_CASE("the observed order of every solver is its nominal one, autonomous or not") {
    for (const Solver& solver : solvers()) {
        if (solver.order == 0 || solver.has_variable_order) continue;
        // Waves have no real rates and time no events to count from. Split solvers share the step
        // programs of the others.
        if (solver.name.ends_with("-split")) continue;
        for (const Problem& problem : {autonomous_growth(), modulated_growth()}) {
            CAPTURE(solver.name);
            CAPTURE(problem.name);
            // Steps small enough for the leading term, large enough to stay above rounding.
            if (!solver.applies(compile(problem.system))) continue;
            const int n_steps = solver.order > 8 ? 224 : solver.order > 6 ? 160 : 1280;
            const double order = observed_order(solver, problem, n_steps);
            CHECK(order > solver.order - 0.3);
            CHECK(order < solver.order + 0.3);
        }
    }
}

TEST_CASE("a change of units changes nothing") {
    // Invariant: every state counted in units 1e9 times smaller or larger. 1e-10: roundings of
    // 1e-16 reach the step size and through it the error of 1e-6. Where the order varies a rounding
    // may turn a decision; what two such runs share is their accuracy of 2·rtol.
    for (const Problem& problem : {oral_one_compartment(),
                                   iv_two_compartments(), // with infusions
                                   turnover_hill(),
                                   target_mediated(),
                                   effect_site()})
        for (double factor : {1e9, 1e-9}) {
            const Problem other = rescaled(problem, factor);
            const CompiledSystem system = compile(problem.system), scaled = compile(other.system);
            const std::vector<double> inputs = problem.patients(4);
            for (const Solver& solver : solvers()) {
                // Explicit steps at the edge of stability follow the last bit of every rounding.
                if (!solver.applies(system) || (problem.is_stiff && !solver.is_stiff)) continue;
                // Fehlberg's estimate is all rounding where it is blind (odeint.md).
                const double tolerance = solver.has_variable_order      ? 2e-6
                                         : solver.name == oracle().name ? 1e-8
                                                                        : 1e-10;
                CAPTURE(solver.name);
                CAPTURE(problem.name);
                CAPTURE(factor);
                const BlockResult a = solve(solver, system, problem, inputs, {});
                const BlockResult b = solve(solver, scaled, other, inputs, {});
                REQUIRE(all_ok(b));
                CHECK(errors_of(problem, b, a).maximum < tolerance);
            }
        }
}

TEST_CASE("a patient with a volume of 1e-300 gets the flip-flop limit") {
    // Limit V → 0: oral C = ka·A_depot/CL; a bolus is gone at once and leaves the area dose/CL. By
    // solvers fit for it: explicit ones end in a status, and double precision has no matrix
    // exponential over 300 decades.
    for (const bool is_oral : {true, false}) {
        const Problem problem = tiny_volume(is_oral);
        const CompiledSystem system = compile(problem.system);
        CHECK(choose_solver(system).solver->name == "exact-closed-form");
        for (const Solver& solver : solvers()) {
            if (!solver.applies(system) || !solver.is_stiff) continue;
            CAPTURE(solver.name);
            CAPTURE(is_oral);
            const BlockResult result = solve(solver, system, problem, problem.patients(1), {});
            if (solver.name == "exact-expm") { // cannot hold both rates, and must say so
                CHECK(result.status[0] == SolverStatus::not_finite);
                continue;
            }
            REQUIRE(all_ok(result));
            // Exact: rounding. Steps: 30·rtol. Of the value and of 1e-3 of the peak, as above.
            const double tolerance = solver.order == 0 ? 1e-12 : 3e-5;
            for (std::size_t i = 0; i < 3; ++i) {
                const double time = problem.observation.sampled[0].times[i];
                const double expected = is_oral ? 24.0 * std::exp(-1.2 * time) : 0.0;
                const double error = std::fabs(result.sampled[0][i] - expected);
                CHECK(error <= tolerance * (expected + (is_oral ? 24e-3 : 0.0)));
            }
            // The quadrature over the first steps: 10·rtol.
            CHECK(result.functionals[0] == doctest::Approx(20.0).epsilon(1e-5));
        }
    }
}

TEST_CASE("what is faster than the clock ends promptly in a status") {
    // A bolus at 12 h that vanishes within 1e-300 h: the clock's 1e-15 h cannot follow.
    Problem problem = tiny_volume(false);
    problem.timeline.records[0].time = 12.0;
    const CompiledSystem system = compile(problem.system);
    for (const char* name : {"rodas5p", "cvode", "odeint-dopri5", "odeint-fehlberg78"}) {
        CAPTURE(name);
        const BlockResult result =
            solve(*find_solver(name), system, problem, problem.patients(1), {});
        CHECK(result.status[0] == SolverStatus::step_too_small);
        CHECK(result.stopped_at[0] == 12.0);
        CHECK(result.n_steps[0] < 1000);
    }
}

TEST_CASE("bad patients end in a status and change no bit of the others") {
    Problem problem("bad patients", 20.0);
    const Term growth = problem.input("growth", 0.1), push = problem.input("push", 0.01);
    const Term y = problem.state("y", problem.number(1.0)),
               z = problem.state("z", problem.number(0.0));
    problem.definition(z).scale = 1.0;
    problem.rate(y, growth * y);
    problem.rate(z, select(z < 1.0, push, -push)); // chatters at z = 1
    problem.output("y", y);
    problem.output("z", z);
    problem.sample(20);
    problem.functional(FunctionalKind::maximum, 0, 0.0, 20.0);
    const CompiledSystem system = compile(problem.system);

    const int n = 40;
    const std::vector<double> good = problem.patients(n);
    std::vector<double> bad = good;
    bad[3] = std::numeric_limits<double>::quiet_NaN();
    bad[17] = 1e6;
    bad[n + 22] = 1e3;
    for (const Solver& solver : solvers()) {
        // Fehlberg's estimate is 0 for rates that jump between two constants: not judged by this.
        if (!solver.applies(system) || solver.name == oracle().name) continue;
        CAPTURE(solver.name);
        SolverOptions options;
        options.max_steps = 2'000;
        const BlockResult expected = solve(solver, system, problem, good, options);
        const BlockResult result = solve(solver, system, problem, bad, options);
        REQUIRE(all_ok(expected));
        for (int subject = 0; subject < n; ++subject) {
            CAPTURE(subject);
            const bool is_bad = subject == 3 || subject == 17 || subject == 22;
            CHECK((result.status[subject] == SolverStatus::ok) == !is_bad);
            CHECK(std::isnan(result.functionals[subject]) == is_bad);
            for (std::size_t i = 0; i < 21; ++i) {
                const double value = result.sampled[0][static_cast<std::size_t>(subject) * 21 + i];
                CHECK(std::isnan(value) == is_bad);
                if (!is_bad)
                    CHECK(value == expected.sampled[0][static_cast<std::size_t>(subject) * 21 + i]);
            }
        }
        CHECK(result.status[22] != SolverStatus::not_finite);
    }
}

TEST_CASE("what is observed does not change what is sampled") {
    // Invariant: adding functionals, outputs or times leaves every other value's bits; but closed
    // forms go from point to point on a regular grid, where values follow the grid by the rounding
    // of at most 32 steps (docs/decisions/regular_grids.md).
    for (const Problem& problem : {iv_two_compartments(), transit_absorption(), turnover_hill()}) {
        const CompiledSystem system = compile(problem.system);
        Problem more = problem;
        more.functional(FunctionalKind::integral, 0, 0.0, problem.timeline.end);
        more.functional(FunctionalKind::maximum, 0, 5.0, problem.timeline.end);
        Problem fewer = problem;
        const std::vector<double> some{7.0, 13.0, 29.0};
        fewer.observation.sampled = {{0, some}};
        const std::vector<double> inputs = problem.patients(3);
        for (const Solver& solver : solvers()) {
            if (!solver.applies(system)) continue;
            CAPTURE(solver.name);
            const BlockResult plain = solve(solver, system, problem, inputs, {});
            CHECK(solve(solver, system, more, inputs, {}).sampled == plain.sampled);
            const BlockResult sparse = solve(solver, system, fewer, inputs, {});
            const std::vector<double>& times = problem.observation.sampled[0].times;
            for (std::size_t subject = 0; subject < 3; ++subject)
                for (std::size_t i = 0; i < some.size(); ++i) {
                    const auto at = std::find(times.begin(), times.end(), some[i]) - times.begin();
                    if (static_cast<std::size_t>(at) >= times.size()) continue;
                    const double value = sparse.sampled[0][subject * 3 + i];
                    const double other =
                        plain.sampled[0][subject * times.size() + static_cast<std::size_t>(at)];
                    if (solver.name == "exact-closed-form")
                        CHECK(value == doctest::Approx(other).epsilon(2e-14));
                    else
                        CHECK(value == other);
                }
        }
    }
}

TEST_SUITE("slow") {
    TEST_CASE("every solver keeps its promise of accuracy over a thousand patients") {
        run_battery(1000, 60);
    }
}
