#include "vpc.hpp"

#include <gemel/sim/parallel.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gemel::learners {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr int most_bins = 10;
constexpr std::size_t values_of_bin = 10;        ///< at least, where bins are not told
constexpr std::uint32_t replicates_at_once = 64; ///< bounds memory

void check(const VpcOptions& options) {
    if (options.n_replicates < 1 || options.n_replicates > 65535)
        throw std::invalid_argument(
            fmt::format("n_replicates is {}; a visual predictive check takes 1 to 65535",
                        options.n_replicates));
    if (options.n_bins < 0)
        throw std::invalid_argument(
            fmt::format("n_bins is {}; 0 (by the data) or more is expected", options.n_bins));
    if (!(options.level > 0.0 && options.level < 1.0))
        throw std::invalid_argument(
            fmt::format("level is {}; a number between 0 and 1 is expected", options.level));
    const auto turn =
        std::ranges::adjacent_find(options.edges, [](double a, double b) { return !(a < b); });
    if (turn != options.edges.end() || options.edges.size() == 1)
        throw std::invalid_argument("edges of bins must be two or more numbers that rise");
}

/// A measurement in a bin.
struct VpcMember {
    std::size_t subject = 0, measurement = 0;
    double time = 0.0;
    double factor = 1.0; ///< of prediction correction
};

struct VpcGroup {
    VpcBin bin;
    std::vector<VpcMember> members;
    bool is_logarithmic = false;
    /// Of each replicate, [n_vpc_probabilities] and then the censored share.
    std::vector<double> simulated[n_vpc_probabilities + 1];
};

double median_of(std::vector<double> values) {
    std::ranges::sort(values);
    return sorted_quantile(values, 0.5);
}

/// The measurements of an output in rising order of time.
std::vector<VpcMember> members_of(const FitData& data, int output) {
    std::vector<VpcMember> members;
    for (std::size_t s = 0; s < data.n_subjects(); ++s)
        for (std::size_t i = 0; i < data.subjects[s].measured.size(); ++i)
            if (data.subjects[s].measured[i].output == output)
                members.push_back({s, i, data.subjects[s].measured[i].time});
    std::ranges::stable_sort(members, {}, &VpcMember::time);
    return members;
}

std::vector<double> edges_of(const std::vector<VpcMember>& members, const VpcOptions& options) {
    if (!options.edges.empty()) return options.edges;
    std::vector<double> times;
    for (const VpcMember& member : members)
        times.push_back(member.time);
    const int by_count =
        static_cast<int>(std::clamp<std::size_t>(times.size() / values_of_bin, 1, most_bins));
    return equal_count_edges(times, options.n_bins == 0 ? by_count : options.n_bins);
}

void add_groups(const FitData& data,
                std::size_t place,
                const VpcOptions& options,
                std::vector<VpcGroup>& groups) {
    const std::vector<VpcMember> members = members_of(data, data.outputs[place]);
    const std::vector<double> edges = edges_of(members, options);
    for (std::size_t b = 0; b + 1 < edges.size(); ++b) {
        VpcGroup group;
        group.bin.output = data.outputs[place];
        group.bin.from = edges[b];
        group.bin.to = edges[b + 1];
        group.is_logarithmic = data.is_logarithmic[place] != 0;
        const bool is_last = b + 2 == edges.size();
        std::ranges::copy_if(
            members, std::back_inserter(group.members), [&](const VpcMember& member) {
                return member.time >= edges[b] &&
                       (member.time < edges[b + 1] || (is_last && member.time == edges[b + 1]));
            });
        if (!group.members.empty()) groups.push_back(std::move(group));
    }
}

/// Values times the median typical prediction of the bin over their own. A measurement whose
/// typical prediction is not positive cannot be corrected and is left out.
void correct(const std::vector<std::vector<double>>& typical, VpcGroup& group) {
    std::erase_if(group.members, [&](const VpcMember& member) {
        return !(typical[member.subject][member.measurement] > 0.0);
    });
    std::vector<double> predictions;
    for (const VpcMember& member : group.members)
        predictions.push_back(typical[member.subject][member.measurement]);
    const double median = median_of(predictions);
    for (std::size_t k = 0; k < predictions.size(); ++k)
        group.members[k].factor = median / predictions[k];
}

void add_corrected(const std::vector<std::vector<double>>& typical, std::vector<VpcGroup>& groups) {
    const std::size_t n = groups.size();
    for (std::size_t g = 0; g < n; ++g) {
        VpcGroup corrected = groups[g];
        corrected.bin.is_corrected = true;
        correct(typical, corrected);
        groups.push_back(std::move(corrected));
    }
}

/// Percentiles of a group's values and the share of those below their limit. Censored values are
/// infinite, so that they take their places in the order.
void summarise(std::vector<double>& values, double* summary) {
    const auto n = static_cast<double>(values.size());
    summary[n_vpc_probabilities] = static_cast<double>(std::ranges::count(values, -infinity)) / n;
    std::ranges::sort(values);
    for (std::size_t p = 0; p < n_vpc_probabilities; ++p)
        summary[p] = sorted_quantile(values, vpc_probabilities[p]);
}

double told(double value, const ValueLimits& limits, bool is_logarithmic, double factor) {
    if (value < limits.lower) return -infinity;
    if (value > limits.upper) return infinity;
    return factor * (is_logarithmic ? std::exp(value) : value);
}

double finite_or_nan(double value) {
    return std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
}

