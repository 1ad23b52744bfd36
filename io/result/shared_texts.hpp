#pragma once

#include "hdf5.hpp"

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

/// Texts that repeat, such as genotypes: HDF5 puts every cell's into a heap of its own accord, one
/// at a time. Here each text is put there once, and the cells that have it refer to it.
namespace gemel::io {

class SharedTexts {
public:
    explicit SharedTexts(h5::Dataset& dataset);
    void write(const h5::Slab& slab, std::span<const std::string> texts);

private:
    using Reference = std::vector<unsigned char>; ///< what stands in a cell of the file

    bool is_chunk(const h5::Slab& slab) const;
    std::vector<std::string> not_known(std::span<const std::string> texts) const;
    void learn(const h5::Slab& slab, const std::vector<std::string>& fresh);

    h5::Dataset& dataset_;
    h5::Extent extent_, chunk_;
    std::unordered_map<std::string, Reference> known_;
};

} // namespace gemel::io
