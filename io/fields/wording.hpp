#pragma once

#include <gemel/io/fields.hpp>

/// The words FieldReader and the reference page share.
namespace gemel::io {

/// `a text ("many")`, `a whole number (5)`, "a table": what stands there.
std::string describe_value(const TomlView& view);

/// "above 0", "from 0 to 1", "at least 1"; "" without limits. Limits are printed by `print`.
std::string describe_range(const Field& field, const std::function<std::string(double)>& print);

bool is_in_range(const Field& field, double value);

/// "an amount" → "amount".
std::string without_article(const std::string& name);

/// Shortest text that reads back to the same number.
std::string number_text(double value);

} // namespace gemel::io
