#include "sim/solve/problems.hpp"
#include "sim/solve/random_models.hpp"
#include "solve/expansion.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

/// Derivatives by inputs, carried by every solver as further states.
using namespace gemel::sim;

namespace {

std::vector<std::string> names_of_inputs(const OdeSystem& system) {
    std::vector<std::string> names;
    for (const Input& input : system.inputs)
        names.push_back(input.name);
    return names;
}

/// The problem with derivatives by all its inputs; every output is sampled at `times`.
Problem differentiated(const Problem& problem,
                       const std::vector<double>& times,
                       StepControl control = StepControl::all) {
    Problem d = problem;
    d.system = with_sensitivities(problem.system, names_of_inputs(problem.system), control);
    d.observation.sampled.clear();
    for (int k = 0; k < static_cast<int>(d.system.outputs.size()); ++k)
        d.sample_output(k, times);
    return d;
}

BlockResult
solved(const Problem& problem, const char* solver, const std::vector<double>& inputs, double rtol) {
    SolverOptions options;
    options.rtol = rtol;
    options.max_steps = 100'000'000;
    const CompiledSystem system = compile(problem.system);
    BlockResult result = solve(*find_solver(solver), system, problem, inputs, options);
    for (SolverStatus status : result.status)
        REQUIRE(status == SolverStatus::ok);
    return result;
}

/// Times 0, end/n, … end, moved off the grid that doses keep to.
std::vector<double> off_grid(double end, int n) {
    std::vector<double> times;
    for (int i = 1; i <= n; ++i)
        times.push_back(end * (i - 0.381966) / n);
    return times;
}

/// ∂(own outputs)/∂(input) by differences of the problem without sensitivities: central, steps h
/// and 2h, extrapolated, so that the error is O(h⁴). [output][subject × time]
std::vector<std::vector<double>> by_differences(const Problem& problem,
                                                const std::vector<double>& times,
                                                const std::vector<double>& inputs,
                                                int input,
                                                int n_subjects) {
    constexpr double relative_step = 2e-3;
    Problem plain = problem;
    plain.observation.sampled.clear();
    for (int k = 0; k < static_cast<int>(plain.system.outputs.size()); ++k)
        plain.sample_output(k, times);
    const auto moved = [&](double by) {
        std::vector<double> columns = inputs;
        for (int s = 0; s < n_subjects; ++s)
            columns[static_cast<std::size_t>(input * n_subjects + s)] *= 1.0 + by * relative_step;
        return problem.is_stiff ? solved(plain, "rodas5p", columns, 1e-12).sampled
                                : solved(plain, "odeint-fehlberg78", columns, 1e-13).sampled;
    };
    const auto far_below = moved(-2.0), below = moved(-1.0), above = moved(1.0),
               far_above = moved(2.0);
    auto result = above;
    for (std::size_t k = 0; k < result.size(); ++k)
        for (std::size_t i = 0; i < result[k].size(); ++i) {
            const std::size_t subject = i / times.size();
            const double h =
                relative_step * inputs[static_cast<std::size_t>(input * n_subjects) + subject];
            const double near = (above[k][i] - below[k][i]) / (2.0 * h);
            const double far = (far_above[k][i] - far_below[k][i]) / (4.0 * h);
            result[k][i] = (4.0 * near - far) / 3.0;
        }
    return result;
}

/// Largest |a − b| against the largest |b| of each subject's profile, or `floor`.
double difference(const std::vector<double>& a,
                  const std::vector<double>& b,
                  std::size_t n_times,
                  double floor = 0.0) {
    double worst = 0.0;
    for (std::size_t first = 0; first < b.size(); first += n_times) {
        double largest = floor, gap = 0.0;
        for (std::size_t i = first; i < first + n_times; ++i) {
            largest = std::max(largest, std::fabs(b[i]));
            gap = std::max(gap, std::fabs(a[i] - b[i]));
        }
        if (gap > 0.0) worst = std::max(worst, gap / largest);
    }
    return worst;
}

double largest_of(const std::vector<double>& values) {
    double largest = 0.0;
    for (double value : values)
        largest = std::max(largest, std::fabs(value));
    return largest;
}

/// Oracle: differences of Fehlberg 8(7) at 1e-13 (of stiff systems: Rodas5P at 1e-12, which knows
/// nothing of derivatives there). Their own error is about 1e-8: rounding of 1e-12
/// over steps of 2e-3, and (2e-3)⁴ of a fifth derivative. The issue's bar: 1e-6, of the largest
/// derivative, or of a hundredth of y/θ where that is larger (an output that does not depend on an
/// input at all has noise for differences).
void check_by_differences(const Problem& problem,
                          int n_subjects = 2,
                          StepControl control = StepControl::all) {
    constexpr double bar = 1e-6;
    // Steps that look at the states alone leave the derivatives to follow: they need more of them.
    const double rtol = control == StepControl::all ? 1e-9 : 1e-11;
    const std::vector<double> times = off_grid(problem.timeline.end, 24);
    const Problem d = differentiated(problem, times, control);
    const CompiledSystem system = compile(d.system);
    const std::vector<double> inputs = problem.patients(n_subjects);
    const SensitivityLayout& layout = d.system.sensitivities;
    std::vector<std::vector<std::vector<double>>> expected;
    for (int k = 0; k < layout.n_wrt(); ++k)
        expected.push_back(by_differences(problem, times, inputs, layout.wrt[k], n_subjects));
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system) || (problem.is_stiff && !solver.is_stiff)) continue;
        const BlockResult result = solved(d, solver.name.data(), inputs, rtol);
        for (int k = 0; k < layout.n_wrt(); ++k)
            for (int y = 0; y < layout.n_outputs; ++y) {
                const auto at = static_cast<std::size_t>(layout.output(y, k));
                const double floor = 0.01 * largest_of(result.sampled[y]) / problem.medians[k];
                CAPTURE(problem.name);
                CAPTURE(solver.name);
                CAPTURE(d.system.outputs[at].name);
                CHECK(difference(result.sampled[at], expected[k][y], times.size(), floor) < bar);
            }
    }
}

