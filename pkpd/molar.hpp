#pragma once

#include <gemel/pkpd/model.hpp>

#include <optional>

namespace gemel::pkpd {

/// What a value of one unit is in another; mass and substance meet by the molar mass.
///
/// @param molar_mass  in mg/nmol-coherent units; 0: not declared
/// @returns nothing where the two units do not meet
std::optional<double>
convert_molar(double value, const sim::Unit& from, const sim::Unit& to, double molar_mass);

/// The model's molar mass, if its states that declare one agree; otherwise 0.
double common_molar_mass(const Model& model);

} // namespace gemel::pkpd
