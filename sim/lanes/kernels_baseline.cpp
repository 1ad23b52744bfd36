#include "lanes/kernel_loops.hpp"

namespace gemel::sim {

const KernelTable& baseline_kernels() {
    return table_of_this_set;
}

} // namespace gemel::sim
