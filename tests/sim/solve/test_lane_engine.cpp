#include "lane_systems.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <numeric>

using namespace lane_systems;

namespace {

constexpr int n_subjects = 75; // no multiple of any width
constexpr const char* lane_solvers[] = {
    "rodas5p", "tsit5", "taylor9", "rodas5p-split", "tsit5-split"};
constexpr const char* whole_solvers[] = {"rodas5p", "tsit5", "taylor9"};

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

bool same_everything(const BlockResult& a, const BlockResult& b) {
    for (std::size_t k = 0; k < a.sampled.size(); ++k)
        if (!same_bits(a.sampled[k], b.sampled[k])) return false;
    return same_bits(a.functionals, b.functionals) && a.status == b.status &&
           a.n_steps == b.n_steps && a.n_rejected == b.n_rejected;
}

/// Samples and one functional of each kind.
Observation everything(double end) {
    Observation observation = on_grid(2, 2.0, end);
    for (FunctionalKind kind : {FunctionalKind::integral,
                                FunctionalKind::maximum,
                                FunctionalKind::time_of_maximum,
                                FunctionalKind::value_before,
                                FunctionalKind::time_above})
        observation.functionals.push_back({kind, 0, 48.0, 96.0, 2.0});
    return observation;
}

/// Subject s of an [n_rows × n] block's rows, from a block whose subjects were permuted.
std::vector<double> permuted(const std::vector<double>& columns, const std::vector<int>& order) {
    const std::size_t n = order.size();
    std::vector<double> out(columns.size());
    for (std::size_t row = 0; row < columns.size() / n; ++row)
        for (std::size_t s = 0; s < n; ++s)
            out[row * n + s] = columns[row * n + static_cast<std::size_t>(order[s])];
    return out;
}

/// y' = a·y + select(y < 1, b, −b) + 0·x: harmless for b = 0, chattering around 1 for a = 0, b = 1.
CompiledSystem trouble() {
    Builder b;
    const Expr a = b.input("a"), size = b.input("b"), x = b.input("x");
    const Expr is_low = b.system.graph.binary(Op::less, b.state(0), b.constant(1.0));
    const Expr push = b.system.graph.select(is_low, size, b.neg(size));
    b.add_state("y", b.add(b.mul(a, b.state(0)), push), b.add(x, b.constant(0.5)));
    b.add_output("y", b.state(0));
    return b.compiled();
}

} // namespace

TEST_CASE("lane width changes no bit of any result") {
    const std::vector<double> inputs = turnover_inputs(n_subjects);
    SolverOptions options;
    const auto run = [&](int width, const char* solver) {
        options.width = width;
        return solve(turnover(), inputs, daily(20.0, 7, 168.0), everything(168.0), options, solver);
    };
    for (const char* solver : lane_solvers) {
        const BlockResult eight = run(8, solver);
        for (SolverStatus status : eight.status)
            CHECK(status == SolverStatus::ok);
        for (int width : {1, 16, 32, 64})
            CHECK(same_everything(eight, run(width, solver)));
    }
}

TEST_CASE("the order of subjects in a block changes no bit of any result") {
    // A stride coprime to the number of subjects refills the lanes in another pattern.
    const std::vector<double> inputs = turnover_inputs(n_subjects);
    std::vector<int> order(n_subjects);
    for (int s = 0; s < n_subjects; ++s)
        order[s] = (s * 32 + 5) % n_subjects;
    const Timeline timeline = daily(20.0, 7, 168.0);
    const Observation observation = everything(168.0);
    for (const char* solver : lane_solvers) {
        const BlockResult straight = solve(turnover(), inputs, timeline, observation, {}, solver);
        const BlockResult shuffled =
            solve(turnover(), permuted(inputs, order), timeline, observation, {}, solver);
        CHECK(same_bits(permuted(straight.functionals, order), shuffled.functionals));
        const std::size_t n_times = observation.sampled[0].times.size();
        for (std::size_t s = 0; s < n_subjects; ++s) {
            const auto row = [&](const BlockResult& r, std::size_t subject) {
                const auto first = r.sampled[1].begin() + static_cast<long>(subject * n_times);
                return std::vector<double>(first, first + static_cast<long>(n_times));
            };
            CHECK(same_bits(row(straight, static_cast<std::size_t>(order[s])), row(shuffled, s)));
        }
    }
}

