#include "sim/special_numbers.hpp"

#include <gemel/sim/counters.hpp>
#include <gemel/sim/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

using namespace gemel::sim;

namespace {

const std::vector<double> probabilities{0.0, 1e-5, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999, 1.0};

Counters counters_of(const std::vector<double>& values) {
    Counters counters;
    for (double value : values)
        counters.add(value);
    return counters;
}

/// Type 7, written out from its definition.
double type_7(std::vector<double> values, double p) {
    if (!std::is_sorted(values.begin(), values.end())) std::sort(values.begin(), values.end());
    const double h = (static_cast<double>(values.size()) - 1.0) * p;
    const auto k = static_cast<std::size_t>(std::floor(h));
    if (k + 1 >= values.size()) return values.back();
    return values[k] + (h - std::floor(h)) * (values[k + 1] - values[k]);
}

/// Numbers without pattern: positive, over many octaves.
std::vector<double> lognormal(std::size_t n, double sd) {
    RandomStream stream({7, 0, 0}, 1);
    std::vector<double> values(n);
    for (double& value : values)
        value = std::exp(sd * stream.normal());
    return values;
}

bool are_same(const Counters& a, const Counters& b) {
    return std::all_of(probabilities.begin(), probabilities.end(), [&](double p) {
        return std::bit_cast<std::uint64_t>(a.quantile(p)) ==
               std::bit_cast<std::uint64_t>(b.quantile(p));
    });
}

} // namespace

TEST_CASE("few numbers have exact quantiles of type 7") {
    for (std::size_t n : {1u, 2u, 3u, 10u, 64u, 2047u, 2048u}) {
        const std::vector<double> values = lognormal(n, 1.0);
        const Counters counters = counters_of(values);
        CHECK(counters.is_exact());
        for (double p : probabilities)
            CHECK(counters.quantile(p) == type_7(values, p));
    }
    // Hand: 1, 2, 3, 4 at p = 0.4 stand at position 1.2.
    CHECK(counters_of({4, 1, 3, 2}).quantile(0.4) == doctest::Approx(2.2).epsilon(1e-15));
}

TEST_CASE("a million numbers have quantiles within half a percent") {
    for (double sd : {0.01, 0.3, 3.0, 60.0}) {
        std::vector<double> values = lognormal(1'000'000, sd);
        const Counters counters = counters_of(values);
        std::sort(values.begin(), values.end());
        CHECK(!counters.is_exact());
        CHECK(counters.n() == 1'000'000);
        for (double p : probabilities) {
            const double exact = type_7(values, p);
            CHECK(std::abs(counters.quantile(p) - exact) <= exact / 256.0); // the stated error
        }
        CHECK(counters.quantile(0.0) == *std::min_element(values.begin(), values.end()));
        CHECK(counters.quantile(1.0) == *std::max_element(values.begin(), values.end()));
    }
}

