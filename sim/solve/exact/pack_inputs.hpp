#pragma once

#include "solve/exact/kernels.hpp"
#include "solve/observer.hpp"

/// The subjects of a pack.
namespace gemel::sim::exact {

struct PackInputs {
    const BlockProblem* problem = nullptr;
    const BlockSetup* setup = nullptr;
    int first = 0, n_valid = 0;

    /// A column from one of the block's; the last subject fills it.
    void take(const double* of_block, double* column) const;
    /// An input or what is derived from inputs.
    void load(Leaf leaf, double* column) const;
};

/// Leaves that stay as they are while time goes on.
bool is_fixed(Leaf leaf);

} // namespace gemel::sim::exact
