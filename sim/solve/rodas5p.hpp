#pragma once

#include <gemel/sim/solver.hpp>

#include <memory>

/// Rodas5P in lanes: the solver for everything that has no exact solution. Theory manual:
/// solvers.md.
namespace gemel::sim {

bool rodas5p_applies(const CompiledSystem& system);
std::unique_ptr<PreparedSolver> prepare_rodas5p(const CompiledSystem& system,
                                                const SolverOptions& options);

} // namespace gemel::sim
