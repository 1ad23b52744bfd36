#include "columns/kernels.hpp"

#include <gemel/sim/assert.hpp>
#include <gemel/sim/lane_program.hpp>

namespace gemel::sim::columns {
namespace {

KernelSets sets_for_this_machine() {
    KernelSets found;
    found.sets[found.count++] = &baseline_kernels();
    const InstructionSet best = best_instruction_set();
    if (x86_64_v3_kernels() != nullptr && best >= InstructionSet::x86_64_v3)
        found.sets[found.count++] = x86_64_v3_kernels();
    if (x86_64_v4_kernels() != nullptr && best >= InstructionSet::x86_64_v4)
        found.sets[found.count++] = x86_64_v4_kernels();
    return found;
}

} // namespace

const KernelSets& kernel_sets() {
    static const KernelSets sets = sets_for_this_machine();
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
