#include <gemel/sim/units.hpp>

#include <fmt/format.h>

#include <cmath>
#include <string_view>

namespace gemel::sim {
namespace {

struct NamedDimension {
    Dimension dimension;
    std::string_view name;
};
// In order of Dimension::Base: mass, length, time, substance, temperature, IU, cell, copy, score,
// percent.
constexpr NamedDimension named_dimensions[] = {
    {{}, "a number without unit"},
    {{{1}}, "an amount"},
    {{{0, 0, 0, 1}}, "an amount of substance"},
    {{{0, 0, 0, 0, 0, 1}}, "an amount in international units"},
    {{{1, -3}}, "a concentration"},
    {{{0, -3, 0, 1}}, "a molar concentration"},
    {{{0, -3, 0, 0, 0, 1}}, "a concentration in international units"},
    {{{1, 0, -1}}, "an amount per time"},
    {{{0, 0, -1, 1}}, "an amount of substance per time"},
    {{{0, 0, -1, 0, 0, 1}}, "international units per time"},
    {{{1, -3, -1}}, "a concentration per time"},
    {{{0, -3, -1, 1}}, "a molar concentration per time"},
    {{{1, -3, 1}}, "a concentration times a time"},
    {{{0, -3, 1, 1}}, "a molar concentration times a time"},
    {{{1, 0, 1}}, "an amount times a time"},
    {{{0, 3}}, "a volume"},
    {{{-1, 3}}, "a volume per body weight"},
    {{{0, 3, -1}}, "a clearance"},
    {{{-1, 3, -1}}, "a clearance per body weight"},
    {{{0, 1, -1}}, "a clearance per body surface area"},
    {{{0, 0, -1}}, "a rate constant"},
    {{{0, 0, 1}}, "a time"},
    {{{0, 1}}, "a length"},
    {{{0, 2}}, "an area"},
    {{{1, -2}}, "an amount per area"},
    {{{-1, 0, 0, 1}}, "an amount of substance per mass"},
    {{{-1, 0, 0, 0, 0, 1}}, "international units per body weight"},
    {{{1, 0, 0, -1}}, "a molar mass"},
    {{{0, 0, 0, 0, 1}}, "a temperature"},
    {{{0, 0, 0, 0, 0, 0, 1}}, "a number of cells"},
    {{{0, -3, 0, 0, 0, 0, 1}}, "cells per volume"},
    {{{0, 0, 0, 0, 0, 0, 0, 1}}, "a number of copies"},
    {{{0, -3, 0, 0, 0, 0, 0, 1}}, "copies per volume"},
    {{{0, 0, 0, 0, 0, 0, 0, 0, 1}}, "a score"},
    {{{0, 0, -1, 0, 0, 0, 0, 0, 1}}, "a score per time"},
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, "a percentage"},
    {{{0, 0, -1, 0, 0, 0, 0, 0, 0, 1}}, "a percentage per time"},
    {{{1, -1, -2}}, "a pressure"},
};
constexpr std::string_view base_names[Dimension::n_bases] = {
    "mass", "length", "time", "substance", "temperature", "IU", "cells", "copies", "score", "%"};

} // namespace

bool Dimension::is_dimensionless() const {
    return *this == Dimension{};
}

Dimension Dimension::operator*(const Dimension& other) const {
    Dimension result;
    for (int i = 0; i < n_bases; ++i)
        result.exponents[i] = exponents[i] + other.exponents[i];
    return result;
}

Dimension Dimension::operator/(const Dimension& other) const {
    return *this * other.power(-1.0);
}

Dimension Dimension::power(double exponent) const {
    Dimension result;
    for (int i = 0; i < n_bases; ++i)
        result.exponents[i] = exponents[i] * exponent;
    return result;
}

bool Dimension::operator==(const Dimension& other) const {
    constexpr double rounding = 1e-9;
    for (int i = 0; i < n_bases; ++i)
        if (!(std::fabs(exponents[i] - other.exponents[i]) <= rounding)) return false;
    return true;
}

std::string Dimension::name() const {
    for (const NamedDimension& known : named_dimensions)
        if (*this == known.dimension) return std::string(known.name);
    std::string text;
    for (int i = 0; i < n_bases; ++i) {
        if (exponents[i] == 0.0) continue;
        text += (text.empty() ? "" : "·") + std::string(base_names[i]);
        if (exponents[i] != 1.0) text += fmt::format("^{:.6g}", exponents[i]);
    }
    return text;
}

} // namespace gemel::sim
