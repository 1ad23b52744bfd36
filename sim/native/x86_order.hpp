#pragma once

#include "native/x86_selection.hpp"

namespace gemel::sim {

/// Puts operations in an order in which few wait for their operands, and values do not live much
/// longer for it: a list scheduler over a window. What is computed stays the same.
///
/// @param n_parts  vectors side by side, each of which takes its turn at every operation
void order_operations(MachineFunction& function, int n_parts);

} // namespace gemel::sim
