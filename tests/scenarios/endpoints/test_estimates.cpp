#include <gemel/scenarios/endpoint.hpp>
#include <gemel/sim/random.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace gemel::scenarios {

namespace {

Sample sample_of(const std::vector<double>& values) {
    Sample sample;
    for (const double value : values) {
        ++sample.n;
        sample.values.add(value);
        sample.counters.add(value);
        sample.weight += sim::FixedWeight::of(1.0);
        if (value != 0.0) sample.hits += sim::FixedWeight::of(1.0);
        if (value > 0.0)
            sample.logs.add(std::log(value));
        else
            ++sample.n_not_positive;
    }
    return sample;
}

Estimate estimate(const char* function, const Sample& sample, EndpointSettings settings = {}) {
    return find_endpoint_function(function)->estimate(sample, settings);
}

std::vector<double> lognormal(std::uint64_t seed, int n, double mean, double sd) {
    sim::RandomStream stream({seed, 0, 0}, 1);
    std::vector<double> values;
    for (int i = 0; i < n; ++i)
        values.push_back(std::exp(mean + sd * stream.normal()));
    return values;
}

} // namespace

TEST_CASE("endpoint functions stand in alphabetical order") {
    for (std::size_t i = 1; i < endpoint_functions().size(); ++i)
        CHECK(endpoint_functions()[i - 1].name < endpoint_functions()[i].name);
}

TEST_CASE("intervals of proportions are the published ones") {
    // Newcombe (1998), Stat Med 17:857–872, table I: score (Wilson) and Clopper–Pearson at 95 %.
    struct {
        double k, n, wilson_low, wilson_high, exact_low, exact_high;
    } const rows[] = {{81, 263, 0.2553, 0.3662, 0.2527, 0.3676},
                      {15, 148, 0.0624, 0.1605, 0.0578, 0.1617},
                      {0, 20, 0.0000, 0.1611, 0.0000, 0.1684},
                      {1, 29, 0.0061, 0.1718, 0.0009, 0.1776}};
    for (const auto& row : rows) {
        const auto wilson = proportion_interval(row.k / row.n, row.n, {});
        const auto exact =
            proportion_interval(row.k / row.n, row.n, {.interval = Interval::clopper_pearson});
        CHECK(std::abs(wilson.first - row.wilson_low) < 5.1e-5); // four published digits
        CHECK(std::abs(wilson.second - row.wilson_high) < 5.1e-5);
        CHECK(std::abs(exact.first - row.exact_low) < 5.1e-5);
        CHECK(std::abs(exact.second - row.exact_high) < 5.1e-5);
        // Symmetry: failures instead of successes
        const auto mirrored = proportion_interval(1.0 - row.k / row.n, row.n, {});
        CHECK(mirrored.first == doctest::Approx(1.0 - wilson.second).epsilon(1e-13));
    }
    // Closed form: none of n gives 1 − (α/2)^(1/n) at the upper end.
    const auto none = proportion_interval(0.0, 10.0, {.interval = Interval::clopper_pearson});
    CHECK(none.first == 0.0);
    CHECK(none.second == doctest::Approx(1.0 - std::pow(0.025, 0.1)).epsilon(1e-13));
    CHECK(proportion_interval(1.0, 10.0, {}).second == 1.0);
}

TEST_CASE("endpoints of few numbers are those of the hand") {
    const Sample sample = sample_of({1.0, 2.0, 4.0, 8.0});
    CHECK(estimate("mean", sample).value == 3.75);
    // Variance (2.75² + 1.75² + 0.25² + 4.25²)/3 = 28.75/3
    CHECK(estimate("sd", sample).value == doctest::Approx(std::sqrt(28.75 / 3.0)).epsilon(1e-15));
    CHECK(estimate("mean", sample).mcse ==
          doctest::Approx(std::sqrt(28.75 / 3.0 / 4.0)).epsilon(1e-15));
    CHECK(estimate("cv", sample).value ==
          doctest::Approx(std::sqrt(28.75 / 3.0) / 3.75).epsilon(1e-15));
    CHECK(estimate("geometric_mean", sample).value ==
          doctest::Approx(std::sqrt(8.0)).epsilon(1e-15));
    CHECK(estimate("median", sample).value == 3.0);
    CHECK(estimate("quantile", sample, {.probability = 1.0}).value == 8.0);
    CHECK(estimate("min", sample).value == 1.0);
    CHECK(estimate("max", sample).value == 8.0);
    const Sample shares = sample_of({1.0, 0.0, 1.0, 1.0});
    CHECK(estimate("proportion", shares).value == 0.75);
    CHECK(estimate("proportion", shares).mcse == doctest::Approx(std::sqrt(0.1875 / 4.0)));
    // A number without logarithm leaves no geometric mean, and is not dropped.
    CHECK(std::isnan(estimate("geometric_mean", sample_of({1.0, 0.0})).value));
    for (const EndpointFunction& function : endpoint_functions()) {
        CAPTURE(function.name);
        CHECK(std::isnan(function.estimate(Sample{}, {}).value));
        CHECK(std::isnan(function.estimate(Sample{}, {}).mcse));
    }
}

