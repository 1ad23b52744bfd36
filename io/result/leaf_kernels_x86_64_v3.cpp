// Compiled with AVX2 (io/CMakeLists.txt); runs only where the machine has it.
#include "leaf_kernels.hpp"

#ifdef __AVX2__
#include "leaf_loops.hpp"
#endif

namespace gemel::io {

const LeafKernels* x86_64_v3_leaf_kernels() {
#ifdef __AVX2__
    return &leaf_kernels_of_this_set;
#else
    return nullptr;
#endif
}

} // namespace gemel::io