TEST_CASE("numbers of both signs keep the error of their size") {
    std::vector<double> values = lognormal(100'000, 1.0);
    for (std::size_t i = 0; i < values.size(); i += 2)
        values[i] = -values[i];
    const Counters counters = counters_of(values);
    for (double p : probabilities) {
        const double exact = type_7(values, p);
        CHECK(std::abs(counters.quantile(p) - exact) <= std::abs(exact) / 256.0);
    }
}

TEST_CASE("discrete numbers stay exact however many they are") {
    std::vector<double> values;
    for (int i = 0; i < 30'000; ++i)
        values.push_back(0.1 * (i % 10) - 0.3);
    const Counters counters = counters_of(values);
    for (double p : {0.0, 0.05, 0.5, 0.55, 0.95, 1.0})
        CHECK(counters.quantile(p) == type_7(values, p));
    CHECK(counters_of(std::vector<double>(5000, 0.0)).quantile(0.5) == 0.0);
}

TEST_CASE("counters tell the same in any order and after any merge") {
    std::vector<double> values = lognormal(20'000, 2.0);
    for (std::size_t i = 0; i < values.size(); i += 97)
        values[i] = i % 2 == 0 ? -infinite : infinite;
    values[11] = not_a_number;
    values[12] = -0.0;
    values[13] = 0.0;
    for (std::size_t n : {2048u, 2049u, 2050u, 20'000u}) {
        std::vector<double> part(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n));
        const Counters forward = counters_of(part);
        std::vector<double> sorted = part;
        std::sort(sorted.begin(), sorted.end(), [](double a, double b) {
            return std::bit_cast<std::uint64_t>(a) < std::bit_cast<std::uint64_t>(b);
        });
        CHECK(are_same(forward, counters_of(sorted)));
        std::reverse(sorted.begin(), sorted.end());
        CHECK(are_same(forward, counters_of(sorted)));
        for (std::size_t step : {1u, 100u, 2048u, 7000u}) {
            Counters merged;
            for (std::size_t first = 0; first < n; first += step) {
                Counters piece;
                for (std::size_t i = first; i < std::min(first + step, n); ++i)
                    piece.add(part[i]);
                merged.merge(piece);
            }
            CHECK(are_same(forward, merged));
            CHECK(merged.is_exact() == forward.is_exact());
            CHECK(merged.n() == n - 1);
            CHECK(merged.n_nan() == 1);
            CHECK(merged.weight() == static_cast<double>(n - 1));
        }
    }
}

TEST_CASE("counters of unusual numbers") {
    const Counters empty;
    CHECK(empty.n() == 0);
    CHECK(std::isnan(empty.quantile(0.5)));
    CHECK(std::isnan(empty.min()));
    CHECK(std::isnan(counters_of({not_a_number}).quantile(0.5)));

    const Counters ends = counters_of({-infinite, 1.0, infinite});
    CHECK(ends.quantile(0.0) == -infinite);
    CHECK(ends.quantile(0.2) == -infinite);
    CHECK(ends.quantile(0.5) == 1.0);
    CHECK(ends.quantile(0.7) == infinite);
    CHECK(ends.quantile(1.0) == infinite);

    Counters many =
        counters_of({-infinite, infinite, -5e-324, 5e-324, 1.7976931348623157e308, 0.0, -0.0});
    for (int i = 0; i < 3000; ++i)
        many.add(i % 3 - 1.0);
    CHECK(many.quantile(0.0) == -infinite);
    CHECK(many.quantile(0.5) == doctest::Approx(0.0).epsilon(1e-300));
    CHECK(many.quantile(1.0) == infinite);
    CHECK(many.max() == infinite);
}

TEST_CASE("weights count like repeated numbers where they are equal, and sum exactly") {
    const std::vector<double> values = lognormal(5000, 1.0);
    RandomStream stream({8, 0, 0}, 1);
    std::vector<double> weights(values.size());
    for (double& weight : weights)
        weight = 1e5 * stream.uniform();
    for (std::size_t n : {500u, 5000u}) {
        Counters plain, equal, forward, backward;
        for (std::size_t i = 0; i < n; ++i) {
            plain.add(values[i]);
            equal.add(values[i], 0.25);
            forward.add(values[i], weights[i]);
            backward.add(values[n - 1 - i], weights[n - 1 - i]);
        }
        CHECK(are_same(plain, equal)); // all weights equal: type 7; 0.25 rounds nothing
        CHECK(are_same(forward, backward));
        CHECK(forward.weight() == backward.weight());
    }
    // Hand: 1, 2, 3 with weights 1, 2, 1 stand at middles 0.5, 2, 3.5, so at 0, ½, 1.
    Counters hand;
    hand.add(1.0, 1.0);
    hand.add(2.0, 2.0);
    hand.add(3.0, 1.0);
    CHECK(hand.quantile(0.5) == 2.0);
    CHECK(hand.quantile(0.25) == 1.5);
    CHECK(hand.weight() == 4.0);
    // A weight of nothing changes nothing.
    hand.add(1.0, 0.0);
    CHECK(hand.quantile(0.75) == 2.5);
    Counters weightless;
    weightless.add(1.0, 0.0);
    CHECK(std::isnan(weightless.quantile(0.5)));
}

TEST_CASE("weighted quantiles follow the weighted distribution") {
    // Uniform on (0, 1) with weight 2x has distribution x²: the quantile at p is √p.
    Counters counters;
    constexpr int n = 200'000;
    for (int i = 0; i < n; ++i) {
        const double x = (i + 0.5) / n;
        counters.add(x, 2.0 * x);
    }
    for (double p : {0.05, 0.25, 0.5, 0.95})
        // 1/256: the bins; the grid itself is far finer
        CHECK(std::abs(counters.quantile(p) - std::sqrt(p)) <= std::sqrt(p) / 256.0);
}

TEST_CASE("the error of a quantile is that of repeated draws") {
    // Asymptotic: √(p(1 − p)/n)/f(x_p); for a standard normal's median √(π/2)/√n.
    RandomStream stream({9, 0, 0}, 1);
    for (std::uint64_t n : {2000u, 200'000u}) {
        Counters counters;
        for (std::uint64_t i = 0; i < n; ++i)
            counters.add(10.0 + stream.normal());
        const auto size = static_cast<double>(n);
        const double expected = std::sqrt(std::acos(-1.0) / 2.0 / size);
        // The density is estimated from some √n numbers near the median: 15 % is three standard
        // errors of that for 2000.
        CHECK(counters.quantile_error(0.5, size) == doctest::Approx(expected).epsilon(0.15));
    }
    CHECK(std::isnan(counters_of({1.0}).quantile_error(0.5, 1.0)));
}

TEST_CASE("many numbers at once count as one after the other") {
    // From exact to bins on the way; −0, missing and infinite numbers among them.
    std::vector<double> values = lognormal(5000, 2.0);
    for (std::size_t i = 0; i < values.size(); i += 7)
        values[i] = i % 3 == 0 ? -values[i] : i % 3 == 1 ? not_a_number : -0.0;
    values[11] = infinite;
    values[4000] = -infinite;
    for (const std::size_t part : {std::size_t{1}, std::size_t{100}, std::size_t{3000}}) {
        Counters at_once;
        const std::span<const double> all(values);
        for (std::size_t first = 0; first < all.size(); first += part)
            at_once.add(all.subspan(first, std::min(part, all.size() - first)));
        const Counters each = counters_of(values);
        CHECK(are_same(at_once, each));
        CHECK(at_once.n() == each.n());
        CHECK(at_once.n_nan() == each.n_nan());
        CHECK(at_once.weight() == each.weight());
        CHECK(at_once.min() == each.min());
        CHECK(at_once.max() == each.max());
    }
}
