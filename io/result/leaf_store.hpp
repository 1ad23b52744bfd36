#pragma once

#include "digest.hpp"

#include <optional>
#include <string>

/// The leaves of a file in the making, on disk: 16 bytes per 64 subjects, arm and variable would
/// grow with the population, and blocks come in any order.
namespace gemel::io {

class LeafStore {
public:
    /// A file without a name beside `part`, gone when this object is.
    /// @throws std::runtime_error with the path and the reason
    explicit LeafStore(const std::string& part);
    ~LeafStore();
    LeafStore(const LeafStore&) = delete;
    LeafStore& operator=(const LeafStore&) = delete;

    std::uint64_t reserve(std::uint64_t n_leaves); ///< @returns the number of the first of them
    void put(std::uint64_t first, std::span<const Leaf> leaves);
    std::vector<Leaf> get(std::uint64_t first, std::uint64_t count) const;
    /// The first leaf of [first, first + count) that was never put. A leaf of zeros counts as such:
    /// no digest of 128 bits is that by any chance worth counting.
    std::optional<std::uint64_t> first_missing(std::uint64_t first, std::uint64_t count) const;
    /// SHA-256 of a heading and leaves, as digest_of gives it of leaves in memory.
    std::string digest(const std::string& heading, std::uint64_t first, std::uint64_t count) const;

private:
    std::string name_;
    int file_ = -1;
    std::uint64_t size_ = 0;
};

} // namespace gemel::io
