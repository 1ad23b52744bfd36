#include "expr/log_gamma.hpp"

#include <gemel/sim/distributions.hpp>
#include <gemel/sim/expression.hpp>
#include <gemel/sim/random.hpp>

#include <algorithm>
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

constexpr int most_newton_steps = 100; // three or four are usual

/// x^a·exp(−x)/Γ(a): x times the density.
double gamma_front(double a, double x) {
    return exp(a * log(x) - x - log_gamma(a));
}

/// P(a, x) = front/a·(1 + x/(a + 1) + x²/((a + 1)(a + 2)) + …).
double gamma_series(double a, double x) {
    double term = 1.0, sum = 1.0;
    for (double k = a + 1.0; term > 1e-17 * sum; k += 1.0) {
        term *= x / k;
        sum += term;
    }
    return gamma_front(a, x) / a * sum;
}

/// 1 − P(a, x) = front/(x + 1 − a − 1·(1 − a)/(x + 3 − a − 2·(2 − a)/(x + 5 − a − …))), forwards.
double gamma_fraction(double a, double x) {
    double b = x + 1.0 - a, up = 1e300, down = 1.0 / b, value = down;
    for (int k = 1; k < 1'000'000; ++k) {
        const double numerator = -k * (k - a);
        b += 2.0;
        down = 1.0 / (b + numerator * down);
        up = b + numerator / up;
        const double factor = up * down;
        value *= factor;
        if (std::abs(factor - 1.0) <= std::numeric_limits<double>::epsilon()) break;
    }
    return gamma_front(a, x) * value;
}

double gamma_above(double a, double x) {
    return x < a + 1.0 ? 1.0 - gamma_series(a, x) : gamma_fraction(a, x);
}

/// Wilson & Hilferty (1931), PNAS 17:684: the cube root is nearly normal; near 0, where it is not,
/// P(a, x) ≈ x^a/Γ(a + 1).
double near_gamma_quantile(double a, double p) {
    const double root = 1.0 - 1.0 / (9.0 * a) + normal_quantile(p) / (3.0 * std::sqrt(a));
    if (root > 0.3) return a * root * root * root;
    return exp((log(p) + log_gamma(a + 1.0)) / a);
}

/// Newton's step for ln P along ln x, and for ln(1 − P) along x: both are concave, so that steps
/// end up on one side and come closer from there.
double gamma_step(double a, double x, double p) {
    const double front = gamma_front(a, x);
    if (p < 0.5) {
        const double below = gamma_probability(a, x);
        return x * exp(log(p / below) * below / front);
    }
    const double above = gamma_above(a, x);
    return x + log(above / (1.0 - p)) * above * x / front;
}

/// χ² with k degrees of freedom by the normal score z, in falling powers of √k. Coefficients after
/// Goldberg & Levine (1946), Ann Math Stat 17:216, remembered; the test compares with the quantile.
double gamma_expansion(double a, double z) {
    const double k = 2.0 * a, root = std::sqrt(2.0 * k), square = z * z;
    const double tail = z * (square - 7.0) / (9.0 * root) -
                        ((6.0 * square + 14.0) * square - 32.0) / (405.0 * k) +
                        z * ((9.0 * square + 256.0) * square - 433.0) / (4860.0 * k * root);
    return 0.5 * (k + root * z + 2.0 / 3.0 * (square - 1.0) + tail);
}

double student_density(double degrees, double t) {
    constexpr double half_log_pi = 0.57236494292470008707;
    const double log_front = log_gamma(0.5 * (degrees + 1.0)) - log_gamma(0.5 * degrees) -
                             0.5 * log(degrees) - half_log_pi;
    return exp(log_front - 0.5 * (degrees + 1.0) * log1p(t * t / degrees));
}

/// Wallace (1959), Ann Math Stat 30:1124, turned around: z ≈ (8ν + 1)/(8ν + 3)·√(ν·ln(1 + t²/ν)).
double near_student_quantile(double degrees, double tail) {
    constexpr double largest_exponent = 600.0;
    const double z = normal_quantile(tail) * (8.0 * degrees + 3.0) / (8.0 * degrees + 1.0);
    return std::sqrt(degrees * apply(Op::expm1, std::min(z * z / degrees, largest_exponent), 0, 0));
}

/// Newton's step to where P(0 < T < t) is `middle`: t² = ν·y/(1 − y), y being Beta(½, ν/2).
double central_step(double degrees, double t, double middle) {
    const double y = t * t / (degrees + t * t);
    return t -
           (0.5 * beta_probability(0.5, 0.5 * degrees, y) - middle) / student_density(degrees, t);
}

/// Newton's step to where P(T > t) is `tail`, in logarithms of both, nearly straight far out: 1 − y
/// is Beta(ν/2, ½).
double tail_step(double degrees, double t, double tail) {
    const double x = degrees / (degrees + t * t);
    const double above = 0.5 * beta_probability(0.5 * degrees, 0.5, x);
    return t * exp(log(above / tail) * above / (t * student_density(degrees, t)));
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

double gamma_probability(double a, double x) {
    if (x <= 0.0) return 0.0;
    return x < a + 1.0 ? gamma_series(a, x) : 1.0 - gamma_fraction(a, x);
}

double gamma_quantile(double a, double p) {
    double x = near_gamma_quantile(a, p);
    for (int i = 0; i < most_newton_steps; ++i) {
        const double next = gamma_step(a, x, p);
        const bool is_close = std::abs(next - x) <= 1e-8 * next; // then next is within rounding
        x = next;
        if (is_close || !std::isfinite(x) || x <= 0.0) break;
    }
    return x;
}

double gamma_variate(double a, double p) {
    constexpr double large = 1000.0;
    if (a >= large) return gamma_expansion(a, normal_quantile(p));
    constexpr double least_logarithm = -700.0; // of a double
    const bool is_below_all = (log(p) + log_gamma(a + 1.0)) / a < least_logarithm;
    return is_below_all ? 0.0 : gamma_quantile(a, p);
}

double student_quantile(double degrees, double p) {
    if (p == 0.5) return 0.0;
    const double tail = std::min(p, 1.0 - p);
    double t = near_student_quantile(degrees, tail);
    for (int i = 0; i < most_newton_steps; ++i) {
        const double next =
            tail > 0.25 ? central_step(degrees, t, 0.5 - tail) : tail_step(degrees, t, tail);
        const bool is_close = std::abs(next - t) <= 1e-9 * next; // then next is within 1e-17
        t = next;
        if (is_close || !std::isfinite(t)) break;
    }
    return p < 0.5 ? -t : t;
}

} // namespace gemel::sim
