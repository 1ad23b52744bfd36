#include "solve/exact/kernels.hpp"

namespace gemel::sim::exact {
namespace {

bool machine_has_v3() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

bool machine_has_v4() {
#if defined(__x86_64__)
    return machine_has_v3() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw");
#else
    return false;
#endif
}

KernelSets sets_of_this_machine() {
    KernelSets found;
    found.sets[found.count++] = &baseline_kernels();
    if (x86_64_v3_kernels() != nullptr && machine_has_v3())
        found.sets[found.count++] = x86_64_v3_kernels();
    if (x86_64_v4_kernels() != nullptr && machine_has_v4())
        found.sets[found.count++] = x86_64_v4_kernels();
    return found;
}

} // namespace

const KernelSets& kernel_sets() {
    static const KernelSets sets = sets_of_this_machine();
    return sets;
}

} // namespace gemel::sim::exact
