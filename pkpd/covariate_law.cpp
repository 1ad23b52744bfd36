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

using Column = std::vector<double>;

void apply(sim::Op op, Column& x) {
    sim::apply(op, x, x.data());
}

/// Where a bound lies on the standard normal scale.
Column standardised(const CovariateDistribution& law, const LawColumns& numbers, double bound) {
    const auto& [location, spread, shape] = numbers;
    Column z(numbers.size(), -infinity);
    if (law.law == Law::normal) {
        for (std::size_t i = 0; i < z.size(); ++i)
            z[i] = (bound - location[i]) / spread[i];
        return z;
    }
    if (!(bound > 0.0)) return z;
    for (std::size_t i = 0; i < z.size(); ++i)
        z[i] = bound / location[i];
    apply(sim::Op::logarithm, z);
    Column bent(law.law == Law::lms ? z.size() : 0);
    for (std::size_t i = 0; i < bent.size(); ++i)
        bent[i] = shape[i] * z[i];
    apply(sim::Op::expm1, bent);
    for (std::size_t i = 0; i < z.size(); ++i)
        z[i] =
            bent.empty() || shape[i] == 0.0 ? z[i] / spread[i] : bent[i] / (shape[i] * spread[i]);
    return z;
}

/// Between which scores each subject's lie; one interval for all where the numbers are.
struct Intervals {
    Column lower, upper;
    explicit Intervals(std::size_t n) : lower(n, -infinity), upper(n, infinity) {}

    std::size_t at(std::size_t subject) const { return lower.size() == 1 ? 0 : subject; }
    bool is_all(std::size_t i) const { return lower[i] == -infinity && upper[i] == infinity; }
    /// Nearer to the smaller tail, where probabilities near 0 keep all their digits: there it is
    /// measured from the upper end, F(−z) = 1 − F(z).
    bool is_mirrored(std::size_t i) const { return lower[i] > 0.0; }
};

/// Scores that have a value: 1 + L·S·z must be above 0.
Intervals possible_scores(const CovariateDistribution& law, const LawColumns& numbers) {
    Intervals z(numbers.size());
    if (law.law != Law::lms) return z;
    for (std::size_t i = 0; i < z.lower.size(); ++i) {
        const double shape = numbers.shape[i];
        if (shape == 0.0) continue;
        (shape > 0.0 ? z.lower : z.upper)[i] = -1.0 / (shape * numbers.spread[i]);
    }
    return z;
}

Intervals normal_intervals(const CovariateDistribution& law, const LawColumns& numbers) {
    Intervals z = possible_scores(law, numbers);
    if (law.lower) {
        const Column lower = standardised(law, numbers, *law.lower);
        for (std::size_t i = 0; i < lower.size(); ++i)
            z.lower[i] = std::max(z.lower[i], lower[i]);
    }
    if (law.upper) {
        const Column upper = standardised(law, numbers, *law.upper);
        for (std::size_t i = 0; i < upper.size(); ++i)
            z.upper[i] = std::min(z.upper[i], upper[i]);
    }
    return z;
}

/// Probabilities of the ends of intervals, each from the end it is measured from.
struct Tails {
    Column from, to;
    explicit Tails(const Intervals& z) : from(z.lower), to(z.upper) {
        for (std::size_t i = 0; i < from.size(); ++i)
            if (z.is_mirrored(i)) {
                from[i] = -z.upper[i];
                to[i] = -z.lower[i];
            }
        sim::normal_probabilities(from);
        sim::normal_probabilities(to);
    }
};

Column untruncated_scores(const Ranks& ranks) {
    Column z(ranks.numbers.begin(), ranks.numbers.end());
    if (!ranks.are_scores) sim::normal_quantiles(z);
    return z;
}

/// The probability of what lies between a rank and the end its interval is measured from.
Column shares(const Intervals& z, const Ranks& ranks) {
    Column share(ranks.numbers.begin(), ranks.numbers.end());
    for (std::size_t s = 0; s < share.size(); ++s)
        if (z.is_mirrored(z.at(s))) share[s] = ranks.are_scores ? -share[s] : 1.0 - share[s];
    if (ranks.are_scores) sim::normal_probabilities(share);
    return share;
}

/// F⁻¹(F(lower) + u·(F(upper) − F(lower))).
Column truncated_scores(const Intervals& z, const Ranks& ranks) {
    const Tails tails(z);
    Column score = shares(z, ranks);
    for (std::size_t s = 0; s < score.size(); ++s) {
        const std::size_t i = z.at(s);
        score[s] = std::clamp(tails.from[i] + score[s] * (tails.to[i] - tails.from[i]),
                              std::numeric_limits<double>::min(),
                              1.0 - std::numeric_limits<double>::epsilon() / 2.0);
    }
    sim::normal_quantiles(score);
    for (std::size_t s = 0; s < score.size(); ++s) {
        const std::size_t i = z.at(s);
        score[s] = std::clamp(z.is_mirrored(i) ? -score[s] : score[s], z.lower[i], z.upper[i]);
        if (ranks.are_scores && z.is_all(i)) score[s] = ranks.numbers[s];
    }
    return score;
}

