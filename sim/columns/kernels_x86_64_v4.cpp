// Compiled with AVX-512 (sim/CMakeLists.txt); runs only where the machine has it.
#include "columns/kernels.hpp"

#ifdef __AVX512F__
#include "columns/loops.hpp"
#endif

namespace gemel::sim::columns {

const Kernels* x86_64_v4_kernels() {
#ifdef __AVX512F__
    return &kernels_of_this_set;
#else
    return nullptr;
#endif
}

} // namespace gemel::sim::columns
