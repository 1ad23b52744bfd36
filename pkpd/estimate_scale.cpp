#include "estimate_scale.hpp"

#include "triangle.hpp"

#include <gemel/sim/expression.hpp>

#include <algorithm>
#include <cmath>

namespace gemel::pkpd {
namespace {

using NumberKind = LawNumber::Kind;
using NumberReading = LawNumber::Reading;

double exp_of(double x) {
    return sim::apply(sim::Op::exponential, x, 0.0, 0.0);
}

double log_of(double x) {
    return sim::apply(sim::Op::logarithm, x, 0.0, 0.0);
}

std::size_t row_of(const std::vector<int>& group, int member) {
    return static_cast<std::size_t>(std::ranges::find(group, member) - group.begin());
}

/// How fast the root L of Ω = L·Lᵀ changes where Ω changes as given: the recursion of
/// Cholesky–Banachiewicz, differentiated line by line.
std::vector<double>
change_of_root(const std::vector<double>& lower, const std::vector<double>& change, std::size_t n) {
    std::vector<double> result(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            double rest = change[i * n + j];
            for (std::size_t k = 0; k < j; ++k)
                rest -= result[i * n + k] * lower[j * n + k] + lower[i * n + k] * result[j * n + k];
            const double pivot = lower[j * n + j];
            result[i * n + j] =
                i == j ? 0.5 * rest / pivot : (rest - lower[i * n + j] * result[j * n + j]) / pivot;
        }
    return result;
}

/// Of the sd or scale of an effect, by what is given of it.
double change_of_spread(NumberReading reading, double spread, double value) {
    if (reading == NumberReading::var) return 0.5 * spread / value;
    if (reading == NumberReading::cv) return value / ((1.0 + value * value) * spread);
    return spread / value;
}

/// Of the place between bounds, by the value: the derivative of log(v − l), −log(u − v) or
/// log((v − l)/(u − v)).
double change_between(const Bounds& bounds, double value) {
    if (!bounds.has_upper()) return 1.0 / (value - bounds.lower);
    if (!bounds.has_lower()) return 1.0 / (bounds.upper - value);
    return (bounds.upper - bounds.lower) / ((value - bounds.lower) * (bounds.upper - value));
}

/// The value whose place is that of `value` and an error.
double moved_between(const Bounds& bounds, double value, double error) {
    const double factor = exp_of(error);
    if (!bounds.has_upper()) return bounds.lower + (value - bounds.lower) * factor;
    if (!bounds.has_lower()) return bounds.upper - (bounds.upper - value) / factor;
    // Weights of the two bounds, the greater of which is 1, so that none overflows.
    const double odds = (value - bounds.lower) / (bounds.upper - value) * factor;
    const double of_upper = odds > 1.0 ? 1.0 : odds, of_lower = odds > 1.0 ? 1.0 / odds : 1.0;
    return (bounds.lower * of_lower + bounds.upper * of_upper) / (of_lower + of_upper);
}

} // namespace

std::vector<Bounds> bounds_of_typical(const Model& model) {
    std::vector<Bounds> bounds;
    for (const Parameter& parameter : model.parameters) {
        Bounds& own = bounds.emplace_back();
        if (const Variability* effects = parameter.law();
            effects && effects->law != VariabilityLaw::normal)
            own.lower = 0.0;
        if (const Variability* effects = parameter.law();
            effects && effects->law == VariabilityLaw::logit)
            own.upper = 1.0;
        if (parameter.lower) own.lower = std::max(own.lower, *parameter.lower);
        if (parameter.upper) own.upper = std::min(own.upper, *parameter.upper);
    }
    return bounds;
}

EstimateScale::EstimateScale(PopulationLaws estimates,
                             std::vector<LawNumber> numbers,
                             TypicalScale typical)
    : estimates_(std::move(estimates)),
      numbers_(std::move(numbers)) {
    for (const LawNumber& number : numbers_) {
        values_.push_back(value_of(estimates_, number));
        const bool is_exponent =
            number.kind == NumberKind::error && number.part == LawNumber::ErrorPart::exponent;
        Place place = Place::logarithm;
        bounds_.emplace_back();
        if (number.kind == NumberKind::typical && !typical.bounds.empty())
            bounds_.back() = typical.bounds[static_cast<std::size_t>(number.first)];
        const bool is_bounded = bounds_.back().has_lower() || bounds_.back().has_upper();
        if (number.kind == NumberKind::typical && !typical.are_logarithms)
            place = is_bounded ? Place::bounded : Place::as_is;
        if (is_exponent) place = Place::as_is;
        if (number.kind == NumberKind::error_pair) place = Place::fisher;
        if (number.kind == NumberKind::proportion) place = Place::ratio;
        const bool is_of_group =
            number.kind == NumberKind::pair || number.kind == NumberKind::effect;
        if (is_of_group && is_rooted(number.group)) place = Place::root;
        places_.push_back(place);
        is_moved_.push_back(place != Place::as_is &&
                            (number.kind != NumberKind::typical || place == Place::bounded));
    }
    for (std::size_t g = 0; g < estimates_.omega.size(); ++g)
        if (is_rooted(static_cast<int>(g))) add_group(g);
    for (std::size_t c = 0; c < estimates_.proportions.size(); ++c)
        add_mixture(c);
}

bool EstimateScale::is_rooted(int omega) const {
    return omega >= 0 && std::ranges::any_of(numbers_, [&](const LawNumber& number) {
               return number.kind == NumberKind::pair && number.group == omega;
           });
}

void EstimateScale::add_group(std::size_t omega) {
    const OmegaBlock& block = estimates_.omega[omega];
    const std::size_t n = block.of.size();
    Group group{omega, std::vector<std::size_t>(n * n, numbers_.size()), {}};
    for (std::size_t k = 0; k < numbers_.size(); ++k) {
        const LawNumber& number = numbers_[k];
        if (number.group != static_cast<int>(omega) || places_[k] != Place::root) continue;
        const std::size_t j = row_of(block.of, number.first);
        const std::size_t i = number.kind == NumberKind::pair ? row_of(block.of, number.second) : j;
        group.numbers[i * n + j] = k;
    }
    group.root = cholesky(block.covariance, n);
    groups_.push_back(std::move(group));
}

void EstimateScale::add_mixture(std::size_t covariate) {
    Mixture mixture{
        covariate,
        std::vector<std::size_t>(estimates_.proportions[covariate].size(), numbers_.size())};
    bool is_any = false;
    for (std::size_t k = 0; k < numbers_.size(); ++k) {
        if (places_[k] != Place::ratio || numbers_[k].first != static_cast<int>(covariate))
            continue;
        mixture.numbers[static_cast<std::size_t>(numbers_[k].second)] = k;
        is_any = true;
    }
    if (is_any) mixtures_.push_back(std::move(mixture));
}

void EstimateScale::tell_singles(std::vector<LawMistake>& mistakes) const {
    for (std::size_t k = 0; k < numbers_.size(); ++k) {
        const bool needs_sign =
            places_[k] == Place::logarithm || places_[k] == Place::ratio ||
            (places_[k] == Place::root && numbers_[k].kind == NumberKind::effect);
        if (needs_sign && !(values_[k] > 0.0))
            mistakes.push_back({k,
                                numbers_[k].kind == NumberKind::typical
                                    ? "is not above 0, as law \"lognormal\" needs it"
                                    : "is 0 in the model: its error is that of the logarithm"});
        if (places_[k] == Place::bounded &&
            !(values_[k] > bounds_[k].lower && values_[k] < bounds_[k].upper))
            mistakes.push_back({k, "is at its bound in the model: nothing of it is uncertain"});
        if (places_[k] == Place::fisher && !(std::abs(values_[k]) < 1.0))
            mistakes.push_back({k, "is 1 or -1 in the model: nothing of it is uncertain"});
    }
}

void EstimateScale::tell_groups(std::vector<LawMistake>& mistakes) const {
    for (const Group& group : groups_) {
        const std::size_t n = estimates_.omega[group.omega].of.size();
        std::size_t given = 0, n_missing = 0;
        bool is_singular = false;
        for (std::size_t i = 0; i < n; ++i) {
            // What rounding leaves of a pivot is no pivot.
            const double variance = estimates_.omega[group.omega].covariance[i * n + i];
            is_singular =
                is_singular || group.root[i * n + i] * group.root[i * n + i] <= 1e-12 * variance;
            for (std::size_t j = 0; j <= i; ++j) {
                const std::size_t number = group.numbers[i * n + j];
                n_missing += number == numbers_.size() ? 1 : 0;
                if (number < numbers_.size() && i != j) given = number;
            }
        }
        if (n_missing > 0)
            mistakes.push_back(
                {given,
                 "goes with all variances and covariances of its group, or with none: name them "
                 "all, an error of 0 where nothing is uncertain"});
        else if (is_singular)
            mistakes.push_back(
                {given,
                 "is of a group with a correlation of 1 or -1: only its variances may be "
                 "uncertain"});
    }
}

void EstimateScale::tell_mixtures(std::vector<LawMistake>& mistakes) const {
    for (const Mixture& mixture : mixtures_) {
        const auto n_left = std::ranges::count(mixture.numbers, numbers_.size());
        const auto given = std::ranges::find_if(
            mixture.numbers, [&](std::size_t number) { return number < numbers_.size(); });
        if (n_left == 0)
            mistakes.push_back(
                {*given,
                 "leaves nothing open: leave one category out, it is what the others leave"});
        if (n_left > 1)
            mistakes.push_back({*given, "needs the proportions of all categories but one"});
    }
}

std::vector<LawMistake> EstimateScale::mistakes() const {
    std::vector<LawMistake> mistakes;
    tell_singles(mistakes);
    tell_groups(mistakes);
    tell_mixtures(mistakes);
    return mistakes;
}

/// Of Ω where one number of the group changes: covariances that are given stay, those whose
/// correlation is given go with their sds.
std::vector<double> EstimateScale::change_of_covariance(const Group& group,
                                                        std::size_t number) const {
    const OmegaBlock& block = estimates_.omega[group.omega];
    const std::size_t n = block.of.size(), i = row_of(block.of, numbers_[number].first);
    const auto spread = [&](std::size_t k) { return std::sqrt(block.covariance[k * n + k]); };
    std::vector<double> change(n * n, 0.0);
    if (numbers_[number].kind == NumberKind::pair) {
        const std::size_t j = row_of(block.of, numbers_[number].second);
        change[i * n + j] = change[j * n + i] =
            numbers_[number].reading == NumberReading::correlation ? spread(i) * spread(j) : 1.0;
        return change;
    }
    const double step = change_of_spread(numbers_[number].reading, spread(i), values_[number]);
    change[i * n + i] = 2.0 * spread(i) * step;
    for (std::size_t j = 0; j < n; ++j) {
        if (j == i) continue;
        const LawNumber& pair = numbers_[group.numbers[std::max(i, j) * n + std::min(i, j)]];
        if (pair.reading == NumberReading::correlation)
            change[i * n + j] = change[j * n + i] = block.covariance[i * n + j] / spread(i) * step;
    }
    return change;
}

void EstimateScale::differentiate(const Group& group, std::vector<double>& jacobian) const {
    const std::size_t n = estimates_.omega[group.omega].of.size(), n_numbers = numbers_.size();
    for (std::size_t a = 0; a < n; ++a)
        for (std::size_t b = 0; b <= a; ++b) {
            const std::size_t number = group.numbers[a * n + b];
            const std::vector<double> root =
                change_of_root(group.root, change_of_covariance(group, number), n);
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t j = 0; j <= i; ++j)
                    jacobian[group.numbers[i * n + j] * n_numbers + number] =
                        i == j ? root[i * n + i] / group.root[i * n + i] : root[i * n + j];
        }
}

