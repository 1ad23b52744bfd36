#include "fit_data.hpp"

#include <gemel/learners/fit_results.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::learners {

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr double normal_975 = 1.959963984540054; ///< 97.5 % quantile of the standard normal law

const pkpd::Parameter& parameter_of(const pkpd::Model& model, const pkpd::LawNumber& law) {
    return model.parameters[static_cast<std::size_t>(law.first)];
}

bool is_of_varying(const pkpd::LawNumber& law, const pkpd::Model& model) {
    using Kind = pkpd::LawNumber::Kind;
    if (law.kind == Kind::effect || law.kind == Kind::pair) return true;
    return law.kind == Kind::typical && parameter_of(model, law).law() != nullptr;
}

/// Whether no other sign is possible.
bool is_positive(const FitNumber& number, const pkpd::Model& model) {
    using Kind = pkpd::LawNumber::Kind;
    if (number.law.kind == Kind::effect) return true;
    if (number.law.kind == Kind::error)
        return number.law.part != pkpd::LawNumber::ErrorPart::exponent;
    if (number.law.kind != Kind::typical) return false;
    const pkpd::Variability* effects = parameter_of(model, number.law).law();
    return number.lower >= 0.0 || (effects && effects->law != pkpd::VariabilityLaw::normal);
}

} // namespace

InformationCriteria criteria_of(const FitSetup& setup, const FitResult& result) {
    InformationCriteria criteria;
    criteria.n_estimated = result.estimated.size();
    criteria.n_subjects = setup.data->subjects.size();
    for (const pkpd::DataSubject& subject : setup.data->subjects)
        criteria.n_observations += static_cast<std::size_t>(
            std::ranges::count_if(subject.observations, [&](const auto& observation) {
                return is_used(setup, observation);
            }));
    criteria.n_varying =
        static_cast<std::size_t>(std::ranges::count_if(result.estimated, [&](std::size_t number) {
            return is_of_varying(setup.numbers[number].law, *setup.model);
        }));
    const double p = static_cast<double>(criteria.n_estimated);
    const double varying = static_cast<double>(criteria.n_varying);
    const double log_subjects = std::log(static_cast<double>(criteria.n_subjects));
    const double log_observations = std::log(static_cast<double>(criteria.n_observations));
    const double minus_two_ll =
        result.likelihoods.empty() ? missing : result.likelihoods.front().minus_two_ll;
    criteria.aic = minus_two_ll + 2.0 * p;
    criteria.bic = minus_two_ll + p * log_subjects;
    criteria.bicc = minus_two_ll + varying * log_subjects + (p - varying) * log_observations;
    return criteria;
}

namespace {

/// A typical value of law logit, whose interval is one of its logit.
bool is_fraction(const FitNumber& number, const pkpd::Model& model) {
    if (number.law.kind != pkpd::LawNumber::Kind::typical) return false;
    const pkpd::Variability* law =
        model.parameters[static_cast<std::size_t>(number.law.first)].law();
    return law != nullptr && law->law == pkpd::VariabilityLaw::logit;
}

} // namespace

ConfidenceInterval interval_of(const FitNumber& number,
                               const pkpd::Model& model,
                               double value,
                               double standard_error) {
    if (is_fraction(number, model) && value > 0.0 && value < 1.0) {
        const double half = normal_975 * standard_error / (value * (1.0 - value));
        const double odds = value / (1.0 - value);
        return {odds * std::exp(-half) / (1.0 + odds * std::exp(-half)),
                1.0 / (1.0 + std::exp(-half) / odds)};
    }
    if (!(value > 0.0) || !is_positive(number, model))
        return {value - normal_975 * standard_error, value + normal_975 * standard_error};
    const double factor = std::exp(normal_975 * standard_error / value);
    return {value / factor, value * factor};
}

std::vector<double> standard_errors(const FitSetup& setup, const FitResult& result) {
    std::vector<double> errors(setup.numbers.size(), missing);
    if (result.uncertainties.empty() || !result.uncertainties.front().is_usable) return errors;
    const Eigen::MatrixXd& covariance = result.uncertainties.front().covariance;
    for (std::size_t i = 0; i < result.estimated.size(); ++i) {
        const auto row = static_cast<Eigen::Index>(i);
        const double variance = covariance(row, row);
        if (variance >= 0.0) errors[result.estimated[i]] = std::sqrt(variance);
    }
    return errors;
}

} // namespace gemel::learners
