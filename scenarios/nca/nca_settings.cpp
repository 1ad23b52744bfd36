#include "nca/nca_input.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace gemel::scenarios {

namespace {

std::optional<double> plain_number(std::string_view text) {
    double value = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

std::vector<std::string> split_at(const std::string& text, char separator) {
    std::vector<std::string> parts{""};
    for (const char c : text)
        c == separator ? parts.emplace_back() : parts.back() += c;
    return parts;
}

/// "zero", "drop" or a number, for one place.
pkpd::BlqUse blq_use(OptionReader& reader,
                     const std::string& option,
                     const std::string& word,
                     const ProfileUnits& units,
                     double& value) {
    if (word == "zero") return pkpd::BlqUse::zero;
    if (word == "drop") return pkpd::BlqUse::drop;
    const double number = reader.number(option, word, units.concentration);
    if (!std::isnan(value) && number != value)
        reader.mistake(option, word, "two numbers for concentrations below the limit", "use one");
    value = number;
    return pkpd::BlqUse::value;
}

pkpd::BlqRule blq_rule(OptionReader& reader, const NcaRequest& request, const ProfileUnits& units) {
    const bool by_tmax = !request.blq_around_tmax.empty();
    const std::string option = by_tmax ? "--blq-around-tmax" : "--blq";
    const std::string text = by_tmax ? request.blq_around_tmax : request.blq;
    pkpd::BlqRule rule;
    if (text.empty()) return rule;
    const std::vector<std::string> words = split_at(text, ',');
    if (words.size() != (by_tmax ? 2U : 3U)) {
        reader.mistake(option,
                       text,
                       by_tmax ? "two words are expected: before tmax, after it"
                               : "three words are expected: before, between and after measurable "
                                 "concentrations",
                       "each is zero, drop or a number");
        return rule;
    }
    double value = pkpd::NcaResult::not_known;
    std::vector<pkpd::BlqUse> uses;
    for (const std::string& word : words)
        uses.push_back(blq_use(reader, option, word, units, value));
    rule = {uses[0], uses[1], uses.back(), std::isnan(value) ? 0.0 : value, by_tmax};
    return rule;
}

/// At least `least`, or above it.
void demand(OptionReader& reader,
            const std::string& option,
            const std::string& text,
            double value,
            bool may_be_zero) {
    if (std::isnan(value) || value > 0.0 || (may_be_zero && value == 0.0)) return;
    reader.mistake(option,
                   text,
                   fmt::format("{} is out of range", text),
                   may_be_zero ? "a number from 0 is expected" : "a number above 0 is expected");
}

double option_number(OptionReader& reader,
                     const std::string& option,
                     const std::string& text,
                     const std::optional<sim::Unit>& unit,
                     bool may_be_zero) {
    if (text.empty()) return pkpd::NcaResult::not_known;
    const double value = reader.number(option, text, unit);
    demand(reader, option, text, value, may_be_zero);
    return value;
}

} // namespace

void OptionReader::mistake(const std::string& option,
                           const std::string& text,
                           std::string message,
                           std::string help) {
    diagnostics_.add(place(option, text), std::move(message), std::move(help));
}

sim::SourceSpan OptionReader::place(const std::string& option, const std::string& text) {
    const auto source = std::make_shared<sim::SourceFile>(sim::SourceFile{option, text});
    const int line = text.empty() ? 0 : 1; // 0: nothing to quote
    return {source, line, line, std::max(1, static_cast<int>(text.size()))};
}

double OptionReader::number(const std::string& option,
                            const std::string& text,
                            const std::optional<sim::Unit>& unit) {
    if (const auto value = plain_number(text)) return *value;
    const auto quantity = sim::parse_quantity(text);
    if (!quantity || !std::isfinite(quantity->value))
        mistake(option, text, fmt::format("'{}' is no number", text));
    else if (!unit)
        mistake(
            option,
            text,
            fmt::format("'{}' has a unit, and the file does not say which it counts in", text),
            "write the bare number, or declare units in the header, as in \"DV [mg/L]\", or with "
            "--time-unit, --conc-unit and --dose-unit");
    else if (quantity->unit.dimension != unit->dimension)
        mistake(option,
                text,
                fmt::format("'{}' is {}; the file counts in {}",
                            text,
                            quantity->unit.dimension.name(),
                            unit->text));
    else
        return quantity->in(*unit);
    return pkpd::NcaResult::not_known;
}

pkpd::NcaWindow OptionReader::window(const std::string& option,
                                     const std::string& text,
                                     const std::optional<sim::Unit>& unit) {
    const std::vector<std::string> parts = split_at(text, ':');
    if (parts.size() != 2) {
        mistake(option, text, fmt::format("'{}' is no window of time", text), "write 0:12");
        return {};
    }
    const pkpd::NcaWindow window{number(option, parts[0], unit), number(option, parts[1], unit)};
    if (window.from < 0.0 || window.from >= window.to)
        mistake(option,
                text,
                fmt::format("'{}' does not go forward from the dose", text),
                "write 0:12; times are since the dose");
    return window;
}

std::optional<sim::Unit> OptionReader::unit(const std::string& option, const std::string& text) {
    if (text.empty()) return std::nullopt;
    std::string why;
    const auto unit = sim::parse_unit(text, &why);
    if (!unit) mistake(option, text, fmt::format("'{}' is no unit: {}", text, why));
    return unit;
}

void demand_route(const std::vector<const std::vector<ProfileDose>*>& doses,
                  const NcaRequest& request,
                  sim::DiagnosticList& diagnostics) {
    if (request.route) return;
    bool are_infusions = false, is_other = false;
    for (const std::vector<ProfileDose>* of : doses)
        for (const ProfileDose& dose : *of)
            (dose.duration != 0.0 ? are_infusions : is_other) = true;
    if (are_infusions && !is_other) return;
    OptionReader(diagnostics)
        .mistake("--route",
                 "",
                 "the file does not say how the doses were given",
                 "write --route oral, --route bolus or --route infusion");
}

NcaSettings settings_of(const NcaRequest& request,
                        const ProfileUnits& units,
                        sim::DiagnosticList& diagnostics) {
    OptionReader reader(diagnostics);
    NcaSettings s;
    s.analysis.rule = request.rule;
    s.analysis.blq = blq_rule(reader, request, units);
    s.analysis.slope_points = request.slope_points;
    s.analysis.slope_from_tmax = request.slope_from_tmax;
    s.route = request.route;
    s.dose = option_number(reader, "--dose", request.dose, units.dose, false);
    if (!request.dose_time.empty())
        s.dose_time = reader.number("--dose-time", request.dose_time, units.time);
    s.duration = option_number(reader, "--duration", request.duration, units.time, false);
    s.tau = option_number(reader, "--tau", request.tau, units.time, false);
    s.superpose = option_number(reader, "--superpose", request.superpose, units.time, false);
    const double lloq = option_number(reader, "--lloq", request.lloq, units.concentration, true);
    if (!std::isnan(lloq)) s.lloq = lloq;
    if (!request.slope_window.empty())
        s.slope_window = reader.window("--lambda-z", request.slope_window, units.time);
    for (const std::string& text : request.slope_without)
        s.slope_without.push_back(reader.number("--not-lambda-z", text, units.time));
    for (const std::string& text : request.partials) {
        const pkpd::NcaWindow window = reader.window("--partial", text, units.time);
        s.analysis.partials.push_back(window);
        s.partial_names.push_back(fmt::format("auc_{:g}_{:g}", window.from, window.to));
    }
    for (const std::string& text : request.thresholds) {
        s.analysis.thresholds.push_back(
            option_number(reader, "--above", text, units.concentration, true));
        s.threshold_names.push_back(fmt::format("time_above_{:g}", s.analysis.thresholds.back()));
    }
    return s;
}

} // namespace gemel::scenarios
