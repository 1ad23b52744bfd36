#pragma once

#include "marginal.hpp"

#include <optional>
#include <span>
#include <vector>

namespace gemel::learners {

/// Absorption that is slower than elimination: it sets the terminal slope, and the same curve may
/// come from the two rates exchanged.
struct FlipFlop {
    double absorption = 0.0, elimination = 0.0; ///< rates of a typical patient, per unit of time
};

/// Of a typical patient where amounts are small; none where absorption is the faster one.
std::optional<FlipFlop> find_flip_flop(const FitData& data, const PopulationPoint& point);

/// A place whose typical patient has the two rates exchanged and, where clearance and volumes are
/// parameters, the same curve; none where no parameters move the rates alone, or bounds are in the
/// way. Variances and errors are those of `start`.
std::optional<std::vector<double>> with_rates_exchanged(const FitData& data,
                                                        const FitScale& scale,
                                                        std::span<const double> at,
                                                        std::span<const double> start);

} // namespace gemel::learners
