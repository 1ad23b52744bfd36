#include "solve/exact/pack_inputs.hpp"

#include <algorithm>

namespace gemel::sim::exact {

/// The next pack's is fetched meanwhile.
void PackInputs::take(const double* of_block, double* column) const {
    const double* from = of_block + first;
    __builtin_prefetch(from + 4 * pack);
    if (n_valid == pack) {
        std::copy_n(from, pack, column);
        return;
    }
    for (int l = 0; l < pack; ++l)
        column[l] = from[std::min(l, n_valid - 1)];
}

void PackInputs::load(Leaf leaf, double* column) const {
    const bool is_input = leaf.kind == LeafKind::input;
    take((is_input ? problem->inputs.data() : setup->derived.data()) + leaf.index * setup->n_rows,
         column);
}

bool is_fixed(Leaf leaf) {
    return leaf.kind == LeafKind::input || leaf.kind == LeafKind::derived;
}

} // namespace gemel::sim::exact
