#pragma once

#include <gemel/sim/lane_program.hpp>

namespace gemel::sim {

/// One source of kernels, compiled once per instruction set: those that this machine can run, the
/// best one last. What was not built is null.
template <class Kernels>
struct KernelSets {
    KernelSets(const Kernels& baseline, const Kernels* x86_64_v3, const Kernels* x86_64_v4) {
        sets[count++] = &baseline;
        const InstructionSet best = best_instruction_set();
        if (x86_64_v3 != nullptr && best >= InstructionSet::x86_64_v3) sets[count++] = x86_64_v3;
        if (x86_64_v4 != nullptr && best >= InstructionSet::x86_64_v4) sets[count++] = x86_64_v4;
    }

    const Kernels* sets[3] = {};
    int count = 0;
    const Kernels& best() const { return *sets[count - 1]; }
};

} // namespace gemel::sim