/// Warfarin-like: oral with lag and bioavailability, inhibiting a turnover by a Hill function.
Problem oral_turnover() {
    Problem p("oral with lag and F, turnover", 96.0);
    const Term ka = p.input("ka", 0.9, 0.3), cl = p.input("CL", 0.35, 0.25);
    const Term v = p.input("V", 8.0, 0.15), lag = p.input("lag", 0.73, 0.2);
    const Term f = p.input("F", 0.8, 0.1), kout = p.input("kout", 0.05, 0.2);
    const Term base = p.input("base", 96.0, 0.1), ec50 = p.input("EC50", 1.2, 0.3);
    const Term gamma = p.input("gamma", 1.6, 0.1);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const Term response = p.state("response", base);
    p.definition(depot).lag = lag.expr;
    p.definition(depot).bioavailability = f.expr;
    const Term c = central / v;
    const Term effect = pow(c, gamma) / (pow(ec50, gamma) + pow(c, gamma));
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - cl / v * central);
    p.rate(response, kout * (base * (1.0 - effect) - response));
    p.output("Cp", c);
    p.output("R", response);
    p.bolus(depot, 60.0, 0.0, 24.0, 3);
    return p;
}

/// Saturable elimination; a lagged bolus goes straight into the nonlinear state, so that all rates
/// jump at it, and the baseline is a function of parameters.
Problem lagged_bolus() {
    Problem p("lagged bolus into saturable elimination", 24.0);
    const Term vmax = p.input("Vmax", 18.0, 0.2), km = p.input("Km", 4.0, 0.2);
    const Term v = p.input("V", 20.0, 0.15), lag = p.input("lag", 0.61, 0.2);
    const Term f = p.input("F", 0.7, 0.1), ke0 = p.input("ke0", 0.5, 0.2);
    const Term central = p.dosed_state("central");
    const Term site = p.state("site", km / v);
    p.definition(central).lag = lag.expr;
    p.definition(central).bioavailability = (f * v / 20.0).expr;
    const Term c = central / v;
    p.rate(central, -vmax * c / (km + c));
    p.rate(site, ke0 * (c * c / (km + c) - site));
    p.output("C", c);
    p.output("site", site);
    p.bolus(central, 150.0, 0.0, 8.0, 3);
    return p;
}

enum class Given { duration, rate, modelled_rate, modelled_duration };

