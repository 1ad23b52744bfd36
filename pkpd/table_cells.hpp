#pragma once

#include <optional>
#include <string>

/// What cells of people's tables hold.
namespace gemel::pkpd {

/// A finite number with a decimal point and nothing else.
std::optional<double> number_in(const std::string& text);

/// "WT [kg]" → "WT" and "kg"; a header without brackets has no unit. What stands in parentheses is
/// one only if it reads as one.
struct HeaderParts {
    std::string name, unit;
};
HeaderParts split_header(const std::string& header);

} // namespace gemel::pkpd
