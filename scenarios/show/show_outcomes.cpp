#include "show/sections.hpp"
#include "show/text_plot.hpp"
#include "summary.hpp"

#include <gemel/scenarios/text_table.hpp>
#include <gemel/sim/counters.hpp>
#include <gemel/sim/moments.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

namespace gemel::scenarios {

namespace {

constexpr std::size_t n_histogram_bins = 20;

struct Group {
    sim::Counters counters;
    sim::Moments moments;
    std::vector<double> histogram = std::vector<double>(n_histogram_bins, 0.0);
};

/// What a column of labels is called in the file.
std::string path_of_by(const std::string& by) {
    const std::size_t dot = by.find('.');
    if (dot == std::string::npos) return "covariates/" + by;
    const std::string gene = "genotypes/" + by.substr(0, dot), property = by.substr(dot + 1);
    return property == "diplotype" ? gene : gene + "_" + property;
}

/// What the file could be split by.
std::vector<std::string> possible_bys(const std::vector<io::Variable>& all) {
    std::vector<std::string> names;
    for (const io::Variable& variable : all) {
        const std::string name = name_of(variable);
        if (variable.path.starts_with("covariates/") && variable.type == io::ValueType::category)
            names.push_back(name);
        if (!variable.path.starts_with("genotypes/")) continue;
        const std::string phenotype = "_phenotype";
        if (variable.type == io::ValueType::text) names.push_back(name + ".diplotype");
        if (name.ends_with(phenotype))
            names.push_back(name.substr(0, name.size() - phenotype.size()) + ".phenotype");
    }
    return names;
}

/// One outcome in one arm, split by label.
class OutcomeReading {
public:
    OutcomeReading(const io::ResultReader& file, const std::string& path, const std::string& by)
        : file_(file),
          path_(path),
          by_(by),
          weights_(file),
          n_(file.axis_size("subject")) {}

    std::map<std::string, Group> groups(int arm) const {
        std::map<std::string, Group> groups;
        each(arm, [&](const std::string& label, double value, double weight) {
            Group& group = groups[label];
            group.counters.add(value, weight);
            if (value == value) group.moments.add(value, weight);
        });
        return groups;
    }

    void fill(int arm, double low, double high, std::map<std::string, Group>& groups) const {
        each(arm, [&](const std::string& label, double value, double weight) {
            if (value >= low && value <= high)
                groups[label].histogram[cell_of(value, low, high, n_histogram_bins)] += weight;
        });
    }

private:
    template <class Take>
    void each(int arm, Take take) const {
        for (std::uint64_t first = 0; first < n_; first += show_step) {
            const std::uint64_t count = std::min(show_step, n_ - first);
            const std::vector<double> values = file_.reals(path_, arm, first, count);
            const std::vector<std::string> labels = by_.empty()
                                                        ? std::vector<std::string>(values.size())
                                                        : file_.texts(by_, -1, first, count);
            const std::vector<double> weights = weights_.of(first, count);
            for (std::size_t s = 0; s < values.size(); ++s)
                take(labels[s], values[s], weights[s]);
        }
    }

