#include "solve/exact/kernels.hpp"

#include <gemel/sim/lane_program.hpp>

namespace gemel::sim::exact {
namespace {

KernelSets sets_of_this_machine() {
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
    static const KernelSets sets = sets_of_this_machine();
    return sets;
}

} // namespace gemel::sim::exact
