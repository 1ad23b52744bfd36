#pragma once

#include <gemel/learners/fit.hpp>

#include <Eigen/Dense>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace gemel::learners {

/// A setup whose subjects are those of another, each as often as it is named. A subject that comes
/// again is one of its own, with random numbers of its own.
/// @param subjects  of the setup's data, at least one
FitSetup with_subjects(const FitSetup& setup, const std::vector<std::size_t>& subjects);

/// As many subjects as there are, drawn with replacement, by (seed, replicate).
std::vector<std::size_t>
resample(std::size_t n_subjects, std::uint64_t seed, std::uint32_t replicate);

/// Estimates of resampled data.
struct Bootstrap {
    std::vector<std::vector<double>> estimates; ///< [n − n_failed][numbers] in order of replicates
    int n_failed = 0;
    /// [n_estimated × n_estimated] with n − 1; NaN of fewer than two estimates
    Eigen::MatrixXd covariance;
};

/// The nonparametric bootstrap by subjects. Replicates go side by side, each refit on one thread.
/// Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, Chapman & Hall.
/// @param n      1 to 65535
/// @param refit  estimates, [numbers]; nothing where a fit fails. Called from many threads.
Bootstrap
bootstrap(const FitSetup& setup,
          const FitExecution& execution,
          int n,
          const std::function<std::optional<std::vector<double>>(const FitSetup&)>& refit);

} // namespace gemel::learners
