#pragma once

#include <gemel/sim/solver.hpp>

#include <memory>

/// Boost.Odeint, subject by subject: the one source that includes it. Theory manual: odeint.md.
namespace gemel::sim {

/// Dormand–Prince 5(4) with Odeint's step controller and dense output.
std::unique_ptr<PreparedSolver> prepare_odeint_dopri5(const CompiledSystem& system,
                                                      const SolverOptions& options);

/// Fehlberg 8(7) with Odeint's step controller; values between steps by shorter steps from the last
/// accepted point.
std::unique_ptr<PreparedSolver> prepare_odeint_fehlberg78(const CompiledSystem& system,
                                                          const SolverOptions& options);

/// Any system.
bool odeint_applies(const CompiledSystem& system);

} // namespace gemel::sim
