#pragma once

#include "solve/step_program.hpp"

#include <gemel/sim/solver.hpp>

#include <memory>

/// Rodas5P in lanes: the solver for everything that has no exact solution. Theory manual:
/// solvers.md.
namespace gemel::sim {

const StepMethod& rodas5p_method();
const StepMethod& rodas5p_split_method(); ///< steps what can_split() leaves
std::unique_ptr<PreparedSolver> prepare_rodas5p(const CompiledSystem& system,
                                                const SolverOptions& options);
std::unique_ptr<PreparedSolver> prepare_rodas5p_split(const CompiledSystem& system,
                                                      const SolverOptions& options);

} // namespace gemel::sim
