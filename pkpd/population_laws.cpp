#include "covariate_law.hpp"
#include "triangle.hpp"

#include <gemel/pkpd/population_laws.hpp>
#include <gemel/sim/expression.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::pkpd {
namespace {

using NumberKind = LawNumber::Kind;
using NumberReading = LawNumber::Reading;
using NumberPart = LawNumber::ErrorPart;

std::size_t as_index(int number) {
    return static_cast<std::size_t>(number);
}

/// sd·√((df − 2)/df) of law student.
double scale_of_sd(const Variability& law, double sd) {
    return law.law == VariabilityLaw::student ? sd * std::sqrt((law.df - 2.0) / law.df) : sd;
}

double cv_of_log_sd(double sd) {
    return std::sqrt(sim::apply(sim::Op::expm1, sd * sd, 0.0, 0.0));
}

double effect_as_read(const Variability& law, NumberReading reading) {
    switch (reading) {
    case NumberReading::var:
        return law.sd * law.sd;
    case NumberReading::cv:
        return cv_of_log_sd(law.sd);
    case NumberReading::scale:
        return law.scale;
    default:
        return law.sd;
    }
}

void set_spread(Variability& law, NumberReading reading, double value) {
    const bool is_student = law.law == VariabilityLaw::student;
    if (reading == NumberReading::scale) {
        law.sd = value > 0.0 && law.scale > 0.0 ? law.sd * (value / law.scale)
                 : value > 0.0                  ? value * std::sqrt(law.df / (law.df - 2.0))
                                                : 0.0;
        law.scale = value;
        return;
    }
    law.sd = reading == NumberReading::var  ? std::sqrt(value)
             : reading == NumberReading::cv ? log_sd_of_cv(value)
                                            : value;
    if (is_student) law.scale = scale_of_sd(law, law.sd);
}

NumberReading spread_reading(const Variability& law) {
    return law.law == VariabilityLaw::student ? NumberReading::scale : NumberReading::sd;
}

double& part_of(ResidualError& error, NumberPart part) {
    switch (part) {
    case NumberPart::additive:
        return error.additive;
    case NumberPart::proportional:
        return error.proportional;
    case NumberPart::exponent:
        return error.exponent;
    case NumberPart::sd:
        break;
    }
    return error.log_sd;
}

/// Row or column of a member.
std::size_t place_in(const std::vector<int>& group, int member) {
    return static_cast<std::size_t>(std::find(group.begin(), group.end(), member) - group.begin());
}

std::size_t cell_of(const std::vector<int>& group, const LawNumber& number) {
    return place_in(group, number.first) * group.size() + place_in(group, number.second);
}

/// Both halves of a symmetric matrix.
void set_cell(std::vector<double>& matrix,
              const std::vector<int>& group,
              const LawNumber& number,
              double value) {
    const std::size_t i = place_in(group, number.first), j = place_in(group, number.second);
    matrix[i * group.size() + j] = matrix[j * group.size() + i] = value;
}

/// What keeps a typical value from being one, or "".
std::string why_not_typical(const Parameter& parameter, double value) {
    if (parameter.lower && value < *parameter.lower)
        return fmt::format("which is below the lower bound {:g}", *parameter.lower);
    if (parameter.upper && value > *parameter.upper)
        return fmt::format("which is above the upper bound {:g}", *parameter.upper);
    const Variability* effects = parameter.law();
    if (!effects || effects->law == VariabilityLaw::normal) return {};
    if (!(value > 0.0))
        return fmt::format("which is not above 0, as law \"{}\" needs it", name(effects->law));
    if (effects->law == VariabilityLaw::logit && !(value < 1.0))
        return "which is no fraction below 1";
    return {};
}

/// Puts values into laws, kind after kind, since a covariance needs its variances.
class Setter {
public:
    Setter(const Model& model,
           const std::vector<LawNumber>& numbers,
           std::span<const double> values,
           PopulationLaws& laws)
        : model_(model),
          numbers_(numbers),
          values_(values),
          laws_(laws) {}

    std::vector<LawMistake> set() {
        for (std::size_t i = 0; i < numbers_.size(); ++i)
            set_single(i);
        for (std::size_t g = 0; g < laws_.omega.size(); ++g)
            set_group(static_cast<int>(g));
        for (std::size_t g = 0; g < laws_.residual_correlations.size(); ++g)
            check_errors(static_cast<int>(g));
        for (std::size_t c = 0; c < laws_.proportions.size(); ++c)
            set_proportions(static_cast<int>(c));
        return std::move(mistakes_);
    }

private:
    void tell(std::size_t number, std::string why) {
        mistakes_.push_back({number, std::move(why)});
    }

