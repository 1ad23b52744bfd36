#include "population_reading.hpp"

#include <fmt/format.h>

#include <cmath>

namespace gemel::pkpd {

std::vector<std::pair<std::string, double>> read_probabilities(const io::TomlView& table,
                                                               const std::string& what,
                                                               sim::DiagnosticList& diagnostics) {
    std::vector<std::pair<std::string, double>> given;
    if (table.kind() != io::TomlKind::table || table.members().empty()) {
        diagnostics.add(table.span(), fmt::format("a table of {} is expected", what));
        return {};
    }
    double sum = 0.0;
    for (const auto& [key, member] : table.members()) {
        const std::optional<double> number = member.number();
        if (!number || !(*number >= 0.0 && *number <= 1.0)) {
            diagnostics.add(member.span(),
                            fmt::format("the probability of {} must be a number from 0 to 1", key));
            return {};
        }
        sum += *number;
        given.emplace_back(key, *number);
    }
    // Published frequencies are rounded; what is left within 1e-6 is shared out in proportion.
    if (std::abs(sum - 1.0) > 1e-6) {
        diagnostics.add(
            table.span(),
            fmt::format("the {} sum to {:.8g}; 1 is expected", what, sum),
            fmt::format("{:.6g} is {}", std::abs(1.0 - sum), sum < 1.0 ? "missing" : "too much"));
        return {};
    }
    return given;
}

} // namespace gemel::pkpd
