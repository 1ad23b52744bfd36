#pragma once

#include <cstdint>

/// The maths of the lanes: one definition of every function, from + − × ÷ fma sqrt, comparisons and
/// bits alone, so that scalar code, every instruction set and every lane width give the same bits.
/// No branches: a loop over lanes vectorises. Methods and measured errors:
/// docs/theory/lane_math.md.
///
/// Everything is inlined always: an out-of-line copy compiled for one instruction set could be
/// linked into code meant for another.
namespace gemel::sim {

#define GEMEL_LANE [[gnu::always_inline]] inline

namespace lane {

inline constexpr double infinity = __builtin_inf();
inline constexpr double nan = __builtin_nan("");

GEMEL_LANE std::uint64_t bits(double x) {
    return __builtin_bit_cast(std::uint64_t, x);
}
GEMEL_LANE double from_bits(std::uint64_t x) {
    return __builtin_bit_cast(double, x);
}
GEMEL_LANE double fma(double a, double b, double c) {
    return __builtin_fma(a, b, c);
}

/// Both sides are computed and blended by bits, so that no compiler can make a branch of it.
GEMEL_LANE double choose(bool condition, double if_true, double if_false) {
    const std::uint64_t mask = -static_cast<std::uint64_t>(condition);
    return from_bits((bits(if_true) & mask) | (bits(if_false) & ~mask));
}
GEMEL_LANE double absolute(double x) {
    return from_bits(bits(x) & 0x7fffffffffffffffU);
}
GEMEL_LANE std::uint64_t sign_bit(double x) {
    return bits(x) & 0x8000000000000000U;
}
GEMEL_LANE double with_sign_of(double magnitude, double sign) {
    return from_bits(bits(absolute(magnitude)) | sign_bit(sign));
}

/// Adding this rounds |x| < 2^51 to the nearest integer (ties to even), left in the low bits.
inline constexpr double shifter = 0x1.8p52;

/// Nearest integer, ties to even, for every x; keeps the sign of zero.
GEMEL_LANE double round_to_integer(double x) {
    const double magnitude = absolute(x);
    const double rounded = (magnitude + 0x1p52) - 0x1p52;
    return with_sign_of(choose(magnitude < 0x1p52, rounded, magnitude), x);
}
/// 2^n for integral n in [−1022, 1023].
GEMEL_LANE double power_of_two(double n) {
    return from_bits((bits(n + shifter) + 1023U) << 52);
}

/// c0 + c1·z + c2·z² + …
template <class... Rest>
GEMEL_LANE double polynomial(double z, double c0, Rest... rest) {
    if constexpr (sizeof...(rest) == 0)
        return c0;
    else
        return fma(z, polynomial(z, rest...), c0);
}

/// An unevaluated sum; |low| is at most half an ulp of high.
struct Pair {
    double high = 0.0, low = 0.0;
};
/// Exact a + b if |a| ≥ |b| or a = 0.
GEMEL_LANE Pair fast_sum(double a, double b) {
    const double sum = a + b;
    return {sum, b - (sum - a)};
}
/// Exact a + b.
GEMEL_LANE Pair exact_sum(double a, double b) {
    const double sum = a + b;
    const double b_part = sum - a;
    return {sum, (a - (sum - b_part)) + (b - b_part)};
}
/// Product of pairs to some 2^-104.
GEMEL_LANE Pair product(Pair a, Pair b) {
    const double high = a.high * b.high;
    const double low = fma(a.high, b.high, -high) + (a.high * b.low + a.low * b.high);
    return fast_sum(high, low);
}

inline constexpr double log2_e = 0x1.71547652b82fep+0;
inline constexpr double ln2_high = 0x1.62e42fefa3800p-1; // 42 bits: n·ln2_high is exact
inline constexpr double ln2_low = 0x1.ef35793c76730p-45;

/// e^x = 2^n·(1 + fraction).
struct Exponential {
    double n = 0.0, fraction = 0.0;
};
/// For −746 ≤ high ≤ 710 (or NaN); low is a correction below an ulp of high.
GEMEL_LANE Exponential reduced_exponential(double high, double low) {
    const double n = fma(high, log2_e, shifter) - shifter;
    const double exact = fma(-n, ln2_high, high);
    const double rounded = fma(-n, ln2_low, exact);
    const Pair r = fast_sum(rounded, fma(-n, ln2_low, exact - rounded) + low);
    // (e^r − 1 − r) / r², Chebyshev fit on |r| ≤ ln2/2, error 2^-59.
    const double q = polynomial(r.high,
                                0x1.0p-1,
                                0x1.5555555555557p-3,
                                0x1.5555555555556p-5,
                                0x1.11111111100bep-7,
                                0x1.6c16c16c162c3p-10,
                                0x1.a01a01abf85abp-13,
                                0x1.a01a01a6e1e2ap-16,
                                0x1.71de01fdbf9cap-19,
                                0x1.27e4db46cddd1p-22,
                                0x1.af4e554377204p-26,
                                0x1.1f7340dbc337ep-29);
    return {n, r.high + fma(r.high * r.high, q, fma(r.low, r.high, r.low))};
}
/// 2^n·(1 + fraction) rounded once, over the whole range of doubles.
GEMEL_LANE double assemble(Exponential e) {
    const double half = fma(e.n, 0.5, shifter) - shifter;
    return ((1.0 + e.fraction) * power_of_two(half)) * power_of_two(e.n - half);
}
/// e^(high + low), any high.
GEMEL_LANE double exponential(double high, double low) {
    const double below = choose(high > 710.0, 710.0, high);
    return assemble(reduced_exponential(choose(below < -746.0, -746.0, below), low));
}

/// x = 2^k·m, m in [√½, √2), for finite x > 0, subnormal too.
struct Split {
    double k = 0.0, m = 0.0;
};
GEMEL_LANE Split split(double x) {
    const bool is_subnormal = x < 0x1p-1022;
    const double normal = x * choose(is_subnormal, 0x1p54, 1.0);
    // The bias of 1024 keeps the exponent field positive, so that a logical shift does.
    constexpr std::uint64_t root_half = 0x3fe6a09e667f3bcd;
    const std::uint64_t shifted = bits(normal) - root_half + (std::uint64_t{1024} << 52);
    const std::uint64_t field = shifted >> 52;
    const double k = from_bits(field | 0x4330000000000000U) - (0x1p52 + 1024.0);
    const double m = from_bits(bits(normal) - (field << 52) + (std::uint64_t{1024} << 52));
    return {k - choose(is_subnormal, 54.0, 0.0), m};
}

/// log(x) + correction for finite x > 0.
GEMEL_LANE double logarithm(double x, double correction) {
    const Split part = split(x);
    const double f = part.m - 1.0;
    const double s = f / (2.0 + f);
    const double z = s * s;
    // 2(atanh(s)/s − 1)/s², Chebyshev fit on |s| ≤ 0.1716, error 2^-58.
    const double r = z * polynomial(z,
                                    0x1.5555555555555p-1,
                                    0x1.9999999999a39p-2,
                                    0x1.2492492476a1ap-2,
                                    0x1.c71c7201a55d7p-3,
                                    0x1.745cf8e4bba1bp-3,
                                    0x1.3b1c3c1c81c8fp-3,
                                    0x1.0fbde0f4ad17bp-3,
                                    0x1.0c0aff044a970p-3);
    // log(1+f) = f − f²/2 + s·(f²/2 + r): only small terms are rounded before the last sum.
    const double half_square = 0.5 * f * f;
    const double small = fma(s, half_square + r, fma(part.k, ln2_low, correction));
    const Pair sum = fast_sum(part.k * ln2_high, f);
    return sum.high + (sum.low + (small - half_square));
}

/// log(x) for finite x > 0 with relative error below 2^-64.
GEMEL_LANE Pair precise_logarithm(double x) {
    const Split part = split(x);
    const double f = part.m - 1.0;
    const double d = 2.0 + f;
    const double d_low = f - (d - 2.0);
    const double s_high = f / d;
    const Pair s{s_high, (fma(-s_high, d, f) - s_high * d_low) / d};
    const Pair z = product(s, s);
    // (2(atanh(s)/s − 1)/s² − 2/3)/s², Chebyshev fit, error 2^-58; 2/3 itself is a pair.
    const double q = polynomial(z.high,
                                0x1.999999999999ap-2,
                                0x1.2492492492522p-2,
                                0x1.c71c71c6ea5acp-3,
                                0x1.745d177ad436ap-3,
                                0x1.3b1395b82701ep-3,
                                0x1.1118cd67251c5p-3,
                                0x1.df7ba1f4809c3p-4,
                                0x1.e03a7acf07f85p-4);
    const Pair two_thirds{0x1.5555555555555p-1, 0x1.5555555555555p-55};
    Pair u = fast_sum(two_thirds.high, z.high * q);
    u.low += two_thirds.low;
    const Pair tail = product(product(z, u), s);
    const Pair lead = fast_sum(part.k * ln2_high, 2.0 * s.high);
    const Pair sum = fast_sum(lead.high, tail.high);
    const double low = sum.low + (lead.low + (fma(part.k, ln2_low, 2.0 * s.low) + tail.low));
    return fast_sum(sum.high, low);
}

/// x − n·π/2 as a pair in [−π/4, π/4], and n modulo 4 in the low bits of `quadrant`.
struct Angle {
    Pair r;
    std::uint64_t quadrant = 0;
};
GEMEL_LANE Angle reduced_angle(double x) {
    const double shifted = fma(x, 0x1.45f306dc9c883p-1, shifter);
    const double n = shifted - shifter;
    // π/2 in three parts; the first two have 33 bits, so that their products with n are exact.
    const double a = x - n * 0x1.921fb54400000p+0;
    const Pair b = exact_sum(a, -(n * 0x1.0b4611a600000p-34));
    const Pair r = exact_sum(b.high, -(n * 0x1.3198a2e037073p-69));
    return {{r.high, r.low + b.low}, bits(shifted)};
}
GEMEL_LANE double sine_kernel(Pair r) {
    const double z = r.high * r.high;
    const double p = polynomial(z,
                                -0x1.5555555555555p-3,
                                0x1.1111111110ba5p-7,
                                -0x1.a01a019e8069ap-13,
                                0x1.71de3792528abp-19,
                                -0x1.ae60069ee3ecfp-26,
                                0x1.5e09858a97437p-33);
    const double low = fma(-0.5 * z, r.low, r.low);
    return r.high + fma(z * r.high, p, low);
}
GEMEL_LANE double cosine_kernel(Pair r) {
    const double z = r.high * r.high;
    const double p = polynomial(z,
                                0x1.5555555555555p-5,
                                -0x1.6c16c16c16960p-10,
                                0x1.a01a019f4d0f0p-16,
                                -0x1.27e4fa15bdc69p-22,
                                0x1.1eeb66b6cb12cp-29,
                                -0x1.907c0e977e8bdp-37);
    const Pair lead = fast_sum(1.0, -0.5 * z);
    return lead.high + (lead.low + fma(z * z, p, -(r.high * r.low)));
}
/// sin of an angle `quarter_turns` further on; NaN outside ±2^20·π/2.
GEMEL_LANE double sine_after(double x, std::uint64_t quarter_turns) {
    const Angle angle = reduced_angle(x);
    const std::uint64_t quadrant = angle.quadrant + quarter_turns;
    const double value = choose((quadrant & 1U) != 0, cosine_kernel(angle.r), sine_kernel(angle.r));
    const double turned = from_bits(bits(value) ^ ((quadrant & 2U) << 62));
    return choose(absolute(x) < 0x1.9p20, turned, nan);
}

/// erf(x)/x for |x| ≤ 1, Chebyshev fit in x², error 2^-62.
GEMEL_LANE double erf_over_x(double x) {
    return polynomial(x * x,
                      0x1.20dd750429b6dp+0,
                      -0x1.812746b0379e6p-2,
                      0x1.ce2f21a042b30p-4,
                      -0x1.b82ce31284e00p-6,
                      0x1.565bcd0dbaa38p-8,
                      -0x1.c02db3dac435fp-11,
                      0x1.f9a321d5b8e1ep-14,
                      -0x1.f4d1e3183f7aep-17,
                      0x1.b9df224ca4b97p-20,
                      -0x1.5f1ecb6f0764cp-23,
                      0x1.f7b4bf3b13964p-27,
                      -0x1.389d4f2641625p-30,
                      0x1.05ffd737fb32ep-34);
}
/// erfc(x) for x ≥ 0.5: exp(−x²)·g(t)/(1 + 2x), t = (x − 3.75)/(x + 3.75) (Shepherd and Laframboise
/// 1981); g is our own Chebyshev fit, error 2^-57.
GEMEL_LANE double upper_erfc(double x) {
    const double limited = choose(x > 30.0, 30.0, x);
    const double square = limited * limited;
    const double square_low = fma(limited, limited, -square);
    const double t = (limited - 3.75) / (limited + 3.75);
    const double g = polynomial(t,
                                0x1.3ccda0b5d5dc2p+0,
                                -0x1.1f367683f89a7p-3,
                                0x1.d5f294815b0d0p-9,
                                0x1.510169d0967dfp-4,
                                -0x1.bda9309a2b2b4p-4,
                                0x1.7a14188a9a287p-4,
                                -0x1.e0d0fa6d73e4ap-5,
                                0x1.d0b0037da1e24p-6,
                                -0x1.3f603c5200febp-7,
                                0x1.cc3a0e438b6b5p-10,
                                0x1.33fb42f808fbfp-12,
                                -0x1.303fa17b20856p-12,
                                0x1.b13f75fcbd76bp-15,
                                0x1.778b52e5b3d65p-16,
                                -0x1.7fc9ac3ceddaep-17,
                                -0x1.055f130b5bb8fp-20,
                                0x1.d28d9ece83670p-20,
                                -0x1.e605e8fface5ep-25,
                                -0x1.02469feb80891p-22,
                                0x1.7ca4b56803c57p-26,
                                0x1.a77fbce501202p-26,
                                -0x1.83752a92529c5p-29);
    return exponential(-square, -square_low) * (g / fma(2.0, limited, 1.0));
}

/// |x|^y for finite x ≠ 0, |x| ≠ 1.
GEMEL_LANE double positive_power(double x, double y) {
    const Pair log_x = precise_logarithm(x);
    const double high = y * log_x.high;
    const double low = fma(y, log_x.low, fma(y, log_x.high, -high));
    // Far out of range `low` may be inf − inf; the result is 0 or infinity without it.
    return exponential(high, choose(absolute(high) < 800.0, low, 0.0));
}

} // namespace lane

/// a where a < b, else b: a NaN on either side gives b. Not the instruction's own rule.
GEMEL_LANE double lane_min(double a, double b) {
    return lane::choose(a < b, a, b);
}
GEMEL_LANE double lane_max(double a, double b) {
    return lane::choose(a > b, a, b);
}

GEMEL_LANE double lane_exp(double x) {
    return lane::exponential(x, 0.0);
}

/// e^x − 1, exact in sign and small values.
GEMEL_LANE double lane_expm1(double x) {
    const double below = lane::choose(x > 710.0, 710.0, x);
    const double limited = lane::choose(below < -40.0, -40.0, below);
    const lane::Exponential e = lane::reduced_exponential(limited, 0.0);
    const double scale = lane::power_of_two(lane::choose(e.n > 64.0, 64.0, e.n));
    const double small = lane::fma(scale, e.fraction, scale - 1.0);
    const double value = lane::choose(x > 40.0, lane::assemble(e), small);
    return lane::choose(x == 0.0, x, value);
}

/// Natural logarithm: −∞ at ±0, NaN below.
GEMEL_LANE double lane_log(double x) {
    const double value = lane::logarithm(x, 0.0);
    const double edge = lane::choose(x == 0.0, -lane::infinity, lane::nan);
    const bool is_regular = (x > 0.0) & (x < lane::infinity);
    return lane::choose(is_regular, value, lane::choose(x == lane::infinity, x, edge));
}

/// log(1 + x): −∞ at −1, NaN below, ±0 at ±0.
GEMEL_LANE double lane_log1p(double x) {
    const lane::Pair u = lane::exact_sum(1.0, x);
    const double value = lane::logarithm(u.high, u.low / u.high);
    const double edge = lane::choose(x == -1.0, -lane::infinity, lane::nan);
    const bool is_regular = (x > -1.0) & (x < lane::infinity);
    const bool is_fixed = (x == 0.0) | (x == lane::infinity);
    return lane::choose(is_fixed, x, lane::choose(is_regular, value, edge));
}

/// x^y with C's rules: x^0 = 1^y = 1 even for NaN; negative x needs an integral y; 0^y is 0 or ∞.
GEMEL_LANE double lane_pow(double x, double y) {
    const double size = lane::absolute(x);
    const bool is_zero = size == 0.0, is_infinite = size == lane::infinity;
    const double regular = lane::positive_power(lane::choose(is_zero | is_infinite, 1.0, size), y);
    const double at_zero = lane::choose(y < 0.0, lane::infinity, 0.0);
    const double at_infinity = lane::choose(y < 0.0, 0.0, lane::infinity);
    double magnitude = lane::choose(is_zero, at_zero, regular);
    magnitude = lane::choose(is_infinite, at_infinity, magnitude);
    magnitude = lane::choose(size == 1.0, 1.0, magnitude);

    const double half = 0.5 * y;
    const bool is_integral = lane::round_to_integer(y) == y;
    const bool is_odd = is_integral & (lane::round_to_integer(half) != half);
    const double flipped = lane::choose(is_odd, -magnitude, magnitude);
    const bool is_negative = lane::sign_bit(x) != 0;
    double value = lane::choose(is_negative, flipped, magnitude);
    value = lane::choose((x < 0.0) & !is_integral & !is_infinite, lane::nan, value);
    value = lane::choose((x != x) | (y != y), lane::nan, value);
    return lane::choose((x == 1.0) | (y == 0.0), 1.0, value);
}

/// Accurate for |x| < 2^20·π/2 (1.6e6); NaN beyond, rather than a wrong number.
GEMEL_LANE double lane_sin(double x) {
    return lane::choose(x == 0.0, x, lane::sine_after(x, 0));
}
/// As lane_sin.
GEMEL_LANE double lane_cos(double x) {
    return lane::sine_after(x, 1);
}

GEMEL_LANE double lane_tanh(double x) {
    const double size = lane::absolute(x);
    const double t = lane_expm1(2.0 * lane::choose(size > 22.0, 22.0, size));
    return lane::with_sign_of(t / (t + 2.0), x);
}

/// Error function.
GEMEL_LANE double lane_erf(double x) {
    const double size = lane::absolute(x);
    const double inner = x * lane::erf_over_x(lane::choose(size < 1.0, x, 1.0));
    const double outer = 1.0 - lane::upper_erfc(lane::choose(size < 0.5, 0.5, size));
    return lane::choose(size < 1.0, inner, lane::with_sign_of(outer, x));
}

/// 1 − erf(x) without cancellation.
GEMEL_LANE double lane_erfc(double x) {
    const double size = lane::absolute(x);
    const double inner = 1.0 - x * lane::erf_over_x(lane::choose(size < 0.5, x, 0.5));
    const double tail = lane::upper_erfc(lane::choose(size < 0.5, 0.5, size));
    const double outer = lane::choose(x < 0.0, 2.0 - tail, tail);
    return lane::choose(size < 0.5, inner, outer);
}

} // namespace gemel::sim
