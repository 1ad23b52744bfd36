#pragma once

#include "marginal.hpp"

namespace gemel::learners {

/// What no estimator could do anything with, told in words.
/// @throws std::invalid_argument  with all that was found, a sentence each
void check_before(const FitSetup& setup);
/// The same of predictions at the start: solves that fail, values that cannot be, parameters that
/// change nothing.
void check_start(FitEngine& engine);

} // namespace gemel::learners
