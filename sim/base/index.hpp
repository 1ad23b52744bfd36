#pragma once

#include <concepts>
#include <cstddef>

namespace gemel::sim {

/// A count or number of the engine's signed arithmetic as the index of a container.
constexpr std::size_t index(std::integral auto i) {
    return static_cast<std::size_t>(i);
}

} // namespace gemel::sim
