#include "sim/solve/problems.hpp"

#include <gemel/sim/sensitivity.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

/// CVODES against the derivatives that travel as states, and forward against adjoint: three ways to
/// one number.
using namespace gemel::sim;

namespace {

std::vector<int> all_inputs(const OdeSystem& system) {
    std::vector<int> inputs;
    for (int i = 0; i < static_cast<int>(system.inputs.size()); ++i)
        inputs.push_back(i);
    return inputs;
}

/// Oral with lag and F, saturable elimination and a turnover; an infusion by the subject's own
/// duration besides, so that λ crosses everything that has a derivative.
Problem everything() {
    Problem p("everything", 40.0);
    const Term ka = p.input("ka", 0.9), vmax = p.input("Vmax", 6.0), km = p.input("Km", 2.0);
    const Term v = p.input("V", 12.0), lag = p.input("lag", 0.73), f = p.input("F", 0.8);
    const Term shape = p.input("D", 2.2), kout = p.input("kout", 0.15),
               base = p.input("base", 30.0);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const Term response = p.state("response", base);
    p.definition(depot).lag = lag.expr;
    p.definition(depot).bioavailability = f.expr;
    p.definition(central).lag = (0.5 * lag).expr;
    p.definition(central).modelled_duration = shape.expr;
    const Term c = central / v;
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - vmax * c / (km + c));
    p.rate(response, kout * (base / (1.0 + c) - response));
    p.output("C", c);
    p.output("R", response / base);
    p.bolus(depot, 60.0, 0.0, 12.0, 3);
    p.bolus(central, 10.0, 6.0);
    p.infuse(central, 30.0, 1.0, 18.0);
    p.timeline.records.back().duration = 0.0;
    p.timeline.records.back().rate = modelled_duration;
    return p;
}

/// 30 states in a chain with feedback: sparse, so that λ's matrix is too.
Problem chain() {
    Problem p("chain", 30.0);
    const Term k = p.input("k", 1.5), loss = p.input("loss", 0.2), back = p.input("back", 0.3);
    std::vector<Term> states;
    for (int i = 0; i < 30; ++i)
        states.push_back(p.dosed_state("A" + std::to_string(i)));
    p.rate(states[0], back * states[29] - k * states[0]);
    for (int i = 1; i < 30; ++i)
        p.rate(states[i],
               k * states[i - 1] - k * states[i] - loss * states[i] / (1.0 + 0.01 * states[i]));
    p.output("last", states[29]);
    p.output("middle", states[14]);
    p.bolus(states[0], 100.0);
    return p;
}

std::vector<SampledOutput> samples(const Problem& problem, int n) {
    std::vector<SampledOutput> sampled;
    for (int k = 0; k < static_cast<int>(problem.system.outputs.size()); ++k) {
        sampled.push_back({k, {}});
        for (int i = 1; i <= n; ++i)
            sampled.back().times.push_back(problem.timeline.end * i / n);
    }
    return sampled;
}

SolverOptions tight() {
    SolverOptions options;
    options.rtol = 1e-10;
    return options;
}

/// [wrt][sampled][time] by Rodas5P at 1e-10, which the other file judges by differences.
std::vector<std::vector<std::vector<double>>> by_lanes(const Problem& problem,
                                                       const std::vector<SampledOutput>& sampled) {
    Problem d = problem;
    d.system = with_sensitivities(problem.system, all_inputs(problem.system));
    const SensitivityLayout& layout = d.system.sensitivities;
    d.observation.sampled.clear();
    for (int k = 0; k < layout.n_wrt(); ++k)
        for (const SampledOutput& own : sampled)
            d.sample_output(layout.output(own.output, k), own.times);
    const BlockResult result =
        solve(*find_solver("rodas5p"), compile(d.system), d, d.patients(1), tight());
    REQUIRE(result.status[0] == SolverStatus::ok);
    std::vector<std::vector<std::vector<double>>> derivatives(layout.wrt.size());
    for (std::size_t k = 0; k < derivatives.size(); ++k)
        for (std::size_t y = 0; y < sampled.size(); ++y)
            derivatives[k].push_back(result.sampled[k * sampled.size() + y]);
    return derivatives;
}

