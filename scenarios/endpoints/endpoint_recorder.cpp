#include "endpoints/endpoint_recorder.hpp"

#include "elementary.hpp"
#include "outcome_text.hpp"

#include <algorithm>
#include <limits>

namespace gemel::scenarios {

namespace {

constexpr std::size_t leaf_size = sim::OrderedTree<double>::leaf_size;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// The number of a subject in an arm; NaN: missing. A ratio that has no logarithm is −inf.
double number_of(const Quantity& quantity,
                 const std::vector<std::vector<double>>& outcomes,
                 std::size_t arm,
                 std::size_t at) {
    const double value = outcomes[arm][at];
    if (value != value) return nan;
    if (!quantity.comparison.empty())
        return holds(quantity.comparison, value, quantity.threshold) ? 1.0 : 0.0;
    if (quantity.reference_arm < 0) return value;
    const double reference = outcomes[static_cast<std::size_t>(quantity.reference_arm)][at];
    if (reference != reference) return nan;
    if (!(value > 0.0 && reference > 0.0)) return -std::numeric_limits<double>::infinity();
    return logarithm(value) - logarithm(reference);
}

} // namespace

EndpointRecorder::Column& EndpointRecorder::Column::operator+=(const Column& right) {
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] += right.values[i];
    for (std::size_t i = 0; i < logs.size(); ++i)
        logs[i] += right.logs[i];
    return *this;
}

EndpointRecorder::EndpointRecorder(const Study& study) : study_(study) {
    for (const Endpoint& endpoint : study.endpoints) {
        const auto known = std::find_if(series_.begin(), series_.end(), [&](const Series& series) {
            return series.quantity == endpoint.quantity &&
                   series.stratification == endpoint.stratification;
        });
        const auto place = static_cast<std::size_t>(known - series_.begin());
        if (known == series_.end()) {
            Series& series = series_.emplace_back();
            series.quantity = endpoint.quantity;
            series.stratification = endpoint.stratification;
            series.cells.resize(study.arms.size() * n_strata(series));
        }
        series_[place].needs_logs |= endpoint.function->needs_logs;
        series_[place].needs_counters |= endpoint.function->needs_counters;
        series_of_.push_back(place);
    }
}

std::size_t EndpointRecorder::n_strata(const Series& series) const {
    return study_.stratifications[series.stratification].strata.size();
}

void EndpointRecorder::add(const SolvedBlock& block) {
    if (series_.empty()) return;
    const std::uint64_t first = block.cohort.range.first;
    Pending& pending = pending_[first];
    pending.outcomes.resize(study_.arms.size());
    pending.outcomes[block.arm].assign(block.outcomes.begin(), block.outcomes.end());
    if (++pending.n_arms < study_.arms.size()) return;
    add_block(pending, block.cohort);
    pending_.erase(first);
}

void EndpointRecorder::add_block(const Pending& pending, const pkpd::CohortBlock& cohort) {
    std::map<std::size_t, std::vector<std::uint32_t>> codes;
    for (Series& series : series_) {
        const auto [at, is_new] = codes.try_emplace(series.stratification);
        if (is_new) at->second = study_.stratifications[series.stratification].codes(cohort);
        add_series(series, pending, cohort, at->second);
    }
}

void EndpointRecorder::add_series(Series& series,
                                  const Pending& pending,
                                  const pkpd::CohortBlock& cohort,
                                  const std::vector<std::uint32_t>& codes) {
    const auto count = static_cast<std::size_t>(cohort.range.count);
    const std::size_t strata = n_strata(series);
    for (std::size_t first = 0; first < count; first += leaf_size) {
        Column leaf;
        leaf.values.resize(series.cells.size());
        if (series.needs_logs) leaf.logs.resize(series.cells.size());
        for (std::size_t s = first; s < std::min(first + leaf_size, count); ++s) {
            GEMEL_ASSERT(codes[s] < strata, "every subject is in a stratum");
            for (std::size_t arm = 0; arm < study_.arms.size(); ++arm)
                add_number(series,
                           arm * strata + codes[s],
                           number_of(series.quantity,
                                     pending.outcomes,
                                     arm,
                                     series.quantity.outcome * count + s),
                           cohort.weight.empty() ? 1.0 : cohort.weight[s],
                           leaf);
        }
        series.moments.add((cohort.range.first + first) / leaf_size, std::move(leaf));
    }
}

void EndpointRecorder::add_number(
    Series& series, std::size_t index, double value, double weight, Column& leaf) {
    Cell& cell = series.cells[index];
    if (value != value) {
        ++cell.n_missing;
        return;
    }
    ++cell.n;
    const sim::FixedWeight fixed = sim::FixedWeight::of(weight);
    cell.weight += fixed;
    if (value != 0.0) cell.hits += fixed;
    if (series.needs_counters) cell.counters.add(value, weight);
    const bool has_no_log = series.quantity.reference_arm >= 0
                                ? value == -std::numeric_limits<double>::infinity()
                                : !(value > 0.0);
    cell.n_not_positive += has_no_log;
    leaf.values[index].add(value, weight);
    if (series.needs_logs && !has_no_log) leaf.logs[index].add(logarithm(value), weight);
}

std::vector<Sample> EndpointRecorder::samples(std::size_t endpoint) const {
    const Series& series = series_[series_of_[endpoint]];
    const std::optional<Column> moments = series.moments.total();
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < series.cells.size(); ++i) {
        const Cell& cell = series.cells[i];
        Sample& sample = samples.emplace_back();
        sample.n = cell.n;
        sample.n_missing = cell.n_missing;
        sample.n_not_positive = cell.n_not_positive;
        sample.weight = cell.weight;
        sample.hits = cell.hits;
        sample.counters.merge(cell.counters);
        if (moments) sample.values = moments->values[i];
        if (moments && series.needs_logs) sample.logs = moments->logs[i];
    }
    return samples;
}

std::vector<EndpointRecorder::Extent> EndpointRecorder::extents() const {
    std::vector<Extent> extents;
    for (const Series& series : series_)
        extents.push_back({n_strata(series),
                           series.cells.size(),
                           series.needs_counters,
                           sizeof(Cell),
                           (series.needs_logs ? 2.0 : 1.0) * sizeof(sim::Moments)});
    return extents;
}

} // namespace gemel::scenarios
