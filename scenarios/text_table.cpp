#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

#include <cmath>

namespace gemel::scenarios {

std::string number_text(double value) {
    if (std::isnan(value)) return "–";
    return std::abs(value) >= 1000.0 && std::abs(value) < 1e7 ? fmt::format("{:.0f}", value)
                                                              : fmt::format("{:.3g}", value);
}

std::string percent_text(double share) {
    return std::isnan(share) ? "–" : fmt::format("{:.1f} %", 100.0 * share);
}

} // namespace gemel::scenarios
