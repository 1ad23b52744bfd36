#include "endpoints/endpoint_words.hpp"
#include "outcome_text.hpp"
#include "outcomes/window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::scenarios {

namespace {

const std::string call_help = "write a call such as \"geometric_mean(AUC)\"";

std::vector<std::string> function_names() {
    std::vector<std::string> names;
    for (const EndpointFunction& function : endpoint_functions())
        names.emplace_back(function.name);
    return names;
}

std::vector<std::string> arm_names(const Study& study) {
    std::vector<std::string> names;
    for (const Arm& arm : study.arms)
        names.push_back(arm.name);
    return names;
}

/// One endpoint; every mistake points at the word it is about.
class EndpointBinder {
public:
    EndpointBinder(const EndpointWords& words,
                   const std::vector<std::string>& outcome_names,
                   Study& study,
                   sim::DiagnosticList& diagnostics)
        : words_(words),
          outcome_names_(outcome_names),
          study_(study),
          diagnostics_(diagnostics) {}

    /// Nothing after a mistake.
    std::optional<Endpoint> bind() {
        endpoint_.name = words_.name;
        endpoint_.label = words_.label;
        endpoint_.text = words_.value;
        const bool is_call = read_call();
        const auto place = stratification_of(words_.stratification, study_, diagnostics_);
        if (!is_call || !place || !is_good_) return std::nullopt;
        endpoint_.stratification = *place;
        return std::move(endpoint_);
    }

private:
    void mistake(const sim::SourceSpan& span, std::string message, std::string help = {}) {
        is_good_ = false;
        diagnostics_.add(span, std::move(message), std::move(help));
    }

    bool read_call() {
        if (words_.value.text.empty()) return false; // told while reading
        const auto parsed = parse_call(words_.value, "endpoint", call_help, diagnostics_);
        if (!parsed) return false;
        const OutcomeCall& call = parsed->call;
        if (!parsed->rest.text.empty())
            mistake(parsed->rest.start,
                    fmt::format("'{}' cannot follow an endpoint's call", parsed->rest.text));
        endpoint_.function = find_endpoint_function(call.function);
        if (endpoint_.function == nullptr) {
            mistake(call.name_span,
                    fmt::format("there is no endpoint function '{}'", call.function),
                    sim::suggest(call.function, function_names()));
            return false;
        }
        read_arguments(call);
        read_settings();
        return is_good_;
    }

    void read_arguments(const OutcomeCall& call) {
        const EndpointFunction& function = *endpoint_.function;
        const bool has_second = function.second != EndpointFunction::Second::none;
        const std::size_t n = has_second ? 2 : 1;
        if (call.arguments.size() != n)
            return mistake(call.span,
                           fmt::format("{} takes {} argument{}, not {}",
                                       call.function,
                                       n,
                                       n == 1 ? "" : "s",
                                       call.arguments.size()),
                           fmt::format("write {}", function.signature));
        read_outcome(call.arguments[0]);
        if (function.second == EndpointFunction::Second::probability)
            read_probability(call.arguments[1]);
        if (function.second == EndpointFunction::Second::arm) read_arm(call.arguments[1]);
    }

    void read_outcome(const sim::SourceText& text) {
        const Comparison comparison = split_comparison(text);
        const std::string& name = comparison.left.text;
        const auto found = std::find_if(study_.outcomes.begin(),
                                        study_.outcomes.end(),
                                        [&](const Outcome& o) { return o.name == name; });
        if (found == study_.outcomes.end()) {
            is_good_ = false;
            if (std::count(outcome_names_.begin(), outcome_names_.end(), name) == 0)
                mistake(comparison.left.start,
                        fmt::format("the study has no outcome '{}'", name),
                        outcome_names_.empty() ? "[outcomes]\nAUC = \"auc(Cp, last_interval)\""
                                               : sim::suggest(name, outcome_names_));
            return;
        }
        endpoint_.quantity.outcome = static_cast<std::size_t>(found - study_.outcomes.begin());
        check_comparison(*found, comparison);
    }

