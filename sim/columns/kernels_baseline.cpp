#include "columns/loops.hpp"

namespace gemel::sim::columns {

const Kernels& baseline_kernels() {
    return kernels_of_this_set;
}

} // namespace gemel::sim::columns
