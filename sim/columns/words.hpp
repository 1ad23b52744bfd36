#pragma once

#include "base/lane_math.hpp"

#include <cstring>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

/// Words of 32 bits side by side, each in the lower half of 64, for each instruction set. What lies
/// in upper halves is anything: the product does not read it.
namespace gemel::sim::columns {
namespace {

#if defined(__AVX512F__)
constexpr std::size_t n_words = 8;
#elif defined(__AVX2__)
constexpr std::size_t n_words = 4;
#else
constexpr std::size_t n_words = 2;
#endif
using Words [[gnu::vector_size(8 * n_words)]] = std::uint64_t;

/// Of the lower halves, 64 bits long.
GEMEL_LANE Words product(Words a, Words b) {
#if defined(__AVX512F__)
    // All lanes by a mask: g++ 12 takes the plain one for a use of something without a value.
    return reinterpret_cast<Words>(
        _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
    return reinterpret_cast<Words>(
        _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
    constexpr std::uint64_t lower = 0xffffffff;
    return (a & lower) * (b & lower);
#endif
}
GEMEL_LANE Words all(std::uint64_t word) {
    return Words{} + word;
}
GEMEL_LANE Words load(const std::uint64_t* from) {
    Words words;
    std::memcpy(&words, from, sizeof words);
    return words;
}

} // namespace
} // namespace gemel::sim::columns
