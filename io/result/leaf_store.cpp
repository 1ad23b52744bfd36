#include "leaf_store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace gemel::io {

namespace {

constexpr std::uint64_t leaves_at_once = 4096;

[[noreturn]] void refuse(const std::string& name, const char* doing) {
    throw std::runtime_error(fmt::format("{}: {} digests: {}", name, doing, strerror(errno)));
}

/// Calls `look(first leaf, leaves)` for stretches of [first, first + count) until it returns false.
template <typename Look>
void walk(const LeafStore& store, std::uint64_t first, std::uint64_t count, const Look& look) {
    for (std::uint64_t done = 0; done < count; done += leaves_at_once) {
        const std::uint64_t n = std::min(leaves_at_once, count - done);
        if (!look(first + done, store.get(first + done, n))) return;
    }
}

} // namespace

LeafStore::LeafStore(const std::string& part) : name_(part) {
    std::string name = part + ".XXXXXX";
    file_ = ::mkstemp(name.data());
    if (file_ < 0) refuse(name_, "keeping");
    ::unlink(name.c_str());
}

LeafStore::~LeafStore() {
    ::close(file_);
}

std::uint64_t LeafStore::reserve(std::uint64_t n_leaves) {
    const std::uint64_t first = size_;
    size_ += n_leaves;
    return first;
}

void LeafStore::put(std::uint64_t first, std::span<const Leaf> leaves) {
    const char* bytes = reinterpret_cast<const char*>(leaves.data());
    std::size_t left = leaves.size_bytes();
    auto at = static_cast<off_t>(first * sizeof(Leaf));
    while (left > 0) {
        const ssize_t n = ::pwrite(file_, bytes, left, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) refuse(name_, "writing");
        bytes += n;
        at += n;
        left -= static_cast<std::size_t>(n);
    }
}

std::vector<Leaf> LeafStore::get(std::uint64_t first, std::uint64_t count) const {
    std::vector<Leaf> leaves(count, Leaf{}); // what was never written reads as zeros
    char* bytes = reinterpret_cast<char*>(leaves.data());
    std::size_t left = count * sizeof(Leaf);
    auto at = static_cast<off_t>(first * sizeof(Leaf));
    while (left > 0) {
        const ssize_t n = ::pread(file_, bytes, left, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) refuse(name_, "reading");
        if (n == 0) break; // nothing was written from here on
        bytes += n;
        at += n;
        left -= static_cast<std::size_t>(n);
    }
    return leaves;
}

std::optional<std::uint64_t> LeafStore::first_missing(std::uint64_t first,
                                                      std::uint64_t count) const {
    std::optional<std::uint64_t> missing;
    walk(*this, first, count, [&](std::uint64_t at, const std::vector<Leaf>& leaves) {
        const auto found = std::find(leaves.begin(), leaves.end(), Leaf{});
        if (found == leaves.end()) return true;
        missing = at + static_cast<std::uint64_t>(found - leaves.begin());
        return false;
    });
    return missing;
}

std::string LeafStore::digest(const std::string& heading,
                              std::uint64_t first,
                              std::uint64_t count) const {
    Digest digest(heading);
    walk(*this, first, count, [&](std::uint64_t, const std::vector<Leaf>& leaves) {
        digest.add(leaves);
        return true;
    });
    return digest.hex();
}

} // namespace gemel::io
