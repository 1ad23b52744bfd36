#pragma once

#include "sim/solve/problems.hpp"

/// Random systems in the shapes of pharmacology, the same for the same number on every machine:
/// absorption (none, depot, transit chain), one to three compartments with any further links,
/// elimination (linear, saturable, both, induced), a metabolite, an effect site, a turnover driven
/// or fed back; boluses, infusions, lag and bioavailability. For checking solvers against each
/// other, and derivatives against differences.
namespace gemel::sim {

enum class RandomKind {
    linear,    ///< constant coefficients, some rates equal
    nonlinear, ///< saturation, inhibition, feedback; rates within a factor of some hundred
    stiff      ///< that, with binding or exchange some thousand times faster
};

Problem random_model(RandomKind kind, unsigned number);

/// The fifty that every solver is judged by: 15 linear, 25 nonlinear, 10 stiff.
std::vector<Problem> random_models();

} // namespace gemel::sim
