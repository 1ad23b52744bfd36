#include "base/unit_table.hpp"

#include <gemel/sim/diagnostic.hpp>

#include <fmt/format.h>

#include <initializer_list>
#include <span>

namespace gemel::sim {
namespace {

struct Prefix {
    std::string_view symbol;
    std::string_view canonical;
    int decimal;
};
// µ is written with two code points: the micro sign (U+00B5) and the Greek letter (U+03BC).
constexpr Prefix prefixes[] = {
    {"M", "M", 6},
    {"k", "k", 3},
    {"d", "d", -1},
    {"c", "c", -2},
    {"m", "m", -3},
    {"u", "u", -6},
    {"\u00B5", "u", -6},
    {"\u03BC", "u", -6},
    {"n", "n", -9},
    {"p", "p", -12},
    {"f", "f", -15},
};

/// `names` starts with the canonical spelling. The first `n_prefixable` names take the prefixes
/// named in `prefix_set`; others ("Mg", "cd") would more often be a slip than meant.
struct KnownUnit {
    std::initializer_list<std::string_view> names;
    int n_prefixable;
    std::string_view prefix_set;
    Dimension dimension;
    UnitFactor factor;
};

Dimension base(Dimension::Base which, double exponent = 1.0) {
    Dimension d;
    d.exponents[which] = exponent;
    return d;
}

/// Years are Julian (365.25 d) and months a twelfth of them, as in UCUM. The pressure of a
/// millimetre of mercury is UCUM's 133.322 Pa, Pa = kg/(m·s²) = 1.296e12 mg/(dm·h²).
std::span<const KnownUnit> known_units() {
    using D = Dimension;
    static const KnownUnit table[] = {
        {{"g", "gram", "grams"}, 1, "kmunpf", base(D::mass), {1, 1, 3}},
        {{"L", "l", "liter", "liters", "litre", "litres"}, 2, "dcmunpf", base(D::length, 3), {}},
        {{"mol"}, 1, "kmunpf", base(D::substance), {1, 1, 9}},
        {{"s", "sec", "second", "seconds"}, 1, "mun", base(D::time), {1, 3600, 0}},
        {{"min", "minute", "minutes"}, 0, "", base(D::time), {1, 60, 0}},
        {{"h", "hr", "hrs", "hour", "hours"}, 0, "", base(D::time), {}},
        {{"d", "day", "days"}, 0, "", base(D::time), {24, 1, 0}},
        {{"wk", "week", "weeks"}, 0, "", base(D::time), {168, 1, 0}},
        {{"mo", "month", "months"}, 0, "", base(D::time), {7305, 1, -1}},
        {{"a", "yr", "yrs", "year", "years"}, 0, "", base(D::time), {8766, 1, 0}},
        {{"m", "meter", "metre"}, 1, "kdcmun", base(D::length), {1, 1, 1}},
        {{"K", "kelvin"}, 0, "", base(D::temperature), {}},
        {{"[IU]", "[iU]", "IU", "iU", "U"}, 5, "Mkmun", base(D::international_unit), {}},
        {{"cells", "cell", "{cells}", "{cell}"}, 0, "", base(D::cell), {}},
        {{"copies", "copy", "{copies}", "{copy}"}, 0, "", base(D::copy), {}},
        {{"score", "{score}", "points"}, 0, "", base(D::score), {}},
        {{"%", "percent"}, 0, "", base(D::percent), {}},
        {{"mm[Hg]", "mmHg"}, 0, "", {{1, -1, -2}}, {133322.0 * 1296.0, 1, 6}},
        {{"ug", "mcg"}, 0, "", base(D::mass), {1, 1, -3}},
        {{"uL", "mcL"}, 0, "", base(D::length, 3), {1, 1, -6}},
        {{"umol", "mcmol"}, 0, "", base(D::substance), {1, 1, 3}},
    };
    return table;
}

struct Refused {
    std::initializer_list<std::string_view> symbols;
    std::string_view why;
};
std::span<const Refused> refused_units() {
    static const Refused table[] = {
        {{"Cel", "°C", "degC", "celsius", "Celsius", "degF", "°F", "°"},
         "units with an offset are not supported; write temperatures in K"},
        {{"M", "mM", "uM", "µM", "μM", "nM", "pM"},
         "write molar concentrations as \"mol/L\", \"umol/L\" or \"nmol/L\""},
        {{"Mg", "MG"}, "Mg would be a megagram; write \"mg\""},
        {{"cc", "ccm"}, "write \"mL\""},
        {{"Eq", "mEq", "meq", "eq"}, "write \"mmol\" (equivalents divided by the charge)"},
        {{"y"}, "write \"a\" for a year"},
        {{"kcal", "cal", "J", "kJ"}, "units of energy are not known"},
        {{"Da", "kDa"}, "write molar masses as \"g/mol\" or \"kg/mol\""},
    };
    return table;
}

std::optional<UnitSymbol> find_prefixed(std::string_view symbol, const KnownUnit& unit) {
    for (const Prefix& prefix : prefixes) {
        if (!symbol.starts_with(prefix.symbol) ||
            unit.prefix_set.find(prefix.canonical) == std::string_view::npos)
            continue;
        const std::string_view rest = symbol.substr(prefix.symbol.size());
        for (int i = 0; i < unit.n_prefixable; ++i)
            if (rest == unit.names.begin()[i])
                return UnitSymbol{std::string(prefix.canonical) + std::string(*unit.names.begin()),
                                  unit.dimension,
                                  unit.factor.times({1, 1, prefix.decimal})};
    }
    return std::nullopt;
}

std::vector<std::string> common_units() {
    return {"kg",   "g",    "mg",   "ug",   "ng",    "pg",     "mol",   "mmol", "umol", "nmol",
            "pmol", "L",    "dL",   "mL",   "uL",    "h",      "min",   "s",    "d",    "wk",
            "mo",   "a",    "m",    "cm",   "mm",    "m2",     "[IU]",  "IU",   "K",    "%",
            "day",  "hour", "year", "week", "cells", "copies", "score", "mmHg", "month"};
}

} // namespace

std::optional<UnitSymbol> find_unit_symbol(std::string_view symbol) {
    for (const KnownUnit& unit : known_units())
        for (std::string_view name : unit.names)
            if (symbol == name)
                return UnitSymbol{std::string(*unit.names.begin()), unit.dimension, unit.factor};
    for (const KnownUnit& unit : known_units())
        if (auto found = find_prefixed(symbol, unit)) return found;
    return std::nullopt;
}

std::string explain_unknown_unit(std::string_view symbol) {
    for (const Refused& refused : refused_units())
        for (std::string_view name : refused.symbols)
            if (symbol == name) return fmt::format("'{}' is no unit here: {}", symbol, refused.why);
    const std::string nearest = nearest_name(symbol, common_units());
    return nearest.empty()
               ? fmt::format("'{}' is no known unit", symbol)
               : fmt::format("'{}' is no known unit; did you mean '{}'?", symbol, nearest);
}

} // namespace gemel::sim
