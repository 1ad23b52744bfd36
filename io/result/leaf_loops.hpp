#pragma once

// Once per set of instructions: the source that includes this has its own copy of everything, and
// shares no inline function with others.
#include "leaf_kernels.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

namespace gemel::io {

namespace {

Leaf digest_bytes(const void* bytes, std::size_t size) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, size));
    Leaf leaf;
    static_assert(sizeof leaf == sizeof canonical);
    std::memcpy(&leaf, &canonical, sizeof leaf);
    return leaf;
}

#ifdef __AVX2__
constexpr std::size_t register_bytes = 32;
#else
constexpr std::size_t register_bytes = 16;
#endif

bool any_missing(const double* values, std::size_t size) {
    using Numbers = double __attribute__((vector_size(register_bytes)));
    using Mask = long long __attribute__((vector_size(register_bytes)));
    constexpr std::size_t lanes = register_bytes / sizeof(double), step = 4 * lanes;
    Mask missing{};
    std::size_t i = 0;
    for (; i + step <= size; i += step) {
        Numbers a, b, c, d; // each copied alone: an array of them would go by way of memory
        std::memcpy(&a, values + i, sizeof a);
        std::memcpy(&b, values + i + lanes, sizeof b);
        std::memcpy(&c, values + i + 2 * lanes, sizeof c);
        std::memcpy(&d, values + i + 3 * lanes, sizeof d);
        missing |= (a != a) | (b != b) | (c != c) | (d != d);
    }
    long long any = 0;
    for (std::size_t lane = 0; lane < lanes; ++lane)
        any |= missing[lane];
    bool is_missing = any != 0;
    for (; i < size; ++i)
        is_missing |= values[i] != values[i];
    return is_missing;
}

constexpr LeafKernels leaf_kernels_of_this_set{digest_bytes, any_missing};

} // namespace

} // namespace gemel::io
