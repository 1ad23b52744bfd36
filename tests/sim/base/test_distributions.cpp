#include <gemel/sim/distributions.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace gemel::sim;

TEST_CASE("the logarithm of the gamma function agrees with 40 digits") {
    // Reference: mpmath 1.3, 40 digits.
    const double values[][2] = {{0.5, 0.572364942924700087},
                                {3.7, 1.42807232666538813},
                                {10.0, 12.8018274800814696},
                                {1000.5, 5908.67417584867749},
                                {1e6, 12815504.5691476117}};
    for (const auto& [x, expected] : values) // terms of some 20 cancel for small x
        CHECK(log_gamma(x) == doctest::Approx(expected).epsilon(1e-14));
    CHECK(std::abs(log_gamma(1.0)) < 1e-14); // rounding of terms of some 10
}

TEST_CASE("the incomplete beta function agrees with 40 digits") {
    // Reference: mpmath 1.3, 40 digits; the last by quadrature of the density.
    struct {
        double a, b, x, expected;
    } const values[] = {{0.5, 0.5, 0.3, 0.369010119565545375},
                        {2, 3, 0.25, 0.26171875},
                        {5, 20, 0.1, 0.085074885878670839},
                        {100, 150, 0.42, 0.742207742246243934},
                        {0.5, 12, 1e-06, 0.00386831200331365431},
                        {1, 1, 0.7, 0.7},
                        {30, 2, 0.999, 0.999543896280978317},
                        {3000, 7000, 0.3001, 0.509864610974758056}};
    for (const auto& [a, b, x, expected] : values) {
        CAPTURE(a);
        // Terms of some a·ln x cancel: their rounding stays
        const double scale = 4e-15 * (1.0 + a + b);
        CHECK(beta_probability(a, b, x) == doctest::Approx(expected).epsilon(scale));
        // 1 − x is rounded: of x = 1e-6 ten digits stay, of √x in the result some more
        CHECK(beta_probability(b, a, 1.0 - x) ==
              doctest::Approx(1.0 - expected).epsilon(scale + 1e-12));
        CHECK(beta_quantile(a, b, expected) == doctest::Approx(x).epsilon(scale));
    }
    CHECK(beta_probability(2.0, 3.0, 0.0) == 0.0);
    CHECK(beta_probability(2.0, 3.0, 1.0) == 1.0);
    CHECK(beta_quantile(2.0, 3.0, 0.0) == 0.0);
    CHECK(beta_quantile(2.0, 3.0, 1.0) == 1.0);
}

TEST_CASE("quantiles of a beta distribution of a million subjects come in time") {
    // Normal approximation: mean 0.3, sd √(0.21/1e6); skewness is of the order 1e-3.
    const double sd = std::sqrt(0.21 / 1e6);
    CHECK(std::abs(beta_quantile(3e5, 7e5, 0.975) - (0.3 + 1.959964 * sd)) < 0.01 * sd);
}

TEST_CASE("quantiles of Student's t agree with 40 digits") {
    // Reference: mpmath 1.3, 40 digits.
    const double values[][3] = {{1, 0.975, 12.706204736174705},
                                {5, 0.95, 2.0150483733330242},
                                {23, 0.95, 1.7138715277470481},
                                {1000, 0.999, 3.0984021639129229},
                                {2.5, 0.9, 1.7302509288071766},
                                {0.2, 0.975, 768848.4797012293}};
    for (const auto& [degrees, p, expected] : values) {
        CHECK(student_quantile(degrees, p) == doctest::Approx(expected).epsilon(1e-13));
        CHECK(student_quantile(degrees, 1.0 - p) == doctest::Approx(-expected).epsilon(1e-13));
    }
    // Closed form of one degree of freedom, far out: −1/tan(πp).
    const double far = -1.0 / std::tan(std::acos(-1.0) * 1e-9);
    CHECK(student_quantile(1.0, 1e-9) == doctest::Approx(far).epsilon(1e-13));
    CHECK(student_quantile(7.0, 0.5) == 0.0);
}
