#pragma once

#include <gemel/io/resources.hpp>
#include <gemel/learners/fit.hpp>
#include <gemel/learners/recover.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

/// What becomes of a fit: a table to be read, a file of results, a model with the estimates.
/// Guide: docs/guide/fit.md.
namespace gemel::learners {

/// Who asked and what answered, for provenance.
struct FitOrigin {
    std::string version; ///< of the program
    std::string command; ///< as it could be typed again
};

/// Criteria that weigh the likelihood against the numbers estimated. NaN: there is no likelihood.
struct InformationCriteria {
    std::size_t n_estimated = 0, n_subjects = 0, n_observations = 0;
    /// Of parameters that vary between subjects or occasions: typical values and elements of Ω.
    std::size_t n_varying = 0;
    double aic = 0.0; ///< −2LL + 2p
    double bic = 0.0; ///< −2LL + p·log n_subjects
    double bicc = 0.0; ///< −2LL + n_varying·log n_subjects + (p − n_varying)·log n_observations
};
InformationCriteria criteria_of(const FitSetup& setup, const FitResult& result);

/// The 95 % interval of a number by its standard error: of the logarithm for numbers that are
/// positive by their nature, of the number itself otherwise.
struct ConfidenceInterval {
    double lower = 0.0, upper = 0.0;
};
ConfidenceInterval
interval_of(const FitNumber& number, const pkpd::Model& model, double value, double standard_error);

/// Standard errors of all numbers, by the uncertainty to use first; NaN where there is none.
std::vector<double> standard_errors(const FitSetup& setup, const FitResult& result);

/// The table. What is not known is said so, with the reason.
std::string fit_table(const FitSetup& setup, const FitResult& result);

/// The table of a recovery: bias, error and coverage of every number that was estimated.
std::string recovery_table(const FitSetup& setup, const RecoverResult& result);

/// NAME.h5, layout `gemel-fit/1`. @throws std::runtime_error with the path and the reason
void write_fit_file(const FitSetup& setup,
                    const FitResult& result,
                    const FitOrigin& origin,
                    const std::filesystem::path& path);

/// The text of a model file with the estimates, and their joint covariance as `[uncertainty]`.
/// @param written  where it will stand
std::string calibrated_model(const FitSetup& setup,
                             const FitResult& result,
                             const io::Library& library,
                             const std::filesystem::path& written);

} // namespace gemel::learners
