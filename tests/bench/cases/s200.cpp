#include "network.hpp"

namespace gemel::bench {

Case s200() {
    Case s200 = network_case<200, 1>("S200", "network of 200 species");
    s200.n_timed = 16;
    return s200;
}

} // namespace gemel::bench
