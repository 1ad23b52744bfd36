#pragma once

#include "solve/runge_kutta_tableau.hpp"
#include "solve/step_program.hpp"

namespace gemel::sim {

/// One whole step of an explicit method as one straight-line program: all stages but the first,
/// which the step before left, error norm, dense output and how near the edge of stability it is.
ProgramSpec runge_kutta_step(CompiledSystem& system,
                             const RungeKuttaTableau& tableau,
                             const StepLayout& layout,
                             double rtol);

} // namespace gemel::sim
