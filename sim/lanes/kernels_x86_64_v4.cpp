// Compiled with AVX-512 besides (sim/CMakeLists.txt); runs only where the machine has them.
#include "lanes/kernels.hpp"

#ifdef __AVX512DQ__
#include "lanes/kernel_loops.hpp"
#endif

namespace gemel::sim {

const KernelTable* x86_64_v4_kernels() {
#ifdef __AVX512DQ__
    return &table_of_this_set;
#else
    return nullptr;
#endif
}

} // namespace gemel::sim
