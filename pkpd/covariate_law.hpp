#pragma once

#include <gemel/pkpd/population.hpp>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

/// Laws of covariates by their quantiles, with the same bits everywhere
/// (docs/theory/populations.md).
namespace gemel::pkpd {

/// A number of a law: one for all subjects, or one each.
struct NumberColumn {
    std::span<const double> numbers; ///< [1] or [n_subjects]
    double operator[](std::size_t subject) const {
        return numbers[numbers.size() == 1 ? 0 : subject];
    }
};

/// The numbers of a law, where some may follow from other covariates.
struct LawColumns {
    NumberColumn location, spread, shape;

    /// Its own, for all; outlived by the law.
    explicit LawColumns(const CovariateDistribution& law);
    std::size_t size() const { ///< 1: for all
        return std::max({location.numbers.size(), spread.numbers.size(), shape.numbers.size()});
    }
};

/// Where subjects stand in a law: the probabilities below them, or their normal scores where these
/// are what was drawn.
struct Ranks {
    std::span<const double> numbers; ///< [n_subjects]
    bool are_scores = false;
};

/// The values of these ranks within the truncation of a law normal, lognormal, lms or uniform,
/// [n_subjects]. Draws are quantiles of one number per value, nothing is rejected. NaN where the
/// law's numbers make no law (a spread that is not above 0, a median of a log-normal law that is
/// not).
std::vector<double>
quantiles(const CovariateDistribution& law, const LawColumns& numbers, const Ranks& ranks);

/// Sets one number of a law; a coefficient of variation becomes the sd of the log.
void set_number(CovariateDistribution& law,
                CovariateDistribution::Dependence::Number number,
                double value);

/// The same of each subject; `values` are changed, and outlive the numbers.
void set_numbers(LawColumns& numbers,
                 CovariateDistribution::Dependence::Number number,
                 std::span<double> values);

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
