// Compiled with AVX2, FMA and BMI2 (sim/CMakeLists.txt); runs only where the machine has them.
#include "lanes/kernels.hpp"

#ifdef __AVX2__
#include "lanes/handlers.hpp"
#endif

namespace gemel::sim {

const KernelSet* x86_64_v3_kernels() {
#ifdef __AVX2__
    return &kernels_of_this_set;
#else
    return nullptr;
#endif
}

} // namespace gemel::sim
