#include "show/sections.hpp"
#include "show/text_plot.hpp"
#include "summary.hpp"

#include <gemel/sim/counters.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::scenarios {

namespace {

constexpr std::size_t margin = 11; ///< of the plot's own axis

/// Quantiles of a curve over subjects, by time.
struct Quantiles {
    std::vector<double> low, mid, high;
};

/// A curve that can be shown: of subjects, or summarised when it was simulated.
struct Shown {
    std::string name, units, long_name, time_axis;
    io::Variable subjects; ///< path empty: only a summary
    std::string summary;   ///< path of its quantiles, or empty
};

Quantiles from_subjects(const io::ResultReader& file, const io::Variable& variable, int arm) {
    const std::size_t n_times = file.axis_size(variable.axes[2]);
    const std::uint64_t n = file.axis_size(variable.axes[1]);
    const std::uint64_t step =
        std::max<std::uint64_t>(1, show_step * 64 / std::max<std::size_t>(1, n_times));
    std::vector<sim::Counters> counters(n_times);
    const SubjectWeights weights(file);
    for (std::uint64_t first = 0; first < n; first += step) {
        const std::uint64_t count = std::min(step, n - first);
        const std::vector<double> values = file.reals(variable.path, arm, first, count);
        const std::vector<double> weight = weights.of(first, count);
        for (std::size_t i = 0; i < values.size(); ++i)
            counters[i % n_times].add(values[i], weight[i / n_times]);
    }
    Quantiles result;
    for (const sim::Counters& at : counters) {
        result.low.push_back(at.quantile(0.05));
        result.mid.push_back(at.quantile(0.5));
        result.high.push_back(at.quantile(0.95));
    }
    return result;
}

/// summary/NAME/quantiles (arm, time, quantile).
Quantiles from_summary(const io::ResultReader& file, const Shown& curve, int arm) {
    const std::vector<double> levels = file.axis("quantile").numbers;
    const std::size_t n_times = file.axis_size(curve.time_axis);
    const std::vector<double> all = file.reals(curve.summary, arm, 0, n_times);
    const auto level = [&](double p) {
        return static_cast<std::size_t>(std::min_element(levels.begin(),
                                                         levels.end(),
                                                         [p](double a, double b) {
                                                             return std::abs(a - p) <
                                                                    std::abs(b - p);
                                                         }) -
                                        levels.begin());
    };
    Quantiles result;
    for (std::size_t t = 0; t < n_times; ++t) {
        result.low.push_back(all[t * levels.size() + level(0.05)]);
        result.mid.push_back(all[t * levels.size() + level(0.5)]);
        result.high.push_back(all[t * levels.size() + level(0.95)]);
    }
    return result;
}

std::vector<Shown> curves_in(const io::ResultReader& file) {
    const std::vector<io::Variable> all = file.variables();
    const std::string prefix = "summary/", suffix = "/quantiles";
    std::vector<Shown> curves;
    for (const io::Variable& variable : all)
        if (variable.axes.size() == 3 && variable.path.find('/') == std::string::npos)
            curves.push_back({variable.path,
                              variable.units,
                              variable.long_name,
                              variable.axes[2],
                              variable,
                              {}});
    for (const io::Variable& variable : all) {
        if (!variable.path.starts_with(prefix) || !variable.path.ends_with(suffix) ||
            variable.axes.size() != 3)
            continue;
        const std::string name = variable.path.substr(
            prefix.size(), variable.path.size() - prefix.size() - suffix.size());
        const auto known = std::find_if(
            curves.begin(), curves.end(), [&](const Shown& curve) { return curve.name == name; });
        if (known == curves.end())
            curves.push_back(
                {name, variable.units, variable.long_name, variable.axes[1], {}, variable.path});
        else
            known->summary = variable.path; // over all subjects, where few are written
    }
    return curves;
}

std::string
curve_text(const io::ResultReader& file, const Shown& curve, const ShowOptions& options) {
    const std::vector<std::string> arms = file.axis("arm").labels;
    const io::Axis times = file.axis(curve.time_axis);
    std::vector<Quantiles> quantiles;
    double lowest = 0.0, highest = 0.0;
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
        const auto index = static_cast<int>(arm);
        quantiles.push_back(curve.summary.empty() ? from_subjects(file, curve.subjects, index)
                                                  : from_summary(file, curve, index));
        for (const double value : quantiles.back().low)
            if (std::isfinite(value)) lowest = std::min(lowest, value);
        for (const double value : quantiles.back().high)
            if (std::isfinite(value)) highest = std::max(highest, value);
    }
    const PlotSize size{std::clamp<std::size_t>(options.width, 40, 400) - margin, 8};
    std::string text = with_unit(curve.name, curve.units) + "  " + curve.long_name +
                       ", median and 5–95 % of subjects" +
                       (has_weights(file) ? " by weight\n" : "\n");
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
        const Quantiles& q = quantiles[arm];
        text += "  " + arms[arm] + "\n";
        for (const std::string& row : band_plot(
                 {times.numbers, q.low, q.mid, q.high}, lowest, highest, size, options.is_plain))
            text += row + "\n";
    }
    return text + std::string(margin, ' ') + with_unit("time", times.units) + "\n";
}

} // namespace

std::string show_curves(const io::ResultReader& file, const ShowOptions& options) {
    std::string text;
    for (const Shown& curve : curves_in(file))
        text += (text.empty() ? "" : "\n") + curve_text(file, curve, options);
    return text.empty() ? text : "Curves\n\n" + text;
}

} // namespace gemel::scenarios
