#include "journal.hpp"

#include "digest.hpp"
#include "disk.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gemel::io {

namespace {

constexpr std::string_view journal_title = "gemel-journal/1";

std::string leaf_of_bytes(std::string_view bytes) {
    const Leaf leaf =
        leaf_digest(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
    return {reinterpret_cast<const char*>(leaf.data()), leaf.size()};
}

} // namespace

void write_journal(const std::string& path, const Journal& journal) {
    std::ostringstream head;
    head << journal_title << "\nkey " << journal.key << "\nplaces " << journal.places << "\ntexts "
         << journal.text_size << "\nstate " << journal.state.size() << "\n";
    std::string bytes = head.str() + journal.state;
    bytes += leaf_of_bytes(bytes);
    const std::string next = path + ".next";
    {
        disk::SideFile file = disk::SideFile::named(next, true);
        file.write_at(0, bytes.data(), bytes.size());
        file.sync();
    }
    std::filesystem::rename(next, path);
    disk::sync_folder_of(path);
}

std::optional<Journal> read_journal(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    const std::string bytes = text.str();
    constexpr std::size_t leaf_size = sizeof(Leaf);
    if (bytes.size() < leaf_size) return std::nullopt;
    const std::string body = bytes.substr(0, bytes.size() - leaf_size);
    if (leaf_of_bytes(body) != bytes.substr(body.size())) return std::nullopt;
    Journal journal;
    std::string title, word;
    std::uint64_t state_size = 0;
    std::istringstream head(body);
    head >> title >> word >> journal.key >> word >> journal.places >> word >> journal.text_size >>
        word >> state_size;
    if (!head || title != journal_title || state_size > body.size()) return std::nullopt;
    journal.state = body.substr(body.size() - state_size);
    return journal;
}

} // namespace gemel::io
