// Compiled with AVX2, FMA and BMI2 (sim/CMakeLists.txt); runs only where the machine has them.
#include "columns/kernels.hpp"

#ifdef __AVX2__
#include "columns/loops.hpp"
#endif

namespace gemel::sim::columns {

const Kernels* x86_64_v3_kernels() {
#ifdef __AVX2__
    return &kernels_of_this_set;
#else
    return nullptr;
#endif
}

} // namespace gemel::sim::columns
