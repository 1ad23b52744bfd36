#pragma once

#include "disk.hpp"

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

/// Texts of blocks as they come, on disk until the file is put together: they have no fixed place
/// in it, and HDF5 takes them from one thread only.
namespace gemel::io {

class TextSpool {
public:
    explicit TextSpool(disk::SideFile file) : file_(std::move(file)) {}

    /// From which subject of which slice of a variable a block is.
    struct Block {
        std::uint64_t variable = 0, slice = 0, first = 0;
        auto operator<=>(const Block&) const = default;
    };
    /// From any thread.
    void append(const Block& block, std::span<const std::string> texts);
    std::uint64_t size() const; ///< of all so far, in bytes
    /// Forgets what came after the first `size` bytes.
    /// @throws std::runtime_error if there are not so many
    void shorten(std::uint64_t size);
    void sync();

    struct Place {
        Block block;
        std::uint64_t n_texts = 0, start = 0, bytes = 0;
    };
    /// In the order of blocks; one that came twice, as after an interruption, once.
    std::vector<Place> places() const;
    std::vector<std::string> read(const Place& place) const;

private:
    disk::SideFile file_;
    mutable std::mutex mutex_;
    std::uint64_t size_ = 0;
};

} // namespace gemel::io
