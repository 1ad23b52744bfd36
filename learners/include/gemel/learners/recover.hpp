#pragma once

#include <gemel/learners/fit.hpp>

#include <string>
#include <vector>

/// Whether a design and a method find the numbers that data were simulated with. Theory manual:
/// fit_diagnostics.md.
namespace gemel::learners {

/// An estimated number over the data sets whose fit converged. NaN: not available, as what is
/// relative to a truth of 0, or the coverage where no fit had usable errors.
struct RecoveredNumber {
    std::size_t number = 0; ///< of FitSetup::numbers
    std::string name;
    double truth = 0.0; ///< the setup's start
    double mean = 0.0;
    double bias = 0.0;                               ///< mean − truth
    double bias_error = 0.0;                         ///< its Monte Carlo standard error
    double rmse = 0.0;                               ///< root of the mean squared error
    double relative_bias = 0.0, relative_rmse = 0.0; ///< over |truth|
    double coverage = 0.0;       ///< share of 95 % intervals that hold the truth
    std::size_t n_intervals = 0; ///< there were
};

/// A fit that did not converge, or could not be made.
struct RecoverFailure {
    int data_set = 0; ///< from 0
    std::string reason;
};

struct RecoverResult {
    int n = 0, n_converged = 0;           ///< data sets
    bool is_cancelled = false;            ///< then `n` counts those that were fitted
    std::vector<RecoveredNumber> numbers; ///< those that are estimated
    std::vector<RecoverFailure> failures; ///< in order of the data sets
    /// [n_converged][FitSetup::numbers] in order of the data sets
    std::vector<std::vector<double>> estimates;
};

/// Simulates data sets from the setup's start values (effects and residual errors; doses, times,
/// covariates and limits of quantification are the data's) and fits each from the same starts.
/// Data sets go side by side; what comes out does not depend on the number of threads.
/// @param n        1 to 65535
/// @param monitor  hears of data sets alone
/// @throws std::invalid_argument for n out of range
RecoverResult
recover(const FitSetup& setup, const FitExecution& execution, int n, FitMonitor* monitor = nullptr);

} // namespace gemel::learners
