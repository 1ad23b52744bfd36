#pragma once

#include "simulated.hpp"

#include <gemel/learners/vpc.hpp>

#include <span>
#include <vector>

namespace gemel::learners {

/// @throws std::invalid_argument for options out of range, in words
std::vector<VpcBin> vpc(FitEngine& engine, const PopulationPoint& point, const VpcOptions& options);

/// The quantile of type 7 of Hyndman & Fan (1996), doi:10.1080/00031305.1996.10473566. Where it
/// would lie between a number and an infinity it is the infinity.
/// @param sorted  rising, without NaN
/// @returns NaN of no number
double sorted_quantile(std::span<const double> sorted, double p);

/// Edges of bins of some equal counts: halfway between the times they part; equal times are never
/// parted.
/// @param times  sorted; @returns [bins + 1], fewer bins than asked for where times are few
std::vector<double> equal_count_edges(std::span<const double> times, int n_bins);

} // namespace gemel::learners
