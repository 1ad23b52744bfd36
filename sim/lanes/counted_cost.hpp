#pragma once

#include <gemel/sim/lane_program.hpp>

namespace gemel::sim {

/// What running a program costs per lane, in additions: operations weighed by fixed numbers, the
/// same on every machine. For comparing programs; no claim about times.
double counted_cost(const LaneProgram& program);

} // namespace gemel::sim
