#pragma once

#include <gemel/pkpd/population.hpp>

#include <span>

/// Laws of covariates by their quantiles, with the same bits everywhere
/// (docs/theory/populations.md).
namespace gemel::pkpd {

/// The value whose probability of not being exceeded is `u`, within the truncation; the index of a
/// category. Draws are quantiles of a uniform number: one number per value, nothing is rejected.
double quantile(const CovariateDistribution& law, double u);

/// Probability the untruncated law gives to [lower, upper]; 1 without truncation.
double mass_within(const CovariateDistribution& law);

/// Index of the outcome `u` falls on: outcomes lie along [0, total) in order, each as long as its
/// probability. Never one of probability 0. At least one must be positive.
std::size_t pick(std::span<const double> cumulative, double u);
std::vector<double> cumulative_sums(std::span<const double> probabilities);

/// sd of the log of a log-normal law with this coefficient of variation: √ln(1 + cv²).
double log_sd_of_cv(double cv);

} // namespace gemel::pkpd