TEST_CASE("what else is observed changes no bit of a result") {
    const std::vector<double> inputs = turnover_inputs(n_subjects);
    const Timeline timeline = daily(20.0, 7, 168.0);
    const Observation all = everything(168.0);
    const BlockResult together = solve(turnover(), inputs, timeline, all);
    for (std::size_t f = 0; f < all.functionals.size(); ++f) {
        Observation one;
        one.functionals.push_back(all.functionals[f]);
        const BlockResult alone = solve(turnover(), inputs, timeline, one);
        CHECK(std::memcmp(alone.functionals.data(),
                          together.functionals.data() + f * n_subjects,
                          n_subjects * sizeof(double)) == 0);
    }
}

TEST_CASE("subjects that fail leave their neighbours' bits alone") {
    // Neighbours decay: y' = −0.1·s·y. Bad: NaN input, growth at 1e6 per h, a right-hand side that
    // chatters around 1. The oracle is the same block with three harmless subjects in their places.
    const int n = 40;
    std::vector<double> good(3 * n, 0.0);
    for (int s = 0; s < n; ++s)
        good[s] = -0.1 * s;
    std::vector<double> bad = good;
    bad[2 * n + 3] = std::numeric_limits<double>::quiet_NaN();
    bad[11] = 1e6;
    bad[17] = 0.0;
    bad[n + 17] = 1.0;
    const Timeline timeline{{}, 24.0};
    const Observation observation = on_grid(1, 1.0, 24.0);
    SolverOptions options;
    options.max_steps = 20000;
    for (const char* solver : whole_solvers) {
        CAPTURE(solver);
        const BlockResult expected = solve(trouble(), good, timeline, observation, options, solver);
        const BlockResult result = solve(trouble(), bad, timeline, observation, options, solver);

        CHECK(result.status[3] == SolverStatus::invalid_parameter);
        CHECK(result.status[11] == SolverStatus::not_finite);
        CHECK((result.status[17] == SolverStatus::step_limit ||
               result.status[17] == SolverStatus::step_too_small));
        const std::size_t n_times = observation.sampled[0].times.size();
        for (int s = 0; s < n; ++s) {
            const double* row = result.sampled[0].data() + s * n_times;
            if (s == 3 || s == 11 || s == 17) {
                for (std::size_t i = 0; i < n_times; ++i)
                    CHECK(std::isnan(row[i]));
                continue;
            }
            CHECK(result.status[s] == SolverStatus::ok);
            CHECK(std::memcmp(row,
                              expected.sampled[0].data() + s * n_times,
                              n_times * sizeof(double)) == 0);
        }
    }
}

TEST_CASE("linear systems that stay singular end in a status") {
    // Both states are 0 and stay there; after t = 1 they drive each other at 1e20 per h, so that
    // elimination grows by more than 1e6 for every step above some 1e-14 h. A third state keeps the
    // steps from jumping over all that.
    Builder b;
    const Expr is_on = b.system.graph.binary(Op::less, b.constant(1.0), b.time());
    const Expr rate = b.system.graph.select(is_on, b.constant(1e20), b.constant(0.0));
    b.add_state("a", b.mul(rate, b.state(1)), b.constant(0.0));
    b.add_state("b", b.mul(rate, b.state(0)), b.constant(0.0));
    b.add_state("c", b.neg(b.state(2)), b.constant(1.0));
    b.add_output("a", b.state(0));
    const BlockResult result = solve(b.compiled(), {}, {{}, 100.0}, on_grid(1, 10.0, 100.0));
    CHECK(result.status[0] == SolverStatus::singular);
    CHECK(result.stopped_at[0] > 1.0);
}

TEST_CASE("counting amounts in another unit changes nothing beyond rounding") {
    const std::vector<double> inputs = turnover_inputs(n_subjects);
    const Observation observation = everything(168.0);
    const BlockResult mg = solve(turnover(), inputs, daily(20.0, 7, 168.0), observation);
    for (double factor : {1e9, 1e-9}) {
        const BlockResult other =
            solve(turnover(factor), inputs, daily(20.0 * factor, 7, 168.0), observation);
        double worst = 0.0;
        for (std::size_t k = 0; k < 2; ++k)
            for (std::size_t i = 0; i < mg.sampled[k].size(); ++i)
                if (mg.sampled[k][i] > 1e-6)
                    worst = std::max(worst, std::abs(other.sampled[k][i] / mg.sampled[k][i] - 1.0));
        // The step sizes follow errors that differ by rounding; some 1e-11 of them is left.
        CHECK(worst < 1e-10);
    }
}

