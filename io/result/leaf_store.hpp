#pragma once

#include "digest.hpp"
#include "disk.hpp"

#include <optional>
#include <string>

/// The leaves of a file in the making, on disk: 16 bytes per 64 subjects, arm and variable would
/// grow with the population, and blocks come in any order.
namespace gemel::io {

class LeafStore {
public:
    /// @throws std::runtime_error with the path and the reason
    explicit LeafStore(disk::SideFile file) : file_(std::move(file)) {}

    std::uint64_t reserve(std::uint64_t n_leaves); ///< @returns the number of the first of them
    /// From any thread.
    void put(std::uint64_t first, std::span<const Leaf> leaves);
    void sync(); ///< what was put survives a loss of power
    std::vector<Leaf> get(std::uint64_t first, std::uint64_t count) const;
    /// The first leaf of [first, first + count) that was never put. A leaf of zeros counts as such:
    /// no digest of 128 bits is that by any chance worth counting.
    std::optional<std::uint64_t> first_missing(std::uint64_t first, std::uint64_t count) const;
    /// SHA-256 of a heading and leaves, as digest_of gives it of leaves in memory.
    std::string digest(const std::string& heading, std::uint64_t first, std::uint64_t count) const;

private:
    disk::SideFile file_;
    std::uint64_t size_ = 0;
};

} // namespace gemel::io
