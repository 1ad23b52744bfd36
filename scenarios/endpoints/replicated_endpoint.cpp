#include "endpoints/replicated_endpoint.hpp"

#include "show/sections.hpp"

#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::scenarios {

namespace {

/// Linear between order statistics, of sorted values.
double sample_quantile(const std::vector<double>& sorted, double probability) {
    const double place = probability * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    if (below + 1 >= sorted.size()) return sorted.back();
    const double rest = place - static_cast<double>(below);
    return sorted[below] + rest * (sorted[below + 1] - sorted[below]);
}

} // namespace

std::vector<ReplicatedEndpoint> replicated_endpoints(io::ResultReader& file) {
    std::vector<ReplicatedEndpoint> all;
    const std::vector<std::string> arms = file.axis("arm").labels;
    for (std::size_t r = 0; r < file.n_replicates(); ++r) {
        file.select_replicate(r);
        std::size_t at = 0;
        for (const StoredEndpoint& endpoint : stored_endpoints(file))
            for (std::size_t arm = 0; arm < arms.size(); ++arm)
                for (std::size_t s = 0; s < endpoint.strata.size(); ++s, ++at) {
                    if (r == 0)
                        all.push_back({endpoint.name,
                                       endpoint.variable.units,
                                       arms[arm],
                                       endpoint.by,
                                       endpoint.strata[s],
                                       endpoint.call.starts_with("proportion"),
                                       {}});
                    all[at].values.push_back(endpoint.arms[arm].value[s]);
                }
    }
    file.select_replicate(0);
    return all;
}

std::string describe(const ReplicatedEndpoint& endpoint) {
    std::vector<double> sorted = endpoint.values;
    std::erase_if(sorted, [](double value) { return std::isnan(value); });
    std::sort(sorted.begin(), sorted.end());
    std::string text =
        fmt::format("{}, arm {}", with_unit(endpoint.name, endpoint.unit), endpoint.arm);
    if (!endpoint.by.empty()) text += fmt::format(", {} {}", endpoint.by, endpoint.stratum);
    if (sorted.empty()) return text + ": no value in any replicate";
    const auto number = endpoint.is_share ? percent_text : number_text;
    text += fmt::format(": {} [{}–{}] over {} replicates",
                        number(sample_quantile(sorted, 0.5)),
                        number(sample_quantile(sorted, 0.05)),
                        number(sample_quantile(sorted, 0.95)),
                        sorted.size());
    const std::size_t n_missing = endpoint.values.size() - sorted.size();
    return n_missing == 0 ? text : fmt::format("{} ({} without a value)", text, n_missing);
}

} // namespace gemel::scenarios
