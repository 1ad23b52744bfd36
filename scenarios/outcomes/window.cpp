#include "outcomes/window.hpp"

#include <fmt/format.h>

namespace gemel::scenarios {

namespace {

const std::string window_help =
    "name the window: first_interval, last_interval, or from and to as in 24[h], 48[h]";

std::vector<std::string> output_names(const pkpd::Model& model) {
    std::vector<std::string> names;
    for (const sim::NamedExpr& output : model.system.outputs)
        names.push_back(output.name);
    return names;
}

} // namespace

std::optional<double> constant_in(const sim::SourceText& text,
                                  const sim::Unit& unit,
                                  const sim::Unit& time_unit,
                                  const std::string& what,
                                  sim::DiagnosticList& diagnostics) {
    sim::ExpressionGraph graph;
    sim::DiagnosticList found;
    sim::ExpressionContext context;
    context.graph = &graph;
    context.time_unit = time_unit;
    context.allows_time = false;
    context.resolve = [](const std::string&) { return std::nullopt; };
    context.diagnostics = &found;
    const sim::TypedExpr typed = sim::parse_expression(text, context);
    sim::Expr value;
    if (found.empty()) value = sim::convert(typed, unit, what, text.start, context);
    diagnostics.append(found);
    if (!found.empty()) return std::nullopt;
    return graph.evaluate(value, [](const sim::Leaf&) { return 0.0; });
}

OutcomeArguments::OutcomeArguments(const OutcomeCall& call,
                                   const OutcomeContext& context,
                                   sim::DiagnosticList& diagnostics)
    : call_(call),
      context_(context),
      diagnostics_(diagnostics) {}

int OutcomeArguments::output() {
    if (call_.arguments.empty()) {
        diagnostics_.add(call_.span,
                         fmt::format("{} needs an output of the model", call_.function),
                         sim::suggest("", output_names(*context_.model)));
        return -1;
    }
    const sim::SourceText& word = call_.arguments.front();
    const int found = context_.model->find_output(word.text);
    if (found < 0)
        diagnostics_.add(word.start,
                         fmt::format("the model has no output '{}'", word.text),
                         sim::suggest(word.text, output_names(*context_.model)));
    return found;
}

const sim::Unit& OutcomeArguments::output_unit(int output) const {
    return context_.model->system.outputs[static_cast<std::size_t>(output)].unit;
}

const sim::Unit& OutcomeArguments::time_unit() const {
    return context_.model->system.time_unit;
}

std::optional<double>
OutcomeArguments::constant(std::size_t argument, const sim::Unit& unit, const std::string& what) {
    if (argument >= call_.arguments.size()) {
        diagnostics_.add(call_.span, fmt::format("{} is missing", what));
        return std::nullopt;
    }
    return constant_in(call_.arguments[argument], unit, time_unit(), what, diagnostics_);
}

bool OutcomeArguments::has_at_most(std::size_t n_arguments) {
    if (call_.arguments.size() <= n_arguments) return true;
    diagnostics_.add(call_.arguments[n_arguments].start,
                     fmt::format("{} takes no argument here", call_.function));
    return false;
}

std::optional<Window> OutcomeArguments::window(std::size_t first) {
    if (call_.arguments.size() <= first) {
        diagnostics_.add(
            call_.span, fmt::format("{} names its window", call_.function), window_help);
        return std::nullopt;
    }
    if (!has_at_most(first + 2)) return std::nullopt;
    if (call_.arguments.size() == first + 1) return named_window(call_.arguments[first]);
    const auto from = constant(first, time_unit(), "the start of the window");
    const auto to = constant(first + 1, time_unit(), "the end of the window");
    if (!from || !to) return std::nullopt;
    return checked({*from, *to}, call_.arguments[first + 1].start);
}

std::optional<Window> OutcomeArguments::named_window(const sim::SourceText& word) {
    if (word.text == "first_interval") return first_interval(word.start);
    if (word.text == "last_interval")
        return last_interval(word.start, "write times, as in 24[h], 48[h]");
    const std::vector<std::string> names{"first_interval", "last_interval"};
    const std::string near = sim::nearest_name(word.text, names);
    diagnostics_.add(word.start,
                     fmt::format("'{}' is no window", word.text),
                     near.empty() ? window_help : fmt::format("did you mean '{}'?", near));
    return std::nullopt;
}

/// Of a regimen without doses.
std::string OutcomeArguments::no_dose_text(const std::string& interval) const {
    const std::string& name = context_.regimen->name;
    if (context_.is_dosed_by_data)
        return fmt::format("subjects are dosed by the data file, each in its own way, so that "
                           "'{}' has no {} interval",
                           name,
                           interval);
    return fmt::format("regimen '{}' has no dose, so no {} interval", name, interval);
}

std::optional<Window> OutcomeArguments::first_interval(const sim::SourceSpan& span) {
    const pkpd::Regimen& regimen = *context_.regimen;
    if (regimen.dose_times.size() < 2) {
        diagnostics_.add(
            span,
            regimen.dose_times.empty()
                ? no_dose_text("first")
                : fmt::format("regimen '{}' has one dose only, so no first interval", regimen.name),
            "write the window, as in 0[h], 24[h]");
        return std::nullopt;
    }
    return checked({regimen.dose_times[0], regimen.dose_times[1]}, span);
}

std::optional<Window> OutcomeArguments::last_interval(const sim::SourceSpan& span,
                                                      const std::string& help) {
    const pkpd::Regimen& regimen = *context_.regimen;
    if (regimen.dose_times.empty() || !(regimen.last_interval > 0.0)) {
        diagnostics_.add(
            span,
            regimen.dose_times.empty()
                ? no_dose_text("last")
                : fmt::format(
                      "the last dose of regimen '{}' is not repeated, so it has no interval",
                      regimen.name),
            help);
        return std::nullopt;
    }
    const double last = regimen.dose_times.back();
    return checked({last, last + regimen.last_interval}, span);
}

std::optional<Window> OutcomeArguments::checked(Window window, const sim::SourceSpan& span) {
    const std::string unit = time_unit().text;
    // A start of a dose and its interval are sums of decimals: a few ulp beyond the end are the
    // end.
    const double slack = 1e-12 * context_.duration;
    if (window.to > context_.duration && window.to <= context_.duration + slack)
        window.to = context_.duration;
    if (window.to > context_.duration) {
        diagnostics_.add(
            span,
            fmt::format("the window ends at {:g} {}, after the study, which ends at {:g} {}",
                        window.to,
                        unit,
                        context_.duration,
                        unit),
            fmt::format("duration = \"{:g} {}\" would do", window.to, unit));
        return std::nullopt;
    }
    if (window.from < 0.0 || !(window.from < window.to)) {
        diagnostics_.add(span,
                         window.from < 0.0 ? "the window starts before the study"
                                           : "the window ends before it starts");
        return std::nullopt;
    }
    return window;
}

std::string OutcomeArguments::trough_help() const {
    const std::string output = call_.arguments.empty() ? "Cp" : call_.arguments.front().text;
    return fmt::format("write when, as in {}({}, 24[h])", call_.function, output);
}

std::optional<double> OutcomeArguments::trough_time(std::size_t first) {
    if (!has_at_most(first + 1)) return std::nullopt;
    if (call_.arguments.size() == first) {
        const auto window = last_interval(call_.span, trough_help());
        return window ? std::optional(window->to) : std::nullopt;
    }
    const sim::SourceText& argument = call_.arguments[first];
    const auto time = constant(first, time_unit(), "the time of trough");
    if (!time) return std::nullopt;
    if (!(*time > 0.0)) {
        diagnostics_.add(argument.start, "there is nothing before the start of the study");
        return std::nullopt;
    }
    const auto window = checked({0.0, *time}, argument.start);
    return window ? std::optional(window->to) : std::nullopt;
}

} // namespace gemel::scenarios
