#include "base/utf8.hpp"

#include <gemel/sim/diagnostic.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace gemel::sim {
namespace {

constexpr std::size_t longest_excerpt = 120;

std::string_view line_of(const SourceFile& file, int line) {
    std::string_view rest = file.text;
    for (int i = 1; i < line; ++i) {
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos) return {};
        rest.remove_prefix(end + 1);
    }
    rest = rest.substr(0, rest.find('\n'));
    return rest.ends_with('\r') ? rest.substr(0, rest.size() - 1) : rest;
}

/// A line of the text as it can be shown, with the marked part counted from 0.
struct Excerpt {
    std::u32string text;
    std::size_t mark = 0;
    std::size_t mark_length = 1;
};

/// Cuts a long line to a window in which the mark stands, with "…" where something is left out.
void trim(Excerpt& excerpt) {
    const std::size_t size = excerpt.text.size();
    if (size <= longest_excerpt) return;
    const std::size_t shown = std::min(excerpt.mark_length, longest_excerpt / 2);
    const std::size_t before = (longest_excerpt - shown) / 2;
    const std::size_t first = std::min(excerpt.mark > before ? excerpt.mark - before : 0,
                                       size > longest_excerpt ? size - longest_excerpt : 0);
    const std::size_t last = std::min(first + longest_excerpt, size);
    excerpt.text = excerpt.text.substr(first, last - first);
    excerpt.mark -= first;
    if (first > 0) excerpt.text.front() = U'…';
    if (last < size) excerpt.text.back() = U'…';
}

Excerpt excerpt_of(const SourceSpan& span) {
    Excerpt excerpt{code_points(line_of(*span.file, span.line)), 0, 1};
    for (char32_t& c : excerpt.text)
        if (c < 0x20 || c == 0x7F) c = U' ';
    excerpt.mark =
        std::min(static_cast<std::size_t>(std::max(span.column, 1) - 1), excerpt.text.size());
    excerpt.mark_length = static_cast<std::size_t>(std::max(span.length, 1));
    trim(excerpt);
    const std::size_t room = excerpt.text.size() - excerpt.mark;
    excerpt.mark_length =
        std::clamp<std::size_t>(excerpt.mark_length, 1, std::max<std::size_t>(room, 1));
    return excerpt;
}

int width(std::u32string_view text) {
    int sum = 0;
    for (char32_t c : text)
        sum += display_width(c);
    return sum;
}

std::string render_excerpt(const SourceSpan& span) {
    const Excerpt excerpt = excerpt_of(span);
    std::string text;
    for (char32_t c : excerpt.text)
        text += encode_utf8(c);
    const std::u32string_view shown = excerpt.text;
    const int indent = width(shown.substr(0, excerpt.mark));
    const int marked = std::max(width(shown.substr(excerpt.mark, excerpt.mark_length)), 1);
    const std::string number = fmt::format("{:>4}", span.line);
    return fmt::format("{} | {}\n{} | {}^{}\n",
                       number,
                       text,
                       std::string(number.size(), ' '),
                       std::string(static_cast<std::size_t>(indent), ' '),
                       std::string(static_cast<std::size_t>(marked - 1), '~'));
}

/// Lines after the first stand under the text of the first.
std::string render_help(const std::string& help) {
    std::string text = "  help: ";
    for (char c : help)
        text += c == '\n' ? std::string("\n        ") : std::string(1, c);
    return text + "\n";
}

std::string render_one(const Diagnostic& item) {
    const SourceSpan& span = item.span;
    std::string text;
    if (span.file) text += span.file->name + ":";
    if (span.file && span.line > 0) text += fmt::format("{}:{}:", span.line, span.column);
    text += (text.empty() ? "error: " : " error: ") + item.message + "\n";
    if (span.file && span.line > 0) text += render_excerpt(span);
    if (!item.help.empty()) text += render_help(item.help);
    return text;
}

/// In order of file (as first met) and place; items of one place keep their order.
std::vector<const Diagnostic*> in_order(std::span<const Diagnostic> items) {
    std::map<std::string, std::size_t> file_rank;
    const auto rank = [&](const Diagnostic* d) {
        const std::string name = d->span.file ? d->span.file->name : "";
        return file_rank.emplace(name, file_rank.size()).first->second;
    };
    std::vector<const Diagnostic*> sorted;
    for (const Diagnostic& item : items) {
        rank(&item);
        sorted.push_back(&item);
    }
    std::stable_sort(sorted.begin(), sorted.end(), [&](const Diagnostic* a, const Diagnostic* b) {
        return std::tuple(rank(a), a->span.line, a->span.column) <
               std::tuple(rank(b), b->span.line, b->span.column);
    });
    return sorted;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Edits (insert, delete, replace, swap neighbours) from a to b, letters of either case alike.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            d[i][j] =
                std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a.size()][b.size()];
}

std::size_t edits_allowed(std::size_t length) {
    return length <= 1 ? 0 : length <= 4 ? 1 : 2;
}

} // namespace

void DiagnosticList::add(SourceSpan span, std::string message, std::string help) {
    items_.push_back({std::move(span), std::move(message), std::move(help)});
}

void DiagnosticList::append(const DiagnosticList& other) {
    const std::vector<Diagnostic> copy = other.items_; // other may be this list
    items_.insert(items_.end(), copy.begin(), copy.end());
}

std::string DiagnosticList::render() const {
    std::string text;
    std::vector<std::string> told;
    for (const Diagnostic* item : in_order(items_)) {
        const std::string one = render_one(*item);
        if (std::find(told.begin(), told.end(), one) != told.end()) continue;
        text += one;
        told.push_back(one);
    }
    return text + fmt::format("{} error{}\n", told.size(), told.size() == 1 ? "" : "s");
}

void DiagnosticList::throw_if_any() const {
    if (!empty()) throw InputError(*this);
}

InputError::InputError(DiagnosticList list) : list_(std::move(list)), text_(list_.render()) {}

std::string nearest_name(std::string_view name, std::span<const std::string> candidates) {
    constexpr std::size_t longest_name = 200; // the distance costs the product of the lengths
    std::string nearest;
    std::size_t fewest = edits_allowed(name.size()) + 1;
    for (const std::string& candidate : candidates) {
        if (name.size() > longest_name || candidate.size() > name.size() + 2 ||
            name.size() > candidate.size() + 2)
            continue;
        const std::size_t edits = edit_distance(name, candidate);
        if (candidate == name) return candidate;
        if (edits < fewest) {
            fewest = edits;
            nearest = candidate;
        }
    }
    return nearest;
}

std::string suggest(std::string_view name, std::span<const std::string> candidates) {
    constexpr std::size_t most_listed = 20;
    if (candidates.empty()) return {};
    if (const std::string nearest = nearest_name(name, candidates); !nearest.empty())
        return fmt::format("did you mean '{}'?", nearest);
    std::string list;
    for (std::size_t i = 0; i < std::min(candidates.size(), most_listed); ++i)
        list += (i ? ", " : "") + candidates[i];
    return fmt::format("known names: {}{}", list, candidates.size() > most_listed ? ", …" : "");
}

} // namespace gemel::sim