/// Of places by numbers, [n × n].
std::vector<double> EstimateScale::jacobian() const {
    const std::size_t n = numbers_.size();
    std::vector<double> jacobian(n * n, 0.0);
    for (std::size_t k = 0; k < n; ++k) {
        const double value = values_[k];
        if (places_[k] == Place::fisher)
            jacobian[k * n + k] = 1.0 / ((1.0 - value) * (1.0 + value));
        else if (places_[k] == Place::bounded)
            jacobian[k * n + k] = change_between(bounds_[k], value);
        else if (places_[k] != Place::root && places_[k] != Place::ratio)
            jacobian[k * n + k] = is_moved_[k] != 0 ? 1.0 / value : 1.0;
    }
    for (const Group& group : groups_)
        differentiate(group, jacobian);
    for (const Mixture& mixture : mixtures_) {
        double left = 1.0;
        for (std::size_t number : mixture.numbers)
            if (number < n) left -= values_[number];
        for (std::size_t row : mixture.numbers)
            for (std::size_t column : mixture.numbers)
                if (row < n && column < n)
                    jacobian[row * n + column] =
                        1.0 / left + (row == column ? 1.0 / values_[row] : 0.0);
    }
    return jacobian;
}

std::vector<double> EstimateScale::moved(const std::vector<double>& covariance) const {
    if (std::ranges::count(is_moved_, 1) == 0) return covariance;
    const std::size_t n = numbers_.size();
    const std::vector<double> jacobian = this->jacobian();
    std::vector<double> half(n * n, 0.0), moved(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t k = 0; k < n; ++k)
                half[i * n + j] += jacobian[i * n + k] * covariance[k * n + j];
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t k = 0; k < n; ++k)
                moved[i * n + j] += half[i * n + k] * jacobian[j * n + k];
    return moved;
}