TEST_CASE("infusions end where they end, and overlap") {
    // y' = R(t) − k·y. One infusion of 10/h over [0, 5], one of 4/h over [3, 8], a bolus of 7 at 4.
    // Closed form: each contributes R/k·(1 − exp(−k·time running))·exp(−k·time since).
    Builder b;
    const double k = 0.4;
    b.add_state("y", b.mul(b.constant(-k), b.state(0)), b.constant(0.0), true);
    b.add_output("y", b.state(0));
    Timeline timeline{{}, 24.0};
    timeline.records = {
        {.time = 0.0, .kind = RecordKind::infuse, .state = 0, .amount = 50.0, .duration = 5.0},
        {.time = 3.0, .kind = RecordKind::infuse, .state = 0, .amount = 20.0, .rate = 4.0},
        {.time = 4.0, .kind = RecordKind::add, .state = 0, .amount = 7.0}};
    const auto infused = [&](double t, double from, double to, double rate) {
        const double running = std::clamp(t - from, 0.0, to - from);
        return rate / k * (1.0 - std::exp(-k * running)) * std::exp(-k * std::max(0.0, t - to));
    };
    SolverOptions options;
    options.rtol = 1e-9;
    const Observation observation = on_grid(1, 0.5, 24.0);
    const BlockResult result = solve(b.compiled(), {}, timeline, observation, options);
    REQUIRE(result.status[0] == SolverStatus::ok);
    for (std::size_t i = 0; i < observation.sampled[0].times.size(); ++i) {
        const double t = observation.sampled[0].times[i];
        const double exact = infused(t, 0.0, 5.0, 10.0) + infused(t, 3.0, 8.0, 4.0) +
                             (t >= 4.0 ? 7.0 * std::exp(-k * (t - 4.0)) : 0.0);
        CHECK(result.sampled[0][i] == doctest::Approx(exact).epsilon(1e-7)); // 100 × rtol
    }
}

TEST_CASE("lag and bioavailability act inside the solver") {
    // y' = −k·y; 100 at time 2 with F = 0.5 and lag 1.5: 50·exp(−k(t − 3.5)) from 3.5 on, 0 before.
    Builder b;
    const Expr f = b.input("F"), lag = b.input("lag");
    State& s = b.add_state("y", b.mul(b.constant(-0.2), b.state(0)), b.constant(0.0), true);
    s.bioavailability = f;
    s.lag = lag;
    b.add_output("y", b.state(0));
    Timeline timeline{{}, 12.0};
    timeline.records = {{.time = 2.0, .kind = RecordKind::add, .state = 0, .amount = 100.0}};
    const BlockResult result = solve(b.compiled(), {0.5, 1.5}, timeline, on_grid(1, 0.5, 12.0));
    for (std::size_t i = 0; i <= 24; ++i) {
        const double t = 0.5 * static_cast<double>(i);
        const double exact = t < 3.5 ? 0.0 : 50.0 * std::exp(-0.2 * (t - 3.5));
        CHECK(result.sampled[0][i] == doctest::Approx(exact).epsilon(1e-5));
    }
}

TEST_CASE("a negative lag is an invalid parameter of that subject alone") {
    Builder b;
    const Expr lag = b.input("lag");
    b.add_state("y", b.neg(b.state(0)), b.constant(0.0), true).lag = lag;
    b.add_output("y", b.state(0));
    const BlockResult result =
        solve(b.compiled(), {-1.0, 1.0}, daily(1.0, 1, 12.0), on_grid(1, 1.0, 12.0));
    CHECK(result.status[0] == SolverStatus::invalid_parameter);
    CHECK(result.status[1] == SolverStatus::ok);
}

TEST_CASE("steps are limited, rejected ones included") {
    SolverOptions options;
    options.max_steps = 10;
    const BlockResult result = solve(
        turnover(), turnover_inputs(1), daily(20.0, 7, 168.0), on_grid(2, 1.0, 168.0), options);
    CHECK(result.status[0] == SolverStatus::step_limit);
    CHECK(result.n_steps[0] + result.n_rejected[0] == 11);
    CHECK(std::isnan(result.sampled[0][0]));
}
