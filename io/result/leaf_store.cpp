#include "leaf_store.hpp"

#include <algorithm>

namespace gemel::io {

namespace {

constexpr std::uint64_t leaves_at_once = 4096;

/// Calls `look(first leaf, leaves)` for stretches of [first, first + count) until it returns false.
template <typename Look>
void walk(const LeafStore& store, std::uint64_t first, std::uint64_t count, const Look& look) {
    for (std::uint64_t done = 0; done < count; done += leaves_at_once) {
        const std::uint64_t n = std::min(leaves_at_once, count - done);
        if (!look(first + done, store.get(first + done, n))) return;
    }
}

} // namespace

std::uint64_t LeafStore::reserve(std::uint64_t n_leaves) {
    const std::uint64_t first = size_;
    size_ += n_leaves;
    return first;
}

void LeafStore::put(std::uint64_t first, std::span<const Leaf> leaves) {
    file_.write_at(first * sizeof(Leaf), leaves.data(), leaves.size_bytes());
}

void LeafStore::sync() {
    file_.sync();
}

std::vector<Leaf> LeafStore::get(std::uint64_t first, std::uint64_t count) const {
    std::vector<Leaf> leaves(count, Leaf{}); // what was never written reads as zeros
    file_.read_at(first * sizeof(Leaf), leaves.data(), count * sizeof(Leaf));
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

std::string
LeafStore::digest(const std::string& heading, std::uint64_t first, std::uint64_t count) const {
    Digest digest(heading);
    walk(*this, first, count, [&](std::uint64_t, const std::vector<Leaf>& leaves) {
        digest.add(leaves);
        return true;
    });
    return digest.hex();
}

} // namespace gemel::io