/// Infusions that overlap the next, by each of the four ways of saying how long; the amount is per
/// kilogram.
Problem infused(Given given) {
    Problem p("infusion", 30.0);
    const Term vmax = p.input("Vmax", 15.0, 0.2), km = p.input("Km", 3.0, 0.2);
    const Term v = p.input("V", 25.0, 0.15), lag = p.input("lag", 0.4, 0.2);
    const Term f = p.input("F", 0.85, 0.1), shape = p.input("shape", 1.3, 0.1);
    const Term weight = p.input("WT", 70.0, 0.1);
    const Term central = p.dosed_state("central"), metabolite = p.dosed_state("metabolite");
    State& definition = p.definition(central);
    definition.lag = lag.expr;
    definition.bioavailability = f.expr;
    definition.modelled_duration = (shape * weight / 70.0).expr;
    definition.modelled_rate = (40.0 * shape * v / 25.0).expr;
    const Term c = central / v, lost = vmax * c / (km + c);
    p.rate(central, -lost);
    p.rate(metabolite, lost - 0.3 * metabolite);
    p.output("C", c);
    p.output("M", metabolite);
    p.infuse(central, 1.0, 2.5, 0.0, 9.0, 3);
    p.infuse(central, 0.5, 2.5, 1.2);
    for (Record& record : p.timeline.records) {
        record.amount_factor = 6;
        if (given == Given::duration) continue;
        record.duration = 0.0;
        record.rate = given == Given::rate            ? 30.0
                      : given == Given::modelled_rate ? modelled_rate
                                                      : modelled_duration;
    }
    return p;
}

/// One oral dose: C = F·D·g·(e^{−k·s} − e^{−ka·s}), g = ka/(V·(ka − k)), k = CL/V, s = t − lag.
struct Bateman {
    double ka, cl, v, lag, f, dose;

    struct Derivatives {
        double ka, cl, v, lag, f;
    };
    Derivatives at(double time) const {
        const double s = time - lag;
        if (s < 0.0) return {};
        const double k = cl / v, gap = ka - k, g = ka / (v * gap);
        const double slow = std::exp(-k * s), fast = std::exp(-ka * s);
        const double amount = f * dose, shape = slow - fast;
        const double by_k = amount * (ka / (v * gap * gap) * shape - g * s * slow);
        return {amount * (-k / (v * gap * gap) * shape + g * s * fast),
                by_k / v,
                -amount * g * shape / v - by_k * cl / (v * v),
                -amount * g * (ka * fast - k * slow),
                dose * g * shape};
    }
};

Problem oral(const Bateman& curve) {
    Problem p("oral", 48.0);
    const Term ka = p.input("theta/ka", curve.ka), cl = p.input("theta/CL", curve.cl);
    const Term v = p.input("theta/V", curve.v), lag = p.input("theta/lag", curve.lag);
    const Term f = p.input("theta/F", curve.f);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    p.definition(depot).lag = lag.expr;
    p.definition(depot).bioavailability = f.expr;
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - cl / v * central);
    p.output("Cp", central / v);
    p.bolus(depot, curve.dose, 0.0, 12.0, 3);
    return p;
}

} // namespace

TEST_CASE("derivatives of a Bateman curve agree with their closed forms in every solver") {
    // Closed form, summed over three doses. With lag 0 and F 0 as well: the derivative by the lag
    // is the one to the right, and a dose of which nothing arrives still has a derivative by F.
    for (const Bateman& curve : {Bateman{1.1, 4.0, 30.0, 0.37, 0.8, 100.0},
                                 Bateman{0.7, 5.0, 42.0, 0.0, 0.6, 50.0},
                                 Bateman{0.9, 3.0, 20.0, 0.25, 0.0, 80.0}}) {
        const Problem problem = oral(curve);
        const std::vector<double> times = off_grid(48.0, 40);
        const Problem d = differentiated(problem, times);
        const CompiledSystem system = compile(d.system);
        REQUIRE(d.system.outputs.size() == 6);
        CHECK(d.system.outputs[1].name == "dCp/dka");
        CHECK(d.system.outputs[4].name == "dCp/dlag");
        std::vector<std::vector<double>> expected(5, std::vector<double>(times.size()));
        for (std::size_t i = 0; i < times.size(); ++i)
            for (int dose = 0; dose < 3; ++dose) {
                const Bateman::Derivatives by = curve.at(times[i] - 12.0 * dose);
                const double parts[] = {by.ka, by.cl, by.v, by.lag, by.f};
                for (std::size_t k = 0; k < 5; ++k)
                    expected[k][i] += parts[k];
            }
        for (const Solver& solver : solvers()) {
            if (!solver.applies(system)) continue;
            const BlockResult result = solved(d, solver.name.data(), problem.patients(1), 1e-9);
            for (std::size_t k = 0; k < 5; ++k) {
                CAPTURE(solver.name);
                CAPTURE(k);
                // Exact: rounding, some of it cancelling. Steps: 30·rtol, as in the battery.
                CHECK(difference(result.sampled[k + 1], expected[k], times.size()) <
                      (solver.order == 0 ? 1e-12 : 3e-8));
            }
        }
    }
}

