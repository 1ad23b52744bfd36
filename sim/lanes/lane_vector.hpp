#pragma once

#include "base/lane_math.hpp"

#include <cstring>
#include <type_traits>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

/// A vector register of doubles, as wide as the instruction set has them: lane_math.hpp's third
/// kind of number. Included by one source per instruction set; each has a namespace of its own, so
/// that the linker cannot merge code made for different machines.
#if defined(__AVX512DQ__)
#define GEMEL_SET x86_64_v4
#define GEMEL_VECTOR_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define GEMEL_SET x86_64_v3
#define GEMEL_VECTOR_BYTES 32
#else
#define GEMEL_SET baseline
#define GEMEL_VECTOR_BYTES 16
#endif

namespace gemel::sim::lane {
inline namespace GEMEL_SET {

inline constexpr int vector_bytes = GEMEL_VECTOR_BYTES;
inline constexpr int lanes_of_vector = vector_bytes / 8;

using Doubles [[gnu::vector_size(vector_bytes)]] = double;
using Words [[gnu::vector_size(vector_bytes)]] = std::uint64_t;
using Conditions [[gnu::vector_size(vector_bytes)]] = std::int64_t; ///< all bits of a lane, or none

struct VectorBits {
    Words all;
    GEMEL_LANE explicit VectorBits(Words words) : all(words) {}
    GEMEL_LANE VectorBits(std::uint64_t x) : all(x - Words{}) {}
};

#if defined(__AVX512DQ__)
struct VectorMask {
    __mmask8 all;
};
#else
struct VectorMask {
    Conditions all;
};
#endif

struct Vector {
    Doubles all;
    Vector() = default;
    GEMEL_LANE explicit Vector(Doubles doubles) : all(doubles) {}
    GEMEL_LANE Vector(double x) : all(x - Doubles{}) {}
};

// Arithmetic and bits are the compiler's own on all sets.
GEMEL_LANE Vector operator-(Vector a) {
    return Vector(-a.all);
}
#define GEMEL_VECTOR(Type, symbol)                                                                 \
    GEMEL_LANE Type operator symbol(Type a, Type b) {                                              \
        return Type(a.all symbol b.all);                                                           \
    }
GEMEL_VECTOR(Vector, +)
GEMEL_VECTOR(Vector, -)
GEMEL_VECTOR(Vector, *)
GEMEL_VECTOR(Vector, /)
GEMEL_VECTOR(VectorBits, &)
GEMEL_VECTOR(VectorBits, |)
GEMEL_VECTOR(VectorBits, ^)
GEMEL_VECTOR(VectorBits, +)
GEMEL_VECTOR(VectorBits, -)
#undef GEMEL_VECTOR
GEMEL_LANE VectorBits operator<<(VectorBits a, int by) {
    return VectorBits(a.all << by);
}
GEMEL_LANE VectorBits operator>>(VectorBits a, int by) {
    return VectorBits(a.all >> by);
}
GEMEL_LANE VectorBits bits(Vector x) {
    return VectorBits(reinterpret_cast<Words>(x.all));
}
GEMEL_LANE Vector from_bits(VectorBits x) {
    return Vector(reinterpret_cast<Doubles>(x.all));
}

// Comparisons, choice, fma and roots are the set's.
#if defined(__AVX512DQ__)

#define GEMEL_VECTOR(symbol, predicate)                                                            \
    GEMEL_LANE VectorMask operator symbol(Vector a, Vector b) {                                    \
        return {_mm512_cmp_pd_mask(a.all, b.all, predicate)};                                      \
    }
GEMEL_VECTOR(<, _CMP_LT_OQ)
GEMEL_VECTOR(<=, _CMP_LE_OQ)
GEMEL_VECTOR(>, _CMP_GT_OQ)
GEMEL_VECTOR(==, _CMP_EQ_OQ)
GEMEL_VECTOR(!=, _CMP_NEQ_UQ)
#undef GEMEL_VECTOR
GEMEL_LANE VectorMask operator!=(VectorBits a, VectorBits b) {
    return {_mm512_cmpneq_epu64_mask(reinterpret_cast<__m512i>(a.all),
                                     reinterpret_cast<__m512i>(b.all))};
}
GEMEL_LANE VectorMask operator&(VectorMask a, VectorMask b) {
    return {static_cast<__mmask8>(a.all & b.all)};
}
GEMEL_LANE VectorMask operator|(VectorMask a, VectorMask b) {
    return {static_cast<__mmask8>(a.all | b.all)};
}
GEMEL_LANE VectorMask operator!(VectorMask a) {
    return {static_cast<__mmask8>(~a.all)};
}
GEMEL_LANE Vector choose(VectorMask condition, Vector if_true, Vector if_false) {
    return Vector(_mm512_mask_blend_pd(condition.all, if_false.all, if_true.all));
}
GEMEL_LANE Vector fma(Vector a, Vector b, Vector c) {
    return Vector(_mm512_fmadd_pd(a.all, b.all, c.all));
}
GEMEL_LANE Vector square_root(Vector x) {
    return Vector(_mm512_maskz_sqrt_pd(0xff, x.all));
}

#else

#define GEMEL_VECTOR(symbol)                                                                       \
    GEMEL_LANE VectorMask operator symbol(Vector a, Vector b) {                                    \
        return {a.all symbol b.all};                                                               \
    }
GEMEL_VECTOR(<)
GEMEL_VECTOR(<=)
GEMEL_VECTOR(>)
GEMEL_VECTOR(==)
GEMEL_VECTOR(!=)
#undef GEMEL_VECTOR
GEMEL_LANE VectorMask operator!=(VectorBits a, VectorBits b) {
    return {a.all != b.all};
}
GEMEL_LANE VectorMask operator&(VectorMask a, VectorMask b) {
    return {a.all & b.all};
}
GEMEL_LANE VectorMask operator|(VectorMask a, VectorMask b) {
    return {a.all | b.all};
}
GEMEL_LANE VectorMask operator!(VectorMask a) {
    return {~a.all};
}
#if defined(__AVX2__) && defined(__FMA__)
GEMEL_LANE Vector choose(VectorMask condition, Vector if_true, Vector if_false) {
    return Vector(
        _mm256_blendv_pd(if_false.all, if_true.all, reinterpret_cast<Doubles>(condition.all)));
}
GEMEL_LANE Vector fma(Vector a, Vector b, Vector c) {
    return Vector(_mm256_fmadd_pd(a.all, b.all, c.all));
}
GEMEL_LANE Vector square_root(Vector x) {
    return Vector(_mm256_sqrt_pd(x.all));
}
#else
GEMEL_LANE Vector choose(VectorMask condition, Vector if_true, Vector if_false) {
    const Words mask = reinterpret_cast<Words>(condition.all);
    return from_bits(VectorBits((bits(if_true).all & mask) | (bits(if_false).all & ~mask)));
}
GEMEL_LANE Vector fma(Vector a, Vector b, Vector c) {
    for (int i = 0; i < lanes_of_vector; ++i)
        c.all[i] = lane::fma(a.all[i], b.all[i], c.all[i]);
    return c;
}
GEMEL_LANE Vector square_root(Vector x) {
    for (int i = 0; i < lanes_of_vector; ++i)
        x.all[i] = lane::square_root(x.all[i]);
    return x;
}
#endif
#endif

/// Two of a kind side by side: while one waits for its last result, the other computes.
template <class T>
struct Twice {
    T first, second;
    Twice() = default;
    GEMEL_LANE Twice(T a, T b) : first(a), second(b) {}
    template <class Constant>
    requires std::is_arithmetic_v<Constant> GEMEL_LANE Twice(Constant x) : first(x), second(x) {}

#define GEMEL_TWICE(symbol)                                                                        \
    GEMEL_LANE friend auto operator symbol(Twice a, Twice b) {                                     \
        return Twice<decltype(a.first symbol b.first)>(a.first symbol b.first,                     \
                                                       a.second symbol b.second);                  \
    }
    GEMEL_TWICE(+)
    GEMEL_TWICE(-)
    GEMEL_TWICE(*)
    GEMEL_TWICE(/)
    GEMEL_TWICE(&)
    GEMEL_TWICE(|)
    GEMEL_TWICE(^)
    GEMEL_TWICE(<)
    GEMEL_TWICE(<=)
    GEMEL_TWICE(>)
    GEMEL_TWICE(==)
    GEMEL_TWICE(!=)
#undef GEMEL_TWICE
    GEMEL_LANE friend Twice operator-(Twice a) {
        return {-a.first, -a.second};
    }
    GEMEL_LANE friend Twice operator!(Twice a) {
        return {!a.first, !a.second};
    }
    GEMEL_LANE friend Twice operator<<(Twice a, int by) {
        return {a.first << by, a.second << by};
    }
    GEMEL_LANE friend Twice operator>>(Twice a, int by) {
        return {a.first >> by, a.second >> by};
    }
};

using Vectors = Twice<Vector>;
GEMEL_LANE Twice<VectorBits> bits(Vectors x) {
    return {bits(x.first), bits(x.second)};
}
GEMEL_LANE Vectors from_bits(Twice<VectorBits> x) {
    return {from_bits(x.first), from_bits(x.second)};
}
GEMEL_LANE Vectors choose(Twice<VectorMask> condition, Vectors if_true, Vectors if_false) {
    return {choose(condition.first, if_true.first, if_false.first),
            choose(condition.second, if_true.second, if_false.second)};
}
GEMEL_LANE Vectors fma(Vectors a, Vectors b, Vectors c) {
    return {fma(a.first, b.first, c.first), fma(a.second, b.second, c.second)};
}

/// Before code that knows no such registers: else it is slow on some machines.
GEMEL_LANE void leave_vectors() {
#if defined(__AVX2__)
    _mm256_zeroupper();
#endif
}

} // namespace GEMEL_SET
} // namespace gemel::sim::lane