/// Largest |a − b| against the largest |b|, or `floor`.
double difference(const std::vector<double>& a, const std::vector<double>& b, double floor) {
    double largest = floor, gap = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest = std::max(largest, std::fabs(b[i]));
        gap = std::max(gap, std::fabs(a[i] - b[i]));
    }
    return gap > 0.0 ? gap / largest : 0.0;
}

} // namespace

TEST_CASE("forward sensitivities of CVODES agree with those that travel in lanes") {
    // Independent: another method, another way to S. The issue's bar: 1e-6 of the largest, or of a
    // hundredth of y/θ (response/base does not depend on base at all).
    for (const Problem& problem : {everything(), chain()}) {
        const std::vector<SampledOutput> sampled = samples(problem, 20);
        const std::vector<double> inputs = problem.patients(1);
        CvodesSensitivities cvodes(problem.system, all_inputs(problem.system), tight());
        const SubjectSensitivities result = cvodes.forward({inputs, &problem.timeline, sampled});
        REQUIRE(result.status == SolverStatus::ok);
        const auto expected = by_lanes(problem, sampled);
        for (std::size_t k = 0; k < expected.size(); ++k)
            for (std::size_t y = 0; y < sampled.size(); ++y) {
                CAPTURE(problem.name);
                CAPTURE(problem.system.inputs[k].name);
                CAPTURE(problem.system.outputs[y].name);
                const double floor = 0.01 * std::fabs(result.values[y].back() / problem.medians[k]);
                CHECK(difference(result.derivatives[k][y], expected[k][y], floor) < 1e-6);
            }
    }
}

TEST_CASE("the adjoint gradient is the sum of the forward derivatives") {
    // Identity: ∂G/∂θ = Σ ∂g/∂y · ∂y/∂θ, by CVODES' forward method and by the lanes'.
    for (const Problem& problem : {everything(), chain()}) {
        const std::vector<SampledOutput> sampled = samples(problem, 8);
        const std::vector<double> inputs = problem.patients(1);
        CvodesSensitivities cvodes(problem.system, all_inputs(problem.system), tight());
        const SubjectProblem subject{inputs, &problem.timeline, sampled};
        const SubjectSensitivities forward = cvodes.forward(subject);
        REQUIRE(forward.status == SolverStatus::ok);
        const auto lanes = by_lanes(problem, sampled);
        for (const Objective::Law law :
             {Objective::Law::weighted_sum, Objective::Law::weighted_squares}) {
            Objective objective{law, {}, {}};
            for (std::size_t y = 0; y < sampled.size(); ++y) {
                objective.weights.emplace_back();
                objective.observed.emplace_back();
                for (std::size_t i = 0; i < sampled[y].times.size(); ++i) {
                    objective.weights[y].push_back(1.0 + 0.5 * std::cos(3.0 * i + y));
                    objective.observed[y].push_back(forward.values[y][i] * (0.9 + 0.02 * i));
                }
            }
            const SubjectGradient adjoint = cvodes.adjoint(subject, objective);
            REQUIRE(adjoint.status == SolverStatus::ok);
            double value = 0.0;
            std::vector<double> expected(lanes.size()), by_forward(lanes.size());
            for (std::size_t y = 0; y < sampled.size(); ++y)
                for (std::size_t i = 0; i < sampled[y].times.size(); ++i) {
                    const double w = objective.weights[y][i], v = forward.values[y][i];
                    const double gap = v - objective.observed[y][i];
                    const bool is_sum = law == Objective::Law::weighted_sum;
                    value += is_sum ? w * v : w * gap * gap;
                    for (std::size_t k = 0; k < lanes.size(); ++k) {
                        const double by_output = is_sum ? w : 2.0 * w * gap;
                        expected[k] += by_output * lanes[k][y][i];
                        by_forward[k] += by_output * forward.derivatives[k][y][i];
                    }
                }
            CHECK(adjoint.value == doctest::Approx(value).epsilon(1e-8));
            for (std::size_t k = 0; k < lanes.size(); ++k) {
                CAPTURE(problem.name);
                CAPTURE(problem.system.inputs[k].name);
                // 1e-6 of G/θ: a gradient may cancel to less than that itself.
                const double bar =
                    1e-6 * std::max(std::fabs(expected[k]), 0.1 * std::fabs(value / inputs[k]));
                CHECK(std::fabs(adjoint.gradient[k] - expected[k]) < bar);
                CHECK(std::fabs(by_forward[k] - expected[k]) < bar);
            }
        }
    }
}

