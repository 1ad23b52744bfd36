#include "columns/kernels.hpp"

#include <gemel/sim/random.hpp>

#include <boost/math/distributions/normal.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <vector>

using namespace gemel::sim;

TEST_CASE("Philox gives Random123's known answers") {
    // Oracle: kat_vectors of Random123 (Salmon et al. 2011), philox4x32 with 10 rounds.
    using Words = std::array<std::uint32_t, 4>;
    constexpr std::uint32_t ff = 0xffffffff;
    CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) ==
          Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(philox4x32({ff, ff, ff, ff}, {ff, ff}) ==
          Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("the counter holds subject, replicate, purpose and index, the key the seed") {
    // Oracle: the layout of docs/theory/random.md, packed here by hand.
    const RandomStream::Key key{0x0123456789abcdef, 0x4321, 0xa1b2c3d4e5f6};
    RandomStream stream(key, 0xdeadbeef, 7);
    const auto words =
        philox4x32({0xc3d4e5f6, 0x4321a1b2, 0xdeadbeef, 7}, {0x89abcdef, 0x01234567});
    const std::uint64_t bits = (std::uint64_t{words[1]} << 32 | words[0]) >> 12;
    CHECK(stream.uniform() == (static_cast<double>(bits) + 0.5) / 4503599627370496.0);
    CHECK(stream.uniform() == RandomStream(key, 0xdeadbeef, 8).uniform());
    CHECK_THROWS_AS(RandomStream({0, 0, std::uint64_t{1} << 48}, 0), std::invalid_argument);
    CHECK_THROWS_AS(RandomStream({0, 1u << 16, 0}, 0), std::invalid_argument);
}

TEST_CASE("changing any part of the address changes the draw") {
    std::set<double> draws;
    const auto purpose = purpose_number("eta/CL");
    draws.insert(RandomStream({1, 0, 0}, purpose).uniform());
    draws.insert(RandomStream({2, 0, 0}, purpose).uniform());
    draws.insert(RandomStream({std::uint64_t{1} << 32, 0, 0}, purpose).uniform());
    draws.insert(RandomStream({1, 1, 0}, purpose).uniform());
    draws.insert(RandomStream({1, 0, 1}, purpose).uniform());
    draws.insert(RandomStream({1, 0, std::uint64_t{1} << 40}, purpose).uniform());
    draws.insert(RandomStream({1, 0, 0}, purpose_number("eta/V")).uniform());
    draws.insert(RandomStream({1, 0, 0}, purpose, 1).uniform());
    CHECK(draws.size() == 8);
}

TEST_CASE("purposes have FNV-1a numbers, and two names with one number are refused") {
    // Oracle: FNV-1a's published test vectors; "costarring" and "liquid" are its known collision.
    CHECK(purpose_number("") == 0x811c9dc5);
    CHECK(purpose_number("a") == 0xe40c292c);
    CHECK(purpose_number("foobar") == 0xbf9cf968);
    PurposeSet purposes;
    CHECK(purposes.add("costarring") == purpose_number("liquid"));
    CHECK_NOTHROW(purposes.add("costarring"));
    CHECK_NOTHROW(purposes.add("eta/CL"));
    CHECK_THROWS_AS(purposes.add("liquid"), std::invalid_argument);
}

TEST_CASE("normal quantiles agree with Boost.Math") {
    // Oracle: Boost's independent rational approximation of erfc_inv, good to about 2 ulp. AS 241
    // is good to 1e-16 before rounding; its Horner sums round to a few ulp.
    const boost::math::normal standard;
    double worst = 0.0;
    const auto compare = [&](double p) {
        const double expected = boost::math::quantile(standard, p);
        worst = std::max(worst, std::fabs(normal_quantile(p) - expected) / std::fabs(expected));
    };
    for (int i = 1; i < 20000; ++i)
        if (i != 10000) compare(i / 20000.0);
    for (double p = 0.4; p > 1e-300; p *= 0.9)
        compare(p);
    for (double p : {0x1p-53, 1.0 - 0x1p-53, 0.075, 0.925})
        compare(p);
    INFO("largest relative error: " << worst);
    CHECK(worst < 2e-15);
    CHECK(normal_quantile(0.5) == 0.0);
    CHECK(normal_quantile(0.25) == -normal_quantile(0.75));
    CHECK(std::isnan(normal_quantile(std::nan(""))));
}

TEST_CASE("normal probabilities agree with Boost.Math, far out too") {
    const boost::math::normal standard;
    double worst = 0.0;
    for (double z = -37.0; z < 9.0; z += 0.0101) {
        // Boost rounds z/√2, which costs z²/2 ulp; what is compared allows for that.
        const double expected = boost::math::cdf(standard, z);
        const double allowed = 4.0 + z * z;
        worst = std::max(
            worst, std::fabs(normal_probability(z) - expected) / expected / 2.2e-16 / allowed);
    }
    INFO("largest error over what is allowed: " << worst);
    CHECK(worst < 1.0);
    // Abramowitz & Stegun, table 26.1 for 1; R's pnorm(-10) to its printed digits.
    CHECK(normal_probability(1.0) == doctest::Approx(0.841344746068542949).epsilon(1e-15));
    CHECK(std::fabs(normal_probability(-10.0) / 7.619853024160527e-24 - 1.0) < 1e-15);
    CHECK(normal_probability(-1e300) == 0.0);
    CHECK(normal_probability(1e300) == 1.0);
}

TEST_CASE("a million draws have the moments and the distribution they should") {
    // Kolmogorov–Smirnov at n = 10^6: D·√n exceeds 1.95 with probability 0.001. The seed is fixed.
    constexpr int n = 1000000;
    std::vector<double> u;
    double sum = 0.0, squares = 0.0, fourths = 0.0, waits = 0.0, product = 0.0, previous = 0.0;
    const auto purpose = purpose_number("eta/CL"), other = purpose_number("wait");
    for (int i = 0; i < n; ++i) {
        const RandomStream::Key key{20, 0, static_cast<std::uint64_t>(i)};
        u.push_back(RandomStream(key, purpose).uniform());
        const double x = RandomStream(key, purpose).normal();
        sum += x;
        squares += x * x;
        fourths += x * x * x * x;
        product += x * previous;
        previous = x;
        waits += RandomStream(key, other).exponential();
    }
    const double root = std::sqrt(n);
    CHECK(std::fabs(sum / n) < 4.0 / root);                             // sd of a mean: 1/√n
    CHECK(std::fabs(squares / n - 1.0) < 4.0 * std::sqrt(2.0) / root);  // sd of x²: √2
    CHECK(std::fabs(fourths / n - 3.0) < 4.0 * std::sqrt(96.0) / root); // sd of x⁴: √96
    CHECK(std::fabs(product / n) < 4.0 / root);                         // neighbours independent
    CHECK(std::fabs(waits / n - 1.0) < 4.0 / root);                     // sd of a wait: 1
    std::sort(u.begin(), u.end());
    double distance = 0.0;
    for (int i = 0; i < n; ++i)
        distance = std::max(
            {distance, std::fabs(u[i] - double(i) / n), std::fabs(u[i] - double(i + 1) / n)});
    CHECK(distance * root < 1.95);
    CHECK(u.front() > 0.0);
    CHECK(u.back() < 1.0);
}

namespace {

/// Subjects of all sizes, as many as fill no whole number of vectors or chunks.
std::vector<std::uint64_t> many_subjects() {
    std::vector<std::uint64_t> subjects;
    for (std::uint64_t i = 0; i < 203; ++i)
        subjects.push_back(i * 0x9e3779b97f4a7c15 >> (16 + i % 32));
    return subjects;
}

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

} // namespace

TEST_CASE("columns of subjects have the bits of one subject at a time") {
    const std::vector<std::uint64_t> subjects = many_subjects();
    const std::size_t n = subjects.size();
    std::vector<std::uint32_t> indices;
    for (std::uint32_t i = 0; i < n; ++i)
        indices.push_back(i * 0x01010101);
    const std::uint64_t seed = 0x0123456789abcdef;
    const RandomColumns columns(seed, 0x4321, subjects, indices), plain(seed, 0, subjects);
    std::vector<double> u(n), z(n), waits(n), first(n);
    columns.uniforms(0xdeadbeef, 7, u.data());
    columns.normals(0xdeadbeef, 7, z.data());
    columns.exponentials(0xdeadbeef, 7, waits.data());
    plain.uniforms(3, 0, first.data());
    std::size_t n_other = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const auto stream = [&] {
            return RandomStream({seed, 0x4321, subjects[i]}, 0xdeadbeef, indices[i] + 7);
        };
        n_other += !same_bits(u[i], stream().uniform()) + !same_bits(z[i], stream().normal()) +
                   !same_bits(waits[i], stream().exponential()) +
                   !same_bits(first[i], RandomStream({seed, 0, subjects[i]}, 3).uniform());
    }
    CHECK(n_other == 0);
    CHECK_THROWS_AS(RandomColumns(0, 0, {std::uint64_t{1} << 48}), std::invalid_argument);
    CHECK_THROWS_AS(RandomColumns(0, 1u << 16, {1}), std::invalid_argument);
    CHECK_THROWS_AS(RandomColumns(0, 0, {1, 2}, {1}), std::invalid_argument);
}

