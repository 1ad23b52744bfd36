#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Code points of UTF-8 texts: what TOML reading needs to be safe and to count columns.
namespace gemel::io {

/// The code point at `at`, which it moves on; no_code_point (and no move) if the bytes there are
/// not UTF-8 (overlong forms, surrogates and values over U+10FFFF included).
inline constexpr char32_t no_code_point = 0xFFFFFFFF;
char32_t next_code_point(std::string_view text, std::size_t& at);

void append_code_point(std::string& text, char32_t code_point);

std::size_t count_code_points(std::string_view text);

/// A code point as messages write it: "U+0085".
std::string code_point_name(char32_t code_point);

/// The place of a byte in a text, counted as SourceSpan counts.
struct TextPlace {
    int line = 1;
    int column = 1;
};
TextPlace place_of(std::string_view text, std::size_t byte);

/// Byte offsets of the lines of a text; turns places back into bytes.
class LineIndex {
public:
    explicit LineIndex(std::string_view text);

    std::string_view line(int number) const; ///< without its line break; "" beyond the text
    std::size_t byte_of(int line, int column) const;

private:
    std::string_view text_;
    std::vector<std::size_t> starts_;
};

} // namespace gemel::io
