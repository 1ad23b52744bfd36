#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Text in columns, for terminals and files to be read.
namespace gemel::io {

/// Columns a text takes: its code points, for all text that can stand here.
std::size_t text_width(const std::string& text);
std::string padded(const std::string& text, std::size_t columns);
std::string aligned_right(const std::string& text, std::size_t columns);

enum class Alignment { left, right };

/// Rows of cells, two blanks before each line: the first column to the left, all others as said,
/// numbers to the right.
std::string text_table(const std::vector<std::vector<std::string>>& rows,
                       Alignment others = Alignment::right);

/// 12345 → "12,345"
std::string grouped(std::uint64_t number);

} // namespace gemel::io