TEST_CASE("every instruction set draws the same bits") {
    const std::vector<std::uint64_t> subjects = many_subjects();
    const std::size_t n = subjects.size();
    const auto& all = columns::kernel_sets();
    const columns::Address address{0xfedcba9876543210, 0xffff, 0x89abcdef, 0xffffffff};
    std::vector<std::vector<double>> drawn;
    for (int set = 0; set < all.count; ++set) {
        std::vector<double>& numbers = drawn.emplace_back(3 * n);
        for (int k = 0; k < 3; ++k)
            all.sets[set]->uniforms(address, subjects.data(), nullptr, n, numbers.data() + k * n);
        all.sets[set]->normal_quantiles(numbers.data(), n);
        all.sets[set]->normal_probabilities(numbers.data(), n);
        all.sets[set]->normal_quantiles(numbers.data() + n, n);
        all.sets[set]->exponential_quantiles(numbers.data() + 2 * n, n);
    }
    for (const auto& numbers : drawn)
        CHECK(numbers == drawn.front());
}

TEST_CASE("columns of quantiles and probabilities have the bits of one number at a time") {
    // Both sides of every seam of AS 241, the smallest draws, and what no draw gives.
    std::vector<double> p{0.5, 0.075, 0.925, 0x1p-53, 1.0 - 0x1p-53, 0.0, 1.0, 1e-300};
    for (double x = 1e-14; x < 1.0; x *= 1.07)
        p.insert(p.end(), {x, 1.0 - x});
    for (double edge : {0.075, 0.925, std::exp(-25.0)})
        p.insert(p.end(), {std::nextafter(edge, 0.0), std::nextafter(edge, 1.0)});
    std::vector<double> z{-40.0, -30.1, 30.1, 50.0, 1e300, -1e300, 0.0, -0.0};
    for (double x = -39.0; x < 39.0; x += 0.17)
        z.push_back(x);
    std::vector<double> quantiles = p, probabilities = z;
    normal_quantiles(quantiles);
    normal_probabilities(probabilities);
    std::size_t n_other = 0;
    for (std::size_t i = 0; i < p.size(); ++i)
        n_other += !same_bits(quantiles[i], normal_quantile(p[i]));
    for (std::size_t i = 0; i < z.size(); ++i)
        n_other += !same_bits(probabilities[i], normal_probability(z[i]));
    CHECK(n_other == 0);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK(normal_probability(infinity) == 1.0);
    CHECK(normal_probability(-infinity) == 0.0);
    CHECK(std::isnan(normal_probability(std::nan(""))));
}