void observe_group(const FitData& data, VpcGroup& group) {
    std::vector<double> values, times;
    for (const VpcMember& member : group.members) {
        const Measurement& measured = data.subjects[member.subject].measured[member.measurement];
        const double sign = measured.censoring > 0 ? -1.0 : 1.0;
        values.push_back(measured.censoring != 0
                             ? sign * infinity
                             : told(measured.value, {}, group.is_logarithmic, member.factor));
        times.push_back(member.time);
    }
    double summary[n_vpc_probabilities + 1];
    summarise(values, summary);
    for (std::size_t p = 0; p < n_vpc_probabilities; ++p)
        group.bin.observed[p] = finite_or_nan(summary[p]);
    group.bin.observed_censored = summary[n_vpc_probabilities];
    group.bin.n = group.members.size();
    group.bin.time = median_of(times);
}

/// One replicate; of subjects whose solve failed nothing is known.
void simulate_group(const DataSimulator& simulator,
                    const std::vector<std::vector<ValueLimits>>& limits,
                    std::uint32_t replicate,
                    VpcGroup& group) {
    std::vector<double> values;
    for (const VpcMember& member : group.members) {
        const double value = simulator.values(member.subject, replicate)[member.measurement];
        if (std::isnan(value)) continue;
        values.push_back(told(value,
                              limits[member.subject][member.measurement],
                              group.is_logarithmic,
                              member.factor));
    }
    if (values.empty()) return;
    double summary[n_vpc_probabilities + 1];
    summarise(values, summary);
    for (std::size_t p = 0; p <= n_vpc_probabilities; ++p)
        group.simulated[p].push_back(summary[p]);
}

VpcBand band_of(std::vector<double> values, double level) {
    std::ranges::sort(values);
    const auto at = [&](double p) { return finite_or_nan(sorted_quantile(values, p)); };
    return {at(0.5 - 0.5 * level), at(0.5), at(0.5 + 0.5 * level)};
}

void simulate(FitEngine& engine,
              const PopulationPoint& point,
              const VpcOptions& options,
              std::vector<VpcGroup>& groups) {
    const std::vector<std::vector<ValueLimits>> limits = limits_of(engine.data);
    DataSimulator simulator(engine, point, options.seed, "fit/vpc");
    const auto n = static_cast<std::uint32_t>(options.n_replicates);
    for (std::uint32_t first = 0; first < n; first += replicates_at_once) {
        const std::uint32_t count = std::min(replicates_at_once, n - first);
        simulator.draw({0, engine.data.n_subjects(), first, count});
        sim::parallel_for(groups.size(), engine.execution.n_threads, [&](std::size_t g, int) {
            for (std::uint32_t k = first; k < first + count; ++k)
                simulate_group(simulator, limits, k, groups[g]);
        });
    }
}

} // namespace

double sorted_quantile(std::span<const double> sorted, double p) {
    if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
    const double place = p * static_cast<double>(sorted.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(place), sorted.size() - 1);
    const double part = place - static_cast<double>(below), low = sorted[below];
    if (part == 0.0 || !std::isfinite(low)) return low;
    const double high = sorted[below + 1];
    return std::isfinite(high) ? low + part * (high - low) : high;
}

std::vector<double> equal_count_edges(std::span<const double> times, int n_bins) {
    std::vector<double> edges{times.front()};
    const double per_value = n_bins / static_cast<double>(times.size());
    double next = 1.0; // so many bins are full at the next edge
    for (std::size_t k = 1, after = 1; k < times.size() && next < n_bins; k = after) {
        while (after < times.size() && times[after] == times[k])
            ++after;
        if (times[k] == times[k - 1]) continue;
        // Here or at the next place: whichever is nearer to equal counts.
        const double here = static_cast<double>(k) * per_value;
        const double there = static_cast<double>(after) * per_value;
        if (std::abs(here - next) > std::abs(there - next)) continue;
        edges.push_back(0.5 * (times[k - 1] + times[k]));
        next = std::max(next + 1.0, std::round(here) + 1.0);
    }
    edges.push_back(times.back());
    return edges;
}

std::vector<VpcBin>
vpc(FitEngine& engine, const PopulationPoint& point, const VpcOptions& options) {
    check(options);
    std::vector<VpcGroup> groups;
    for (std::size_t place = 0; place < engine.data.outputs.size(); ++place)
        add_groups(engine.data, place, options, groups);
    if (options.has_corrected) add_corrected(typical_predictions(engine, point), groups);
    std::erase_if(groups, [&](const VpcGroup& group) {
        return group.members.empty() || (!options.has_plain && !group.bin.is_corrected);
    });
    simulate(engine, point, options, groups);
    std::vector<VpcBin> bins;
    for (VpcGroup& group : groups) {
        observe_group(engine.data, group);
        for (std::size_t p = 0; p < n_vpc_probabilities; ++p)
            group.bin.simulated[p] = band_of(group.simulated[p], options.level);
        group.bin.simulated_censored = band_of(group.simulated[n_vpc_probabilities], options.level);
        bins.push_back(group.bin);
    }
    return bins;
}

std::vector<VpcBin> vpc(const FitSetup& setup,
                        std::span<const double> values,
                        const VpcOptions& options,
                        const FitExecution& execution) {
    if (values.size() != setup.numbers.size())
        throw std::invalid_argument(
            fmt::format("{} values are given for {} numbers", values.size(), setup.numbers.size()));
    FitEngine engine(setup, execution);
    return vpc(engine, engine.scale.point(engine.scale.place(values)), options);
}

} // namespace gemel::learners
