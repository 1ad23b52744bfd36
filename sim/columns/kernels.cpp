#include "columns/kernels.hpp"

#include <gemel/sim/assert.hpp>
#include <gemel/sim/lane_program.hpp>

namespace gemel::sim::columns {

const KernelSets<Kernels>& kernel_sets() {
    static const KernelSets<Kernels> sets(
        baseline_kernels(), x86_64_v3_kernels(), x86_64_v4_kernels());
    return sets;
}

} // namespace gemel::sim::columns

namespace gemel::sim {

void apply(Op op, std::span<double> out, const double* a, const double* b, const double* c) {
    const auto over_columns = columns::kernel_sets().best().operations[static_cast<int>(op)];
    GEMEL_ASSERT(over_columns != nullptr, "a column is made by an operation");
    over_columns(out.data(), a, b, c, out.size());
}

} // namespace gemel::sim
