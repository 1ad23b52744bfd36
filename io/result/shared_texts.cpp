#include "shared_texts.hpp"

#include <algorithm>
#include <unordered_set>

namespace gemel::io {

SharedTexts::SharedTexts(h5::Dataset& dataset)
    : dataset_(dataset),
      extent_(dataset.extent()),
      chunk_(dataset.chunk()) {}

void SharedTexts::write(const h5::Slab& slab, std::span<const std::string> texts) {
    const std::vector<std::string> fresh = not_known(texts);
    const bool repeat = 2 * fresh.size() <= texts.size();
    if (!repeat || !is_chunk(slab)) return dataset_.write(slab, texts);
    learn(slab, fresh);
    const std::size_t size = known_.at(texts.front()).size();
    std::vector<unsigned char> cells(chunk_.back() * size, 0); // beyond the extent: no text
    for (std::size_t i = 0; i < texts.size(); ++i)
        std::ranges::copy(known_.at(texts[i]),
                          cells.begin() + static_cast<std::ptrdiff_t>(i * size));
    dataset_.write_chunk(slab.start, cells);
}

/// One chunk along the last axis, as far as the dataset reaches.
bool SharedTexts::is_chunk(const h5::Slab& slab) const {
    if (chunk_.empty()) return false;
    const std::size_t last = chunk_.size() - 1;
    for (std::size_t axis = 0; axis < last; ++axis)
        if (chunk_[axis] != 1 || slab.count[axis] != 1) return false;
    const std::uint64_t there = std::min(chunk_[last], extent_[last] - slab.start[last]);
    return slab.start[last] % chunk_[last] == 0 && slab.count[last] == there;
}

std::vector<std::string> SharedTexts::not_known(std::span<const std::string> texts) const {
    std::unordered_set<std::string> fresh;
    for (const std::string& text : texts)
        if (!known_.contains(text)) fresh.insert(text);
    std::vector<std::string> sorted(fresh.begin(), fresh.end());
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}

/// Lets HDF5 write each into the first cells of the chunk, and reads what stands there then.
void SharedTexts::learn(const h5::Slab& slab, const std::vector<std::string>& fresh) {
    if (fresh.empty()) return;
    h5::Slab first = slab;
    first.count.back() = fresh.size();
    dataset_.write(first, std::span<const std::string>(fresh));
    const std::vector<unsigned char> cells = dataset_.read_chunk(slab.start);
    const std::size_t size = cells.size() / chunk_.back();
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        const auto at = cells.begin() + static_cast<std::ptrdiff_t>(i * size);
        known_.emplace(fresh[i], Reference(at, at + static_cast<std::ptrdiff_t>(size)));
    }
}

} // namespace gemel::io