TEST_CASE("the adjoint gradient sees a fast driver of a slow response, at usual tolerances") {
    // Where J does not depend on x, λ is slow whatever x does; the integrand is as fast as x is.
    Problem p("fast driver of a slow response", 100.0);
    const Term k = p.input("k", 5.0), s = p.input("s", 0.7), kin = p.input("kin", 1.0);
    const Term central = p.dosed_state("central"), response = p.state("E", p.number(100.0));
    p.rate(central, -k * central);
    p.rate(response, kin * (1.0 + s * central) - 0.01 * response);
    p.output("E", response);
    p.bolus(central, 100.0);
    SolverOptions options;
    options.rtol = 1e-6;
    const std::vector<SampledOutput> sampled{{0, {100.0}}};
    const std::vector<double> inputs = p.patients(1);
    CvodesSensitivities cvodes(p.system, all_inputs(p.system), options);
    const SubjectGradient adjoint =
        cvodes.adjoint({inputs, &p.timeline, sampled}, {Objective::Law::weighted_sum, {{1.0}}, {}});
    REQUIRE(adjoint.status == SolverStatus::ok);
    const auto expected = by_lanes(p, sampled);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        CAPTURE(p.system.inputs[i].name);
        const double bar = 30.0 * options.rtol * std::fabs(adjoint.value / inputs[i]);
        CHECK(std::fabs(adjoint.gradient[i] - expected[i][0][0]) < bar);
    }
}

TEST_CASE("derivatives keep the promise of the usual rtol, whatever the unit of an effect") {
    // Independent: lanes at 1e-10. An effect compartment starts at 0; times from 10/h to 0.01/h.
    for (const double unit : {1.0, 1e-9}) {
        Problem p("effect", 200.0);
        const Term k = p.input("k", 10.0), ke0 = p.input("ke0", 0.5), kout = p.input("kout", 0.01);
        const Term ec50 = p.input("EC50", 0.2 * unit), v = p.input("V", 20.0 / unit);
        const Term central = p.dosed_state("central"), effect = p.state("effect", p.number(0.0));
        const Term response = p.state("response", p.number(1.0));
        p.rate(central, -k * central);
        p.rate(effect, ke0 * (central / v - effect));
        p.rate(response, kout * (1.0 / (1.0 + effect / ec50) - response));
        p.output("Ce", effect);
        p.output("R", response);
        p.bolus(central, 100.0, 0.0, 48.0, 3);
        const std::vector<SampledOutput> sampled{{0, {0.3, 1.0, 4.0, 50.0, 99.0}},
                                                 {1, {1.0, 50.0, 99.0, 200.0}}};
        const std::vector<double> inputs = p.patients(1);
        SolverOptions options;
        options.rtol = 1e-6;
        CvodesSensitivities cvodes(p.system, all_inputs(p.system), options);
        const SubjectProblem subject{inputs, &p.timeline, sampled};
        const SubjectSensitivities forward = cvodes.forward(subject);
        REQUIRE(forward.status == SolverStatus::ok);
        const auto expected = by_lanes(p, sampled);
        // Both outputs in units of themselves, so that they share a sum.
        Objective objective{Objective::Law::weighted_sum, {}, {}};
        for (const std::vector<double>& values : forward.values) {
            objective.weights.emplace_back();
            for (const double value : values)
                objective.weights.back().push_back(1.0 / value);
        }
        const SubjectGradient adjoint = cvodes.adjoint(subject, objective);
        REQUIRE(adjoint.status == SolverStatus::ok);
        for (std::size_t k_wrt = 0; k_wrt < inputs.size(); ++k_wrt) {
            CAPTURE(unit);
            CAPTURE(p.system.inputs[k_wrt].name);
            double sum = 0.0;
            for (std::size_t y = 0; y < sampled.size(); ++y)
                for (std::size_t i = 0; i < sampled[y].times.size(); ++i) {
                    CAPTURE(sampled[y].times[i]);
                    const double by_lanes = expected[k_wrt][y][i];
                    const double size = std::fabs(forward.values[y][i] / inputs[k_wrt]);
                    CHECK(std::fabs(forward.derivatives[k_wrt][y][i] - by_lanes) <
                          30.0 * options.rtol * std::max(std::fabs(by_lanes), size));
                    sum += by_lanes / forward.values[y][i];
                }
            CHECK(std::fabs(adjoint.gradient[k_wrt] - sum) <
                  30.0 * options.rtol *
                      std::max(std::fabs(sum), std::fabs(adjoint.value / inputs[k_wrt])));
        }
    }
}

