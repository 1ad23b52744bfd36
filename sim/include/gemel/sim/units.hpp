#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

/// Units in UCUM spelling, with the aliases people write (`mcg`, `hr`, `yr`, `ng/mL`).
namespace gemel::sim {

/// Exponents of the base dimensions. IU, cells, copies, scores and percentages are dimensions of
/// their own.
struct Dimension {
    enum Base {
        mass,
        length,
        time,
        substance,
        temperature,
        international_unit,
        cell,
        copy,
        score,
        percent
    };
    static constexpr int n_bases = 10;

    std::array<double, n_bases> exponents{};

    bool is_dimensionless() const;
    Dimension operator*(const Dimension& other) const;
    Dimension operator/(const Dimension& other) const;
    Dimension power(double exponent) const;
    bool operator==(const Dimension& other) const; ///< to 1e-9, so that (x^0.75)^(4/3) is x

    /// What a person calls it: "an amount", "a concentration", "a volume", "a clearance", "a rate
    /// constant", "a time", "a number without unit"; otherwise "mass·length^-2".
    std::string name() const;
};

inline constexpr Dimension dimensionless{};
inline constexpr Dimension mass_dimension{{1}};
inline constexpr Dimension time_dimension{{0, 0, 1}};

/// A factor kept as numerator/denominator·10^decimal, so that what is exact on paper (ng in kg, d
/// in h) is rounded once, when it becomes a double.
struct UnitFactor {
    double numerator = 1.0;
    double denominator = 1.0;
    int decimal = 0;

    UnitFactor() = default;
    UnitFactor(double value) : numerator(value) {}
    UnitFactor(double top, double bottom, int power_of_ten);

    operator double() const; ///< rounded once if numerator and denominator are exact
    UnitFactor times(const UnitFactor& other) const;
    UnitFactor inverse() const;
    UnitFactor power(double exponent) const;
};

/// A unit is a dimension and a factor to the coherent system {mg, dm (so L = dm^3), h, nmol, K, …}.
struct Unit {
    Dimension dimension;
    UnitFactor factor;
    std::string text = "1"; ///< canonical UCUM spelling, written to results

    bool is_dimensionless() const { return dimension.is_dimensionless(); }
};

/// @returns nothing if the text is no unit; `why` then says which part is not understood
std::optional<Unit> parse_unit(std::string_view text, std::string* why = nullptr);

/// What one of `from` is in `to`; exactly 1 for equal units, exact decimal powers where factors
/// are. Both must have one dimension (asserted).
double conversion_factor(const Unit& from, const Unit& to);

/// The unit of a product, a quotient, a power, with a readable text.
Unit operator*(const Unit& a, const Unit& b);
Unit operator/(const Unit& a, const Unit& b);
Unit power(const Unit& unit, double exponent);

/// A number with its unit, as in "5 mg/L".
struct Quantity {
    double value = 0.0;
    Unit unit;

    double in(const Unit& other) const { return value * conversion_factor(unit, other); }
};

/// Reads "5 mg/L", "0.4 mg/kg", "24h", "7.5"; nothing if it is no number followed by a unit.
std::optional<Quantity> parse_quantity(std::string_view text, std::string* why = nullptr);

} // namespace gemel::sim
