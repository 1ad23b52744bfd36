#pragma once

#include <gemel/io/text_table.hpp>

#include <string>

/// Numbers in tables of text.
namespace gemel::scenarios {

using io::aligned_right;
using io::Alignment;
using io::padded;
using io::text_table;
using io::text_width;

/// Three significant digits, whole numbers from 1000 on; "–" for NaN.
std::string number_text(double value);
/// 0.873 → "87.3 %"; "–" for NaN.
std::string percent_text(double share);

} // namespace gemel::scenarios
