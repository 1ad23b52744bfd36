#pragma once

#include <gemel/io/toml.hpp>

#include <string>
#include <string_view>

/// TOML as it is written: values that are read back as they were, to the last bit.
namespace gemel::io {

std::string toml_key(std::string_view key); ///< quoted where it is no bare one
std::string toml_string(std::string_view text);
/// A text of several lines, whose backslashes stand for themselves where TOML can write it so.
std::string toml_block(std::string_view text);
std::string toml_number(double value);
/// A value on one line, tables in braces. @throws std::invalid_argument for dates, which no format
/// of this program has
std::string toml_value(const TomlView& value);

} // namespace gemel::io
