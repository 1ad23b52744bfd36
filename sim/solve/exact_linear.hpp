#pragma once

#include "solve/exact/kernels.hpp"

#include <gemel/sim/solver.hpp>

#include <memory>

/// Exact propagation of linear systems from event to event. Theory manual: exact.md.
namespace gemel::sim {

/// Closed forms: parts of one to three disposition compartments, each with any number of single
/// states feeding it. Subjects whose numbers do not fit (couplings of opposite sense) go by expm,
/// which is as portable.
bool closed_form_applies(const CompiledSystem& system);
std::unique_ptr<PreparedSolver> prepare_closed_form(const CompiledSystem& system,
                                                    const SolverOptions& options);
/// With the loops of one instruction set: the same bits from each.
std::unique_ptr<PreparedSolver> prepare_closed_form(const CompiledSystem& system,
                                                    const SolverOptions& options,
                                                    const exact::Kernels& kernels);
/// One subject after the other, as those without closed form are solved: the same bits, but where
/// subjects share their way.
std::unique_ptr<PreparedSolver> prepare_closed_form_one_by_one(const CompiledSystem& system,
                                                               const SolverOptions& options);

/// Matrix exponentials: any linear system of up to max_expm_states states.
inline constexpr int max_expm_states = 30;
bool expm_applies(const CompiledSystem& system);
std::unique_ptr<PreparedSolver> prepare_expm(const CompiledSystem& system,
                                             const SolverOptions& options);

} // namespace gemel::sim
