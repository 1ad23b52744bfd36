#include "expr/log_gamma.hpp"

#include <gemel/sim/distributions.hpp>
#include <gemel/sim/expression.hpp>

#include <cmath>
#include <limits>

namespace gemel::sim {
namespace {

double log(double x) {
    return apply(Op::logarithm, x, 0.0, 0.0);
}
double log1p(double x) {
    return apply(Op::log1p, x, 0.0, 0.0);
}
double exp(double x) {
    return apply(Op::exponential, x, 0.0, 0.0);
}

/// Numerators of the continued fraction 1/(1 + d1/(1 + d2/(1 + …))), DLMF 8.17.23.
double numerator(int k, double a, double b, double x) {
    const double m = k / 2;
    return k % 2 == 0 ? m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
                      : -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
}

/// Evaluated forwards by the ratios of successive convergents' numerators and denominators.
double continued_fraction(double a, double b, double x) {
    constexpr double tiny = 1e-300;
    constexpr int most = 1'000'000; // some √max(a, b) terms are needed
    const auto away_from_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
    double up = 1.0, down = 0.0, value = 1.0;
    for (int k = 1; k < most; ++k) {
        const double d = numerator(k, a, b, x);
        down = 1.0 / away_from_zero(1.0 + d * down);
        up = away_from_zero(1.0 + d / up);
        const double factor = up * down;
        value *= factor;
        if (std::abs(factor - 1.0) <= std::numeric_limits<double>::epsilon()) break;
    }
    return 1.0 / value;
}

/// I_x(a, b) where the fraction converges fast: x below about the mean.
double lower_part(double a, double b, double x) {
    const double front =
        a * log(x) + b * log1p(-x) - (log_gamma(a) + log_gamma(b) - log_gamma(a + b));
    return exp(front) / a * continued_fraction(a, b, x);
}

} // namespace

double log_gamma(double x) {
    double product = 1.0;
    while (x < 10.0) {
        product *= x;
        x += 1.0;
    }
    const double z = 1.0 / (x * x);
    double series = 0.0; // the ninth term is below 1e-17 from 10 on
    for (int i = 7; i >= 0; --i)
        series = series * z + stirling_terms[i];
    return (x - 0.5) * log(x) - x + half_log_two_pi + series / x - log(product);
}

double beta_probability(double a, double b, double x) {
    if (x <= 0.0) return 0.0;
    if (x >= 1.0) return 1.0;
    return x < (a + 1.0) / (a + b + 2.0) ? lower_part(a, b, x) : 1.0 - lower_part(b, a, 1.0 - x);
}

double beta_quantile(double a, double b, double p) {
    if (p <= 0.0) return 0.0;
    if (p >= 1.0) return 1.0;
    double low = 0.0, high = 1.0;
    for (;;) {
        const double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high || high - low < 1e-16 * high) return middle;
        (beta_probability(a, b, middle) < p ? low : high) = middle;
    }
}

double student_quantile(double degrees, double p) {
    if (p == 0.5) return 0.0;
    // t² = degrees·y/(1 − y), where y is Beta(½, degrees/2) with both tails together and 1 − y is
    // Beta(degrees/2, ½): of the two the one that is not near 1.
    const double tail = std::min(p, 1.0 - p);
    double t = 0.0;
    if (tail > 0.25) {
        const double y = beta_quantile(0.5, 0.5 * degrees, 1.0 - 2.0 * tail);
        t = std::sqrt(degrees * y / (1.0 - y));
    } else {
        const double x = beta_quantile(0.5 * degrees, 0.5, 2.0 * tail);
        t = std::sqrt(degrees * (1.0 - x) / x);
    }
    return p < 0.5 ? -t : t;
}

} // namespace gemel::sim
