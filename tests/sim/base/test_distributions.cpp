#include <gemel/sim/distributions.hpp>

#include <boost/math/special_functions/gamma.hpp>
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

TEST_CASE("the incomplete gamma function and its quantiles agree with 40 digits") {
    // Reference: mpmath 1.3, 40 digits: P(a, x) and 1 − P(a, x).
    struct {
        double a, x, below, above;
    } const values[] = {{0.5, 0.02, 0.158519418878206048, 0.841480581121793952},
                        {2.5, 1.0, 0.150854963915390364, 0.849145036084609636},
                        {2.5, 7.0, 0.984390583899733085, 0.0156094161002669147},
                        {10, 12.5, 0.798568895054464229, 0.201431104945535771},
                        {49.5, 40, 0.0808121264019098837, 0.919187873598090116},
                        {500, 520, 0.815308850901256396, 0.184691149098743604},
                        {1.0, 0.7, 0.503414696208590463, 0.496585303791409537},
                        {0.5, 15, 0.999999956795369422, 4.32046305782749729e-8}};
    for (const auto& [a, x, below, above] : values) {
        CAPTURE(a);
        CAPTURE(x);
        // Terms of some a·ln x cancel: their rounding stays.
        const double rounding = 4e-15 * (1.0 + a * std::abs(std::log(x)));
        CHECK(gamma_probability(a, x) == doctest::Approx(below).epsilon(rounding));
        CHECK(gamma_quantile(a, below) ==
              doctest::Approx(x).epsilon(rounding + 1e-16 / above)); // p has 1e-16
    }
    CHECK(gamma_probability(2.0, 0.0) == 0.0);
    // Closed forms: an exponential law, far out on both sides.
    CHECK(gamma_quantile(1.0, 1e-12) == doctest::Approx(-std::log1p(-1e-12)).epsilon(1e-13));
    CHECK(gamma_quantile(1.0, 1.0 - 0x1p-53) ==
          doctest::Approx(53.0 * std::log(2.0)).epsilon(1e-13));
}

TEST_CASE("a gamma law's quantile and probability undo each other in all its range") {
    // Invariant, from the median out to 1e-15 on either side.
    for (double a : {0.3, 0.5, 1.0, 2.0, 7.5, 30.0, 200.0, 5000.0})
        for (double p : {1e-15, 1e-6, 0.01, 0.3, 0.5, 0.7, 0.99, 1.0 - 1e-6}) {
            CAPTURE(a);
            CAPTURE(p);
            CHECK(gamma_probability(a, gamma_quantile(a, p)) ==
                  doctest::Approx(p).epsilon(1e-14 * (1.0 + 10.0 * a)));
        }
}

TEST_CASE("gamma variates are quantiles, at any shape") {
    // Oracle: Boost.Math's quantile, in standard deviations (ours loses a·log(a) of its digits at
    // large shapes). The expansion's next term is some 1e-9 of one at a = 1000 and |z| = 4, and
    // falls as a^-2. Shapes below 1 by their probability.
    for (double a : {1000.0, 5000.0, 2e5})
        for (double p : {1e-4, 0.01, 0.3, 0.5, 0.7, 0.99, 0.9999}) {
            CAPTURE(a);
            CAPTURE(p);
            const double exact = boost::math::gamma_p_inv(a, p);
            const double sds = (gamma_variate(a, p) - exact) / std::sqrt(a);
            CHECK(std::abs(sds) < 5e-9 * (1000.0 / a) + 1e-14 * std::sqrt(a));
        }
    for (double a : {0.01, 0.1, 0.5})
        for (double p : {0.01, 0.3, 0.5, 0.9, 0.9999}) {
            CAPTURE(a);
            CAPTURE(p);
            const double x = gamma_variate(a, p);
            if (x > 0.0) CHECK(gamma_probability(a, x) == doctest::Approx(p).epsilon(1e-13));
            if (x == 0.0) CHECK(a * -700.0 > std::log(p)); // below all doubles
        }
    CHECK(gamma_variate(0.001, 0.3) == 0.0);
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
