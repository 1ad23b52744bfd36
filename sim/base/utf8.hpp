#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text as code points: columns in messages count them, and so does the lexer.
namespace gemel::sim {

/// A code point and how many bytes it takes. A byte that is no UTF-8 is U+FFFD, one byte long.
struct CodePoint {
    char32_t value = 0;
    std::size_t n_bytes = 1;
};
CodePoint decode_utf8(std::string_view text, std::size_t position);

std::u32string code_points(std::string_view text);
std::string encode_utf8(char32_t value);

/// Columns on a terminal: 0 for combining marks, 2 for wide letters, else 1.
int display_width(char32_t value);

} // namespace gemel::sim
