#include "solve/exact/kernels.hpp"

namespace gemel::sim::exact {

const KernelSets<Kernels>& kernel_sets() {
    static const KernelSets<Kernels> sets(
        baseline_kernels(), x86_64_v3_kernels(), x86_64_v4_kernels());
    return sets;
}

} // namespace gemel::sim::exact