TEST_CASE("sensitivities agree with central differences in every solver") {
    check_by_differences(oral_turnover());
    check_by_differences(lagged_bolus());
    check_by_differences(transit_absorption(), 1);
    check_by_differences(michaelis_menten(), 1);
    check_by_differences(lag_and_bioavailability(), 1);
}

TEST_CASE("sensitivities of random models agree with central differences") {
    for (unsigned number : {0U, 1U})
        check_by_differences(random_model(RandomKind::linear, number), 1);
    for (unsigned number : {0U, 1U, 2U})
        check_by_differences(random_model(RandomKind::nonlinear, number), 1);
}

TEST_CASE("infusions have derivatives by every way of saying how long") {
    for (const Given given :
         {Given::duration, Given::rate, Given::modelled_rate, Given::modelled_duration}) {
        CAPTURE(static_cast<int>(given));
        check_by_differences(infused(given), 1);
    }
}

TEST_CASE("sensitivities that decide no step agree with differences at a tighter tolerance") {
    // Of smooth rates: what bends like c^1.6 at c = 0 would need tighter ones still.
    check_by_differences(lagged_bolus(), 1, StepControl::own_states);
    check_by_differences(infused(Given::modelled_duration), 1, StepControl::own_states);
}

TEST_CASE("sensitivities that decide no step change no bit of the model's own results") {
    // Invariant: they take part neither in the choice of steps nor in the linear algebra's guards.
    for (const Problem& problem :
         {oral_turnover(), lagged_bolus(), infused(Given::rate), target_mediated()}) {
        const std::vector<double> times = off_grid(problem.timeline.end, 30);
        const Problem d = differentiated(problem, times, StepControl::own_states);
        Problem plain = problem;
        plain.observation.sampled.clear();
        for (int k = 0; k < static_cast<int>(plain.system.outputs.size()); ++k)
            plain.sample_output(k, times);
        const std::vector<double> inputs = problem.patients(5);
        for (const char* name :
             {"rodas5p", "tsit5", "taylor9", "odeint-dopri5", "odeint-fehlberg78"}) {
            if (problem.is_stiff && !find_solver(name)->is_stiff) continue;
            CAPTURE(problem.name);
            CAPTURE(name);
            const BlockResult without = solved(plain, name, inputs, 1e-6);
            const BlockResult with = solved(d, name, inputs, 1e-6);
            for (std::size_t k = 0; k < plain.system.outputs.size(); ++k)
                CHECK(with.sampled[k] == without.sampled[k]);
            CHECK(with.n_steps == without.n_steps);
            CHECK(with.n_rejected == without.n_rejected);
        }
    }
}

TEST_CASE("sensitivities have the same bits in lanes of any width") {
    const Problem d = differentiated(oral_turnover(), off_grid(96.0, 10));
    const CompiledSystem system = compile(d.system);
    const std::vector<double> inputs = d.patients(11);
    SolverOptions narrow, wide;
    narrow.width = 1;
    wide.width = 32;
    const Solver& rodas5p = *find_solver("rodas5p");
    const BlockResult by_one = solve(rodas5p, system, d, inputs, narrow);
    CHECK(std::count(by_one.status.begin(), by_one.status.end(), SolverStatus::ok) == 11);
    CHECK(by_one.sampled == solve(rodas5p, system, d, inputs, wide).sampled);
}

TEST_CASE("the derivative of an area is the area of the derivative") {
    // Closed form: ∫₀^∞ C dt = F·D/CL per dose, nearly all of it by 300 h (e^{−0.13·276} < 1e-15).
    const Bateman curve{1.1, 4.0, 30.0, 0.37, 0.8, 100.0};
    Problem problem = oral(curve);
    problem.timeline.end = 300.0;
    Problem d = differentiated(problem, {300.0});
    const int by_cl = d.functional(FunctionalKind::integral, 2, 0.0, 300.0);
    const int by_f = d.functional(FunctionalKind::integral, 5, 0.0, 300.0);
    const int by_lag = d.functional(FunctionalKind::integral, 4, 0.0, 300.0);
    const BlockResult result = solved(d, "rodas5p", problem.patients(1), 1e-9);
    const double area = 3.0 * curve.f * curve.dose / curve.cl;
    // 30·rtol, and of what cancels in the derivative by the lag.
    CHECK(result.functionals[by_cl] == doctest::Approx(-area / curve.cl).epsilon(3e-8));
    CHECK(result.functionals[by_f] == doctest::Approx(area / curve.f).epsilon(3e-8));
    CHECK(std::fabs(result.functionals[by_lag]) < 3e-8 * area);
}

