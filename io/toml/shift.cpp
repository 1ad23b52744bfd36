#include "shift.hpp"

#include "utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gemel::io {

namespace {

constexpr char32_t plane_15 = 0xF0000;
constexpr char32_t first_shifted = 0xA0;
constexpr char32_t last_shifted = 0xFEFF;

bool is_refused(char32_t code_point) {
    const bool is_c1_control = code_point >= 0x7F && code_point < first_shifted;
    return is_c1_control || (code_point >= plane_15 && code_point <= plane_15 + 0xFFFF);
}

void add_mistake(const std::shared_ptr<const sim::SourceFile>& file,
                 std::size_t byte,
                 std::string message,
                 std::string help,
                 sim::DiagnosticList& diagnostics) {
    const TextPlace place = place_of(file->text, byte);
    diagnostics.add({file, place.line, place.column, 1}, std::move(message), std::move(help));
}

/// `\U000Fxxxx` would come back as another character.
bool has_plane_15_escape(std::string_view text, std::size_t& byte) {
    byte = std::min(text.find("\\U000F"), text.find("\\U000f"));
    return byte != std::string_view::npos;
}

} // namespace

std::optional<std::string> shift_to_plane_15(const std::shared_ptr<const sim::SourceFile>& file,
                                             sim::DiagnosticList& diagnostics) {
    const std::string_view text = file->text;
    std::string shifted;
    shifted.reserve(text.size() + text.size() / 16);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t start = at;
        const char32_t code_point = next_code_point(text, at);
        if (code_point == no_code_point) {
            add_mistake(file,
                        start,
                        fmt::format("byte 0x{:02X} is not UTF-8 here",
                                    static_cast<unsigned>(static_cast<unsigned char>(text[start]))),
                        "save the file with the encoding UTF-8",
                        diagnostics);
            return std::nullopt;
        }
        if (is_refused(code_point)) {
            add_mistake(file,
                        start,
                        "the invisible character " + code_point_name(code_point) +
                            " must not stand in a file",
                        "remove it",
                        diagnostics);
            return std::nullopt;
        }
        const bool shifts = code_point >= first_shifted && code_point <= last_shifted;
        append_code_point(shifted, shifts ? code_point + plane_15 : code_point);
    }
    if (std::size_t byte = 0; has_plane_15_escape(text, byte)) {
        add_mistake(file,
                    byte,
                    "private-use characters must not stand in a file",
                    "remove the escape",
                    diagnostics);
        return std::nullopt;
    }
    return shifted;
}

std::string shift_back(std::string_view text) {
    std::string back;
    back.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const char32_t code_point = next_code_point(text, at);
        if (code_point == no_code_point) { // a message of toml++ may be cut within a character
            ++at;
            continue;
        }
        const bool is_shifted =
            code_point >= plane_15 + first_shifted && code_point <= plane_15 + last_shifted;
        append_code_point(back, is_shifted ? code_point - plane_15 : code_point);
    }
    return back;
}

} // namespace gemel::io
