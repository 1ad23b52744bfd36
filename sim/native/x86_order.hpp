#pragma once

#include "native/x86_selection.hpp"

#include <cstdint>
#include <vector>

namespace gemel::sim {

/// An order of a function's operations, and where in it values are used.
struct OperationOrder {
    std::vector<std::uint32_t> ops;
    std::vector<std::uint32_t> uses;      ///< places in the order: rising, value by value
    std::vector<std::uint32_t> first_use; ///< of each value among these, then their number
};

/// An order in which few operations wait for their operands, and values do not live much longer
/// for it: a list scheduler over a window.
///
/// @param n_parts  vectors side by side, each of which takes its turn at every operation
OperationOrder order_operations(const MachineFunction& function, int n_parts);

} // namespace gemel::sim
