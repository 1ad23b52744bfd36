#pragma once

#include <gemel/sim/lane_program.hpp>

/// The interpreter's inner loops: one function per operation, compiled once per instruction set.
namespace gemel::sim {

/// Computes one operation for all lanes. `out` may be one of the operands. A constant operand
/// points to a single number.
using Handler =
    void (*)(double* out, const double* a, const double* b, const double* c, int width) noexcept;

struct KernelTable {
    /// [operation][which operands are constants: bit 0 a, bit 1 b, bit 2 c]; null where there is no
    /// such variant.
    Handler lanes[n_ops][8] = {};
    Handler scalar[n_ops] = {}; ///< for width 1; constants need no variant
    Handler copy = nullptr;     ///< out = a
    Handler fill = nullptr;     ///< out = the constant a
};

const KernelTable& baseline_kernels();
/// Null when not built for x86-64.
const KernelTable* x86_64_v3_kernels();
const KernelTable* x86_64_v4_kernels();

} // namespace gemel::sim
