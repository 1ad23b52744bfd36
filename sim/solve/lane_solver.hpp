#pragma once

#include "solve/step_program.hpp"

#include <gemel/sim/solver.hpp>

#include <memory>
#include <string_view>

namespace gemel::sim {

/// The step program is within the lowering budget.
bool lanes_apply(const CompiledSystem& system);
/// And there is a part that can be split off.
bool split_lanes_apply(const CompiledSystem& system);

/// A method driven by the lane engine, as a row of the registry wants it. `name` is for messages.
std::unique_ptr<PreparedSolver> prepare_lanes(std::string_view name,
                                              const StepMethod& method,
                                              const CompiledSystem& system,
                                              const SolverOptions& options);

} // namespace gemel::sim
