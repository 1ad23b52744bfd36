#pragma once

#include "standard_errors.hpp"

#include <gemel/learners/fit.hpp>

#include <vector>

namespace gemel::learners {

/// What the estimates should not be believed without: flip-flop kinetics, variances and errors that
/// went to 0, bounds, shrinkage, directions in which the data say little, a likelihood whose draws
/// do not carry it.
std::vector<FitWarning> find_warnings(FitEngine& engine,
                                      std::span<const double> at,
                                      const FitResult& result,
                                      const ScaleCovariance& on_scale);

} // namespace gemel::learners
