#pragma once

#include <vector>

namespace gemel::learners {

/// The shape k of the generalised Pareto law of the largest weights: above 0.7 their mean is not
/// to be trusted. Zhang & Stephens 2009, Technometrics 51:316–325, with the prior of Vehtari et al.
/// 2024, J Mach Learn Res 25(72):1–58. @param weights  not sorted; at least 5 tails
double pareto_shape(std::vector<double> weights);

} // namespace gemel::learners
