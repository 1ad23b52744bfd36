#include "leaf_loops.hpp"

namespace gemel::io {

const LeafKernels* baseline_leaf_kernels() {
    return &leaf_kernels_of_this_set;
}

} // namespace gemel::io
