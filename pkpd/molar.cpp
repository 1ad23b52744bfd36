#include "molar.hpp"

namespace gemel::pkpd {

/// mass [mg] = substance [nmol] · molar mass [mg/nmol]: the one way between the two.
std::optional<double>
convert_molar(double value, const sim::Unit& from, const sim::Unit& to, double molar_mass) {
    if (from.dimension == to.dimension) return value * sim::conversion_factor(from, to);
    if (!(molar_mass > 0.0)) return std::nullopt;
    sim::Dimension substance;
    substance.exponents[sim::Dimension::substance] = 1;
    const sim::Dimension mass_per_substance = sim::mass_dimension / substance;
    if (from.dimension == to.dimension * mass_per_substance)
        return value * from.factor / molar_mass / to.factor;
    if (to.dimension == from.dimension * mass_per_substance)
        return value * from.factor * molar_mass / to.factor;
    return std::nullopt;
}

double common_molar_mass(const Model& model) {
    double common = 0.0;
    for (const double molar_mass : model.molar_mass) {
        if (!(molar_mass > 0.0)) continue;
        if (common > 0.0 && molar_mass != common) return 0.0;
        common = molar_mass;
    }
    return common;
}

} // namespace gemel::pkpd
