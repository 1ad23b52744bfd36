#pragma once

#include "solve/step_program.hpp"

#include <gemel/sim/solver.hpp>

#include <memory>

namespace gemel::sim {

/// Taylor series of order 9 in lanes: explicit, for systems that are not stiff. Theory manual:
/// solvers.md.
const StepMethod& taylor_method();

/// Lanes apply, a step is within the lowering budget, and no rate asks for the time: a series sees
/// what is at its start and, by its error, at its end, but no pulse between them.
bool taylor_applies(const CompiledSystem& system);

std::unique_ptr<PreparedSolver> prepare_taylor(const CompiledSystem& system,
                                               const SolverOptions& options);

} // namespace gemel::sim
