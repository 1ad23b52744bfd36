#include "fit_data.hpp"

#include <gemel/io/text_table.hpp>
#include <gemel/learners/fit_results.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::learners {

namespace {

/// An error ten times as large as the number itself says that the data are silent.
constexpr double most_relative_error = 10.0;

using pkpd::LawNumber;

std::string digits(double value) {
    return std::isfinite(value) ? fmt::format("{:.4g}", value) : "";
}

/// Three decimals, as objectives are compared.
std::string objective_text(double value) {
    return fmt::format("{:.3f}", value);
}

/// Writes the table of one fit.
class FitTable {
public:
    FitTable(const FitSetup& setup, const FitResult& result)
        : setup_(setup),
          model_(*setup.model),
          result_(result),
          errors_(standard_errors(setup, result)) {}

    std::string text() {
        return head() + "\n" + estimates() + correlations() + error_note() + "\n" + likelihoods() +
               shrinkage() + remarks();
    }

private:
    std::string head() const {
        const pkpd::DataSet& data = *setup_.data;
        std::string text = fmt::format("fit          {}, method {}, seed {}\n",
                                       setup_.file.filename().string(),
                                       name(setup_.options.method),
                                       setup_.options.seed);
        text += fmt::format("model        {}\n", model_.name.empty() ? model_.id : model_.name);
        text += fmt::format("data         {}: {} subjects, {} observations{}\n",
                            data.path.filename().string(),
                            io::grouped(data.subjects.size()),
                            io::grouped(criteria_of(setup_, result_).n_observations),
                            censored_text());
        text += fmt::format("ended        {}{}\n",
                            result_.is_converged ? "converged" : "NOT CONVERGED",
                            result_.stop_reason.empty() ? "" : ": " + result_.stop_reason);
        return text;
    }

    std::string censored_text() const {
        std::size_t n = 0;
        for (const pkpd::DataSubject& subject : setup_.data->subjects)
            n += static_cast<std::size_t>(
                std::ranges::count_if(subject.observations, [&](const auto& observation) {
                    return is_used(setup_, observation) && observation.cens != 0;
                }));
        return n == 0 ? "" : fmt::format(", {} of them censored", io::grouped(n));
    }

    std::string estimates() const {
        std::vector<std::vector<std::string>> rows{
            {"number", "estimate", "unit", "SE", "RSE %", "95 % interval", "CV %", "shrinkage %"}};
        for (std::size_t k = 0; k < setup_.numbers.size(); ++k)
            rows.push_back(row(k));
        return io::text_table(rows);
    }

    std::vector<std::string> row(std::size_t k) const {
        const FitNumber& number = setup_.numbers[k];
        const double value = result_.values[k], error = errors_[k];
        std::vector<std::string> cells{
            number.law.name, digits(value), number.law.unit.text, "", "", "", cv(k), shrinkage(k)};
        if (!std::isfinite(value)) cells[1] = "not available";
        if (number.is_fixed) cells[3] = "fixed";
        if (is_held(k)) cells[3] = "not identified";
        if (number.is_fixed || !std::isfinite(error)) return cells;
        if (error > most_relative_error * std::abs(value)) {
            cells[3] = "not identified";
            return cells;
        }
        const ConfidenceInterval interval = interval_of(number, model_, value, error);
        cells[3] = digits(error);
        if (value != 0.0) cells[4] = fmt::format("{:.1f}", 100.0 * error / std::abs(value));
        cells[5] = fmt::format("{} … {}", digits(interval.lower), digits(interval.upper));
        return cells;
    }

    /// An estimate without an error, while others have one.
    bool is_held(std::size_t k) const {
        return !setup_.numbers[k].is_fixed && !result_.uncertainties.empty() &&
               result_.uncertainties.front().is_usable && !std::isfinite(errors_[k]);
    }

    /// Of log-normal parameters: 100·√(exp(ω²) − 1).
    std::string cv(std::size_t k) const {
        const LawNumber& law = setup_.numbers[k].law;
        if (law.kind != LawNumber::Kind::effect) return "";
        const auto& effect =
            model_.parameters[static_cast<std::size_t>(law.first)].effect(law.level);
        if (!effect || effect->law != pkpd::VariabilityLaw::lognormal) return "";
        const double sd = result_.values[k];
        return std::isfinite(sd) ? fmt::format("{:.1f}", 100.0 * std::sqrt(std::expm1(sd * sd)))
                                 : "";
    }

    std::string shrinkage(std::size_t k) const {
        const LawNumber& law = setup_.numbers[k].law;
        std::string of;
        if (law.kind == LawNumber::Kind::effect)
            of = (law.level == pkpd::Level::subject ? "eta." : "kappa.") +
                 model_.parameters[static_cast<std::size_t>(law.first)].name;
        const auto found = std::ranges::find(result_.shrinkage, of, &Shrinkage::name);
        return of.empty() || found == result_.shrinkage.end() || !std::isfinite(found->sd)
                   ? ""
                   : fmt::format("{:.1f}", 100.0 * found->sd);
    }

