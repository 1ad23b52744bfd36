#include "statistic.hpp"

#include <algorithm>

namespace gemel::scenarios {

namespace {

constexpr std::size_t leaf_size = sim::OrderedTree<MomentColumn>::leaf_size;

} // namespace

sim::Moments leaf_moments(std::span<const double> values, std::span<const double> weights) {
    sim::Moments moments;
    if (!weights.empty()) {
        for (std::size_t i = 0; i < values.size(); ++i)
            if (values[i] == values[i]) moments.add(values[i], weights[i]);
        return moments;
    }
    double sum = 0.0;
    for (const double value : values)
        if (value == value) {
            ++moments.n;
            sum += value;
        }
    if (moments.n == 0) return moments;
    moments.weight = moments.weight_squares = static_cast<double>(moments.n);
    moments.mean = sum / moments.weight;
    for (const double value : values)
        if (value == value) moments.m2 += (value - moments.mean) * (value - moments.mean);
    return moments;
}

MomentColumn& MomentColumn::operator+=(const MomentColumn& right) {
    for (std::size_t i = 0; i < cells.size(); ++i)
        cells[i] += right.cells[i];
    return *this;
}

CellStatistics::CellStatistics(std::size_t n_cells) : counters_(n_cells) {
    constexpr std::size_t most = 8; // their numbers of a block stay in cache
    for (std::size_t first = 0; first < n_cells; first += most)
        stripes_.push_back({first, std::min(first + most, n_cells)});
}

void CellStatistics::add(std::uint64_t first, const Values& values) {
    const std::uint64_t first_leaf = first / leaf_size;
    const std::size_t n_leaves = (values.count + leaf_size - 1) / leaf_size;
    std::vector<MomentColumn> leaves(n_leaves, {std::vector<sim::Moments>(counters_.size())});
    for (std::size_t i = 0; i < stripes_.size(); ++i) // others begin elsewhere
        add_cells(stripes_[(first_leaf + i) % stripes_.size()], values, leaves);
    const std::lock_guard lock(*moments_lock_);
    for (std::size_t i = 0; i < n_leaves; ++i)
        moments_.add(first_leaf + i, std::move(leaves[i]));
}

void CellStatistics::add_cells(const Stripe& stripe,
                               const Values& values,
                               std::vector<MomentColumn>& leaves) {
    std::vector<double> columns;
    columns.reserve((stripe.end - stripe.first) * values.count);
    for (std::size_t cell = stripe.first; cell < stripe.end; ++cell)
        for (std::size_t s = 0; s < values.count; ++s)
            columns.push_back(values.data[s * values.subject_stride + cell * values.cell_stride]);
    const auto column = [&](std::size_t cell) {
        return std::span(columns).subspan((cell - stripe.first) * values.count, values.count);
    };
    for (std::size_t cell = stripe.first; cell < stripe.end; ++cell)
        for (std::size_t i = 0; i < leaves.size(); ++i) {
            const std::size_t start = i * leaf_size;
            const std::size_t n = std::min(leaf_size, values.count - start);
            leaves[i].cells[cell] = leaf_moments(
                column(cell).subspan(start, n),
                values.weights.empty() ? values.weights : values.weights.subspan(start, n));
        }
    const std::lock_guard lock(*stripe.lock);
    for (std::size_t cell = stripe.first; cell < stripe.end; ++cell) {
        if (values.weights.empty()) counters_[cell].add(column(cell));
        for (std::size_t s = 0; s < values.weights.size(); ++s)
            counters_[cell].add(column(cell)[s], values.weights[s]);
    }
}

std::vector<sim::Moments> CellStatistics::moments() const {
    auto total = moments_.total();
    return total ? std::move(total->cells) : std::vector<sim::Moments>(counters_.size());
}

} // namespace gemel::scenarios
