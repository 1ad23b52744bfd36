#pragma once

#include "solve/step_program.hpp"

#include <gemel/sim/solver.hpp>

#include <memory>

/// Tsit5 in lanes: for systems that are not stiff, where it costs less than Rodas5P. Theory manual:
/// solvers.md.
namespace gemel::sim {

const StepMethod& tsit5_method();
const StepMethod& tsit5_split_method(); ///< steps what can_split() leaves
std::unique_ptr<PreparedSolver> prepare_tsit5(const CompiledSystem& system,
                                              const SolverOptions& options);
std::unique_ptr<PreparedSolver> prepare_tsit5_split(const CompiledSystem& system,
                                                    const SolverOptions& options);

} // namespace gemel::sim