Column
normal_scores(const CovariateDistribution& law, const LawColumns& numbers, const Ranks& ranks) {
    const Intervals z = normal_intervals(law, numbers);
    const bool is_free = z.lower.size() == 1 && z.is_all(0);
    return is_free ? untruncated_scores(ranks) : truncated_scores(z, ranks);
}

double within(const CovariateDistribution& law, double value) {
    if (law.lower) value = std::max(value, *law.lower);
    if (law.upper) value = std::min(value, *law.upper);
    return value;
}

/// M·(1 + L·S·z)^(1/L), whose limit for L → 0 is M·exp(S·z): logarithm of the ratio to M, of S·z.
void bend(const LawColumns& numbers, Column& x) {
    Column bent(x.size());
    for (std::size_t s = 0; s < x.size(); ++s)
        bent[s] = numbers.shape[s] * x[s];
    apply(sim::Op::log1p, bent);
    for (std::size_t s = 0; s < x.size(); ++s)
        if (numbers.shape[s] != 0.0) x[s] = bent[s] / numbers.shape[s];
}

/// Of laws made from the normal one. The rounding of the last step may leave the interval by an
/// ulp.
Column
from_normal(const CovariateDistribution& law, const LawColumns& numbers, const Ranks& ranks) {
    Column x = normal_scores(law, numbers, ranks);
    for (std::size_t s = 0; s < x.size(); ++s)
        x[s] *= numbers.spread[s];
    if (law.law == Law::normal) {
        for (std::size_t s = 0; s < x.size(); ++s)
            x[s] = within(law, numbers.location[s] + x[s]);
        return x;
    }
    if (law.law == Law::lms) bend(numbers, x);
    apply(sim::Op::exponential, x);
    for (std::size_t s = 0; s < x.size(); ++s)
        x[s] = within(law, numbers.location[s] * x[s]);
    return x;
}

/// Between `location` and `spread`.
struct UniformEnds {
    double lower = 0.0, upper = 0.0;
    UniformEnds(const CovariateDistribution& law, double location, double spread)
        : lower(std::max(location, law.lower.value_or(-infinity))),
          upper(std::min(spread, law.upper.value_or(infinity))) {}
};

Column
from_uniform(const CovariateDistribution& law, const LawColumns& numbers, const Ranks& ranks) {
    Column x(ranks.numbers.begin(), ranks.numbers.end());
    if (ranks.are_scores) sim::normal_probabilities(x);
    for (std::size_t s = 0; s < x.size(); ++s) {
        const UniformEnds ends(law, numbers.location[s], numbers.spread[s]);
        x[s] = std::min(ends.lower + x[s] * (ends.upper - ends.lower), ends.upper);
    }
    return x;
}

/// Numbers that follow from other covariates may make no law.
bool is_law(Law law, double location, double spread, double shape) {
    switch (law) {
    case Law::normal:
        return std::isfinite(location) && spread > 0.0;
    case Law::lognormal:
    case Law::lms:
        return location > 0.0 && spread > 0.0 && std::isfinite(shape);
    case Law::uniform:
        return location < spread;
    default:
        return true;
    }
}

} // namespace

LawColumns::LawColumns(const CovariateDistribution& law)
    : location{{&law.location, 1}},
      spread{{&law.spread, 1}},
      shape{{&law.shape, 1}} {}

std::vector<double>
quantiles(const CovariateDistribution& law, const LawColumns& numbers, const Ranks& ranks) {
    Column values = law.law == Law::uniform ? from_uniform(law, numbers, ranks)
                                            : from_normal(law, numbers, ranks);
    for (std::size_t s = 0; s < values.size(); ++s)
        if (!is_law(law.law, numbers.location[s], numbers.spread[s], numbers.shape[s]))
            values[s] = std::numeric_limits<double>::quiet_NaN();
    return values;
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

void set_numbers(LawColumns& numbers,
                 CovariateDistribution::Dependence::Number number,
                 std::span<double> values) {
    using Number = CovariateDistribution::Dependence::Number;
    switch (number) {
    case Number::location:
        numbers.location.numbers = values;
        return;
    case Number::cv:
        for (double& value : values)
            value = value * value;
        sim::apply(sim::Op::log1p, values, values.data());
        sim::apply(sim::Op::square_root, values, values.data());
        [[fallthrough]];
    case Number::spread:
        numbers.spread.numbers = values;
        return;
    case Number::shape:
        numbers.shape.numbers = values;
        return;
    }
}

double mass_within(const CovariateDistribution& law) {
    if (law.law == Law::uniform) {
        const UniformEnds ends(law, law.location, law.spread);
        return std::max(0.0, ends.upper - ends.lower) / (law.spread - law.location);
    }
    if (law.law == Law::fixed || law.law == Law::categorical || law.law == Law::row ||
        law.law == Law::data)
        return 1.0;
    const Tails tails(normal_intervals(law, LawColumns(law)));
    return tails.to[0] - tails.from[0];
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
    const UniformEnds ends(law, law.location, law.spread);
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
