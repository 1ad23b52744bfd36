#pragma once

#include <cstdint>

/// What Philox4x32-10 is made of (Salmon et al. 2011): docs/theory/random.md.
namespace gemel::sim {

inline constexpr int n_philox_rounds = 10;
inline constexpr std::uint32_t philox_multipliers[] = {0xD2511F53, 0xCD9E8D57};
inline constexpr std::uint32_t philox_key_steps[] = {0x9E3779B9, 0xBB67AE85};

} // namespace gemel::sim
