#include "fit_numbers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace gemel::learners {

namespace {

using pkpd::LawNumber;

/// Gathers the numbers of a model.
class NumberList {
public:
    NumberList(const pkpd::Model& model, sim::DiagnosticList& diagnostics)
        : model_(model),
          laws_(pkpd::laws_of(model)),
          diagnostics_(diagnostics) {}

    std::vector<FitNumber> take(const std::vector<char>& is_observed) {
        add_typical();
        add_effects(pkpd::Level::subject, "iiv");
        add_effects(pkpd::Level::occasion, "iov");
        add_pairs();
        for (std::size_t output = 0; output < is_observed.size(); ++output)
            if (is_observed[output] != 0) add_error(output);
        return std::move(numbers_);
    }

private:
    FitNumber& add(const std::string& name, const sim::SourceSpan& place) {
        const auto law = pkpd::find_law_number(model_, name, place, diagnostics_);
        FitNumber& number = numbers_.emplace_back();
        if (!law) return number; // told
        number.law = *law;
        number.start = pkpd::value_of(laws_, *law);
        return number;
    }

    void add_typical() {
        for (const pkpd::Parameter& parameter : model_.parameters) {
            if (parameter.is_computed) continue;
            FitNumber& number = add(parameter.name, parameter.span);
            if (parameter.lower) number.lower = *parameter.lower;
            if (parameter.upper) number.upper = *parameter.upper;
        }
    }

    void add_effects(pkpd::Level level, const char* kind) {
        for (const pkpd::Parameter& parameter : model_.parameters) {
            const auto& effect = parameter.effect(level);
            if (!effect || !(effect->sd > 0.0)) continue;
            if (effect->law == pkpd::VariabilityLaw::student)
                diagnostics_.add(parameter.span,
                                 fmt::format("{} of {} has law \"student\", which no method fits",
                                             kind,
                                             parameter.name),
                                 fmt::format("in the fit's file: {} = {{ {} = {{ sd = 0.3 }} }} "
                                             "below [parameters]",
                                             parameter.name,
                                             kind));
            else
                add(fmt::format("{}.{}.sd", kind, parameter.name), parameter.span).lower = 0.0;
        }
    }

    void add_pairs() {
        const auto name_of = [&](int parameter) {
            return model_.parameters[static_cast<std::size_t>(parameter)].name;
        };
        for (const pkpd::OmegaBlock& block : model_.omega)
            for (std::size_t i = 1; i < block.of.size(); ++i)
                for (std::size_t j = 0; j < i; ++j)
                    if (is_drawn(block, i) && is_drawn(block, j))
                        add(fmt::format("{}.{}.{}.covariance",
                                        block.level == pkpd::Level::subject ? "iiv" : "iov",
                                        name_of(block.of[j]),
                                        name_of(block.of[i])),
                            model_.parameters[static_cast<std::size_t>(block.of[i])].span);
    }

    bool is_drawn(const pkpd::OmegaBlock& block, std::size_t member) const {
        const auto parameter = static_cast<std::size_t>(block.of[member]);
        const auto& effect = laws_.effect(block.level, parameter);
        return effect && effect->sd > 0.0 && effect->law != pkpd::VariabilityLaw::student;
    }

    void add_error(std::size_t output) {
        using Errors = pkpd::ResidualError::Law;
        const Errors law = model_.residual_errors[output].law;
        const std::string error = "error." + model_.system.outputs[output].name + ".";
        const bool is_combined = law == Errors::combined1 || law == Errors::combined2;
        const sim::SourceSpan place{model_.text};
        if (is_combined || law == Errors::proportional || law == Errors::power)
            add(error + "proportional", place).lower = 0.0;
        if (is_combined || law == Errors::additive) add(error + "additive", place).lower = 0.0;
        if (law == Errors::power) add(error + "exponent", place);
        if (law == Errors::lognormal) add(error + "sd", place).lower = 0.0;
    }

