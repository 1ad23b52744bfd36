// Compiled with AVX-512 besides (sim/CMakeLists.txt); runs only where the machine has them.
#include "lanes/kernels.hpp"

#ifdef __AVX512DQ__
#include "lanes/handlers.hpp"
#endif

namespace gemel::sim {

const KernelSet* x86_64_v4_kernels() {
#ifdef __AVX512DQ__
    return &kernels_of_this_set;
#else
    return nullptr;
#endif
}

} // namespace gemel::sim
