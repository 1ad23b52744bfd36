#pragma once

#include <gemel/sim/solver.hpp>

#include <cstdint>
#include <string>

/// What a step in lanes would cost, counted from the structure before anything is built.
namespace gemel::sim {

/// Operations that a step program may have. More take seconds to be made ready, and tens of
/// megabytes of scratch per thread; CVODE starts at once. (Measured on sparse networks, once ready
/// lanes need a quarter of CVODE's time at 20 states and at 450.)
inline constexpr std::int64_t lowering_budget = 150'000;

/// Operations of one Rosenbrock step: rates of all stages, Jacobian, fill-in of the LU counted by
/// eliminating the pattern, solves, error and dense output. Counting stops above `limit`: a larger
/// number means at least that many.
std::int64_t rosenbrock_operations(const CompiledSystem& system,
                                   std::int64_t limit = lowering_budget);

/// Why lanes do not take this system, in words; "" if they do.
std::string over_lowering_budget(const CompiledSystem& system);

} // namespace gemel::sim