TEST_CASE("derivatives keep the promise of the usual rtol through doses, lags and infusions") {
    // Independent: lanes at 1e-10.
    SolverOptions options;
    options.rtol = 1e-6;
    for (const Problem& problem : {everything(), chain()}) {
        const std::vector<SampledOutput> sampled = samples(problem, 20);
        const std::vector<double> inputs = problem.patients(1);
        CvodesSensitivities cvodes(problem.system, all_inputs(problem.system), options);
        const SubjectSensitivities result = cvodes.forward({inputs, &problem.timeline, sampled});
        REQUIRE(result.status == SolverStatus::ok);
        const auto expected = by_lanes(problem, sampled);
        for (std::size_t k = 0; k < expected.size(); ++k)
            for (std::size_t y = 0; y < sampled.size(); ++y) {
                CAPTURE(problem.name);
                CAPTURE(problem.system.inputs[k].name);
                const double floor = 0.01 * std::fabs(result.values[y].back() / inputs[k]);
                CHECK(difference(result.derivatives[k][y], expected[k][y], floor) <
                      30.0 * options.rtol);
            }
    }
}

TEST_CASE("CVODES' derivatives of a system without states, and by no input") {
    // Closed form: y = 3a, whatever the time.
    Problem p("no states", 4.0);
    const Term a = p.input("a", 2.0);
    p.output("y", 3.0 * a);
    const std::vector<SampledOutput> sampled{{0, {1.0, 4.0}}};
    const std::vector<double> inputs = p.patients(1);
    CvodesSensitivities cvodes(p.system, {0});
    const SubjectProblem subject{inputs, &p.timeline, sampled};
    const SubjectSensitivities forward = cvodes.forward(subject);
    REQUIRE(forward.status == SolverStatus::ok);
    CHECK(forward.values[0] == std::vector<double>{6.0, 6.0});
    CHECK(forward.derivatives[0][0] == std::vector<double>{3.0, 3.0});
    const SubjectGradient adjoint =
        cvodes.adjoint(subject, {Objective::Law::weighted_sum, {{1.0, 2.0}}, {}});
    REQUIRE(adjoint.status == SolverStatus::ok);
    CHECK(adjoint.value == 18.0);
    CHECK(adjoint.gradient == std::vector<double>{9.0});
    CHECK_THROWS_AS(CvodesSensitivities(p.system, {}), std::invalid_argument);
}