    void check_comparison(const Outcome& outcome, const Comparison& comparison) {
        const EndpointFunction& function = *endpoint_.function;
        const sim::Unit unit = endpoint_.quantity.outcome < study_.outcome_units.size()
                                   ? study_.outcome_units[endpoint_.quantity.outcome]
                                   : sim::Unit{};
        endpoint_.unit = function.has_outcome_unit ? unit : sim::Unit{};
        const bool is_condition = !outcome.comparison.empty();
        if (!function.takes_comparison) {
            if (!comparison.comparison.empty())
                mistake(comparison.left.start,
                        fmt::format("{} takes an outcome, not a comparison", function.name),
                        fmt::format("proportion({} {} {}) is the share for whom it holds",
                                    comparison.left.text,
                                    comparison.comparison,
                                    comparison.right.text));
            else if (is_condition &&
                     (function.needs_logs || function.second == EndpointFunction::Second::arm))
                mistake(comparison.left.start,
                        fmt::format("'{}' is 1 or 0 and has no logarithm", outcome.name),
                        fmt::format("proportion({}) is the share for whom it holds", outcome.name));
            return;
        }
        if (is_condition == comparison.comparison.empty()) {
            if (!is_condition) read_threshold(comparison, unit);
            return;
        }
        if (is_condition)
            mistake(comparison.left.start,
                    fmt::format("'{}' is a comparison already", outcome.name),
                    fmt::format("write proportion({})", outcome.name));
        else
            mistake(comparison.left.start,
                    fmt::format("'{}' is a number, not a comparison", outcome.name),
                    fmt::format("write proportion({} >= 3[{}]), or give the outcome a comparison",
                                outcome.name,
                                unit.text));
    }

    void read_threshold(const Comparison& comparison, const sim::Unit& unit) {
        endpoint_.quantity.comparison = comparison.comparison;
        const auto threshold = constant_in(comparison.right,
                                           unit,
                                           study_.model->system.time_unit,
                                           "outcome " + comparison.left.text,
                                           diagnostics_);
        if (!threshold) is_good_ = false;
        endpoint_.quantity.threshold = threshold.value_or(0.0);
    }

    void read_probability(const sim::SourceText& text) {
        const auto p = constant_in(
            text, sim::Unit{}, study_.model->system.time_unit, "the probability", diagnostics_);
        if (!p)
            is_good_ = false;
        else if (!(*p >= 0.0 && *p <= 1.0))
            mistake(text.start, fmt::format("the probability is {:g}; it is from 0 to 1", *p));
        else
            endpoint_.settings.probability = *p;
    }

    void read_arm(const sim::SourceText& text) {
        const std::vector<std::string> names = arm_names(study_);
        const auto found = std::find(names.begin(), names.end(), text.text);
        if (found == names.end())
            mistake(text.start,
                    fmt::format("the study has no arm '{}'", text.text),
                    sim::suggest(text.text, names));
        endpoint_.quantity.reference_arm = static_cast<int>(found - names.begin());
    }

    void read_settings() {
        const EndpointFunction& function = *endpoint_.function;
        endpoint_.settings.level = words_.level > 0.0 ? words_.level : function.level;
        endpoint_.settings.interval =
            words_.interval == 1 ? Interval::clopper_pearson : Interval::wilson;
        if (words_.level > 0.0 && !function.has_interval)
            mistake(words_.level_span,
                    fmt::format("{} has no interval", function.name),
                    "proportion and geometric_mean_ratio have one");
        if (words_.interval >= 0 && !function.takes_comparison)
            mistake(words_.interval_span,
                    fmt::format("'interval' is of proportions; {} is none", function.name));
    }

    const EndpointWords& words_;
    const std::vector<std::string>& outcome_names_;
    Study& study_;
    sim::DiagnosticList& diagnostics_;
    Endpoint endpoint_;
    bool is_good_ = true;
};

/// What stands beside an endpoint in the file has a name, too.
void check_companions(const EndpointWords& words,
                      const std::vector<EndpointWords>& all,
                      sim::DiagnosticList& diagnostics) {
    for (const EndpointWords& other : all)
        for (const char* suffix : {"_mcse", "_lower", "_upper", "_n", "_n_missing"})
            if (words.name == other.name + suffix)
                diagnostics.add(words.name_span,
                                fmt::format("'{}' is the name the result file gives to what stands "
                                            "beside endpoint '{}'",
                                            words.name,
                                            other.name),
                                "choose another name");
}

} // namespace

std::optional<std::size_t> stratification_of(const StratificationWords& words,
                                             Study& study,
                                             sim::DiagnosticList& diagnostics) {
    if (study.stratifications.empty()) study.stratifications.push_back(no_stratification());
    auto fresh = read_stratification(words, study.population, diagnostics);
    if (!fresh) return std::nullopt;
    for (std::size_t i = 0; i < study.stratifications.size(); ++i)
        if (study.stratifications[i].by == fresh->by &&
            study.stratifications[i].strata == fresh->strata)
            return i;
    study.stratifications.push_back(std::move(*fresh));
    return study.stratifications.size() - 1;
}

void bind_endpoints(const std::vector<EndpointWords>& words,
                    const std::vector<std::string>& outcome_names,
                    Study& study,
                    sim::DiagnosticList& diagnostics) {
    for (const EndpointWords& endpoint : words) {
        check_companions(endpoint, words, diagnostics);
        if (auto bound = EndpointBinder(endpoint, outcome_names, study, diagnostics).bind())
            study.endpoints.push_back(std::move(*bound));
    }
}

} // namespace gemel::scenarios