TEST_CASE("log-normal numbers have their geometric mean and CV, with the error they are off by") {
    // Closed form: e^μ and √(exp σ² − 1); the errors are √n-consistent: the deviation over 200
    // samples has the size of the stated error (χ² with 200: within 20 % of it, 4 sd of its sd).
    constexpr int n = 500, n_samples = 200;
    constexpr double mean = 1.0, sd = 0.4;
    struct Function {
        const char* name;
        double truth;
    };
    const double square = std::exp(sd * sd);
    const Function functions[] = {{"geometric_mean", std::exp(mean)},
                                  {"geometric_cv", std::sqrt(square - 1.0)},
                                  {"mean", std::exp(mean + 0.5 * sd * sd)},
                                  {"cv", std::sqrt(square - 1.0)},
                                  {"median", std::exp(mean)}};
    for (const Function& function : functions) {
        CAPTURE(function.name);
        double squares = 0.0, stated = 0.0;
        for (int i = 0; i < n_samples; ++i) {
            const Sample sample = sample_of(lognormal(static_cast<std::uint64_t>(i), n, mean, sd));
            const Estimate found = estimate(function.name, sample);
            squares += (found.value - function.truth) * (found.value - function.truth);
            stated += found.mcse;
        }
        CHECK(std::sqrt(squares / n_samples) == doctest::Approx(stated / n_samples).epsilon(0.2));
    }
}

TEST_CASE("subjects without weight make no estimate") {
    Sample sample = sample_of({2.0, 3.0});
    sample.values = sample.logs = {};
    sample.weight = sample.hits = {};
    sample.counters = {};
    for (const double value : {2.0, 3.0}) {
        sample.values.add(value, 0.0);
        sample.logs.add(std::log(value), 0.0);
        sample.counters.add(value, 0.0);
    }
    for (const EndpointFunction& function : endpoint_functions()) {
        CAPTURE(function.name);
        if (function.name == "min" || function.name == "max") continue; // of all subjects
        CHECK(std::isnan(function.estimate(sample, {}).value));
        CHECK(std::isnan(function.estimate(sample, {}).mcse));
    }
}

TEST_CASE("a quantile at the ends has no error, where the sample says nothing beyond") {
    // p ± √(p(1 − p)/n) is within [0, 1] from p = 1/(n + 1) on: for n = 99 from 0.01.
    std::vector<double> values;
    for (int i = 1; i <= 99; ++i)
        values.push_back(i);
    const Sample sample = sample_of(values);
    for (const double p : {0.0, 0.0099, 0.9901, 1.0}) {
        CAPTURE(p);
        CHECK(std::isfinite(estimate("quantile", sample, {.probability = p}).value));
        CHECK(std::isnan(estimate("quantile", sample, {.probability = p}).mcse));
    }
    // Type 7 is linear here: half the distance is 98·√(p(1 − p)/99).
    CHECK(estimate("quantile", sample, {.probability = 0.0101}).mcse ==
          doctest::Approx(98.0 * std::sqrt(0.0101 * 0.9899 / 99.0)).epsilon(1e-12));
}

TEST_CASE("a ratio's interval is Student's on the logarithm") {
    // Hand: logs 0.1, 0.2, 0.3: mean 0.2, sd 0.1, t(2) at 0.95 = 2.91998558035372 (mpmath).
    Sample sample = sample_of({0.1, 0.2, 0.3});
    const Estimate ratio = estimate("geometric_mean_ratio", sample, {.level = 0.90});
    const double half = 2.91998558035372 * 0.1 / std::sqrt(3.0);
    CHECK(ratio.value == doctest::Approx(std::exp(0.2)).epsilon(1e-14));
    CHECK(ratio.lower == doctest::Approx(std::exp(0.2 - half)).epsilon(1e-12));
    CHECK(ratio.upper == doctest::Approx(std::exp(0.2 + half)).epsilon(1e-12));
}

} // namespace gemel::scenarios
