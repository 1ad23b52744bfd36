#include <gemel/sim/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace gemel::sim {

void assertion_failed(const char* must_hold, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: internal error: this must hold: %s\n", file, line, must_hold);
    std::abort();
}

} // namespace gemel::sim