    const pkpd::Model& model_;
    const pkpd::PopulationLaws laws_;
    sim::DiagnosticList& diagnostics_;
    std::vector<FitNumber> numbers_;
};

/// What a name in `fixed` stands for: "iiv.ka" or "iiv.ka.sd". Nothing after a mistake.
FitNumber* find_number(const std::string& name,
                       const FitWords& words,
                       const pkpd::Model& model,
                       std::vector<FitNumber>& numbers,
                       sim::DiagnosticList& diagnostics) {
    const auto find = [&](const std::string& subject) {
        const auto at = std::ranges::find_if(
            numbers, [&](const FitNumber& number) { return number.law.subject == subject; });
        return at == numbers.end() ? nullptr : &*at;
    };
    if (FitNumber* number = find(name)) return number;
    sim::DiagnosticList silent;
    if (const auto law = pkpd::find_law_number(model, name, words.fixed_span, silent))
        if (FitNumber* number = find(law->subject)) return number;
    std::vector<std::string> known;
    for (const FitNumber& number : numbers)
        known.push_back(number.law.subject);
    diagnostics.add(words.fixed_span,
                    fmt::format("'{}' is no number of this fit", name),
                    sim::suggest(name, known));
    return nullptr;
}

/// Of a group either all numbers are fixed or none: its covariance is estimated as a whole.
void check_groups(const FitWords& words,
                  const pkpd::Model& model,
                  const std::vector<FitNumber>& numbers,
                  sim::DiagnosticList& diagnostics) {
    std::map<int, std::vector<std::string>> fixed, free;
    for (const FitNumber& number : numbers) {
        const bool is_of_effects =
            number.law.kind == LawNumber::Kind::effect || number.law.kind == LawNumber::Kind::pair;
        if (is_of_effects && number.law.group >= 0)
            (number.is_fixed ? fixed : free)[number.law.group].push_back(number.law.subject);
    }
    for (const auto& [group, names] : fixed) {
        if (!free.contains(group)) continue;
        std::vector<std::string> of;
        for (const int parameter : model.omega[static_cast<std::size_t>(group)].of)
            of.push_back(model.parameters[static_cast<std::size_t>(parameter)].name);
        diagnostics.add(words.fixed_span,
                        fmt::format("of the [[omega]] of {} only {} {} fixed; all of its numbers "
                                    "are, or none",
                                    fmt::join(of, ", "),
                                    fmt::join(names, ", "),
                                    names.size() == 1 ? "is" : "are"),
                        fmt::format("add {}", fmt::join(free[group], ", ")));
    }
}

/// An estimate begins where the likelihood says something of it.
void check_first_value(const FitNumber& number,
                       const FitWords& words,
                       sim::DiagnosticList& diagnostics) {
    const bool is_sd = number.law.kind == LawNumber::Kind::error &&
                       number.law.part != LawNumber::ErrorPart::exponent;
    if (number.is_fixed || !is_sd || number.start > 0.0) return;
    diagnostics.add(words.model_span,
                    fmt::format("{} begins at 0, where no search leaves", number.law.name),
                    fmt::format("give it a start above 0 below [outputs], another law, or add "
                                "\"{}\" to `fixed`",
                                number.law.subject));
}

} // namespace

std::vector<FitNumber> read_numbers(const FitWords& words,
                                    const pkpd::Model& model,
                                    const std::vector<char>& is_observed,
                                    sim::DiagnosticList& diagnostics) {
    std::vector<FitNumber> numbers = NumberList(model, diagnostics).take(is_observed);
    for (const std::string& name : words.fixed)
        if (FitNumber* number = find_number(name, words, model, numbers, diagnostics))
            number->is_fixed = true;
    check_groups(words, model, numbers, diagnostics);
    for (const FitNumber& number : numbers)
        check_first_value(number, words, diagnostics);
    return numbers;
}

} // namespace gemel::learners
