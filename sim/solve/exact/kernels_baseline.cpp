#include "solve/exact/loops.hpp"

namespace gemel::sim::exact {

const Kernels& baseline_kernels() {
    return kernels_of_this_set;
}

} // namespace gemel::sim::exact
