#include "lane_systems.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace lane_systems;

namespace {

/// y' = −k·y with k = 0.3, amounts into y.
constexpr double decay_rate = 0.3;

CompiledSystem decay() {
    Builder b;
    b.add_state("y", b.mul(b.constant(-decay_rate), b.state(0)), b.constant(0.0), true);
    b.add_output("y", b.state(0));
    return b.compiled();
}

double value(const CompiledSystem& system,
             const std::vector<double>& inputs,
             const Timeline& timeline,
             const Functional& functional) {
    Observation observation;
    observation.functionals.push_back(functional);
    SolverOptions options;
    options.rtol = 1e-10;
    const BlockResult result = solve(system, inputs, timeline, observation, options);
    REQUIRE(result.status[0] == SolverStatus::ok);
    return result.functionals[0];
}

// Tolerances below are 100 × rtol where the solver's error decides.
constexpr double tight = 1e-8;

} // namespace

TEST_CASE("the peak after an intravenous dose is the dose, at its time") {
    // Exact: nothing is interpolated at the start of a piece.
    const Timeline timeline = daily(100.0, 3, 72.0);
    const double second = 100.0 * (1.0 + std::exp(-24.0 * decay_rate));
    CHECK(value(decay(), {}, timeline, {FunctionalKind::maximum, 0, 0.0, 20.0}) == 100.0);
    CHECK(value(decay(), {}, timeline, {FunctionalKind::time_of_maximum, 0, 20.0, 48.0}) == 24.0);
    CHECK(value(decay(), {}, timeline, {FunctionalKind::maximum, 0, 24.0, 48.0}) ==
          doctest::Approx(second).epsilon(tight));
}

TEST_CASE("the area under an exponential is its closed form, for windows that cut steps") {
    const Timeline timeline = daily(100.0, 1, 48.0);
    for (const auto& [from, to] : {std::pair{0.0, 48.0}, {1.234, 5.678}, {7.0, 7.01}}) {
        const double exact =
            100.0 / decay_rate * (std::exp(-decay_rate * from) - std::exp(-decay_rate * to));
        CHECK(value(decay(), {}, timeline, {FunctionalKind::integral, 0, from, to}) ==
              doctest::Approx(exact).epsilon(tight));
    }
}

TEST_CASE("the peak of absorption is located between steps") {
    // Bateman: tmax = ln(ka/k)/(ka − k).
    const double ka = 1.1, v = 20.0, cl = 4.0, ke = cl / v;
    const double tmax = std::log(ka / ke) / (ka - ke);
    const double cmax = 100.0 / v * ka / (ka - ke) * (std::exp(-ke * tmax) - std::exp(-ka * tmax));
    const Timeline timeline = daily(100.0, 1, 24.0);
    CHECK(
        value(one_compartment(), {ka, cl, v}, timeline, {FunctionalKind::maximum, 0, 0.0, 24.0}) ==
        doctest::Approx(cmax).epsilon(tight));
    // At a peak the value is flat: an error of 1e-8 in y moves the time by its square root.
    CHECK(value(one_compartment(),
                {ka, cl, v},
                timeline,
                {FunctionalKind::time_of_maximum, 0, 0.0, 24.0}) ==
          doctest::Approx(tmax).epsilon(1e-4));
}

TEST_CASE("a trough is the value before the dose, a sample the value after it") {
    const Timeline timeline = daily(100.0, 2, 48.0);
    const double before = 100.0 * std::exp(-24.0 * decay_rate);
    CHECK(value(decay(), {}, timeline, {FunctionalKind::value_before, 0, 0.0, 24.0}) ==
          doctest::Approx(before).epsilon(tight));
    const BlockResult result = solve(decay(), {}, timeline, on_grid(1, 24.0, 48.0));
    CHECK(result.sampled[0][0] == 100.0);
    CHECK(result.sampled[0][1] == doctest::Approx(100.0 + before).epsilon(1e-6));
}

TEST_CASE(
    "the value before time 0 is the initial state, a sample at the end comes after a dose there") {
    const Timeline timeline = daily(100.0, 2, 24.0);
    CHECK(value(decay(), {}, timeline, {FunctionalKind::value_before, 0, 0.0, 0.0}) == 0.0);
    const BlockResult result = solve(decay(), {}, timeline, on_grid(1, 24.0, 24.0));
    CHECK(result.sampled[0][1] > 100.0);
}

TEST_CASE("time above a threshold ends at the closed-form crossing") {
    // Two doses: above 20 until ln(C/20)/k after each.
    const Timeline timeline = daily(100.0, 2, 48.0);
    const double second = 100.0 * (1.0 + std::exp(-24.0 * decay_rate));
    const double exact = (std::log(100.0 / 20.0) + std::log(second / 20.0)) / decay_rate;
    CHECK(value(decay(), {}, timeline, {FunctionalKind::time_above, 0, 0.0, 48.0, 20.0}) ==
          doctest::Approx(exact).epsilon(tight));
    CHECK(value(decay(), {}, timeline, {FunctionalKind::time_above, 0, 0.0, 2.0, 1e-3}) ==
          doctest::Approx(2.0).epsilon(1e-15));
    CHECK(value(decay(), {}, timeline, {FunctionalKind::time_above, 0, 0.0, 48.0, 1e3}) == 0.0);
}

TEST_CASE("an output that is no number fails its subject") {
    // log of a negative number where the state has fallen below 1.
    Builder b;
    b.add_state("y", b.neg(b.state(0)), b.constant(10.0));
    b.add_output("y", b.system.graph.unary(Op::logarithm, b.sub(b.state(0), b.constant(1.0))));
    const CompiledSystem system = b.compiled();
    CHECK(solve(system, {}, {{}, 1.0}, on_grid(1, 0.5, 1.0)).status[0] == SolverStatus::ok);
    const BlockResult result = solve(system, {}, {{}, 5.0}, on_grid(1, 0.5, 5.0));
    CHECK(result.status[0] == SolverStatus::not_finite);
    CHECK(std::isnan(result.sampled[0][0]));
}

TEST_CASE("observations that mean nothing are refused") {
    const CompiledSystem system = decay();
    const Timeline day{{}, 24.0};
    Observation observation;
    observation.sampled.push_back({1, {0.0}});
    CHECK_THROWS_AS(validate(observation, system, day), std::invalid_argument);
    observation.sampled[0] = {0, {0.0, 1.0, 1.0}};
    CHECK_THROWS_AS(validate(observation, system, day), std::invalid_argument);
    observation.sampled[0] = {0, {0.0, 25.0}};
    CHECK_THROWS_AS(validate(observation, system, day), std::invalid_argument);
    observation.sampled.clear();
    observation.functionals.push_back({FunctionalKind::integral, 0, 3.0, 3.0});
    CHECK_THROWS_AS(validate(observation, system, day), std::invalid_argument);
    observation.functionals[0] = {FunctionalKind::value_before, 0, 0.0, 24.0};
    CHECK_NOTHROW(validate(observation, system, day));
}
