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

bool split_comparison(const sim::SourceText& text,
                      std::size_t from,
                      Outcome& outcome,
                      sim::DiagnosticList& diagnostics) {
    const sim::SourceText rest = part(text, from, text.text.size());
    if (rest.text.empty()) return true;
    for (const char* comparison : {"<=", ">=", "<", ">"}) {
        if (!rest.text.starts_with(comparison)) continue;
        outcome.comparison = comparison;
        outcome.threshold = part(rest, outcome.comparison.size(), rest.text.size());
        if (!outcome.threshold.text.empty()) return true;
        diagnostics.add(rest.start, "a number with its unit is missing after the comparison");
        return false;
    }
    diagnostics.add(rest.start,
                    fmt::format("'{}' cannot follow an outcome's call", rest.text),
                    "only a comparison can, such as >= 0.2[mg/L]");
    return false;
}

} // namespace

const OutcomeFunction* find_outcome_function(std::string_view name) {
    for (const OutcomeFunction& function : outcome_functions())
        if (function.name == name) return &function;
    return nullptr;
}

std::optional<Outcome> parse_outcome(const std::string& name,
                                     const sim::SourceText& text,
                                     sim::DiagnosticList& diagnostics) {
    Outcome outcome;
    outcome.name = name;
    outcome.text = part(text, 0, text.text.size());
    const std::string& words = outcome.text.text;
    const auto name_end = std::find_if_not(words.begin(), words.end(), is_name_character);
    const sim::SourceText function =
        part(outcome.text, 0, static_cast<std::size_t>(name_end - words.begin()));
    const auto open = words.find_first_not_of(" \t\n", function.text.size());
    if (function.text.empty() || open == std::string::npos || words[open] != '(') {
        diagnostics.add(outcome.text.start, fmt::format("'{}' is no outcome", words), outcome_help);
        return std::nullopt;
    }
    const std::size_t close = closing(words, open);
    if (close == std::string::npos) {
        diagnostics.add(outcome.text.start, "a closing parenthesis is missing", outcome_help);
        return std::nullopt;
    }
    if (find_outcome_function(function.text) == nullptr) {
        std::vector<std::string> names;
        for (const OutcomeFunction& known : outcome_functions())
            names.emplace_back(known.name);
        diagnostics.add(function.start,
                        fmt::format("there is no outcome function '{}'", function.text),
                        sim::suggest(function.text, names));
        return std::nullopt;
    }
    outcome.call = {function.text,
                    part(outcome.text, 0, close + 1).start,
                    split_arguments(outcome.text, open, close)};
    if (!split_comparison(outcome.text, close + 1, outcome, diagnostics)) return std::nullopt;
    return outcome;
}

} // namespace gemel::scenarios
