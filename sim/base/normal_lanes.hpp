#pragma once

#include "base/lane_math.hpp"

#include <cstddef>

/// The normal distribution for lanes and for one number: docs/theory/random.md.
namespace gemel::sim::lane {

// Coefficients of PPND16 in Wichura (1988): |p − ½| ≤ 0.425, then r ≤ 5, then r > 5.
inline constexpr double near_top[] = {3.3871328727963666080e0,
                                      1.3314166789178437745e+2,
                                      1.9715909503065514427e+3,
                                      1.3731693765509461125e+4,
                                      4.5921953931549871457e+4,
                                      6.7265770927008700853e+4,
                                      3.3430575583588128105e+4,
                                      2.5090809287301226727e+3};
inline constexpr double near_bottom[] = {1.0,
                                         4.2313330701600911252e+1,
                                         6.8718700749205790830e+2,
                                         5.3941960214247511077e+3,
                                         2.1213794301586595867e+4,
                                         3.9307895800092710610e+4,
                                         2.8729085735721942674e+4,
                                         5.2264952788528545610e+3};
inline constexpr double tail_top[] = {1.42343711074968357734e0,
                                      4.63033784615654529590e0,
                                      5.76949722146069140550e0,
                                      3.64784832476320460504e0,
                                      1.27045825245236838258e0,
                                      2.41780725177450611770e-1,
                                      2.27238449892691845833e-2,
                                      7.74545014278341407640e-4};
inline constexpr double tail_bottom[] = {1.0,
                                         2.05319162663775882187e0,
                                         1.67638483018380384940e0,
                                         6.89767334985100004550e-1,
                                         1.48103976427480074590e-1,
                                         1.51986665636164571966e-2,
                                         5.47593808499534494600e-4,
                                         1.05075007164441684324e-9};
inline constexpr double far_top[] = {6.65790464350110377720e0,
                                     5.46378491116411436990e0,
                                     1.78482653991729133580e0,
                                     2.96560571828504891230e-1,
                                     2.65321895265761230930e-2,
                                     1.24266094738807843860e-3,
                                     2.71155556874348757815e-5,
                                     2.01033439929228813265e-7};
inline constexpr double far_bottom[] = {1.0,
                                        5.99832206555887937690e-1,
                                        1.36929880922735805310e-1,
                                        1.48753612908506148525e-2,
                                        7.86869131145613259100e-4,
                                        1.84631831751005468180e-5,
                                        1.42151175831644588870e-7,
                                        2.04426310338993978564e-15};

/// k[0] + k[1]·x + … in Horner's order, each product rounded.
template <std::size_t first = 0, std::size_t n>
GEMEL_LANE double rounded_polynomial(const double (&k)[n], double x) {
    if constexpr (first + 1 == n)
        return k[first];
    else
        return rounded_polynomial<first + 1>(k, x) * x + k[first];
}

/// The quantile's size, as top/bottom: a fraction is chosen before it is divided.
struct QuantileFraction {
    double top = 0.0, bottom = 1.0;
};
/// q = p − ½
GEMEL_LANE bool is_near_half(double q) {
    return absolute(q) <= 0.425;
}
/// With the sign of q.
GEMEL_LANE QuantileFraction quantile_near_half(double q) {
    const double r = 0.180625 - q * q;
    return {q * rounded_polynomial(near_top, r), rounded_polynomial(near_bottom, r)};
}
/// r = √(−ln of the tail), at most 5.
GEMEL_LANE QuantileFraction quantile_in_tail(double r) {
    return {rounded_polynomial(tail_top, r - 1.6), rounded_polynomial(tail_bottom, r - 1.6)};
}
/// r above 5: one number in 10^11.
GEMEL_LANE QuantileFraction quantile_far_out(double r) {
    return {rounded_polynomial(far_top, r - 5.0), rounded_polynomial(far_bottom, r - 5.0)};
}

/// Φ(z) = erfc(−z/√2)/2. The rounding of −z/√2 is carried along as `low`, for far out an ulp of
/// the argument is many of the result: erfc(y + low) = erfc(y) − low·(2/√π)·e^(−y²). Beyond ±30
/// erfc is 0 or 2, and y² may be infinite.
GEMEL_LANE double lane_normal_probability(double z) {
    constexpr double root_half = 0x1.6a09e667f3bcdp-1, root_half_low = -0x1.bdd3413b26456p-55;
    constexpr double two_over_root_pi = 1.1283791670955126;
    const double y = -z * root_half;
    const double low = fma(-z, root_half, -y) - z * root_half_low;
    const double complement = lane_erfc(y);
    const double change = low * (two_over_root_pi * lane_exp(-y * y));
    return 0.5 * choose(absolute(y) < 30.0, complement - change, complement);
}

} // namespace gemel::sim::lane
