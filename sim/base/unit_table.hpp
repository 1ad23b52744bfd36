#pragma once

#include <gemel/sim/units.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The units that are known, each once: symbols, aliases, prefixes.
namespace gemel::sim {

/// One symbol without exponent, such as "mg": its canonical spelling and what it stands for.
struct UnitSymbol {
    std::string canonical;
    Dimension dimension;
    UnitFactor factor;
};

std::optional<UnitSymbol> find_unit_symbol(std::string_view symbol);

/// Why a symbol is no unit and what to write instead, for symbols that people try; else a guess.
std::string explain_unknown_unit(std::string_view symbol);

} // namespace gemel::sim
