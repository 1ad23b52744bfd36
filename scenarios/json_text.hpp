#pragma once

#include <string>

namespace gemel::scenarios {

/// Quoted, as JSON has it.
std::string json_text(const std::string& text);

/// Shortest text that reads back to the same bits; null for what is not known.
std::string json_number(double value);

} // namespace gemel::scenarios
