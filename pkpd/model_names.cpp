#include "model_names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gemel::pkpd {

namespace {

constexpr std::string_view reserved[] = {"t", "and", "or", "not", "in"};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_identifier(const std::string& name) {
    return !name.empty() && is_letter(name[0]) &&
           std::ranges::all_of(name, [](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::string place(const sim::SourceSpan& span, const sim::SourceSpan& seen_from) {
    if (span.line <= 0) return "elsewhere";
    return span.file == seen_from.file || !span.file
               ? fmt::format("line {}", span.line)
               : fmt::format("line {} of {}", span.line, span.file->name);
}

} // namespace

std::string_view name(SymbolKind kind) {
    constexpr std::string_view names[] = {"a parameter",
                                          "a covariate",
                                          "a category",
                                          "a map",
                                          "a state",
                                          "a definition",
                                          "an enzyme",
                                          "a clearance",
                                          "a first pass"};
    return names[static_cast<std::size_t>(kind)];
}

void SymbolTable::declare(const std::string& word,
                          Symbol symbol,
                          sim::DiagnosticList& diagnostics) {
    if (!is_identifier(word)) {
        diagnostics.add(symbol.span,
                        fmt::format("'{}' cannot be used in equations", word),
                        "a name is letters, digits and _, and does not begin with a digit");
        return;
    }
    if (std::ranges::count(reserved, word) > 0) {
        diagnostics.add(symbol.span,
                        fmt::format("'{}' has a meaning of its own in equations", word),
                        "choose another name");
        return;
    }
    const auto [taken, is_new] = symbols_.try_emplace(word, symbol);
    if (is_new) return;
    Symbol& other = taken->second;
    other.is_ambiguous = true;
    const auto tell = [&](const Symbol& here, const Symbol& there) {
        diagnostics.add(here.span,
                        fmt::format("'{}' is {} here and {} on {}",
                                    word,
                                    name(here.kind),
                                    name(there.kind),
                                    place(there.span, here.span)),
                        here.span.file == there.span.file
                            ? "one name has one meaning; rename one of them"
                            : "one name has one meaning: rename it in the file of yours, or use "
                              "the other with as = \"…_\", which its names then begin with");
    };
    tell(symbol, other);
    tell(other, symbol);
}

Symbol* SymbolTable::find(const std::string& word) {
    const auto found = symbols_.find(word);
    return found == symbols_.end() ? nullptr : &found->second;
}

std::vector<std::string> SymbolTable::names() const {
    std::vector<std::string> words;
    for (const auto& [word, symbol] : symbols_)
        words.push_back(word);
    return words;
}

std::vector<std::string> SymbolTable::names(SymbolKind kind) const {
    std::vector<std::string> words;
    for (const auto& [word, symbol] : symbols_)
        if (symbol.kind == kind) words.push_back(word);
    return words;
}

} // namespace gemel::pkpd
