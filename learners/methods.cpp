#include <gemel/learners/fit.hpp>

namespace gemel::learners {

std::string_view name(Method method) {
    return method_names[static_cast<std::size_t>(method)];
}

} // namespace gemel::learners
