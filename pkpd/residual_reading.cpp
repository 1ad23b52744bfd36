#include "residual_reading.hpp"

#include "names_of.hpp"
#include "triangle.hpp"

#include <gemel/pkpd/residual.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::pkpd {
namespace {

const ResidualError& error_of(const Model& model, int output) {
    return model.residual_errors[static_cast<std::size_t>(output)];
}

/// Why an output cannot join the others, or "".
std::string why_not_joined(const std::string& name,
                           int output,
                           const std::vector<int>& group,
                           const Model& model) {
    if (output < 0) return fmt::format("'{}' is no output", name);
    if (error_of(model, output).law == ResidualError::Law::none)
        return fmt::format("'{}' has no error", name);
    if (std::ranges::count(group, output) > 0) return fmt::format("'{}' is named twice", name);
    for (const ResidualCorrelation& other : model.residual_correlations)
        if (std::ranges::count(other.of, output) > 0)
            return fmt::format("'{}' is already in another [[residual_correlation]]", name);
    if (!group.empty() &&
        error_of(model, output).half_time != error_of(model, group.front()).half_time)
        return fmt::format("the errors of '{}' and '{}' go in time in different ways",
                           model.system.outputs[static_cast<std::size_t>(group.front())].name,
                           name);
    return {};
}

std::string help_for(const std::string& name, int output, const Model& model) {
    if (output < 0) return sim::suggest(name, names_of(model.system.outputs));
    if (error_of(model, output).law == ResidualError::Law::none)
        return fmt::format("say in [outputs] how '{}' is measured: error = {{ law = "
                           "\"proportional\", proportional = 0.15 }}",
                           name);
    return "outputs of a group stand in it once, with one `autocorrelation` or none";
}

std::optional<std::vector<int>> find_outputs(const ResidualCorrelationWords& words,
                                             const Model& model,
                                             sim::DiagnosticList& diagnostics) {
    std::vector<int> group;
    const std::size_t n_before = diagnostics.size();
    for (const std::string& name : words.of) {
        const int output = model.find_output(name);
        const std::string why = why_not_joined(name, output, group, model);
        if (!why.empty()) diagnostics.add(words.of_span, why, help_for(name, output, model));
        group.push_back(output);
    }
    if (diagnostics.size() == n_before && group.size() < 2)
        diagnostics.add(words.of_span, "a correlation is between at least two outputs");
    return diagnostics.size() == n_before ? std::optional(group) : std::nullopt;
}

/// A number in `unit`, or a quantity. NaN after a mistake.
double read_limit(const io::TomlView& view,
                  const char* key,
                  const sim::Unit& unit,
                  sim::DiagnosticList& diagnostics) {
    const double missing = std::numeric_limits<double>::quiet_NaN();
    const auto fail = [&](std::string message) {
        diagnostics.add(view.span(),
                        std::move(message),
                        fmt::format("write for example {} = \"0.1 {}\"", key, unit.text));
        return missing;
    };
    double limit = 0.0;
    if (const auto number = view.number()) {
        limit = *number;
    } else if (const auto text = view.text()) {
        std::string why;
        const auto quantity = sim::parse_quantity(*text, &why);
        if (!quantity) return fail(fmt::format("\"{}\" is no quantity: {}", *text, why));
        if (!(quantity->unit.dimension == unit.dimension))
            return fail(fmt::format("\"{}\" is {}; the output is {}",
                                    *text,
                                    quantity->unit.dimension.name(),
                                    unit.dimension.name()));
        limit = quantity->in(unit);
    } else {
        return fail(fmt::format("{} stands here; a number in \"{}\" or a quantity is expected",
                                io::name(view.kind()),
                                unit.text));
    }
    if (!(limit > 0.0) || !std::isfinite(limit))
        return fail(fmt::format("a limit of quantification is above 0, not {:g}", limit));
    return limit;
}

} // namespace

void read_limits(const io::TomlView& lloq,
                 const io::TomlView& uloq,
                 const sim::Unit& unit,
                 QuantificationLimits& limits,
                 sim::DiagnosticList& diagnostics) {
    if (lloq.is_set()) limits.lower = read_limit(lloq, "lloq", unit, diagnostics);
    if (uloq.is_set()) limits.upper = read_limit(uloq, "uloq", unit, diagnostics);
    if (limits.upper <= limits.lower) // false where one is missing
        diagnostics.add((uloq.is_set() ? uloq : lloq).span(),
                        fmt::format("the upper limit of quantification, {:g} {}, is not above the "
                                    "lower, {:g} {}",
                                    limits.upper,
                                    unit.text,
                                    limits.lower,
                                    unit.text));
}

ResidualError read_residual_error(const OutputWords& words,
                                  const sim::Unit& time_unit,
                                  sim::DiagnosticList& diagnostics) {
    ResidualError error = words.error.law;
    const sim::Quantity& half_time = words.error.half_time;
    const bool are_times = half_time.unit.dimension == sim::time_dimension &&
                           time_unit.dimension == sim::time_dimension; // else told already
    if (are_times && half_time.value > 0.0) error.half_time = half_time.in(time_unit);
    if (words.unit.is_known)
        read_limits(words.error.lloq, words.error.uloq, words.unit.unit, error.limits, diagnostics);
    return error;
}

void read_residual_correlations(const ModelWords& words,
                                Model& model,
                                sim::DiagnosticList& diagnostics) {
    for (const ResidualCorrelationWords& given : words.residual_correlations) {
        const auto group = find_outputs(given, model, diagnostics);
        if (!group || !given.correlation.is_set()) continue;
        const auto matrix =
            read_triangle(given.correlation, group->size(), false, "outputs", diagnostics);
        if (!matrix) continue;
        if (is_positive_semidefinite(*matrix, group->size()))
            model.residual_correlations.push_back({*group, *matrix});
        else
            diagnostics.add(given.correlation.span(),
                            "this correlation is not positive semidefinite: no errors go together "
                            "like that");
    }
}

} // namespace gemel::pkpd
