#include "endpoints/replicated_endpoint.hpp"
#include "endpoints/stored_endpoint.hpp"
#include "show/sections.hpp"
#include "show/text_plot.hpp"
#include "summary.hpp"

#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::scenarios {

namespace {

constexpr std::size_t bar_columns = 10;

using Numbers = StoredEndpoint::Numbers;

bool is_proportion(const StoredEndpoint& endpoint) {
    return endpoint.call.starts_with("proportion");
}

/// "12.3 ± 0.4", "87.0 % [84.1 % – 89.5 %]".
std::string value_text(const Numbers& of, std::size_t stratum, bool is_proportion) {
    const auto text = is_proportion ? percent_text : number_text;
    const double value = of.value[stratum], mcse = of.mcse[stratum];
    if (std::isfinite(of.lower[stratum]))
        return fmt::format(
            "{} [{} – {}]", text(value), text(of.lower[stratum]), text(of.upper[stratum]));
    return std::isfinite(mcse) ? fmt::format("{} ± {}", text(value), text(mcse)) : text(value);
}

/// "1,000", "997 (3 missing)".
std::string number_of_subjects(const Numbers& of, std::size_t stratum) {
    const auto text = [](double n) { return grouped(static_cast<std::uint64_t>(n)); };
    return text(of.n[stratum]) + (of.n_missing[stratum] > 0.0
                                      ? fmt::format(" ({} missing)", text(of.n_missing[stratum]))
                                      : "");
}

/// What a full bar stands for.
double full_bar(const StoredEndpoint& endpoint) {
    if (is_proportion(endpoint)) return 1.0;
    double most = 0.0;
    for (const Numbers& arm : endpoint.arms)
        for (const double value : arm.value)
            if (std::isfinite(value)) most = std::max(most, value);
    return most;
}

/// Arms and strata down; strata without subjects are left out.
std::vector<std::vector<std::string>>
rows_of(const StoredEndpoint& endpoint, const std::vector<std::string>& arms, bool is_plain) {
    const bool is_share = is_proportion(endpoint);
    const double most = full_bar(endpoint);
    std::vector<std::vector<std::string>> rows{
        {"", "", is_share ? "share [interval]" : "value ± mcse or [interval]", "n"}};
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
        const Numbers& of = endpoint.arms[arm];
        for (std::size_t s = 0; s < endpoint.strata.size(); ++s) {
            const bool is_split = !endpoint.by.empty();
            if (is_split && of.n[s] + of.n_missing[s] == 0.0) continue;
            rows.push_back({is_split ? arms[arm] + "  " + endpoint.strata[s] : arms[arm],
                            bar(most > 0.0 ? of.value[s] / most : 0.0, bar_columns, is_plain),
                            value_text(of, s, is_share),
                            number_of_subjects(of, s)});
        }
    }
    return rows;
}

} // namespace

std::string show_replicated_endpoints(io::ResultReader& file) {
    std::string text;
    for (const ReplicatedEndpoint& endpoint : replicated_endpoints(file))
        text += describe(endpoint) + "\n";
    return text.empty() ? text : "Endpoints, median [5–95 %] of replicates\n\n" + text;
}

std::string show_endpoints(const io::ResultReader& file, const ShowOptions& options) {
    const std::vector<std::string> arms = file.axis("arm").labels;
    std::string text;
    for (const StoredEndpoint& endpoint : stored_endpoints(file)) {
        const io::Variable& variable = endpoint.variable;
        text += (text.empty() ? "" : "\n") + with_unit(endpoint.name, variable.units) + "  " +
                variable.long_name + (endpoint.by.empty() ? "" : " by " + endpoint.by) + "\n" +
                text_table(rows_of(endpoint, arms, options.is_plain));
    }
    return text.empty() ? text : "Endpoints\n\n" + text;
}

} // namespace gemel::scenarios
