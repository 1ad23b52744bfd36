#include "base/lane_math.hpp"

#include <gemel/sim/random.hpp>

#include <cmath>

namespace gemel::sim {
namespace {

/// c[0] + c[1]·x + … in Horner's order.
template <std::size_t n>
double polynomial(const double (&c)[n], double x) {
    double value = c[n - 1];
    for (std::size_t i = n - 1; i-- > 0;)
        value = value * x + c[i];
    return value;
}

// Coefficients of PPND16 in Wichura (1988): |p − ½| ≤ 0.425, then r ≤ 5, then r > 5.
constexpr double a[] = {3.3871328727963666080e0,
                        1.3314166789178437745e+2,
                        1.9715909503065514427e+3,
                        1.3731693765509461125e+4,
                        4.5921953931549871457e+4,
                        6.7265770927008700853e+4,
                        3.3430575583588128105e+4,
                        2.5090809287301226727e+3};
constexpr double b[] = {1.0,
                        4.2313330701600911252e+1,
                        6.8718700749205790830e+2,
                        5.3941960214247511077e+3,
                        2.1213794301586595867e+4,
                        3.9307895800092710610e+4,
                        2.8729085735721942674e+4,
                        5.2264952788528545610e+3};
constexpr double c[] = {1.42343711074968357734e0,
                        4.63033784615654529590e0,
                        5.76949722146069140550e0,
                        3.64784832476320460504e0,
                        1.27045825245236838258e0,
                        2.41780725177450611770e-1,
                        2.27238449892691845833e-2,
                        7.74545014278341407640e-4};
constexpr double d[] = {1.0,
                        2.05319162663775882187e0,
                        1.67638483018380384940e0,
                        6.89767334985100004550e-1,
                        1.48103976427480074590e-1,
                        1.51986665636164571966e-2,
                        5.47593808499534494600e-4,
                        1.05075007164441684324e-9};
constexpr double e[] = {6.65790464350110377720e0,
                        5.46378491116411436990e0,
                        1.78482653991729133580e0,
                        2.96560571828504891230e-1,
                        2.65321895265761230930e-2,
                        1.24266094738807843860e-3,
                        2.71155556874348757815e-5,
                        2.01033439929228813265e-7};
constexpr double f[] = {1.0,
                        5.99832206555887937690e-1,
                        1.36929880922735805310e-1,
                        1.48753612908506148525e-2,
                        7.86869131145613259100e-4,
                        1.84631831751005468180e-5,
                        1.42151175831644588870e-7,
                        2.04426310338993978564e-15};

} // namespace

double normal_quantile(double p) {
    const double q = p - 0.5;
    if (std::fabs(q) <= 0.425) {
        const double r = 0.180625 - q * q;
        return q * polynomial(a, r) / polynomial(b, r);
    }
    const double tail = q < 0.0 ? p : 1.0 - p;
    if (!(tail > 0.0)) // also NaN
        return tail == 0.0 ? std::copysign(lane::infinity, q) : lane::nan;
    const double r = std::sqrt(-lane_log(tail));
    const double size = r <= 5.0 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6)
                                 : polynomial(e, r - 5.0) / polynomial(f, r - 5.0);
    return std::copysign(size, q);
}

/// Φ(z) = erfc(−z/√2)/2. The rounding of −z/√2 is carried along as `low`, for far out an ulp of
/// the argument is many of the result: erfc(y + low) = erfc(y) − low·(2/√π)·e^(−y²).
double normal_probability(double z) {
    constexpr double root_half = 0x1.6a09e667f3bcdp-1, root_half_low = -0x1.bdd3413b26456p-55;
    constexpr double two_over_root_pi = 1.1283791670955126;
    const double y = -z * root_half;
    const double low = lane::fma(-z, root_half, -y) - z * root_half_low;
    if (!(y < 30.0)) // erfc is 0 here, and y² may be infinite
        return 0.5 * lane_erfc(y);
    const double slope = y < -30.0 ? 0.0 : two_over_root_pi * lane_exp(-y * y);
    return 0.5 * (lane_erfc(y) - low * slope);
}

} // namespace gemel::sim