    void set_single(std::size_t i) {
        const LawNumber& number = numbers_[i];
        const double value = values_[i];
        const std::string why = why_not(number, value);
        if (!why.empty()) return tell(i, why);
        if (number.kind == NumberKind::typical) {
            laws_.typical[as_index(number.first)] = value;
        } else if (number.kind == NumberKind::effect) {
            auto& laws = number.level == Level::subject ? laws_.iiv : laws_.iov;
            set_spread(*laws[as_index(number.first)], number.reading, value);
        } else if (number.kind == NumberKind::error) {
            part_of(laws_.residual_errors[as_index(number.first)], number.part) =
                number.reading == NumberReading::var ? std::sqrt(value) : value;
        } else if (number.kind == NumberKind::error_pair) {
            ResidualCorrelation& group = laws_.residual_correlations[as_index(number.group)];
            set_cell(group.correlation, group.of, number, value);
        }
    }

    std::string why_not(const LawNumber& number, double value) const {
        if (!std::isfinite(value)) return "which is no finite number";
        const bool is_spread =
            number.kind == NumberKind::effect || number.kind == NumberKind::error;
        const bool is_exponent =
            number.kind == NumberKind::error && number.part == NumberPart::exponent;
        if (number.kind == NumberKind::typical)
            return why_not_typical(model_.parameters[as_index(number.first)], value);
        if (is_spread && !is_exponent && !(value >= 0.0)) return "which is below 0";
        if (number.reading == NumberReading::correlation && !(std::abs(value) <= 1.0))
            return "which is no correlation";
        if (number.kind == NumberKind::proportion && !(value >= 0.0 && value <= 1.0))
            return "which is no proportion";
        return {};
    }

    bool is_in(const LawNumber& number, NumberKind kind, int group) const {
        return number.kind == kind && number.group == group;
    }

    /// The covariance of a group of which any number is given.
    void set_group(int g) {
        OmegaBlock& block = laws_.omega[as_index(g)];
        const std::size_t n = block.of.size();
        std::vector<double> old_spread(n), spread(n);
        for (std::size_t i = 0; i < n; ++i) {
            old_spread[i] = std::sqrt(block.covariance[i * n + i]);
            spread[i] = laws_.effect(block.level, as_index(block.of[i]))->spread();
        }
        std::size_t last = numbers_.size();
        std::vector<char> is_given(n, 0);
        for (std::size_t k = 0; k < numbers_.size(); ++k) {
            if (!is_in(numbers_[k], NumberKind::effect, g) &&
                !is_in(numbers_[k], NumberKind::pair, g))
                continue;
            last = k;
            if (numbers_[k].kind == NumberKind::effect)
                is_given[place_in(block.of, numbers_[k].first)] = 1;
        }
        if (last == numbers_.size()) return;
        for (std::size_t i = 0; i < n; ++i) // what the group says of a parameter not given stays
            if (is_given[i] == 0) spread[i] = old_spread[i];
        scale_group(block.covariance, old_spread, spread);
        for (std::size_t k = 0; k < numbers_.size(); ++k)
            if (is_in(numbers_[k], NumberKind::pair, g)) {
                const double factor = numbers_[k].reading == NumberReading::correlation
                                          ? spread[place_in(block.of, numbers_[k].first)] *
                                                spread[place_in(block.of, numbers_[k].second)]
                                          : 1.0;
                set_cell(block.covariance, block.of, numbers_[k], values_[k] * factor);
                last = k;
            }
        if (!is_positive_semidefinite(block.covariance, n))
            tell(last,
                 fmt::format("with which the covariance of the effects of {} is not positive "
                             "semidefinite: no patients vary like that",
                             names_in(block.of)));
    }

    /// Correlations stay.
    static void scale_group(std::vector<double>& covariance,
                            const std::vector<double>& from,
                            const std::vector<double>& to) {
        const std::size_t n = from.size();
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j)
                covariance[i * n + j] =
                    i == j                             ? to[i] * to[i]
                    : from[i] == 0.0 || from[j] == 0.0 ? 0.0
                    : from[i] == to[i] && from[j] == to[j]
                        ? covariance[i * n + j]
                        : covariance[i * n + j] * (to[i] / from[i]) * (to[j] / from[j]);
    }

    std::string names_in(const std::vector<int>& group) const {
        std::vector<std::string> names;
        for (int parameter : group)
            names.push_back(model_.parameters[as_index(parameter)].name);
        return fmt::format("{}", fmt::join(names, ", "));
    }