TEST_CASE("the derivatives are named after what they are, and mistakes are refused") {
    Problem p("names", 1.0);
    const Term cl = p.input("theta/CL", 1.0);
    const Term eta = p.input("eta/CL", 0.0);
    const Term a = p.state("A", p.number(1.0));
    p.rate(a, -cl * (1.0 + eta) * a);
    p.output("y", a);
    p.system.inputs[0].unit = *parse_unit("L/h");
    p.system.outputs[0].unit = *parse_unit("mg");
    const OdeSystem d =
        with_sensitivities(p.system, std::vector<std::string>{"eta/CL", "theta/CL"});
    CHECK(d.outputs[1].name == "dy/deta/CL");
    CHECK(d.outputs[2].name == "dy/dCL");
    CHECK(d.outputs[2].unit.dimension == (*parse_unit("mg.h/L")).dimension);
    CHECK(d.states[2].name == "dA/dCL");
    CHECK(d.sensitivities.output(0, 1) == 2);
    CHECK(d.n_own_states() == 1);
    const auto names = [](auto... name) { return std::vector<std::string>{name...}; };
    CHECK_THROWS_AS(with_sensitivities(p.system, names("theta/V")), std::invalid_argument);
    CHECK_THROWS_AS(with_sensitivities(p.system, names("eta/CL", "eta/CL")), std::invalid_argument);
    CHECK_THROWS_AS(with_sensitivities(p.system, std::vector<int>{2}), std::invalid_argument);
    CHECK_THROWS_AS(with_sensitivities(d, names("eta/CL")), std::invalid_argument);
}

TEST_CASE("derivatives of doses follow from what a record says") {
    // By hand, for D = 90, F = 0.5, lag = 0.3 and their derivatives 0.2 and 0.1.
    const double f[] = {0.5}, lag[] = {0.3}, rate[] = {15.0}, duration[] = {3.0};
    const double df[] = {0.2}, dlag[] = {0.1}, drate[] = {2.0}, dduration[] = {0.4};
    const DoseModifiers own{f, lag, rate, duration}, slopes{df, dlag, drate, dduration};
    const auto of = [&](double given_rate, double given_duration, RecordKind kind) {
        Record r;
        r.amount = 90.0;
        r.kind = kind;
        r.rate = given_rate;
        r.duration = given_duration;
        const Timeline timeline{{r}, 100.0};
        const int wrt[] = {0};
        const DoseModifiers by_input[] = {slopes};
        Expansion expansion;
        REQUIRE(expand({.timeline = &timeline, .modifiers = own, .by_input = by_input, .wrt = wrt},
                       expansion));
        return expansion.derivatives[0];
    };
    const DoseDerivative bolus = of(0.0, 0.0, RecordKind::add);
    CHECK(bolus.time == 0.1);
    CHECK(bolus.amount == doctest::Approx(18.0)); // D·dF
    const DoseDerivative by_duration = of(0.0, 2.0, RecordKind::infuse);
    CHECK(by_duration.rate == doctest::Approx(9.0)); // D·dF/T
    CHECK(by_duration.end == 0.1);
    const DoseDerivative by_rate = of(30.0, 0.0, RecordKind::infuse);
    CHECK(by_rate.rate == 0.0);
    CHECK(by_rate.end == doctest::Approx(0.1 + 0.6)); // + D·dF/R
    const DoseDerivative own_rate = of(modelled_rate, 0.0, RecordKind::infuse);
    CHECK(own_rate.rate == doctest::Approx(2.0));
    CHECK(own_rate.end == doctest::Approx(0.1 + (18.0 - 3.0 * 2.0) / 15.0)); // (dA − T·dR)/R
    const DoseDerivative own_duration = of(modelled_duration, 0.0, RecordKind::infuse);
    CHECK(own_duration.rate == doctest::Approx((18.0 - 15.0 * 0.4) / 3.0)); // (dA − R·dT)/T
    CHECK(own_duration.end == doctest::Approx(0.1 + 0.4));
}

TEST_SUITE("slow") {
    TEST_CASE("sensitivities of many more random models agree with central differences") {
        for (unsigned number = 2; number < 15; number += 2)
            check_by_differences(random_model(RandomKind::linear, number), 1);
        for (unsigned number = 3; number < 25; number += 2)
            check_by_differences(random_model(RandomKind::nonlinear, number), 1);
        check_by_differences(random_model(RandomKind::stiff, 0), 1);
    }
}
