#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

/// The maths of the lanes: one definition of every function, from + − × ÷ fma sqrt, comparisons and
/// bits alone, so that scalar code, every instruction set and every lane width give the same bits.
/// No branches: a loop over lanes vectorises. Methods and measured errors:
/// docs/theory/lane_math.md.
///
/// Functions are written for a kind of number, with its bits and its masks: doubles, vectors of
/// them (lanes/lane_vector.hpp), of which the interpreter's kernels are made, or numbers that
/// record what is done to them (lanes/recorded_number.hpp), from which native code is made. A kind
/// brings + − × ÷, comparisons that give masks, & | ! on masks, & | ^ + − << >> on bits, and the
/// overloads of the six functions below.
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
GEMEL_LANE double square_root(double x) {
    return __builtin_sqrt(x);
}

/// Both sides are computed and blended by bits, so that no compiler can make a branch of it.
GEMEL_LANE double choose(bool condition, double if_true, double if_false) {
    const std::uint64_t mask = -static_cast<std::uint64_t>(condition);
    return from_bits((bits(if_true) & mask) | (bits(if_false) & ~mask));
}

template <class Number>
using MaskOf = decltype(std::declval<Number>() < std::declval<Number>());
template <class Number>
using BitsOf = decltype(bits(std::declval<Number>()));

template <class R>
GEMEL_LANE R absolute(R x) {
    return from_bits(bits(x) & 0x7fffffffffffffffU);
}
template <class R>
GEMEL_LANE BitsOf<R> sign_bit(R x) {
    return bits(x) & 0x8000000000000000U;
}
template <class R>
GEMEL_LANE R with_sign_of(R magnitude, R sign) {
    return from_bits(bits(absolute(magnitude)) | sign_bit(sign));
}

/// Adding this rounds |x| < 2^51 to the nearest integer (ties to even), left in the low bits.
inline constexpr double shifter = 0x1.8p52;

/// Nearest integer, ties to even, for every x; keeps the sign of zero.
template <class R>
GEMEL_LANE R round_to_integer(R x) {
    const R magnitude = absolute(x);
    const R rounded = (magnitude + 0x1p52) - 0x1p52;
    return with_sign_of(choose(magnitude < 0x1p52, rounded, magnitude), x);
}
/// 2^n for integral n in [−1022, 1023].
template <class R>
GEMEL_LANE R power_of_two(R n) {
    return from_bits((bits(n + shifter) + 1023U) << 52);
}

/// c0 + c1·z + c2·z² + …
template <class R, class... Rest>
GEMEL_LANE R polynomial(R z, double c0, Rest... rest) {
    if constexpr (sizeof...(rest) == 0)
        return c0;
    else
        return fma(z, polynomial(z, rest...), c0);
}

/// An unevaluated sum; |low| is at most half an ulp of high.
template <class R>
struct Pair {
    R high = 0.0, low = 0.0;
};
/// Exact a + b if |a| ≥ |b| or a = 0.
template <class R>
GEMEL_LANE Pair<R> fast_sum(R a, R b) {
    const R sum = a + b;
    return {sum, b - (sum - a)};
}
/// Exact a + b.
template <class R>
GEMEL_LANE Pair<R> exact_sum(R a, R b) {
    const R sum = a + b;
    const R b_part = sum - a;
    return {sum, (a - (sum - b_part)) + (b - b_part)};
}
/// Product of pairs to some 2^-104.
template <class R>
GEMEL_LANE Pair<R> product(Pair<R> a, Pair<R> b) {
    const R high = a.high * b.high;
    const R low = fma(a.high, b.high, -high) + (a.high * b.low + a.low * b.high);
    return fast_sum(high, low);
}

inline constexpr double log2_e = 0x1.71547652b82fep+0;
inline constexpr double ln2_high = 0x1.62e42fefa3800p-1; // 42 bits: n·ln2_high is exact
inline constexpr double ln2_low = 0x1.ef35793c76730p-45;

