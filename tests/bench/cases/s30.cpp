#include "network.hpp"

namespace gemel::bench {

Case s30() {
    return network_case<30, 30>("S30", "network of 30 species");
}

} // namespace gemel::bench
