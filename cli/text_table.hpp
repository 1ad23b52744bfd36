#pragma once

#include <string>
#include <vector>

namespace gemel::cli {

/// Rows of cells, columns aligned to the left, two blanks before each line.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

} // namespace gemel::cli
