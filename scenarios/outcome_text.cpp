#include "outcome_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace gemel::scenarios {

namespace {

const std::string outcome_help =
    "write a call such as \"auc(Cp, last_interval)\" or \"trough(Cp) >= 0.2[mg/L]\"";

bool is_space(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}
bool is_name_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}
bool starts_code_point(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

/// The part [from, to) of a text without the blanks around it, with its own place.
sim::SourceText part(const sim::SourceText& whole, std::size_t from, std::size_t to) {
    while (from < to && is_space(whole.text[from]))
        ++from;
    while (to > from && is_space(whole.text[to - 1]))
        --to;
    sim::SourceText result{whole.text.substr(from, to - from), whole.start};
    for (std::size_t i = 0; i < from; ++i) {
        if (whole.text[i] == '\n') {
            ++result.start.line;
            result.start.column = 1;
        } else if (starts_code_point(whole.text[i])) {
            ++result.start.column;
        }
    }
    const auto n_points = std::count_if(result.text.begin(), result.text.end(), starts_code_point);
    result.start.length = std::max(1, static_cast<int>(n_points));
    return result;
}

/// The bracket that closes the one at `open`; npos if there is none.
std::size_t closing(const std::string& text, std::size_t open) {
    int depth = 0;
    for (std::size_t i = open; i < text.size(); ++i) {
        depth += text[i] == '(';
        depth -= text[i] == ')';
        if (depth == 0) return i;
    }
    return std::string::npos;
}

std::vector<sim::SourceText>
split_arguments(const sim::SourceText& text, std::size_t open, std::size_t close) {
    std::vector<sim::SourceText> arguments;
    std::size_t start = open + 1;
    int depth = 0;
    for (std::size_t i = open + 1; i <= close; ++i) {
        const char c = text.text[i];
        if (i == close || (c == ',' && depth == 0)) {
            arguments.push_back(part(text, start, i));
            start = i + 1;
        }
        depth += c == '(';
        depth -= c == ')';
    }
    if (arguments.size() == 1 && arguments.front().text.empty()) arguments.clear();
    return arguments;
}

bool read_comparison(const sim::SourceText& rest,
                     Outcome& outcome,
                     sim::DiagnosticList& diagnostics) {
    if (rest.text.empty()) return true;
    const Comparison comparison = split_comparison(rest);
    if (comparison.comparison.empty() || !comparison.left.text.empty()) {
        diagnostics.add(rest.start,
                        fmt::format("'{}' cannot follow an outcome's call", rest.text),
                        "only a comparison can, such as >= 0.2[mg/L]");
        return false;
    }
    outcome.comparison = comparison.comparison;
    outcome.threshold = comparison.right;
    if (!outcome.threshold.text.empty()) return true;
    diagnostics.add(rest.start, "a number with its unit is missing after the comparison");
    return false;
}

} // namespace

const OutcomeFunction* find_outcome_function(std::string_view name) {
    for (const OutcomeFunction& function : outcome_functions())
        if (function.name == name) return &function;
    return nullptr;
}

Comparison split_comparison(const sim::SourceText& text) {
    const std::size_t at = text.text.find_first_of("<>");
    if (at == std::string::npos) return {part(text, 0, text.text.size()), "", {}};
    const std::size_t length = text.text.substr(at + 1).starts_with('=') ? 2 : 1;
    return {
        part(text, 0, at), text.text.substr(at, length), part(text, at + length, text.text.size())};
}

bool holds(const std::string& comparison, double value, double threshold) {
    if (comparison == "<") return value < threshold;
    if (comparison == "<=") return value <= threshold;
    if (comparison == ">") return value > threshold;
    return value >= threshold;
}

std::optional<CallText> parse_call(const sim::SourceText& text,
                                   const std::string& what,
                                   const std::string& help,
                                   sim::DiagnosticList& diagnostics) {
    const std::string& words = text.text;
    const auto name_end = std::find_if_not(words.begin(), words.end(), is_name_character);
    const sim::SourceText function =
        part(text, 0, static_cast<std::size_t>(name_end - words.begin()));
    const auto open = words.find_first_not_of(" \t\n", function.text.size());
    if (function.text.empty() || open == std::string::npos || words[open] != '(') {
        diagnostics.add(text.start, fmt::format("'{}' is no {}", words, what), help);
        return std::nullopt;
    }
    const std::size_t close = closing(words, open);
    if (close == std::string::npos) {
        diagnostics.add(text.start, "a closing parenthesis is missing", help);
        return std::nullopt;
    }
    CallText result;
    result.call = {
        function.text, part(text, 0, close + 1).start, split_arguments(text, open, close)};
    result.call.name_span = function.start;
    result.rest = part(text, close + 1, words.size());
    return result;
}

std::optional<Outcome> parse_outcome(const std::string& name,
                                     const sim::SourceText& text,
                                     sim::DiagnosticList& diagnostics) {
    Outcome outcome;
    outcome.name = name;
    outcome.text = part(text, 0, text.text.size());
    auto parsed = parse_call(outcome.text, "outcome", outcome_help, diagnostics);
    if (!parsed) return std::nullopt;
    outcome.call = std::move(parsed->call);
    if (find_outcome_function(outcome.call.function) == nullptr) {
        std::vector<std::string> names;
        for (const OutcomeFunction& known : outcome_functions())
            names.emplace_back(known.name);
        diagnostics.add(outcome.call.name_span,
                        fmt::format("there is no outcome function '{}'", outcome.call.function),
                        sim::suggest(outcome.call.function, names));
        return std::nullopt;
    }
    if (!read_comparison(parsed->rest, outcome, diagnostics)) return std::nullopt;
    return outcome;
}

} // namespace gemel::scenarios
