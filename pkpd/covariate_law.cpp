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
    return bound > 0.0 ? logarithm(bound / law.location) / law.spread : -infinity;
}

struct Interval {
    double lower = -infinity, upper = infinity;
    bool is_all() const { return lower == -infinity && upper == infinity; }
};

Interval normal_interval(const CovariateDistribution& law) {
    Interval z;
    if (law.lower) z.lower = standardised(law, *law.lower);
    if (law.upper) z.upper = standardised(law, *law.upper);
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
double truncated_normal(const Interval& z, double u) {
    if (z.is_all()) return sim::normal_quantile(u);
    const TailInterval tail = tail_interval(z);
    const double share = tail.is_mirrored ? 1.0 - u : u;
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

Interval uniform_interval(const CovariateDistribution& law) {
    return {std::max(law.location, law.lower.value_or(-infinity)),
            std::min(law.spread, law.upper.value_or(infinity))};
}

} // namespace

double quantile(const CovariateDistribution& law, double u) {
    switch (law.law) {
    case Law::fixed:
        return law.location;
    case Law::normal:
        // The rounding of location + spread·z may leave the interval by an ulp.
        return within(law, law.location + law.spread * truncated_normal(normal_interval(law), u));
    case Law::lognormal:
        return within(law,
                      law.location *
                          exponential(law.spread * truncated_normal(normal_interval(law), u)));
    case Law::uniform: {
        const Interval ends = uniform_interval(law);
        return std::min(ends.lower + u * (ends.upper - ends.lower), ends.upper);
    }
    case Law::categorical:
        return static_cast<double>(pick(cumulative_sums(law.probabilities), u));
    }
    return std::numeric_limits<double>::quiet_NaN();
}

double mass_within(const CovariateDistribution& law) {
    if (law.law == Law::uniform) {
        const Interval ends = uniform_interval(law);
        return std::max(0.0, ends.upper - ends.lower) / (law.spread - law.location);
    }
    if (law.law != Law::normal && law.law != Law::lognormal) return 1.0;
    const TailInterval tail = tail_interval(normal_interval(law));
    return tail.to - tail.from;
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
