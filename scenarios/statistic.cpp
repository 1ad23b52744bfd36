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

void CellStatistics::add(std::uint64_t first, const Values& values) {
    const std::size_t n_leaves = (values.count + leaf_size - 1) / leaf_size;
    std::vector<MomentColumn> leaves(n_leaves, {std::vector<sim::Moments>(counters_.size())});
    double leaf[leaf_size];
    for (std::size_t cell = 0; cell < counters_.size(); ++cell) // its counters stay in cache
        for (std::size_t i = 0; i < n_leaves; ++i) {
            const std::size_t start = i * leaf_size;
            const std::size_t n = std::min(leaf_size, values.count - start);
            const auto weights =
                values.weights.empty() ? values.weights : values.weights.subspan(start, n);
            for (std::size_t s = 0; s < n; ++s) {
                leaf[s] = values.data[(start + s) * values.subject_stride +
                                      cell * values.cell_stride];
                counters_[cell].add(leaf[s], weights.empty() ? 1.0 : weights[s]);
            }
            leaves[i].cells[cell] = leaf_moments({leaf, n}, weights);
        }
    for (std::size_t i = 0; i < n_leaves; ++i)
        moments_.add(first / leaf_size + i, std::move(leaves[i]));
}

std::vector<sim::Moments> CellStatistics::moments() const {
    auto total = moments_.total();
    return total ? std::move(total->cells) : std::vector<sim::Moments>(counters_.size());
}

} // namespace gemel::scenarios
