#pragma once

#include <cstddef>
#include <string>
#include <vector>

/// Text in columns, for terminals.
namespace gemel::scenarios {

/// Columns a text takes: its code points, for all text that can stand here.
std::size_t text_width(const std::string& text);
std::string padded(const std::string& text, std::size_t columns);
std::string aligned_right(const std::string& text, std::size_t columns);

enum class Alignment { left, right };

/// Rows of cells, two blanks before each line: the first column to the left, all others as said,
/// numbers to the right.
std::string text_table(const std::vector<std::vector<std::string>>& rows,
                       Alignment others = Alignment::right);

/// Three significant digits, whole numbers from 1000 on; "–" for NaN.
std::string number_text(double value);
/// 0.873 → "87.3 %"; "–" for NaN.
std::string percent_text(double share);

} // namespace gemel::scenarios
