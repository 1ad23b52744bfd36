#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace gemel::sim {

inline bool all_finite(std::span<const double> values) {
    return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

} // namespace gemel::sim