    double value_named(const std::string& subject) const {
        for (std::size_t k = 0; k < setup_.numbers.size(); ++k)
            if (setup_.numbers[k].law.subject == subject) return result_.values[k];
        return std::numeric_limits<double>::quiet_NaN();
    }

    /// Covariances as they are read.
    std::string correlations() const {
        std::string text;
        for (std::size_t k = 0; k < setup_.numbers.size(); ++k) {
            const LawNumber& law = setup_.numbers[k].law;
            if (law.kind != LawNumber::Kind::pair) continue;
            const char* kind = law.level == pkpd::Level::subject ? "iiv." : "iov.";
            const auto name_of = [&](int parameter) {
                return model_.parameters[static_cast<std::size_t>(parameter)].name;
            };
            const double correlation =
                result_.values[k] /
                (value_named(kind + name_of(law.first)) * value_named(kind + name_of(law.second)));
            if (std::isfinite(correlation))
                text += fmt::format("  correlation of {}{} and {}{}: {:.3f}\n",
                                    kind,
                                    name_of(law.first),
                                    kind,
                                    name_of(law.second),
                                    correlation);
        }
        return text;
    }

    std::string error_note() const {
        if (result_.uncertainties.empty()) return "  SE: not available: none were computed\n";
        const Uncertainty& first = result_.uncertainties.front();
        if (!first.is_usable)
            return fmt::format("  SE ({}): not available: {}\n",
                               first.method,
                               first.why_not.empty() ? "their covariance is not positive definite"
                                                     : first.why_not);
        return fmt::format("  SE: {}; condition number of their correlation {}\n",
                           first.method,
                           std::isfinite(first.condition_number) ? digits(first.condition_number)
                                                                 : "not available: it is singular");
    }

    std::string likelihoods() const {
        std::string text;
        if (std::isfinite(result_.objective))
            text += fmt::format("objective    {} ({})\n",
                                objective_text(result_.objective),
                                result_.objective_name);
        for (const Likelihood& likelihood : result_.likelihoods)
            text += likelihood_line(likelihood);
        return text + criteria();
    }

    std::string likelihood_line(const Likelihood& likelihood) const {
        if (!std::isfinite(likelihood.minus_two_ll))
            return fmt::format("-2LL         not available: {} gave no finite number\n",
                               likelihood.method);
        std::string text = fmt::format("-2LL         {}", objective_text(likelihood.minus_two_ll));
        if (likelihood.standard_error > 0.0)
            text += fmt::format(" ± {:.2g}", likelihood.standard_error);
        text += fmt::format(" ({}; n·log 2π is in it)\n", likelihood.method);
        return text + tail_line(likelihood);
    }

    /// Draws whose weights have a heavy tail say less than their number (Vehtari et al. 2024,
    /// J Mach Learn Res 25:72).
    std::string tail_line(const Likelihood& likelihood) const {
        constexpr double unreliable = 0.7;
        std::vector<std::string> named;
        for (std::size_t s = 0; s < likelihood.k_hat.size(); ++s)
            if (likelihood.k_hat[s] > unreliable) named.push_back(setup_.data->subjects[s].id);
        if (named.empty()) return {};
        const std::size_t n = named.size();
        constexpr std::size_t most_named = 5;
        named.resize(std::min(n, most_named));
        return fmt::format("             k-hat above {:g} in {} of {} subjects: {}{}\n",
                           unreliable,
                           n,
                           likelihood.k_hat.size(),
                           fmt::join(named, ", "),
                           n > most_named ? ", …" : "");
    }

    std::string criteria() const {
        const InformationCriteria criteria = criteria_of(setup_, result_);
        if (!std::isfinite(criteria.aic))
            return "AIC, BIC     not available: there is no likelihood\n";
        return fmt::format("AIC          {}\n"
                           "BIC          {} (n = {} subjects)\n"
                           "BICc         {} (n = {} subjects for the {} numbers of parameters "
                           "that vary, {} observations for the other {})\n",
                           objective_text(criteria.aic),
                           objective_text(criteria.bic),
                           criteria.n_subjects,
                           objective_text(criteria.bicc),
                           criteria.n_subjects,
                           criteria.n_varying,
                           criteria.n_observations,
                           criteria.n_estimated - criteria.n_varying);
    }

    /// What has no row of its own.
    std::string shrinkage() const {
        std::string text;
        for (const Shrinkage& one : result_.shrinkage)
            if (one.name.starts_with("epsilon.") && std::isfinite(one.sd))
                text += fmt::format("shrinkage    {}: {:.1f} %\n", one.name, 100.0 * one.sd);
        return text;
    }

    std::string remarks() const {
        std::string text;
        for (const std::string& note : result_.notes)
            text += fmt::format("note         {}\n", note);
        for (const FitWarning& warning : result_.warnings)
            text += fmt::format(
                "warning      {}\n{}",
                warning.what,
                warning.help.empty() ? "" : fmt::format("             {}\n", warning.help));
        return text;
    }

    const FitSetup& setup_;
    const pkpd::Model& model_;
    const FitResult& result_;
    const std::vector<double> errors_;
};

} // namespace

std::string fit_table(const FitSetup& setup, const FitResult& result) {
    return FitTable(setup, result).text();
}

} // namespace gemel::learners
