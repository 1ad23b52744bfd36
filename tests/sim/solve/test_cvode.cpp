#include "sim/solve/networks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace gemel::sim;

namespace {

const Solver& cvode() {
    return *find_solver("cvode");
}

SolverOptions tolerance(double rtol) {
    SolverOptions options;
    options.rtol = rtol;
    options.max_steps = 10'000'000;
    return options;
}

/// Largest |a − b| of two results, relative to the larger and a thousandth of the profile's peak.
double difference(const BlockResult& a, const BlockResult& b) {
    double largest = 0.0;
    for (std::size_t k = 0; k < a.sampled.size(); ++k) {
        double peak = 0.0;
        for (const double value : b.sampled[k])
            peak = std::max(peak, std::fabs(value));
        for (std::size_t i = 0; i < a.sampled[k].size(); ++i) {
            const double error = std::fabs(a.sampled[k][i] - b.sampled[k][i]) /
                                 (std::fabs(b.sampled[k][i]) + 1e-3 * peak);
            largest = std::isfinite(error) ? std::max(largest, error) : INFINITY;
        }
    }
    return largest;
}

/// Every input column in reverse.
std::vector<double> reversed(std::vector<double> inputs, std::size_t n_subjects) {
    for (std::size_t first = 0; first < inputs.size(); first += n_subjects)
        std::reverse(inputs.begin() + static_cast<std::ptrdiff_t>(first),
                     inputs.begin() + static_cast<std::ptrdiff_t>(first + n_subjects));
    return inputs;
}

/// Three species; rates 0.04, 1e4, 3e7. Scales from where the solution goes.
Problem robertson() {
    Problem p("Robertson", 1e11);
    p.input("unused", 1.0);
    const Term a = p.state("a", p.number(1.0)), b = p.state("b", p.number(0.0));
    const Term c = p.state("c", p.number(0.0));
    p.definition(a).scale = 1e-8;
    p.definition(b).scale = 1e-13;
    p.definition(c).scale = 1.0;
    p.rate(a, -0.04 * a + 1e4 * b * c);
    p.rate(b, 0.04 * a - 1e4 * b * c - 3e7 * b * b);
    p.rate(c, 3e7 * b * b);
    p.output("a", a);
    p.output("b", b);
    p.output("c", c);
    for (int i = 0; i < 3; ++i)
        p.sample_output(i, {1e11});
    return p;
}

/// High irradiance response of photomorphogenesis, eight species.
Problem hires() {
    Problem p("HIRES", 321.8122);
    p.input("unused", 1.0);
    std::vector<Term> y;
    for (int i = 0; i < 8; ++i)
        y.push_back(p.state("y" + std::to_string(i + 1),
                            p.number(i == 0   ? 1.0
                                     : i == 7 ? 0.0057
                                              : 0.0)));
    const Term y6y8 = 280.0 * y[5] * y[7];
    p.rate(y[0], 0.43 * y[1] + 8.32 * y[2] + p.number(0.0007) - 1.71 * y[0]);
    p.rate(y[1], 1.71 * y[0] - 8.75 * y[1]);
    p.rate(y[2], 0.43 * y[3] + 0.035 * y[4] - 10.03 * y[2]);
    p.rate(y[3], 8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3]);
    p.rate(y[4], 0.43 * y[5] + 0.43 * y[6] - 1.745 * y[4]);
    p.rate(y[5], 0.69 * y[3] + 1.71 * y[4] - y6y8 - 0.43 * y[5] + 0.69 * y[6]);
    p.rate(y[6], y6y8 - 1.81 * y[6]);
    p.rate(y[7], 1.81 * y[6] - y6y8);
    for (int i = 0; i < 8; ++i) {
        p.output("y" + std::to_string(i + 1), y[static_cast<std::size_t>(i)]);
        p.definition(y[static_cast<std::size_t>(i)]).scale = 1e-3;
        p.sample_output(i, {321.8122});
    }
    return p;
}

/// x'' = 1000·(1 − x²)·x' − x: jumps between slow branches within 1e-3 of the time.
Problem stiff_van_der_pol() {
    Problem p("Van der Pol, mu = 1000", 2000.0);
    p.input("unused", 1.0);
    const Term x = p.state("x", p.number(2.0)), v = p.state("v", p.number(0.0));
    p.definition(x).scale = 1.0;
    p.definition(v).scale = 1e-3;
    p.rate(x, v);
    p.rate(v, 1000.0 * ((1.0 - x * x) * v) - x);
    p.output("x", x);
    p.output("v", v);
    for (int i = 0; i < 2; ++i)
        p.sample_output(i, {2000.0});
    return p;
}

void check_published(const Problem& problem, std::vector<double> expected, double bar) {
    const CompiledSystem system = compile(problem.system);
    for (const char* name : {"cvode", "rodas5p"}) {
        CAPTURE(name);
        const BlockResult result =
            solve(*find_solver(name), system, problem, {1.0}, tolerance(1e-8));
        REQUIRE(result.status[0] == SolverStatus::ok);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CAPTURE(i);
            CHECK(result.sampled[i][0] == doctest::Approx(expected[i]).epsilon(bar));
        }
    }
}

} // namespace

