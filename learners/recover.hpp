#pragma once

#include "fit_scale.hpp"

#include <gemel/learners/recover.hpp>

#include <functional>
#include <vector>

namespace gemel::learners {

/// How each number's intervals are made: on the scale its estimate is nearest to normal on. Sds
/// and numbers that are searched for by logarithm or logit on that, others as they are.
/// [numbers.size()]
std::vector<FitScale::Transform> interval_scales(const FitData& data, const FitScale& scale);

/// Whether the 95 % interval of an estimate holds the truth: estimate ± 1.96 errors on the scale,
/// the error carried there by the scale's slope.
bool interval_holds(FitScale::Transform transform, double estimate, double error, double truth);

using FitFunction = std::function<FitResult(const FitSetup&, const FitExecution&, FitMonitor*)>;
RecoverResult recover_with(const FitFunction& fit,
                           const FitSetup& setup,
                           const FitExecution& execution,
                           int n,
                           FitMonitor* monitor);

} // namespace gemel::learners
