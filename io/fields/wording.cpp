#include "wording.hpp"

#include <fmt/format.h>

#include <cmath>

namespace gemel::io {

namespace {

/// Long texts are cut, at a character and not within one.
std::string excerpt(const std::string& text) {
    constexpr std::size_t longest = 40;
    std::string line = text.substr(0, text.find('\n'));
    const bool is_cut = line.size() > longest || line.size() < text.size();
    if (line.size() > longest) {
        std::size_t end = longest;
        while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80)
            --end;
        line.resize(end);
    }
    return is_cut ? line + "…" : line;
}

} // namespace

std::string number_text(double value) {
    std::string text = fmt::format("{}", value);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text;
}

std::string describe_value(const TomlView& view) {
    switch (view.kind()) {
    case TomlKind::text:
        return fmt::format("a text (\"{}\")", excerpt(*view.text()));
    case TomlKind::integer:
        return fmt::format("a whole number ({})", *view.integer());
    case TomlKind::real:
        return fmt::format("a number ({})", number_text(*view.number()));
    case TomlKind::boolean:
        return *view.boolean() ? "true" : "false";
    default:
        return std::string(name(view.kind()));
    }
}

std::string describe_range(const Field& field, const std::function<std::string(double)>& print) {
    const bool has_low = std::isfinite(field.at_least);
    const bool has_high = std::isfinite(field.at_most);
    if (has_low && has_high)
        return fmt::format("from {} to {}{}",
                           print(field.at_least),
                           print(field.at_most),
                           field.exclusive ? ", both excluded" : "");
    if (has_low) return (field.exclusive ? "above " : "at least ") + print(field.at_least);
    if (has_high) return (field.exclusive ? "below " : "at most ") + print(field.at_most);
    return {};
}

bool is_in_range(const Field& field, double value) {
    if (field.exclusive) return value > field.at_least && value < field.at_most;
    return value >= field.at_least && value <= field.at_most;
}

std::string without_article(const std::string& name) {
    if (name.starts_with("a ")) return name.substr(2);
    if (name.starts_with("an ")) return name.substr(3);
    return name;
}

} // namespace gemel::io