TEST_CASE("the adjoint gradient by a parameter that is 0 and keeps its state at 0") {
    // Closed form: x = θ/k·(1 − exp(−k·t)).
    Problem p("from nothing", 10.0);
    const Term theta = p.input("theta", 1.0), k = p.input("k", 3.0);
    const Term x = p.state("x", p.number(0.0));
    p.rate(x, theta - k * x);
    p.output("x", x);
    const std::vector<SampledOutput> sampled{{0, {0.5}}};
    const std::vector<double> inputs{0.0, 3.0};
    CvodesSensitivities cvodes(p.system, {0, 1});
    const SubjectProblem subject{inputs, &p.timeline, sampled};
    const double expected = -std::expm1(-1.5) / 3.0;
    const SubjectSensitivities forward = cvodes.forward(subject);
    REQUIRE(forward.status == SolverStatus::ok);
    CHECK(std::fabs(forward.derivatives[0][0][0] / expected - 1.0) < 3e-5);
    const SubjectGradient adjoint =
        cvodes.adjoint(subject, {Objective::Law::weighted_sum, {{1.0}}, {}});
    REQUIRE(adjoint.status == SolverStatus::ok);
    CHECK(std::fabs(adjoint.gradient[0] / expected - 1.0) < 3e-5);
    CHECK(adjoint.gradient[1] == 0.0);
}

TEST_CASE("events a rounding apart do not stop the adjoint method") {
    Problem p = everything();
    Record again = p.timeline.records[0];
    again.time = 24.0 + 0x1p-48;
    again.count = 1;
    again.interval = 0.0;
    p.timeline.records.push_back(again);
    const Term response{&p.system.graph, p.system.graph.leaf(LeafKind::state, 2)};
    p.infuse(response, 5.0, 0.1 + 0.2, 0.0); // ends a rounding after the next dose
    p.bolus(response, 5.0, 0.3);
    const std::vector<SampledOutput> sampled = samples(p, 8);
    const std::vector<double> inputs = p.patients(1);
    CvodesSensitivities cvodes(p.system, all_inputs(p.system), tight());
    Objective objective{Objective::Law::weighted_sum, {}, {}};
    for (const SampledOutput& output : sampled)
        objective.weights.emplace_back(output.times.size(), 1.0);
    const SubjectProblem subject{inputs, &p.timeline, sampled};
    const SubjectSensitivities forward = cvodes.forward(subject);
    const SubjectGradient adjoint = cvodes.adjoint(subject, objective);
    REQUIRE(forward.status == SolverStatus::ok);
    REQUIRE(adjoint.status == SolverStatus::ok);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        double sum = 0.0;
        for (const std::vector<double>& values : forward.derivatives[k])
            for (const double value : values)
                sum += value;
        CHECK(std::fabs(adjoint.gradient[k] - sum) <
              1e-6 * std::max(std::fabs(sum), 0.1 * std::fabs(adjoint.value / inputs[k])));
    }
}

TEST_CASE("CVODES gives a status where a subject's numbers fail, and refuses what means nothing") {
    const Problem problem = everything();
    const std::vector<SampledOutput> sampled = samples(problem, 4);
    std::vector<double> inputs = problem.patients(1);
    CvodesSensitivities cvodes(problem.system, {0, 5});
    Objective objective{Objective::Law::weighted_sum, {{1, 1, 1, 1}, {0, 0, 0, 1}}, {}};
    inputs[4] = -1.0; // a negative lag
    const SubjectProblem negative{inputs, &problem.timeline, sampled};
    CHECK(cvodes.forward(negative).status == SolverStatus::invalid_parameter);
    CHECK(cvodes.adjoint(negative, objective).status == SolverStatus::invalid_parameter);
    CHECK(std::isnan(cvodes.adjoint(negative, objective).gradient[0]));

    inputs = problem.patients(1);
    const SubjectProblem good{inputs, &problem.timeline, sampled};
    CHECK(cvodes.adjoint(good, objective).status == SolverStatus::ok);
    objective.weights[1].pop_back();
    CHECK_THROWS_AS(cvodes.adjoint(good, objective), std::invalid_argument);
    const std::vector<SampledOutput> beyond{{0, {41.0}}};
    CHECK_THROWS_AS(cvodes.forward({inputs, &problem.timeline, beyond}), std::invalid_argument);
    SolverOptions few;
    few.max_steps = 3;
    CvodesSensitivities hurried(problem.system, {0}, few);
    CHECK(hurried.forward(good).status == SolverStatus::step_limit);
}