TEST_CASE("stiff classics have their published values") {
    // Mazzia and Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008):
    // reference solutions at the end. 30·rtol at rtol 1e-8, as in the battery; the scales put the
    // absolute part of the tolerance below each value.
    check_published(
        robertson(), {0.2083340149701255e-07, 0.8333360770334713e-13, 0.9999999791665050}, 3e-7);
    check_published(hires(),
                    {0.7371312573325668e-3,
                     0.1442485726316185e-3,
                     0.5888729740967575e-4,
                     0.1175651343283149e-2,
                     0.2386356198831331e-2,
                     0.6238968252742796e-2,
                     0.2849998395185769e-2,
                     0.2850001604814231e-2},
                    3e-7);
    // An error in time before a jump is an error of x'/x·δt after it: ten times more.
    check_published(stiff_van_der_pol(), {1.706167732170483, -0.8928097010247975e-3}, 3e-6);
}

TEST_CASE("a network of 300 states by lanes, by CVODE with KLU and by Fehlberg is one network") {
    // Independent methods. Fehlberg at 1e-12 is the oracle; 30·rtol as in the battery.
    const Problem problem = organ_network(300, 6.0);
    const CompiledSystem system = compile(problem.system);
    const std::vector<double> inputs = problem.patients(3);
    const BlockResult reference =
        solve(*find_solver("odeint-fehlberg78"), system, problem, inputs, tolerance(1e-12));
    for (const char* name : {"rodas5p", "cvode"})
        for (const double rtol : {1e-4, 1e-6, 1e-8}) {
            CAPTURE(name);
            CAPTURE(rtol);
            const BlockResult result =
                solve(*find_solver(name), system, problem, inputs, tolerance(rtol));
            for (const SolverStatus status : result.status)
                CHECK(status == SolverStatus::ok);
            CHECK(difference(result, reference) < 30.0 * rtol);
        }
}

TEST_CASE("amounts too small for full precision are no singular system") {
    // 700 organs in a row: the dose reaches the far ones as less than 1e-308, where a relative
    // residual means nothing. Reference: CVODE.
    Problem problem = organ_network(700, 0.2);
    const CompiledSystem system = compile(problem.system);
    SolverOptions options;
    options.width = 1;
    const std::vector<double> inputs = problem.patients(1);
    const BlockResult lanes =
        solve(*find_solver("rodas5p"), system, problem, inputs, options); // over the budget
    REQUIRE(lanes.status[0] == SolverStatus::ok);
    // 30·rtol each.
    CHECK(difference(solve(cvode(), system, problem, inputs, options), lanes) < 6e-5);
}

TEST_CASE("a dense network of 300 states is solved by CVODE") {
    const Problem problem = dense_network(300, 5.0);
    const CompiledSystem system = compile(problem.system);
    const std::vector<double> inputs = problem.patients(1);
    const BlockResult reference =
        solve(*find_solver("odeint-dopri5"), system, problem, inputs, tolerance(1e-9));
    const BlockResult result = solve(cvode(), system, problem, inputs, tolerance(1e-6));
    REQUIRE(result.status[0] == SolverStatus::ok);
    CHECK(difference(result, reference) < 3e-5);
}

TEST_CASE("what CVODE gives a subject depends on the subject alone") {
    // Dense and sparse: a factorisation keeps nothing of the subject before.
    for (const Problem& problem : {target_mediated(), organ_network(30, 6.0)}) {
        const CompiledSystem system = compile(problem.system);
        const std::vector<double> inputs = problem.patients(6);
        const BlockResult forwards = solve(cvode(), system, problem, inputs, {});
        const BlockResult backwards = solve(cvode(), system, problem, reversed(inputs, 6), {});
        CAPTURE(problem.name);
        const std::size_t n_times = problem.observation.sampled[0].times.size();
        for (std::size_t s = 0; s < 6; ++s) {
            CHECK(forwards.status[s] == SolverStatus::ok);
            CHECK(forwards.n_steps[s] == backwards.n_steps[5 - s]);
            for (std::size_t k = 0; k < forwards.sampled.size(); ++k)
                CHECK(std::memcmp(&forwards.sampled[k][s * n_times],
                                  &backwards.sampled[k][(5 - s) * n_times],
                                  n_times * sizeof(double)) == 0);
        }
    }
}

TEST_CASE("a tolerance beyond the digits of doubles ends in a status") {
    const Problem problem = target_mediated();
    const CompiledSystem system = compile(problem.system);
    SolverOptions options = tolerance(1e-15); // a hundredth of it is below the rounding of 1
    options.max_steps = 100'000;
    const BlockResult result = solve(cvode(), system, problem, problem.patients(1), options);
    CHECK(result.status[0] == SolverStatus::step_too_small);
    CHECK(std::isnan(result.sampled[0][1]));
}