std::vector<double> EstimateScale::values_at(std::span<const double> errors) const {
    std::vector<double> values = values_;
    for (std::size_t k = 0; k < values.size(); ++k) {
        if (places_[k] == Place::as_is) values[k] += errors[k];
        if (places_[k] == Place::logarithm) values[k] *= exp_of(errors[k]);
        if (places_[k] == Place::bounded)
            values[k] = moved_between(bounds_[k], values[k], errors[k]);
        if (places_[k] == Place::fisher) {
            const double z = 0.5 * log_of((1.0 + values[k]) / (1.0 - values[k])) + errors[k];
            values[k] = sim::apply(sim::Op::hyperbolic_tangent, z, 0.0, 0.0);
        }
    }
    PopulationLaws laws;
    if (!groups_.empty()) laws = estimates_;
    for (const Group& group : groups_) {
        OmegaBlock& block = laws.omega[group.omega];
        const std::size_t n = block.of.size();
        std::vector<double> root = group.root;
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j <= i; ++j) {
                const double error = errors[group.numbers[i * n + j]];
                root[i * n + j] =
                    i == j ? root[i * n + j] * exp_of(error) : root[i * n + j] + error;
            }
        block.covariance = times_transposed(root, n);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j <= i; ++j) {
                const std::size_t number = group.numbers[i * n + j];
                values[number] = value_of(laws, numbers_[number]);
            }
    }
    for (const Mixture& mixture : mixtures_) {
        double sum = 1.0;
        for (std::size_t number : mixture.numbers)
            if (number < values.size()) sum -= values[number];
        for (std::size_t number : mixture.numbers)
            if (number < values.size()) sum += values[number] *= exp_of(errors[number]);
        for (std::size_t number : mixture.numbers)
            if (number < values.size()) values[number] /= sum;
    }
    return values;
}

} // namespace gemel::pkpd
