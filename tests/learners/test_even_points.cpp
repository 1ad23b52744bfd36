#include "even_points.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace gemel::learners;

TEST_SUITE_BEGIN("even points");

TEST_CASE("each coordinate of the first 2^m points has one in each of 2^m equal intervals") {
    // What defines a (0, m, 1)-net; a shift of bits changes the order of intervals alone.
    constexpr std::size_t n = 256, n_dimensions = 12;
    const EvenPoints points(n, n_dimensions);
    std::vector<double> u(n);
    for (std::size_t e = 0; e < n_dimensions; ++e)
        for (const std::uint64_t shift : {0x0ULL, 0x9e3779b97f4a7c15ULL}) {
            points.shifted(e, shift, u.data());
            std::vector<int> count(n, 0);
            for (const double x : u)
                ++count[static_cast<std::size_t>(x * static_cast<double>(n))];
            CHECK(count == std::vector<int>(n, 1));
        }
}

TEST_CASE("two coordinates lie evenly in elementary boxes") {
    // The first two coordinates of Sobol's sequence are a (0, m, 2)-net: each box 2^-a × 2^-(m−a)
    // has one of 2^m points (Niederreiter 1992, chapter 4).
    constexpr std::size_t m = 6, n = 1U << m;
    const EvenPoints points(n, 2);
    std::vector<double> x(n), y(n);
    points.shifted(0, 0, x.data());
    points.shifted(1, 0, y.data());
    for (std::size_t a = 0; a <= m; ++a) {
        const double wide = std::exp2(a), high = std::exp2(m - a);
        std::vector<int> count(n, 0);
        for (std::size_t i = 0; i < n; ++i)
            ++count[static_cast<std::size_t>(x[i] * wide) * static_cast<std::size_t>(high) +
                    static_cast<std::size_t>(y[i] * high)];
        CHECK(count == std::vector<int>(n, 1));
    }
}

TEST_SUITE_END();