TEST_CASE("CVODE counts all its attempts against the step limit") {
    const Problem problem = target_mediated();
    const CompiledSystem system = compile(problem.system);
    SolverOptions options;
    options.max_steps = 100;
    const BlockResult result = solve(cvode(), system, problem, problem.patients(2), options);
    for (std::size_t s = 0; s < 2; ++s) {
        CHECK(result.status[s] == SolverStatus::step_limit);
        CHECK(result.n_steps[s] + result.n_rejected[s] >= 100);
        CHECK(result.n_steps[s] + result.n_rejected[s] < 170); // one step's attempts more at most
    }
}

TEST_CASE("CVODE starts with care from states that are 0 and have no scale") {
    // Oracle: rodas5p at 1e-10. One first step over all of it would be a straight line.
    Problem p("filling", 10.0);
    const Term kin = p.input("kin", 3.0), vmax = p.input("Vmax", 4.0), km = p.input("Km", 0.5);
    const Term r = p.state("R", p.number(0.0));
    p.definition(r).scale = 0.0;
    p.rate(r, kin - vmax * r / (km + r));
    p.output("R", r);
    p.sample(10);
    const CompiledSystem system = compile(p.system);
    SolverOptions exact;
    exact.rtol = 1e-10;
    const std::vector<double> inputs = p.patients(1);
    const BlockResult reference = solve(*find_solver("rodas5p"), system, p, inputs, exact);
    SolverOptions usual;
    usual.rtol = 1e-6;
    const BlockResult result = solve(cvode(), system, p, inputs, usual);
    REQUIRE(result.status[0] == SolverStatus::ok);
    CHECK(difference(result, reference) < 3e-5);
}

TEST_CASE("CVODE starts with care however long the way is") {
    // Closed form: kin/k·(1 − exp(−k·t)), sampled in what a 20,000th of the way would pass over.
    Problem p("filling at once", 1000.0);
    const Term kin = p.input("kin", 3.0), k = p.input("k", 100.0);
    const Term r = p.state("R", p.number(0.0));
    p.rate(r, kin - k * r);
    const int output = p.output("R", r);
    p.sample_output(output, {0.001, 0.01, 0.02, 0.04, 0.1, 1000.0});
    const BlockResult result = solve(cvode(), compile(p.system), p, p.patients(1), tolerance(1e-6));
    REQUIRE(result.status[0] == SolverStatus::ok);
    const std::vector<double>& times = p.observation.sampled[0].times;
    for (std::size_t i = 0; i < times.size(); ++i) {
        CAPTURE(times[i]);
        CHECK(std::fabs(result.sampled[0][i] / (-0.03 * std::expm1(-100.0 * times[i])) - 1.0) <
              3e-5);
    }
}

TEST_CASE("a Jacobian that is no number makes a subject not finite, not singular") {
    // The rate of what is 0 and stays so is 0; its slope there is 1e200 squared.
    Problem p("steep", 10.0);
    const Term k = p.input("k", 0.5), large = p.input("large", 1e200);
    const Term a = p.dosed_state("A"), empty = p.state("empty", p.number(0.0));
    p.rate(a, -k * a);
    p.rate(empty, -large * (large * empty));
    p.output("A", a);
    p.bolus(a, 10.0);
    p.sample(2);
    const BlockResult result = solve(cvode(), compile(p.system), p, p.patients(1), {});
    CHECK(result.status[0] == SolverStatus::not_finite);
}

TEST_CASE("doses kept for a transit have no part in CVODE's error control") {
    // Invariant: places that stay empty change no step.
    std::vector<std::uint32_t> n_steps;
    for (const int n_kept : {2, 12}) {
        Problem p("transit", 48.0);
        const Term n = p.input("n", 4.0), mean = p.input("MTT", 2.0), k = p.input("k", 0.3);
        const Term km = p.input("Km", 20.0);
        const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
        p.rate(depot, -k * depot);
        p.rate(central, k * depot - 5.0 * central / (km + central));
        p.output("A", central);
        p.bolus(depot, 100.0, 0.0, 24.0, 2);
        p.sample(4);
        add_transit(p.system, 0, n.expr, mean.expr, n_kept);
        const BlockResult result = solve(cvode(), compile(p.system), p, p.patients(1), {});
        REQUIRE(result.status[0] == SolverStatus::ok);
        n_steps.push_back(result.n_steps[0]);
    }
    CHECK(n_steps[0] == n_steps[1]);
}

TEST_CASE("events a rounding apart do not stop CVODE") {
    Problem problem = oral_one_compartment();
    const double time = 24.0;
    for (int i = 0; i < 3; ++i) {
        Record record = problem.timeline.records[0];
        record.time = time + i * 0x1p-48;
        record.interval = 0.0;
        record.count = 1;
        record.amount = 1e-3;
        problem.timeline.records.push_back(record);
    }
    const CompiledSystem system = compile(problem.system);
    const std::vector<double> inputs = problem.patients(2);
    const BlockResult exact = solve(*find_solver("exact-closed-form"), system, problem, inputs, {});
    const BlockResult result = solve(cvode(), system, problem, inputs, {});
    for (const SolverStatus status : result.status)
        CHECK(status == SolverStatus::ok);
    CHECK(difference(result, exact) < 3e-5);
}
