#include "node.hpp"

#include <gemel/io/toml_text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <stdexcept>
#include <vector>

namespace gemel::io {

namespace {

std::string escaped(unsigned char c) {
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\t':
        return "\\t";
    default:
        return c < 0x20 || c == 0x7F ? fmt::format("\\u{:04X}", c) : std::string(1, char(c));
    }
}

/// What a literal text cannot hold.
bool is_literal(std::string_view text) {
    if (text.find("'''") != std::string_view::npos || text.ends_with('\'')) return false;
    for (const unsigned char c : text)
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) return false;
    return true;
}

} // namespace

std::string toml_key(std::string_view key) {
    return join_path({}, key).front() == '"' ? toml_string(key) : std::string(key);
}

std::string toml_string(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text)
        quoted += escaped(static_cast<unsigned char>(c));
    return quoted + '"';
}

std::string toml_block(std::string_view text) {
    // A line break right after the marks is not part of the text.
    return is_literal(text) ? fmt::format("'''\n{}'''", text) : toml_string(text);
}

std::string toml_number(double value) {
    if (!std::isfinite(value)) throw std::invalid_argument("a number of a file is finite");
    const std::string text = fmt::format("{}", value);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string toml_value(const TomlView& value) {
    switch (value.kind()) {
    case TomlKind::text:
        return toml_string(*value.text());
    case TomlKind::integer:
        return std::to_string(*value.integer());
    case TomlKind::real:
        return toml_number(*value.number());
    case TomlKind::boolean:
        return *value.boolean() ? "true" : "false";
    case TomlKind::other:
        break;
    case TomlKind::array: {
        std::vector<std::string> elements;
        for (const TomlView& element : value.elements())
            elements.push_back(toml_value(element));
        return fmt::format("[{}]", fmt::join(elements, ", "));
    }
    case TomlKind::table: {
        std::vector<std::string> members;
        for (const auto& [key, member] : value.members())
            members.push_back(fmt::format("{} = {}", toml_key(key), toml_value(member)));
        return members.empty() ? "{}" : fmt::format("{{ {} }}", fmt::join(members, ", "));
    }
    }
    throw std::invalid_argument("a date or time has no place in a file of this program");
}

} // namespace gemel::io
