#pragma once

#include <gemel/sim/solver.hpp>

#include <memory>

/// CVODE of SUNDIALS, subject by subject: for systems too large for lanes, and for subjects that
/// lanes give up. Theory manual: solvers.md.
namespace gemel::sim {

/// Any system.
bool cvode_applies(const CompiledSystem& system);
std::unique_ptr<PreparedSolver> prepare_cvode(const CompiledSystem& system,
                                              const SolverOptions& options);

} // namespace gemel::sim
