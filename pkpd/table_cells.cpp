#include "table_cells.hpp"

#include <gemel/sim/units.hpp>

#include <charconv>
#include <cmath>

namespace gemel::pkpd {

std::optional<double> number_in(const std::string& text) {
    double value = 0.0;
    const bool has_plus = text.starts_with('+') && !text.starts_with("+-");
    const char* const first = text.data() + (has_plus ? 1 : 0);
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(first, last, value);
    if (error != std::errc() || end != last || !std::isfinite(value)) return std::nullopt;
    return value;
}

HeaderParts split_header(const std::string& header) {
    const bool is_square = header.ends_with(']');
    const auto open = header.rfind(is_square ? '[' : '(');
    if (open == std::string::npos || (!is_square && !header.ends_with(')'))) return {header, ""};
    const std::string unit = header.substr(open + 1, header.size() - open - 2);
    if (!is_square && !sim::parse_unit(unit)) return {header, ""};
    std::string name = header.substr(0, open);
    while (name.ends_with(' '))
        name.pop_back();
    return {name, unit};
}

} // namespace gemel::pkpd
