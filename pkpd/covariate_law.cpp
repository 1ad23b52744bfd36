#include "covariate_law.hpp"

#include <gemel/sim/expression.hpp>
#include <gemel/sim/random.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::pkpd {
namespace {

using Law = CovariateDistribution::Law;

constexpr double infinity = std::numeric_limits<double>::infinity();

double exponential(double x) {
    return sim::apply(sim::Op::exponential, x, 0.0, 0.0);
}
double logarithm(double x) {
    return sim::apply(sim::Op::logarithm, x, 0.0, 0.0);
}

/// Where a bound lies on the standard normal scale.
double standardised(const CovariateDistribution& law, double bound) {
    if (law.law == Law::normal) return (bound - law.location) / law.spread;
    if (!(bound > 0.0)) return -infinity;
    const double log_ratio = logarithm(bound / law.location);
    if (law.law == Law::lognormal || law.shape == 0.0) return log_ratio / law.spread;
    return sim::apply(sim::Op::expm1, law.shape * log_ratio, 0.0, 0.0) / (law.shape * law.spread);
}

struct Interval {
    double lower = -infinity, upper = infinity;
    bool is_all() const { return lower == -infinity && upper == infinity; }
};

/// Of the scores that have a value: 1 + L·S·z must be above 0.
Interval possible_scores(const CovariateDistribution& law) {
    if (law.law != Law::lms || law.shape == 0.0) return {};
    const double end = -1.0 / (law.shape * law.spread);
    return law.shape > 0.0 ? Interval{end, infinity} : Interval{-infinity, end};
}

Interval normal_interval(const CovariateDistribution& law) {
    Interval z = possible_scores(law);
    if (law.lower) z.lower = std::max(z.lower, standardised(law, *law.lower));
    if (law.upper) z.upper = std::min(z.upper, standardised(law, *law.upper));
    return z;
}

/// Both ends on the side of the smaller tail, where probabilities near 0 keep all their digits:
/// F(−z) = 1 − F(z).
struct TailInterval {
    double from = 0.0, to = 1.0; ///< probabilities, from ≤ to
    bool is_mirrored = false;
};

double probability(double z) {
    return z == infinity ? 1.0 : z == -infinity ? 0.0 : sim::normal_probability(z);
}

TailInterval tail_interval(const Interval& z) {
    const bool is_mirrored = z.lower > 0.0;
    return is_mirrored ? TailInterval{probability(-z.upper), probability(-z.lower), true}
                       : TailInterval{probability(z.lower), probability(z.upper), false};
}

/// F⁻¹(F(lower) + u·(F(upper) − F(lower))), measured from the upper end where mirrored.
double truncated_normal(const Interval& z, const Rank& rank) {
    if (z.is_all()) return rank.score ? *rank.score : sim::normal_quantile(rank.below);
    const TailInterval tail = tail_interval(z);
    const double share = tail.is_mirrored ? rank.above : rank.below;
    const double p = std::clamp(tail.from + share * (tail.to - tail.from),
                                std::numeric_limits<double>::min(),
                                1.0 - std::numeric_limits<double>::epsilon() / 2.0);
    const double value = sim::normal_quantile(p);
    return std::clamp(tail.is_mirrored ? -value : value, z.lower, z.upper);
}

double within(const CovariateDistribution& law, double value) {
    if (law.lower) value = std::max(value, *law.lower);
    if (law.upper) value = std::min(value, *law.upper);
    return value;
}

/// M·(1 + L·S·z)^(1/L), whose limit for L → 0 is M·exp(S·z).
double lms_value(const CovariateDistribution& law, double z) {
    const double x = law.spread * z;
    const double log_ratio =
        law.shape == 0.0 ? x : sim::apply(sim::Op::log1p, law.shape * x, 0.0, 0.0) / law.shape;
    return law.location * exponential(log_ratio);
}

/// Numbers that follow from other covariates may make no law.
bool is_law(const CovariateDistribution& law) {
    switch (law.law) {
    case Law::normal:
        return std::isfinite(law.location) && law.spread > 0.0;
    case Law::lognormal:
    case Law::lms:
        return law.location > 0.0 && law.spread > 0.0 && std::isfinite(law.shape);
    case Law::uniform:
        return law.location < law.spread;
    default:
        return true;
    }
}

Interval uniform_interval(const CovariateDistribution& law) {
    return {std::max(law.location, law.lower.value_or(-infinity)),
            std::min(law.spread, law.upper.value_or(infinity))};
}

} // namespace

