#pragma once

#include "digest.hpp"

#include <cstddef>

/// The two loops that see every number on its way to the disk, compiled for two sets of
/// instructions: the same bits, at other speeds.
namespace gemel::io {

struct LeafKernels {
    Leaf (*digest)(const void* bytes, std::size_t size); ///< XXH3-128, canonical
    bool (*has_missing)(const double* values, std::size_t size);
};

const LeafKernels* baseline_leaf_kernels();
const LeafKernels* x86_64_v3_leaf_kernels(); ///< nullptr where there is none

} // namespace gemel::io
