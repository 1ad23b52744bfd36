// Compiled with AVX2, FMA and BMI2 (sim/CMakeLists.txt); runs only where the machine has them.
#include "lanes/kernels.hpp"

#ifdef __AVX2__
#include "lanes/kernel_loops.hpp"
#endif

namespace gemel::sim {

const KernelTable* x86_64_v3_kernels() {
#ifdef __AVX2__
    return &table_of_this_set;
#else
    return nullptr;
#endif
}

} // namespace gemel::sim
