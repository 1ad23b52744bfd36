#include "lanes/handlers.hpp"

namespace gemel::sim {

const KernelSet& baseline_kernels() {
    return kernels_of_this_set;
}

} // namespace gemel::sim