    void check_errors(int g) {
        const ResidualCorrelation& group = laws_.residual_correlations[as_index(g)];
        std::size_t last = numbers_.size();
        for (std::size_t k = 0; k < numbers_.size(); ++k)
            if (is_in(numbers_[k], NumberKind::error_pair, g)) last = k;
        if (last < numbers_.size() && !is_positive_semidefinite(group.correlation, group.of.size()))
            tell(last,
                 "with which the correlation of errors is not positive semidefinite: no errors go "
                 "together like that");
    }

    void set_proportions(int covariate) {
        std::vector<double>& proportions = laws_.proportions[as_index(covariate)];
        std::vector<char> is_given(proportions.size(), 0);
        std::size_t last = numbers_.size(), n_given = 0;
        double sum = 0.0;
        for (std::size_t k = 0; k < numbers_.size(); ++k) {
            if (numbers_[k].kind != NumberKind::proportion || numbers_[k].first != covariate)
                continue;
            proportions[as_index(numbers_[k].second)] = values_[k];
            is_given[as_index(numbers_[k].second)] = 1;
            sum += values_[k];
            ++n_given;
            last = k;
        }
        if (n_given == 0) return;
        constexpr double rounding = 1e-6; // of printed digits, as in the model
        const bool are_all = n_given == proportions.size();
        if (!(sum <= 1.0 + rounding) || (are_all && !(sum >= 1.0 - rounding)))
            return tell(last,
                        fmt::format("with which the proportions of {} sum to {:.6g}",
                                    model_.covariates[as_index(covariate)].name,
                                    sum));
        for (std::size_t c = 0; c < proportions.size(); ++c)
            if (are_all)
                proportions[c] /= sum;
            else if (is_given[c] == 0)
                proportions[c] = std::max(0.0, 1.0 - sum);
    }

    const Model& model_;
    const std::vector<LawNumber>& numbers_;
    std::span<const double> values_;
    PopulationLaws& laws_;
    std::vector<LawMistake> mistakes_;
};

/// A model's group repeats the sds of its members, to the digits it is printed with.
double spread_in_group(const PopulationLaws& laws, const LawNumber& effect) {
    const OmegaBlock& block = laws.omega[as_index(effect.group)];
    const std::size_t i = place_in(block.of, effect.first);
    return std::sqrt(block.covariance[i * block.of.size() + i]);
}

} // namespace

PopulationLaws laws_of(const Model& model) {
    PopulationLaws laws;
    for (const Parameter& parameter : model.parameters) {
        laws.typical.push_back(parameter.value);
        laws.iiv.push_back(parameter.iiv);
        laws.iov.push_back(parameter.iov);
    }
    laws.omega = model.omega;
    laws.residual_errors = model.residual_errors;
    laws.residual_correlations = model.residual_correlations;
    for (const Covariate& covariate : model.covariates)
        laws.proportions.push_back(covariate.proportions);
    return laws;
}

double value_of(const PopulationLaws& laws, const LawNumber& number) {
    switch (number.kind) {
    case NumberKind::typical:
        return laws.typical[as_index(number.first)];
    case NumberKind::effect: {
        Variability law = *laws.effect(number.level, as_index(number.first));
        if (number.group >= 0) set_spread(law, spread_reading(law), spread_in_group(laws, number));
        return effect_as_read(law, number.reading);
    }
    case NumberKind::pair: {
        const OmegaBlock& block = laws.omega[as_index(number.group)];
        const std::size_t n = block.of.size(), i = place_in(block.of, number.first),
                          j = place_in(block.of, number.second);
        const double covariance = block.covariance[i * n + j];
        if (number.reading == NumberReading::covariance || covariance == 0.0) return covariance;
        return covariance / std::sqrt(block.covariance[i * n + i] * block.covariance[j * n + j]);
    }
    case NumberKind::error: {
        ResidualError error = laws.residual_errors[as_index(number.first)];
        const double value = part_of(error, number.part);
        return number.reading == NumberReading::var ? value * value : value;
    }
    case NumberKind::error_pair: {
        const ResidualCorrelation& group = laws.residual_correlations[as_index(number.group)];
        return group.correlation[cell_of(group.of, number)];
    }
    case NumberKind::proportion:
        break;
    }
    return laws.proportions[as_index(number.first)][as_index(number.second)];
}

std::vector<LawMistake> set_values(const Model& model,
                                   const std::vector<LawNumber>& numbers,
                                   std::span<const double> values,
                                   PopulationLaws& laws) {
    return Setter(model, numbers, values, laws).set();
}

} // namespace gemel::pkpd
