#include "text_spool.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace gemel::io {

namespace {

struct SpoolHead {
    TextSpool::Block block;
    std::uint64_t n_texts = 0, bytes = 0; ///< that follow
};

void append_bytes(const void* from, std::size_t size, std::string& bytes) {
    bytes.append(static_cast<const char*>(from), size);
}

} // namespace

void TextSpool::append(const Block& block, std::span<const std::string> texts) {
    SpoolHead head{block, texts.size(), 0};
    for (const std::string& text : texts)
        head.bytes += sizeof(std::uint64_t) + text.size();
    std::string bytes;
    bytes.reserve(sizeof head + head.bytes);
    append_bytes(&head, sizeof head, bytes);
    for (const std::string& text : texts) {
        const std::uint64_t size = text.size();
        append_bytes(&size, sizeof size, bytes);
        bytes += text;
    }
    const std::lock_guard lock(mutex_);
    file_.write_at(size_, bytes.data(), bytes.size());
    size_ += bytes.size();
}

std::uint64_t TextSpool::size() const {
    const std::lock_guard lock(mutex_);
    return size_;
}

void TextSpool::shorten(std::uint64_t size) {
    char last = 0;
    if (size > 0 && file_.read_at(size - 1, &last, 1) != 1)
        throw std::runtime_error("texts of blocks that were written are missing");
    file_.resize(size);
    size_ = size;
}

void TextSpool::sync() {
    file_.sync();
}

std::vector<TextSpool::Place> TextSpool::places() const {
    std::vector<Place> places;
    SpoolHead head;
    for (std::uint64_t at = 0; at < size_; at += sizeof head + head.bytes) {
        if (file_.read_at(at, &head, sizeof head) != sizeof head)
            throw std::runtime_error("texts of blocks that were written are missing");
        places.push_back({head.block, head.n_texts, at + sizeof head, head.bytes});
    }
    std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
        return a.block < b.block;
    });
    const auto is_same = [](const Place& a, const Place& b) { return a.block == b.block; };
    places.erase(std::unique(places.begin(), places.end(), is_same), places.end());
    return places;
}

std::vector<std::string> TextSpool::read(const Place& place) const {
    std::string bytes(place.bytes, '\0');
    file_.read_at(place.start, bytes.data(), bytes.size());
    std::vector<std::string> texts;
    for (std::size_t at = 0; texts.size() < place.n_texts;) {
        std::uint64_t size = 0;
        if (at + sizeof size > bytes.size()) break;
        std::memcpy(&size, bytes.data() + at, sizeof size);
        at += sizeof size;
        if (size > bytes.size() - at) break;
        texts.emplace_back(bytes, at, size);
        at += size;
    }
    if (texts.size() != place.n_texts)
        throw std::runtime_error("texts of blocks that were written are damaged");
    return texts;
}

} // namespace gemel::io
