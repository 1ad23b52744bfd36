#pragma once

#include "solve/rosenbrock_tableau.hpp"
#include "solve/step_program.hpp"

namespace gemel::sim {

/// One whole step of a Rosenbrock method as one straight-line program: all stages, symbolic
/// Jacobian and LU, error norm and dense output.
///
/// Derivatives of states share the LU of the states and take no part in its guards.
ProgramSpec rosenbrock_step(CompiledSystem& system,
                            const RosenbrockTableau& tableau,
                            const StepLayout& layout,
                            double rtol);

} // namespace gemel::sim