    const io::ResultReader& file_;
    std::string path_, by_;
    SubjectWeights weights_;
    std::uint64_t n_;
};

bool is_condition(const io::Variable& variable) {
    return variable.units == "1" && variable.long_name.find_first_of("<>") != std::string::npos;
}

double mean_of(const Group& group) {
    return group.moments.weight > 0.0 ? group.moments.mean : std::nan("");
}

std::vector<std::string> row_of(const std::string& label, const Group& group, bool is_plain) {
    const sim::Counters& counters = group.counters;
    return {label,
            columns_plot(group.histogram, is_plain),
            number_text(mean_of(group)),
            fmt::format("{} [{} – {}]",
                        number_text(counters.quantile(0.5)),
                        number_text(counters.quantile(0.05)),
                        number_text(counters.quantile(0.95))),
            grouped(counters.n()) + (counters.n_nan() > 0
                                         ? fmt::format(" ({} missing)", grouped(counters.n_nan()))
                                         : "")};
}

std::vector<std::string> share_row(const std::string& label, const Group& group, bool is_plain) {
    const double share = mean_of(group);
    return {label,
            bar(share, n_histogram_bins, is_plain),
            percent_text(share),
            "",
            grouped(group.counters.n()) +
                (group.counters.n_nan() > 0
                     ? fmt::format(" ({} missing)", grouped(group.counters.n_nan()))
                     : "")};
}

std::string outcome_text(const io::ResultReader& file,
                         const io::Variable& variable,
                         const std::string& by_path,
                         const ShowOptions& options) {
    const std::vector<std::string> arms = file.axis("arm").labels;
    const OutcomeReading reading(file, variable.path, by_path);
    std::vector<std::map<std::string, Group>> groups;
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
        groups.push_back(reading.groups(static_cast<int>(arm)));
        for (const auto& [label, group] : groups.back())
            if (group.counters.n() > 0) {
                low = std::min(low, group.counters.quantile(0.01));
                high = std::max(high, group.counters.quantile(0.99));
            }
    }
    const bool is_share = is_condition(variable);
    const std::string range = fmt::format("{} … {}", number_text(low), number_text(high));
    std::vector<std::vector<std::string>> rows{{"",
                                                is_share ? "" : range,
                                                is_share ? "share" : "mean",
                                                is_share ? "" : "median [5–95 %]",
                                                "n"}};
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
        if (!is_share) reading.fill(static_cast<int>(arm), low, high, groups[arm]);
        for (const auto& [label, group] : groups[arm]) {
            const std::string name = label.empty() ? arms[arm] : arms[arm] + "  " + label;
            rows.push_back(is_share ? share_row(name, group, options.is_plain)
                                    : row_of(name, group, options.is_plain));
        }
    }
    return with_unit(name_of(variable), variable.units) + "  " + variable.long_name + "\n" +
           text_table(rows);
}

/// The column to split by. @throws std::runtime_error naming what there is
std::string checked_by(const io::ResultReader& file, const std::string& by) {
    if (by.empty()) return {};
    const std::vector<io::Variable> all = file.variables();
    const std::vector<std::string> possible = possible_bys(all);
    if (std::find(possible.begin(), possible.end(), by) != possible.end()) return path_of_by(by);
    throw std::runtime_error(
        fmt::format("the file has no '{}' to split by{}",
                    by,
                    possible.empty() ? std::string() : "; " + sim::suggest(by, possible)));
}

/// summary/outcomes/NAME: what is kept where subjects are not written.
std::string summary_text(const io::ResultReader& file, const io::Variable& quantiles) {
    const std::string folder = quantiles.path.substr(0, quantiles.path.rfind('/'));
    const std::vector<std::string> arms = file.axis("arm").labels;
    const std::vector<double> levels = file.axis("quantile").numbers;
    std::vector<std::vector<std::string>> rows{{"", "mean", "median [range of quantiles]", "n"}};
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
        const auto index = static_cast<int>(arm);
        const std::vector<double> at = file.reals(quantiles.path, index, 0, levels.size());
        rows.push_back(
            {arms[arm],
             number_text(file.reals(folder + "/mean", index, 0, 1).front()),
             fmt::format("{} [{} – {}]",
                         number_text(at[at.size() / 2]),
                         number_text(at.front()),
                         number_text(at.back())),
             grouped(static_cast<std::uint64_t>(file.reals(folder + "/n", index, 0, 1).front()))});
    }
    const std::string name = folder.substr(folder.rfind('/') + 1);
    return with_unit(name, quantiles.units) +
           fmt::format("  quantiles {:g} to {:g}\n", levels.front(), levels.back()) +
           text_table(rows);
}

bool is_outcome_summary(const io::Variable& variable) {
    return variable.path.starts_with("summary/outcomes/") && variable.path.ends_with("/quantiles");
}

} // namespace

std::string show_outcomes(const io::ResultReader& file, const ShowOptions& options) {
    const std::string by_path = checked_by(file, options.by);
    std::string text;
    for (const io::Variable& variable : file.variables())
        if (variable.path.starts_with("outcomes/"))
            text += (text.empty() ? "" : "\n") + outcome_text(file, variable, by_path, options);
    if (text.empty())
        for (const io::Variable& variable : file.variables())
            if (is_outcome_summary(variable))
                text += (text.empty() ? "" : "\n") + summary_text(file, variable);
    if (text.empty()) return text;
    return (has_weights(file) ? "Outcomes, subjects by their weight\n\n" : "Outcomes\n\n") + text;
}

} // namespace gemel::scenarios
