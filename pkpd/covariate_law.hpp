#pragma once

#include <gemel/pkpd/population.hpp>

#include <span>
#include <utility>

/// Laws of covariates by their quantiles, with the same bits everywhere
/// (docs/theory/populations.md).
namespace gemel::pkpd {

/// Where a subject stands in a law: the probability below it and above it, each with all its
/// digits, and the normal score where that is what was drawn.
struct Rank {
    double below = 0.5, above = 0.5;
    std::optional<double> score;

    static Rank of_uniform(double u) { return {u, 1.0 - u, std::nullopt}; }
    static Rank of_score(double z);
};

/// The value of that rank within the truncation; the index of a category. Draws are quantiles of
/// one number per value, nothing is rejected. NaN where the law's numbers make no law (a spread
/// that is not above 0, a median of a log-normal law that is not).
double quantile(const CovariateDistribution& law, const Rank& rank);
inline double quantile(const CovariateDistribution& law, double u) {
    return quantile(law, Rank::of_uniform(u));
}

/// Sets one number of a law; a coefficient of variation becomes the sd of the log.
void set_number(CovariateDistribution& law,
                CovariateDistribution::Dependence::Number number,
                double value);

/// Probability the untruncated law gives to [lower, upper]; 1 without truncation.
double mass_within(const CovariateDistribution& law);

/// Between which values a law stays; infinite where it is not bounded or not known beforehand.
/// @param rows  of a law `row`; may be null
std::pair<double, double> support(const CovariateDistribution& law, const CohortRows* rows);

/// Index of the outcome `u` falls on: outcomes lie along [0, total) in order, each as long as its
/// probability. Never one of probability 0. At least one must be positive.
std::size_t pick(std::span<const double> cumulative, double u);
std::vector<double> cumulative_sums(std::span<const double> probabilities);

/// sd of the log of a log-normal law with this coefficient of variation: √ln(1 + cv²).
double log_sd_of_cv(double cv);

} // namespace gemel::pkpd
