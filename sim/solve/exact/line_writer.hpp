#pragma once

#include "solve/exact/kernels.hpp"
#include "solve/workspace.hpp"

#include <cstddef>

/// Numbers one after the other, of which whole cache lines go past the caches.
namespace gemel::sim::exact {

class LineWriter {
public:
    /// @param most  that is put at once
    LineWriter(std::size_t most, const Kernels& kernels);

    void begin(double* to);  ///< where the first will lie
    double* room();          ///< for the next
    void put(std::size_t n); ///< they are there
    void end();

private:
    const Kernels& kernels_;
    Workspace held_;                ///< since the last whole line
    double* to_ = nullptr;          ///< where it belongs: the beginning of a line
    std::size_t first_ = 0, n_ = 0; ///< in held_; before is nothing of ours
};

} // namespace gemel::sim::exact