Rank Rank::of_score(double z) {
    return {sim::normal_probability(z), sim::normal_probability(-z), z};
}

double quantile(const CovariateDistribution& law, const Rank& rank) {
    if (!is_law(law)) return std::numeric_limits<double>::quiet_NaN();
    switch (law.law) {
    case Law::fixed:
        return law.location;
    case Law::normal:
        // The rounding of location + spread·z may leave the interval by an ulp.
        return within(law,
                      law.location + law.spread * truncated_normal(normal_interval(law), rank));
    case Law::lognormal:
        return within(law,
                      law.location *
                          exponential(law.spread * truncated_normal(normal_interval(law), rank)));
    case Law::lms:
        return within(law, lms_value(law, truncated_normal(normal_interval(law), rank)));
    case Law::uniform: {
        const Interval ends = uniform_interval(law);
        return std::min(ends.lower + rank.below * (ends.upper - ends.lower), ends.upper);
    }
    case Law::categorical:
        return static_cast<double>(pick(cumulative_sums(law.probabilities), rank.below));
    case Law::row:
    case Law::data:
        break; // not a law of its own: drawn with its row, or read
    }
    return std::numeric_limits<double>::quiet_NaN();
}

void set_number(CovariateDistribution& law,
                CovariateDistribution::Dependence::Number number,
                double value) {
    using Number = CovariateDistribution::Dependence::Number;
    switch (number) {
    case Number::location:
        law.location = value;
        return;
    case Number::spread:
        law.spread = value;
        return;
    case Number::shape:
        law.shape = value;
        return;
    case Number::cv:
        law.spread = log_sd_of_cv(value);
        return;
    }
}

double mass_within(const CovariateDistribution& law) {
    if (law.law == Law::uniform) {
        const Interval ends = uniform_interval(law);
        return std::max(0.0, ends.upper - ends.lower) / (law.spread - law.location);
    }
    if (law.law == Law::fixed || law.law == Law::categorical || law.law == Law::row ||
        law.law == Law::data)
        return 1.0;
    const TailInterval tail = tail_interval(normal_interval(law));
    return tail.to - tail.from;
}

std::pair<double, double> support(const CovariateDistribution& law, const CohortRows* rows) {
    const std::pair within{law.lower.value_or(-infinity), law.upper.value_or(infinity)};
    if (!law.dependences.empty()) return within;
    if (law.law == Law::fixed) return {law.location, law.location};
    if (law.law == Law::row && rows != nullptr) {
        const auto first =
            rows->values.begin() + static_cast<std::ptrdiff_t>(law.column * rows->n_rows);
        const auto [least, most] =
            std::minmax_element(first, first + static_cast<std::ptrdiff_t>(rows->n_rows));
        return {*least, *most};
    }
    if (law.law != Law::uniform) return within;
    const Interval ends = uniform_interval(law);
    return {ends.lower, ends.upper};
}

std::size_t pick(std::span<const double> cumulative, double u) {
    const double at = u * cumulative.back();
    const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), at);
    if (found != cumulative.end()) return static_cast<std::size_t>(found - cumulative.begin());
    // u·total rounded up to the total: the last outcome that has a probability.
    return static_cast<std::size_t>(
        std::lower_bound(cumulative.begin(), cumulative.end(), cumulative.back()) -
        cumulative.begin());
}

std::vector<double> cumulative_sums(std::span<const double> probabilities) {
    std::vector<double> cumulative;
    double sum = 0.0;
    for (double probability : probabilities)
        cumulative.push_back(sum += probability);
    return cumulative;
}

double log_sd_of_cv(double cv) {
    return std::sqrt(sim::apply(sim::Op::log1p, cv * cv, 0.0, 0.0));
}

} // namespace gemel::pkpd
