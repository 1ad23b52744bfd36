#include "population_reading.hpp"

#include <fmt/format.h>

#include <cmath>

namespace gemel::pkpd {

void check_sum_of_shares(double sum,
                         const std::string& what,
                         const sim::SourceSpan& place,
                         sim::DiagnosticList& diagnostics) {
    if (!(std::abs(sum - 1.0) > 1e-6)) return;
    diagnostics.add(
        place,
        fmt::format("the {} sum to {:.8g}; 1 is expected", what, sum),
        fmt::format("{:.6g} is {}", std::abs(1.0 - sum), sum < 1.0 ? "missing" : "too much"));
}

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
    const std::size_t n_before = diagnostics.size();
    check_sum_of_shares(sum, what, table.span(), diagnostics);
    if (diagnostics.size() > n_before) return {};
    return given;
}

} // namespace gemel::pkpd
