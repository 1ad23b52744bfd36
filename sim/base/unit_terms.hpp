#pragma once

#include <gemel/sim/units.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A unit's text as a product of symbols with exponents.
namespace gemel::sim {

/// A canonical symbol ("mg") or a number ("1.73") with its exponent.
struct UnitTerm {
    std::string symbol;
    double exponent = 1.0;
};

struct UnitTerms {
    std::vector<UnitTerm> terms; ///< each symbol once, in order of the text
    Dimension dimension;
    UnitFactor factor;

    void multiply(const UnitTerms& other, double exponent);
    std::string text() const;
};

std::optional<UnitTerms> parse_unit_terms(std::string_view text, std::string* why);

} // namespace gemel::sim
