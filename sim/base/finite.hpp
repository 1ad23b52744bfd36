#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace gemel::sim {

/// Without branches, so that compilers take several numbers at once.
inline bool all_finite(std::span<const double> values) {
    // An exponent of ones alone is infinity's or no number's: one more carries into the sign.
    constexpr std::uint64_t sign = std::uint64_t{1} << 63, unit = std::uint64_t{1} << 52;
    std::uint64_t any = 0;
    for (const double x : values)
        any |= (std::bit_cast<std::uint64_t>(x) & ~sign) + unit;
    return any < sign;
}

} // namespace gemel::sim
