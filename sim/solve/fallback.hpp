#pragma once

#include <gemel/sim/solver.hpp>

#include <memory>

/// CVODE behind another solver: what that one gives up is solved once more.
namespace gemel::sim {

/// Whether a status says that a method failed and another may do. Numbers that are none and steps
/// without end are the subject's own: CVODE would meet them too, only later.
bool is_worth_another_method(SolverStatus status);

/// `first`, and CVODE for the subjects it gives up with such a status. A subject that CVODE solves
/// is marked in BlockResult::fell_back; one that it gives up too keeps the status it had.
std::unique_ptr<PreparedSolver> with_fallback(std::unique_ptr<PreparedSolver> first,
                                              const CompiledSystem& system,
                                              const SolverOptions& options);

} // namespace gemel::sim
