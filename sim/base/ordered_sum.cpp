#include <gemel/sim/parallel.hpp>

#include <algorithm>
#include <bit>

namespace gemel::sim {
namespace {

constexpr std::size_t leaf_size = 64;

double sum_of_leaf(std::span<const double> values) {
    double sum = 0.0;
    for (double value : values)
        sum += value;
    return sum;
}

/// The left half holds the largest power of two of leaves that leaves something to the right, so
/// the tree over the first leaves is the same whatever follows.
double sum_of_tree(std::span<const double> values) {
    if (values.size() <= leaf_size) return sum_of_leaf(values);
    const std::size_t n_leaves = (values.size() + leaf_size - 1) / leaf_size;
    const std::size_t left = std::bit_floor(n_leaves - 1) * leaf_size;
    return sum_of_tree(values.first(left)) + sum_of_tree(values.subspan(left));
}

} // namespace

double ordered_sum(std::span<const double> values) {
    return sum_of_tree(values);
}

} // namespace gemel::sim
