#include "show/sections.hpp"
#include "show/text_plot.hpp"
#include "summary.hpp"
#include "text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::scenarios {

namespace {

constexpr std::size_t bar_columns = 10;

/// An endpoint of a file with what stands beside it.
class ShownEndpoint {
public:
    ShownEndpoint(const io::ResultReader& file,
                  const std::vector<io::Variable>& all,
                  const io::Variable& variable)
        : file_(file),
          all_(all),
          variable_(variable) {}

    const io::Variable& variable() const { return variable_; }

    std::vector<double> values(const std::string& suffix, std::size_t arm, std::size_t n) const {
        const std::string path = variable_.path + suffix;
        if (find_variable(all_, path) == nullptr)
            return std::vector<double>(n, std::numeric_limits<double>::quiet_NaN());
        return file_.reals(path, static_cast<int>(arm), 0, n);
    }

    bool is_proportion() const {
        const auto text = std::find_if(variable_.attributes.begin(),
                                       variable_.attributes.end(),
                                       [](const auto& a) { return a.first == "endpoint"; });
        return text != variable_.attributes.end() && text->second.starts_with("proportion");
    }

private:
    const io::ResultReader& file_;
    const std::vector<io::Variable>& all_;
    const io::Variable& variable_;
};

/// "12.3 ± 0.4", "87.0 % [84.1 % – 89.5 %]".
std::string value_text(double value, double mcse, double lower, double upper, bool is_proportion) {
    const auto text = is_proportion ? percent_text : number_text;
    if (std::isfinite(lower))
        return fmt::format("{} [{} – {}]", text(value), text(lower), text(upper));
    return std::isfinite(mcse) ? fmt::format("{} ± {}", text(value), text(mcse)) : text(value);
}

bool is_value(const io::Variable& variable) {
    return variable.path.starts_with("endpoints/") &&
           std::any_of(variable.attributes.begin(), variable.attributes.end(), [](const auto& a) {
               return a.first == "endpoint";
           });
}

/// Rows of one endpoint, arms and strata down.
std::vector<std::vector<std::string>>
rows_of(const io::ResultReader& file, const ShownEndpoint& endpoint, bool is_plain) {
    const std::vector<std::string> arms = file.axis("arm").labels;
    const bool has_strata = endpoint.variable().axes.size() > 1;
    const std::vector<std::string> strata =
        has_strata ? file.axis(endpoint.variable().axes[1]).labels : std::vector<std::string>{""};
    double most = 0.0;
    for (std::size_t arm = 0; arm < arms.size(); ++arm)
        for (const double value : endpoint.values("", arm, strata.size()))
            if (std::isfinite(value)) most = std::max(most, value);
    if (endpoint.is_proportion()) most = 1.0;
    std::vector<std::vector<std::string>> rows;
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
        const auto get = [&](const char* suffix) {
            return endpoint.values(suffix, arm, strata.size());
        };
        const auto value = get(""), mcse = get("_mcse"), lower = get("_lower"),
                   upper = get("_upper"), n = get("_n"), missing = get("_n_missing");
        for (std::size_t s = 0; s < strata.size(); ++s) {
            if (has_strata && n[s] + missing[s] == 0.0) continue;
            rows.push_back(
                {has_strata ? arms[arm] + "  " + strata[s] : arms[arm],
                 bar(most > 0.0 ? value[s] / most : 0.0, bar_columns, is_plain),
                 value_text(value[s], mcse[s], lower[s], upper[s], endpoint.is_proportion()),
                 grouped(static_cast<std::uint64_t>(n[s])) +
                     (missing[s] > 0.0
                          ? fmt::format(" ({} missing)",
                                        grouped(static_cast<std::uint64_t>(missing[s])))
                          : "")});
        }
    }
    return rows;
}

} // namespace

std::string show_endpoints(const io::ResultReader& file, const ShowOptions& options) {
    const std::vector<io::Variable> all = file.variables();
    std::string text;
    for (const io::Variable& variable : all) {
        if (!is_value(variable)) continue;
        const ShownEndpoint endpoint(file, all, variable);
        std::string heading =
            with_unit(name_of(variable), variable.units) + "  " + variable.long_name;
        if (variable.axes.size() > 1) heading += " by " + file.axis(variable.axes[1]).long_name;
        auto rows = rows_of(file, endpoint, options.is_plain);
        rows.insert(rows.begin(),
                    {"",
                     "",
                     endpoint.is_proportion() ? "share [interval]" : "value ± mcse or [interval]",
                     "n"});
        text += (text.empty() ? "" : "\n") + heading + "\n" + text_table(rows);
    }
    return text.empty() ? text : "Endpoints\n\n" + text;
}

} // namespace gemel::scenarios