/// e^x = 2^n·(1 + fraction).
template <class R>
struct Exponential {
    R n = 0.0, fraction = 0.0;
};
/// For −746 ≤ high ≤ 710 (or NaN); low is a correction below an ulp of high.
template <class R>
GEMEL_LANE Exponential<R> reduced_exponential(R high, R low) {
    const R n = fma(high, log2_e, shifter) - shifter;
    const R exact = fma(-n, ln2_high, high);
    const R rounded = fma(-n, ln2_low, exact);
    const Pair<R> r = fast_sum(rounded, fma(-n, ln2_low, exact - rounded) + low);
    // (e^r − 1 − r) / r², Chebyshev fit on |r| ≤ ln2/2, error 2^-59.
    const R q = polynomial(r.high,
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
template <class R>
GEMEL_LANE R assemble(Exponential<R> e) {
    const R half = fma(e.n, 0.5, shifter) - shifter;
    return ((1.0 + e.fraction) * power_of_two(half)) * power_of_two(e.n - half);
}
/// e^(high + low), any high.
template <class R>
GEMEL_LANE R exponential(R high, R low) {
    const R below = choose(high > 710.0, 710.0, high);
    return assemble(reduced_exponential(choose(below < -746.0, -746.0, below), low));
}

/// x = 2^k·m, m in [√½, √2), for finite x > 0, subnormal too.
template <class R>
struct Split {
    R k = 0.0, m = 0.0;
};
template <class R>
GEMEL_LANE Split<R> split(R x) {
    const MaskOf<R> is_subnormal = x < 0x1p-1022;
    const R normal = x * choose(is_subnormal, 0x1p54, 1.0);
    // The bias of 1024 keeps the exponent field positive, so that a logical shift does.
    constexpr std::uint64_t root_half = 0x3fe6a09e667f3bcd;
    const BitsOf<R> shifted = bits(normal) - root_half + (std::uint64_t{1024} << 52);
    const BitsOf<R> field = shifted >> 52;
    const R k = from_bits(field | 0x4330000000000000U) - (0x1p52 + 1024.0);
    const R m = from_bits(bits(normal) - (field << 52) + (std::uint64_t{1024} << 52));
    return {k - choose(is_subnormal, 54.0, 0.0), m};
}

/// log(x) + correction for finite x > 0.
template <class R>
GEMEL_LANE R logarithm(R x, R correction) {
    const Split<R> part = split(x);
    const R f = part.m - 1.0;
    const R s = f / (2.0 + f);
    const R z = s * s;
    // 2(atanh(s)/s − 1)/s², Chebyshev fit on |s| ≤ 0.1716, error 2^-58.
    const R r = z * polynomial(z,
                               0x1.5555555555555p-1,
                               0x1.9999999999a39p-2,
                               0x1.2492492476a1ap-2,
                               0x1.c71c7201a55d7p-3,
                               0x1.745cf8e4bba1bp-3,
                               0x1.3b1c3c1c81c8fp-3,
                               0x1.0fbde0f4ad17bp-3,
                               0x1.0c0aff044a970p-3);
    // log(1+f) = f − f²/2 + s·(f²/2 + r): only small terms are rounded before the last sum.
    const R half_square = 0.5 * f * f;
    const R small = fma(s, half_square + r, fma(part.k, ln2_low, correction));
    const Pair<R> sum = fast_sum(part.k * ln2_high, f);
    return sum.high + (sum.low + (small - half_square));
}

/// log(x) for finite x > 0 with relative error below 2^-64.
template <class R>
GEMEL_LANE Pair<R> precise_logarithm(R x) {
    const Split<R> part = split(x);
    const R f = part.m - 1.0;
    const R d = 2.0 + f;
    const R d_low = f - (d - 2.0);
    const R s_high = f / d;
    const Pair<R> s{s_high, (fma(-s_high, d, f) - s_high * d_low) / d};
    const Pair<R> z = product(s, s);
    // (2(atanh(s)/s − 1)/s² − 2/3)/s², Chebyshev fit, error 2^-58; 2/3 itself is a pair.
    const R q = polynomial(z.high,
                           0x1.999999999999ap-2,
                           0x1.2492492492522p-2,
                           0x1.c71c71c6ea5acp-3,
                           0x1.745d177ad436ap-3,
                           0x1.3b1395b82701ep-3,
                           0x1.1118cd67251c5p-3,
                           0x1.df7ba1f4809c3p-4,
                           0x1.e03a7acf07f85p-4);
    const Pair<R> two_thirds{0x1.5555555555555p-1, 0x1.5555555555555p-55};
    Pair<R> u = fast_sum(two_thirds.high, z.high * q);
    u.low = u.low + two_thirds.low;
    const Pair<R> tail = product(product(z, u), s);
    const Pair<R> lead = fast_sum(part.k * ln2_high, 2.0 * s.high);
    const Pair<R> sum = fast_sum(lead.high, tail.high);
    const R low = sum.low + (lead.low + (fma(part.k, ln2_low, 2.0 * s.low) + tail.low));
    return fast_sum(sum.high, low);
}

/// x − n·π/2 as a pair in [−π/4, π/4], and n modulo 4 in the low bits of `quadrant`.
template <class R>
struct Angle {
    Pair<R> r;
    BitsOf<R> quadrant = std::uint64_t{0};
};
template <class R>
GEMEL_LANE Angle<R> reduced_angle(R x) {
    const R shifted = fma(x, 0x1.45f306dc9c883p-1, shifter);
    const R n = shifted - shifter;
    // π/2 in three parts; the first two have 33 bits, so that their products with n are exact.
    const R a = x - n * 0x1.921fb54400000p+0;
    const Pair<R> b = exact_sum(a, -(n * 0x1.0b4611a600000p-34));
    const Pair<R> r = exact_sum(b.high, -(n * 0x1.3198a2e037073p-69));
    return {{r.high, r.low + b.low}, bits(shifted)};
}
template <class R>
GEMEL_LANE R sine_kernel(Pair<R> r) {
    const R z = r.high * r.high;
    const R p = polynomial(z,
                           -0x1.5555555555555p-3,
                           0x1.1111111110ba5p-7,
                           -0x1.a01a019e8069ap-13,
                           0x1.71de3792528abp-19,
                           -0x1.ae60069ee3ecfp-26,
                           0x1.5e09858a97437p-33);
    const R low = fma(-0.5 * z, r.low, r.low);
    return r.high + fma(z * r.high, p, low);
}
template <class R>
GEMEL_LANE R cosine_kernel(Pair<R> r) {
    const R z = r.high * r.high;
    const R p = polynomial(z,
                           0x1.5555555555555p-5,
                           -0x1.6c16c16c16960p-10,
                           0x1.a01a019f4d0f0p-16,
                           -0x1.27e4fa15bdc69p-22,
                           0x1.1eeb66b6cb12cp-29,
                           -0x1.907c0e977e8bdp-37);
    const Pair<R> lead = fast_sum(R(1.0), -0.5 * z);
    return lead.high + (lead.low + fma(z * z, p, -(r.high * r.low)));
}
/// sin of an angle `quarter_turns` further on; NaN outside ±2^20·π/2.
template <class R>
GEMEL_LANE R sine_after(R x, std::uint64_t quarter_turns) {
    const Angle<R> angle = reduced_angle(x);
    const BitsOf<R> quadrant = angle.quadrant + quarter_turns;
    const R value = choose((quadrant & 1U) != 0, cosine_kernel(angle.r), sine_kernel(angle.r));
    const R turned = from_bits(bits(value) ^ ((quadrant & 2U) << 62));
    return choose(absolute(x) < 0x1.9p20, turned, nan);
}

/// erf(x)/x for |x| ≤ 1, Chebyshev fit in x², error 2^-62.
template <class R>
GEMEL_LANE R erf_over_x(R x) {
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
template <class R>
GEMEL_LANE R upper_erfc(R x) {
    const R limited = choose(x > 30.0, 30.0, x);
    const R square = limited * limited;
    const R square_low = fma(limited, limited, -square);
    const R t = (limited - 3.75) / (limited + 3.75);
    const R g = polynomial(t,
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
template <class R>
GEMEL_LANE R positive_power(R x, R y) {
    const Pair<R> log_x = precise_logarithm(x);
    const R high = y * log_x.high;
    const R low = fma(y, log_x.low, fma(y, log_x.high, -high));
    // Far out of range `low` may be inf − inf; the result is 0 or infinity without it.
    return exponential(high, choose(absolute(high) < 800.0, low, 0.0));
}

/// a where a < b, else b: a NaN on either side gives b. Not the instruction's own rule.
template <class R>
GEMEL_LANE R lane_min(R a, R b) {
    return choose(a < b, a, b);
}
template <class R>
GEMEL_LANE R lane_max(R a, R b) {
    return choose(a > b, a, b);
}

template <class R>
GEMEL_LANE R lane_exp(R x) {
    return exponential(x, R(0.0));
}

/// e^x − 1, exact in sign and small values.
template <class R>
GEMEL_LANE R lane_expm1(R x) {
    const R below = choose(x > 710.0, 710.0, x);
    const R limited = choose(below < -40.0, -40.0, below);
    const Exponential<R> e = reduced_exponential(limited, R(0.0));
    const R scale = power_of_two(choose(e.n > 64.0, 64.0, e.n));
    const R small = fma(scale, e.fraction, scale - 1.0);
    const R value = choose(x > 40.0, assemble(e), small);
    return choose(x == 0.0, x, value);
}

/// Natural logarithm: −∞ at ±0, NaN below.
template <class R>
GEMEL_LANE R lane_log(R x) {
    const R value = logarithm(x, R(0.0));
    const R edge = choose(x == 0.0, -infinity, nan);
    const MaskOf<R> is_regular = (x > 0.0) & (x < infinity);
    return choose(is_regular, value, choose(x == infinity, x, edge));
}

/// log(1 + x): −∞ at −1, NaN below, ±0 at ±0.
template <class R>
GEMEL_LANE R lane_log1p(R x) {
    const Pair<R> u = exact_sum(R(1.0), x);
    const R value = logarithm(u.high, u.low / u.high);
    const R edge = choose(x == -1.0, -infinity, nan);
    const MaskOf<R> is_regular = (x > -1.0) & (x < infinity);
    const MaskOf<R> is_fixed = (x == 0.0) | (x == infinity);
    return choose(is_fixed, x, choose(is_regular, value, edge));
}

/// x^y with C's rules: x^0 = 1^y = 1 even for NaN; negative x needs an integral y; 0^y is 0 or ∞.
template <class R>
GEMEL_LANE R lane_pow(R x, R y) {
    const R size = absolute(x);
    const MaskOf<R> is_zero = size == 0.0, is_infinite = size == infinity;
    const R regular = positive_power(choose(is_zero | is_infinite, 1.0, size), y);
    const R at_zero = choose(y < 0.0, infinity, 0.0);
    const R at_infinity = choose(y < 0.0, 0.0, infinity);
    R magnitude = choose(is_zero, at_zero, regular);
    magnitude = choose(is_infinite, at_infinity, magnitude);
    magnitude = choose(size == 1.0, 1.0, magnitude);

    const R half = 0.5 * y;
    const MaskOf<R> is_integral = round_to_integer(y) == y;
    const MaskOf<R> is_odd = is_integral & (round_to_integer(half) != half);
    const R flipped = choose(is_odd, -magnitude, magnitude);
    const MaskOf<R> is_negative = sign_bit(x) != 0;
    R value = choose(is_negative, flipped, magnitude);
    value = choose((x < 0.0) & !is_integral & !is_infinite, nan, value);
    value = choose((x != x) | (y != y), nan, value);
    return choose((x == 1.0) | (y == 0.0), 1.0, value);
}

/// Accurate for |x| < 2^20·π/2 (1.6e6); NaN beyond, rather than a wrong number.
template <class R>
GEMEL_LANE R lane_sin(R x) {
    return choose(x == 0.0, x, sine_after(x, 0));
}
/// As lane_sin.
template <class R>
GEMEL_LANE R lane_cos(R x) {
    return sine_after(x, 1);
}

/// x^(−1/10) within 2e-3 of itself, for normal x > 0: what the choice of a step needs. Other
/// arguments give anything.
///
/// The upper half of a double's bits is nearly linear in its logarithm, which leaves 3 %; then
/// (1 − r)^(−1/10) to second order in r = 1 − x·y^10.
template <class R>
GEMEL_LANE R lane_rough_inverse_tenth_root(R x) {
    constexpr double upper_of_one = 1072693248.0; // 0x3ff00000
    constexpr double correction = 55000.0;        // makes the line's errors alike on both sides
    const R upper = from_bits((bits(x) >> 32) | 0x4330000000000000U) - 0x1p52;
    const R line = fma(upper, -0.1, 1.1 * upper_of_one - correction + 0x1p52);
    const R y = from_bits(bits(line) << 32);
    const R square = y * y, fourth = square * square;
    const R r = fma(-x, fourth * fourth * square, 1.0);
    return fma(y * r, fma(r, 0.055, 0.1), y);
}

template <class R>
GEMEL_LANE R lane_tanh(R x) {
    const R size = absolute(x);
    const R t = lane_expm1(2.0 * choose(size > 22.0, 22.0, size));
    return with_sign_of(t / (t + 2.0), x);
}

/// Error function.
template <class R>
GEMEL_LANE R lane_erf(R x) {
    const R size = absolute(x);
    const R inner = x * erf_over_x(choose(size < 1.0, x, 1.0));
    const R outer = 1.0 - upper_erfc(choose(size < 0.5, 0.5, size));
    return choose(size < 1.0, inner, with_sign_of(outer, x));
}

/// 1 − erf(x) without cancellation.
template <class R>
GEMEL_LANE R lane_erfc(R x) {
    const R size = absolute(x);
    const R inner = 1.0 - x * erf_over_x(choose(size < 0.5, x, 0.5));
    const R tail = upper_erfc(choose(size < 0.5, 0.5, size));
    const R outer = choose(x < 0.0, 2.0 - tail, tail);
    return choose(size < 0.5, inner, outer);
}

} // namespace lane

using lane::lane_cos;
using lane::lane_erf;
using lane::lane_erfc;
using lane::lane_exp;
using lane::lane_expm1;
using lane::lane_log;
using lane::lane_log1p;
using lane::lane_max;
using lane::lane_min;
using lane::lane_pow;
using lane::lane_rough_inverse_tenth_root;
using lane::lane_sin;
using lane::lane_tanh;

} // namespace gemel::sim
