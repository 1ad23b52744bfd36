#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Visual predictive checks: percentiles of what was measured beside those of what a model says
/// would be. Theory manual: fit_diagnostics.md.
namespace gemel::learners {

struct FitSetup;
struct FitExecution;

/// The percentiles that are compared.
inline constexpr double vpc_probabilities[] = {0.05, 0.5, 0.95};
inline constexpr std::size_t n_vpc_probabilities = 3;

struct VpcOptions {
    int n_replicates = 500; ///< 1 to 65535
    int n_bins = 0; ///< per output, at most; 0: as many as leave some 10 values each, at most 10
    /// Of bins for all outputs, rising, [n_bins + 1]: the last one is part of its bin. Empty: bins
    /// of equal counts.
    std::vector<double> edges;
    bool has_plain = true;
    bool has_corrected = false; ///< also with prediction correction, of the same simulated data
    double level = 0.9;         ///< of bands over replicates
    std::uint64_t seed = 1;
};

/// A percentile of simulated data sets: its median over them and the band of VpcOptions::level.
struct VpcBand {
    double low = 0.0, median = 0.0, high = 0.0;
};

/// The measurements of one output within a stretch of time. NaN: not available, as a percentile
/// that falls among censored values.
struct VpcBin {
    int output = 0;                            ///< of the model
    bool is_corrected = false;                 ///< values as if the bin had one typical prediction
    double from = 0.0, to = 0.0;               ///< in model time; the last bin has its end in it
    double time = 0.0;                         ///< median of the measurements'
    std::size_t n = 0;                         ///< measurements, censored ones among them
    double observed[n_vpc_probabilities] = {}; ///< in the output's unit
    VpcBand simulated[n_vpc_probabilities] = {}; ///< likewise
    double observed_censored = 0.0;              ///< share of measurements below their limit
    VpcBand simulated_censored;
};

/// @param values  of FitSetup::numbers, as FitResult has them
/// @returns output by output, each bin after the other; the corrected ones follow all others
/// @throws std::invalid_argument for options out of range, in words
///
/// Sources: Holford (2005), PAGE 14, abstract 738; prediction correction: Bergstrand et al. (2011),
/// AAPS J 13:143–151.
std::vector<VpcBin> vpc(const FitSetup& setup,
                        std::span<const double> values,
                        const VpcOptions& options,
                        const FitExecution& execution);

} // namespace gemel::learners
