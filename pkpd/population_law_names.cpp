#include "names_of.hpp"

#include <gemel/pkpd/population_laws.hpp>

#include <fmt/format.h>

#include <algorithm>

/// Names of the numbers of a population's laws.
namespace gemel::pkpd {
namespace {

using NumberKind = LawNumber::Kind;
using NumberReading = LawNumber::Reading;
using NumberPart = LawNumber::ErrorPart;

const std::vector<std::pair<std::string, NumberReading>> effect_readings{
    {"sd", NumberReading::sd},
    {"var", NumberReading::var},
    {"cv", NumberReading::cv},
    {"cv_approx", NumberReading::sd},
    {"scale", NumberReading::scale}};
const std::vector<std::pair<std::string, NumberReading>> pair_readings{
    {"covariance", NumberReading::covariance}, {"correlation", NumberReading::correlation}};
const std::vector<std::pair<std::string, NumberPart>> error_parts{
    {"additive", NumberPart::additive},
    {"proportional", NumberPart::proportional},
    {"exponent", NumberPart::exponent},
    {"sd", NumberPart::sd}};

constexpr const char* effect_help =
    "its sd, variance or CV: iiv.CL.sd, iiv.CL.var, iiv.CL.cv, and between occasions iov.CL.sd";

template <class Rows>
const typename Rows::value_type::second_type* find_word(const Rows& rows, const std::string& word) {
    for (const auto& row : rows)
        if (row.first == word) return &row.second;
    return nullptr;
}

std::vector<std::string> split_at_dots(const std::string& name) {
    std::vector<std::string> parts{""};
    for (const char c : name)
        if (c == '.')
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

bool takes(ResidualError::Law law, NumberPart part) {
    using Law = ResidualError::Law;
    switch (part) {
    case NumberPart::additive:
        return law == Law::additive || law == Law::combined1 || law == Law::combined2;
    case NumberPart::proportional:
        return law == Law::proportional || law == Law::combined1 || law == Law::combined2 ||
               law == Law::power;
    case NumberPart::exponent:
        return law == Law::power;
    case NumberPart::sd:
        break;
    }
    return law == Law::lognormal;
}

/// Reads one name.
class NameReader {
public:
    NameReader(const Model& model,
               const std::string& name,
               const sim::SourceSpan& place,
               sim::DiagnosticList& diagnostics)
        : model_(model),
          name_(name),
          place_(place),
          diagnostics_(diagnostics),
          parts_(split_at_dots(name)) {
        number_.name = name;
    }

    std::optional<LawNumber> read() {
        if (parts_.size() == 1) return typical();
        const std::string& kind = parts_.front();
        if (kind == "iiv" || kind == "iov") return of_effects();
        if (kind == "error") return of_errors();
        if (kind == "mixture") return proportion();
        if (kind == "omega")
            return fail("'omega' is a variance to some and an sd to others",
                        fmt::format("say which, {}; of a pair iiv.CL.V.covariance or "
                                    "iiv.CL.V.correlation",
                                    effect_help));
        if (kind == "sigma")
            return fail("'sigma' is a variance to some and an sd to others",
                        "sds are error.Cp.proportional, error.Cp.additive, error.Cp.sd; variances "
                        "error.Cp.proportional.var, …");
        return fail(fmt::format("'{}' is no number of the model", name_),
                    "a name without a dot is a typical value; others begin with iiv, iov, error or "
                    "mixture, as in iiv.CL.sd");
    }

private:
    std::optional<LawNumber> fail(const std::string& message, const std::string& help) {
        diagnostics_.add(place_, message, help);
        return std::nullopt;
    }

    std::optional<LawNumber> typical() {
        number_.first = model_.find_parameter(name_);
        if (number_.first < 0)
            return fail(fmt::format("'{}' is no parameter of the model", name_),
                        sim::suggest(name_, names_of(model_.parameters)));
        const Parameter& parameter = parameter_at(number_.first);
        if (parameter.is_computed)
            return fail(fmt::format("the value of '{}' is an expression", name_), "");
        number_.unit = parameter.unit;
        number_.subject = name_;
        number_.about = "typical value of " + name_;
        return number_;
    }

    const Parameter& parameter_at(int index) const {
        return model_.parameters[static_cast<std::size_t>(index)];
    }

    /// Of the effects' level; −1 after a mistake.
    int varying(const std::string& parameter) {
        const int index = model_.find_parameter(parameter);
        if (index >= 0 && parameter_at(index).effect(number_.level)) return index;
        std::vector<std::string> names;
        for (const Parameter& known : model_.parameters)
            if (known.effect(number_.level)) names.push_back(known.name);
        fail(index < 0 ? fmt::format("'{}' is no parameter of the model", parameter)
                       : fmt::format("'{}' has no {} in the model", parameter, parts_.front()),
             sim::suggest(parameter, names));
        return -1;
    }

    std::optional<LawNumber> of_effects() {
        number_.level = parts_.front() == "iiv" ? Level::subject : Level::occasion;
        if (parts_.size() == 3) return effect();
        if (parts_.size() == 4) return pair();
        return fail(
            fmt::format("'{}' does not say what is given", name_),
            fmt::format("{}; of a pair iiv.CL.V.covariance or iiv.CL.V.correlation", effect_help));
    }

    std::optional<LawNumber> effect() {
        number_.kind = NumberKind::effect;
        number_.first = varying(parts_[1]);
        if (number_.first < 0) return std::nullopt;
        const NumberReading* reading = find_word(effect_readings, parts_[2]);
        if (!reading)
            return fail(fmt::format("'{}' is no reading of variability", parts_[2]), effect_help);
        const Variability& law = *parameter_at(number_.first).effect(number_.level);
        if (const std::string why = why_not_read(law); !why.empty()) return fail(why, effect_help);
        number_.reading = *reading;
        number_.group = group_of(number_.first);
        if (law.law == VariabilityLaw::normal)
            number_.unit = *reading == NumberReading::var
                               ? sim::power(parameter_at(number_.first).unit, 2.0)
                               : parameter_at(number_.first).unit;
        number_.subject = parts_[0] + "." + parts_[1];
        number_.about = fmt::format("{} of the effect of {} between {}s",
                                    parts_[2],
                                    parts_[1],
                                    number_.level == Level::subject ? "subject" : "occasion");
        return number_;
    }

    std::string why_not_read(const Variability& law) const {
        const bool is_student = law.law == VariabilityLaw::student;
        if (parts_[2].starts_with("cv") && law.law != VariabilityLaw::lognormal)
            return fmt::format("a cv is that of law \"lognormal\"; {} has law \"{}\"",
                               parts_[1],
                               gemel::pkpd::name(law.law));
        if (parts_[2] == "scale" && !is_student)
            return fmt::format("a scale is that of law \"student\"; {} has law \"{}\"",
                               parts_[1],
                               gemel::pkpd::name(law.law));
        if (is_student && parts_[2] != "scale" && !(law.df > 2.0))
            return fmt::format("Student's t with df = {:g} has no {}", law.df, parts_[2]);
        return {};
    }

    /// −1: it is in none.
    int group_of(int parameter) const {
        for (std::size_t g = 0; g < model_.omega.size(); ++g)
            if (model_.omega[g].level == number_.level &&
                std::ranges::count(model_.omega[g].of, parameter) > 0)
                return static_cast<int>(g);
        return -1;
    }

    std::optional<LawNumber> pair() {
        number_.kind = NumberKind::pair;
        const int a = varying(parts_[1]), b = varying(parts_[2]);
        if (a < 0 || b < 0) return std::nullopt;
        const NumberReading* reading = find_word(pair_readings, parts_[3]);
        if (!reading)
            return fail(fmt::format("'{}' is no measure of how two effects go together", parts_[3]),
                        "iiv.CL.V.covariance or iiv.CL.V.correlation");
        number_.group = group_of(a);
        if (a == b || number_.group < 0 || group_of(b) != number_.group)
            return fail(
                a == b
                    ? fmt::format("'{}' names {} twice", name_, parts_[1])
                    : fmt::format("{} and {} are independent in the model", parts_[1], parts_[2]),
                a == b ? "the variance is " + parts_[0] + "." + parts_[1] + ".var"
                       : "put them in one [[omega]] there; its correlation may be 0");
        const std::vector<int>& group = model_.omega[static_cast<std::size_t>(number_.group)].of;
        const bool is_in_order = std::ranges::find(group, a) < std::ranges::find(group, b);
        number_.first = is_in_order ? a : b;
        number_.second = is_in_order ? b : a;
        number_.reading = *reading;
        if (*reading == NumberReading::covariance && !covariance_is_theirs()) return std::nullopt;
        set_pair_names();
        return number_;
    }

    /// A covariance of effects of law student is not that of their scores, which are drawn.
    bool covariance_is_theirs() {
        for (int parameter : {number_.first, number_.second}) {
            const Variability& law = *parameter_at(parameter).effect(number_.level);
            if (law.law == VariabilityLaw::student) {
                fail(fmt::format("the effect of {} has law \"student\"",
                                 parameter_at(parameter).name),
                     "give the correlation, that of the normal scores of the effects");
                return false;
            }
            if (law.law == VariabilityLaw::normal)
                number_.unit = number_.unit * parameter_at(parameter).unit;
        }
        return true;
    }

    void set_pair_names() {
        const std::string &a = parameter_at(number_.first).name,
                          &b = parameter_at(number_.second).name;
        number_.subject = fmt::format("{}.{}.{}", parts_[0], a, b);
        number_.about = fmt::format("{} of the effects of {} and {} between {}s",
                                    parts_[3],
                                    a,
                                    b,
                                    number_.level == Level::subject ? "subject" : "occasion");
    }

    /// Of an output with an error; −1 after a mistake.
    int measured(const std::string& output) {
        const int index = model_.find_output(output);
        if (index >= 0 && error_at(index).law != ResidualError::Law::none) return index;
        fail(index < 0 ? fmt::format("'{}' is no output of the model", output)
                       : fmt::format("'{}' has no error in the model", output),
             index < 0 ? sim::suggest(output, names_of(model_.system.outputs)) : "");
        return -1;
    }

    const ResidualError& error_at(int output) const {
        return model_.residual_errors[static_cast<std::size_t>(output)];
    }

    std::optional<LawNumber> of_errors() {
        if (parts_.size() == 4 && parts_[3] == "correlation") return error_pair();
        const bool is_var = parts_.size() == 4 && parts_[3] == "var";
        if (parts_.size() != 3 && !is_var)
            return fail(fmt::format("'{}' does not say what is given", name_),
                        "as in the model: error.Cp.additive, error.Cp.proportional, "
                        "error.Cp.exponent, error.Cp.sd, or error.Cp.additive.var for its square");
        number_.kind = NumberKind::error;
        number_.first = measured(parts_[1]);
        if (number_.first < 0) return std::nullopt;
        const NumberPart* part = find_word(error_parts, parts_[2]);
        if (!part || !takes(error_at(number_.first).law, *part))
            return fail(fmt::format("the error of {} has no '{}'", parts_[1], parts_[2]),
                        "its law in the model says what it has");
        number_.part = *part;
        if (is_var && *part == NumberPart::exponent)
            return fail("an exponent is no sd", "leave '.var' out");
        number_.reading = is_var ? NumberReading::var : NumberReading::value;
        if (*part == NumberPart::additive) {
            const sim::Unit& unit =
                model_.system.outputs[static_cast<std::size_t>(number_.first)].unit;
            number_.unit = is_var ? sim::power(unit, 2.0) : unit;
        }
        number_.subject = fmt::format("error.{}.{}", parts_[1], parts_[2]);
        number_.about = fmt::format(
            "{}{} of the residual error of {}", is_var ? "square of " : "", parts_[2], parts_[1]);
        return number_;
    }

    std::optional<LawNumber> error_pair() {
        number_.kind = NumberKind::error_pair;
        number_.reading = NumberReading::correlation;
        const int a = measured(parts_[1]), b = measured(parts_[2]);
        if (a < 0 || b < 0) return std::nullopt;
        for (std::size_t g = 0; g < model_.residual_correlations.size(); ++g) {
            const std::vector<int>& group = model_.residual_correlations[g].of;
            const auto at_a = std::ranges::find(group, a), at_b = std::ranges::find(group, b);
            if (a == b || at_a == group.end() || at_b == group.end()) continue;
            number_.group = static_cast<int>(g);
            number_.first = at_a < at_b ? a : b;
            number_.second = at_a < at_b ? b : a;
        }
        if (number_.group < 0)
            return fail(fmt::format("the errors of {} and {} are independent in the model",
                                    parts_[1],
                                    parts_[2]),
                        "put them in one [[residual_correlation]] there; it may be 0");
        const auto& outputs = model_.system.outputs;
        number_.subject = fmt::format("error.{}.{}",
                                      outputs[static_cast<std::size_t>(number_.first)].name,
                                      outputs[static_cast<std::size_t>(number_.second)].name);
        number_.about = "correlation of residual errors of " + parts_[1] + " and " + parts_[2];
        return number_;
    }

    std::optional<LawNumber> proportion() {
        number_.kind = NumberKind::proportion;
        number_.first = parts_.size() == 3 ? model_.find_covariate(parts_[1]) : -1;
        std::vector<std::string> mixtures;
        for (const Covariate& covariate : model_.covariates)
            if (!covariate.proportions.empty()) mixtures.push_back(covariate.name);
        if (number_.first < 0 || std::ranges::count(mixtures, parts_[1]) == 0)
            return fail(fmt::format("'{}' is no mixture of the model with its category",
                                    name_.substr(name_.find('.') + 1)),
                        mixtures.empty() ? "the model has no [mixtures]"
                                         : fmt::format("write for example mixture.{}.{}",
                                                       mixtures.front(),
                                                       categories_of(mixtures.front()).front()));
        const std::vector<std::string>& categories = categories_of(parts_[1]);
        const auto category = std::ranges::find(categories, parts_[2]);
        if (category == categories.end())
            return fail(fmt::format("'{}' is no category of {}", parts_[2], parts_[1]),
                        sim::suggest(parts_[2], categories));
        number_.second = static_cast<int>(category - categories.begin());
        number_.subject = name_;
        number_.about = fmt::format("proportion of {} in {}", parts_[2], parts_[1]);
        return number_;
    }

    const std::vector<std::string>& categories_of(const std::string& covariate) const {
        return model_.covariates[static_cast<std::size_t>(model_.find_covariate(covariate))]
            .categories;
    }

    const Model& model_;
    const std::string& name_;
    const sim::SourceSpan& place_;
    sim::DiagnosticList& diagnostics_;
    std::vector<std::string> parts_;
    LawNumber number_;
};

/// "iiv.CL.V" of all pairs of a group.
template <class NameOf>
void add_pairs(const std::string& kind,
               const std::vector<int>& group,
               const NameOf& name_of,
               std::vector<std::string>& subjects) {
    for (std::size_t i = 0; i < group.size(); ++i)
        for (std::size_t j = i + 1; j < group.size(); ++j)
            subjects.push_back(fmt::format("{}.{}.{}", kind, name_of(group[i]), name_of(group[j])));
}

} // namespace

std::optional<LawNumber> find_law_number(const Model& model,
                                         const std::string& name,
                                         const sim::SourceSpan& place,
                                         sim::DiagnosticList& diagnostics) {
    return NameReader(model, name, place, diagnostics).read();
}

std::vector<std::string> law_subjects(const Model& model) {
    std::vector<std::string> subjects;
    for (const Parameter& parameter : model.parameters) {
        if (!parameter.is_computed) subjects.push_back(parameter.name);
        if (parameter.iiv) subjects.push_back("iiv." + parameter.name);
        if (parameter.iov) subjects.push_back("iov." + parameter.name);
    }
    const auto parameter_name = [&](int p) {
        return model.parameters[static_cast<std::size_t>(p)].name;
    };
    const auto output_name = [&](int o) {
        return model.system.outputs[static_cast<std::size_t>(o)].name;
    };
    for (const OmegaBlock& block : model.omega)
        add_pairs(
            block.level == Level::subject ? "iiv" : "iov", block.of, parameter_name, subjects);
    for (const sim::NamedExpr& output : model.system.outputs)
        for (const auto& [word, part] : error_parts)
            subjects.push_back(fmt::format("error.{}.{}", output.name, word));
    for (const ResidualCorrelation& group : model.residual_correlations)
        add_pairs("error", group.of, output_name, subjects);
    for (const Covariate& covariate : model.covariates)
        for (const std::string& category : covariate.categories)
            if (!covariate.proportions.empty())
                subjects.push_back(fmt::format("mixture.{}.{}", covariate.name, category));
    return subjects;
}

} // namespace gemel::pkpd
