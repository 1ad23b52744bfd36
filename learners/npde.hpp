#pragma once

#include "simulated.hpp"

#include <Eigen/Dense>

#include <cstdint>
#include <vector>

namespace gemel::learners {

/// Where a measurement stands among simulated ones.
struct PredictionError {
    double pd = 0.0;   ///< share of simulated values below it, in (0, 1)
    double npde = 0.0; ///< the same once a subject's values are decorrelated, as a normal score
};

/// Of the values of one subject, against simulated values of it. Shares are clipped to ½/K from 0
/// and 1; ties count half. NaN where fewer than half of the simulations are finite.
///
/// A censored value is put where the simulated ones beyond its limit are, at random, and so are
/// simulated values beyond limits (Nguyen et al. 2012, J Pharmacokinet Pharmacodyn 39:499–518).
/// @param simulated [n_measured × K]
/// @param limits    [n_measured]
/// Source: Brendel et al. (2006), Pharm Res 23:2036–2049; Comets, Brendel & Mentré (2008), Comput
/// Methods Programs Biomed 90:154–166.
std::vector<PredictionError> prediction_errors(const FitSubject& subject,
                                               const std::vector<ValueLimits>& limits,
                                               Eigen::MatrixXd simulated,
                                               std::uint64_t seed);

/// Of all subjects, [n_subjects][n_measured], by K = 1000 simulated data sets.
std::vector<std::vector<PredictionError>>
prediction_errors(FitEngine& engine, const PopulationPoint& point, std::uint64_t seed);

} // namespace gemel::learners
