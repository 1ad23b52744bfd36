#pragma once

#include "base/lane_math.hpp"
#include "solve/exact/kernels.hpp"

#include <cstring>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

/// A pack in registers, for each instruction set. Loads and stores are of whole columns, aligned to
/// 64 bytes, unless they say otherwise.
namespace gemel::sim::exact {
namespace {

#if defined(__AVX512F__)

struct Vector {
    __m512d all;
};
GEMEL_LANE Vector zero() {
    return {_mm512_setzero_pd()};
}
GEMEL_LANE Vector load(const double* from) {
    return {_mm512_load_pd(from)};
}
GEMEL_LANE void store(Vector x, double* to) {
    _mm512_store_pd(to, x.all);
}
GEMEL_LANE void store_anywhere(Vector x, double* to) {
    _mm512_storeu_pd(to, x.all);
}
GEMEL_LANE Vector repeat(const double* from) {
    return {_mm512_set1_pd(*from)};
}
GEMEL_LANE Vector add(Vector a, Vector b) {
    return {_mm512_add_pd(a.all, b.all)};
}
GEMEL_LANE Vector multiply(Vector a, Vector b) {
    return {_mm512_mul_pd(a.all, b.all)};
}
GEMEL_LANE Vector multiply_add(Vector a, Vector b, Vector c) {
    return {_mm512_fmadd_pd(a.all, b.all, c.all)};
}
/// a where x is not 0, else b
GEMEL_LANE Vector unless_0(Vector x, Vector a, Vector b) {
    const __mmask8 mask = _mm512_cmp_pd_mask(x.all, _mm512_setzero_pd(), _CMP_NEQ_UQ);
    return {_mm512_mask_mov_pd(b.all, mask, a.all)};
}
/// x[k][i] ← from[i][k]
GEMEL_LANE void load_transposed(const double* from, Vector (&x)[pack]) {
    for (int half = 0; half < pack; half += 4) {
        // Rows i and i + 4 side by side, columns half … half + 3.
        __m512d both[4];
        for (int i = 0; i < 4; ++i)
            both[i] =
                _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_load_pd(from + i * pack + half)),
                                   _mm256_load_pd(from + (i + 4) * pack + half),
                                   1);
        for (int odd = 0; odd < 2; ++odd) {
            const __m512d ab =
                odd == 0 ? __builtin_shufflevector(both[0], both[1], 0, 8, 2, 10, 4, 12, 6, 14)
                         : __builtin_shufflevector(both[0], both[1], 1, 9, 3, 11, 5, 13, 7, 15);
            const __m512d cd =
                odd == 0 ? __builtin_shufflevector(both[2], both[3], 0, 8, 2, 10, 4, 12, 6, 14)
                         : __builtin_shufflevector(both[2], both[3], 1, 9, 3, 11, 5, 13, 7, 15);
            x[half + odd].all = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13);
            x[half + odd + 2].all = __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
}
GEMEL_LANE void stream_line(const double* from, double* to) { // `to` is aligned
    _mm512_stream_pd(to, _mm512_loadu_pd(from));
}
GEMEL_LANE void drain() {
    _mm_sfence();
}

#elif defined(__AVX2__) && defined(__FMA__)

struct Vector {
    __m256d low, high;
};
GEMEL_LANE Vector zero() {
    return {_mm256_setzero_pd(), _mm256_setzero_pd()};
}
GEMEL_LANE Vector load(const double* from) {
    return {_mm256_load_pd(from), _mm256_load_pd(from + 4)};
}
GEMEL_LANE void store(Vector x, double* to) {
    _mm256_store_pd(to, x.low);
    _mm256_store_pd(to + 4, x.high);
}
GEMEL_LANE void store_anywhere(Vector x, double* to) {
    _mm256_storeu_pd(to, x.low);
    _mm256_storeu_pd(to + 4, x.high);
}
GEMEL_LANE Vector repeat(const double* from) {
    const __m256d all = _mm256_broadcast_sd(from);
    return {all, all};
}
GEMEL_LANE Vector add(Vector a, Vector b) {
    return {_mm256_add_pd(a.low, b.low), _mm256_add_pd(a.high, b.high)};
}
GEMEL_LANE Vector multiply(Vector a, Vector b) {
    return {_mm256_mul_pd(a.low, b.low), _mm256_mul_pd(a.high, b.high)};
}
GEMEL_LANE Vector multiply_add(Vector a, Vector b, Vector c) {
    return {_mm256_fmadd_pd(a.low, b.low, c.low), _mm256_fmadd_pd(a.high, b.high, c.high)};
}
GEMEL_LANE Vector unless_0(Vector x, Vector a, Vector b) {
    const __m256d none = _mm256_setzero_pd();
    return {_mm256_blendv_pd(b.low, a.low, _mm256_cmp_pd(x.low, none, _CMP_NEQ_UQ)),
            _mm256_blendv_pd(b.high, a.high, _mm256_cmp_pd(x.high, none, _CMP_NEQ_UQ))};
}
GEMEL_LANE void transpose_quarter(__m256d& a, __m256d& b, __m256d& c, __m256d& d) {
    const __m256d ab_low = _mm256_unpacklo_pd(a, b), ab_high = _mm256_unpackhi_pd(a, b);
    const __m256d cd_low = _mm256_unpacklo_pd(c, d), cd_high = _mm256_unpackhi_pd(c, d);
    a = _mm256_permute2f128_pd(ab_low, cd_low, 0x20);
    b = _mm256_permute2f128_pd(ab_high, cd_high, 0x20);
    c = _mm256_permute2f128_pd(ab_low, cd_low, 0x31);
    d = _mm256_permute2f128_pd(ab_high, cd_high, 0x31);
}
/// x[k][i] ← from[i][k]
GEMEL_LANE void load_transposed(const double* from, Vector (&x)[pack]) {
    for (int i = 0; i < pack; ++i)
        x[i] = load(from + i * pack);
    transpose_quarter(x[0].low, x[1].low, x[2].low, x[3].low);
    transpose_quarter(x[0].high, x[1].high, x[2].high, x[3].high);
    transpose_quarter(x[4].low, x[5].low, x[6].low, x[7].low);
    transpose_quarter(x[4].high, x[5].high, x[6].high, x[7].high);
    for (int i = 0; i < 4; ++i) {
        const __m256d high = x[i].high;
        x[i].high = x[i + 4].low;
        x[i + 4].low = high;
    }
}
GEMEL_LANE void stream_line(const double* from, double* to) {
    _mm256_stream_pd(to, _mm256_loadu_pd(from));
    _mm256_stream_pd(to + 4, _mm256_loadu_pd(from + 4));
}
GEMEL_LANE void drain() {
    _mm_sfence();
}

#else

struct Vector {
    double lane[pack];
};
GEMEL_LANE Vector zero() {
    return {};
}
GEMEL_LANE Vector load(const double* from) {
    Vector x;
    std::memcpy(&x, from, sizeof x);
    return x;
}
GEMEL_LANE void store(Vector x, double* to) {
    std::memcpy(to, &x, sizeof x);
}
GEMEL_LANE void store_anywhere(Vector x, double* to) {
    store(x, to);
}
GEMEL_LANE Vector repeat(const double* from) {
    Vector x;
    for (double& one : x.lane)
        one = *from;
    return x;
}
GEMEL_LANE Vector add(Vector a, Vector b) {
    for (int l = 0; l < pack; ++l)
        a.lane[l] += b.lane[l];
    return a;
}
GEMEL_LANE Vector multiply(Vector a, Vector b) {
    for (int l = 0; l < pack; ++l)
        a.lane[l] *= b.lane[l];
    return a;
}
GEMEL_LANE Vector multiply_add(Vector a, Vector b, Vector c) {
    for (int l = 0; l < pack; ++l)
        c.lane[l] = lane::fma(a.lane[l], b.lane[l], c.lane[l]);
    return c;
}
GEMEL_LANE Vector unless_0(Vector x, Vector a, Vector b) {
    for (int l = 0; l < pack; ++l)
        a.lane[l] = lane::choose(x.lane[l] != 0.0, a.lane[l], b.lane[l]);
    return a;
}
/// x[k][i] ← from[i][k]
GEMEL_LANE void load_transposed(const double* from, Vector (&x)[pack]) {
    for (int i = 0; i < pack; ++i)
        for (int k = 0; k < pack; ++k)
            x[k].lane[i] = from[i * pack + k];
}
GEMEL_LANE void stream_line(const double* from, double* to) {
    std::memcpy(to, from, pack * sizeof(double));
}
GEMEL_LANE void drain() {}

#endif

} // namespace
} // namespace gemel::sim::exact
