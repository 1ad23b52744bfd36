#include "journal.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace gemel::io {

namespace {

constexpr std::string_view journal_title = "gemel-journal/1";
constexpr std::size_t number_digits = 20, digest_digits = 64;

/// After the state, which is written before its size is known: two sizes and a digest of all that
/// stands before it.
std::string tail_text(std::uint64_t text_size, std::uint64_t state_size) {
    return fmt::format("{:020} {:020}\n", text_size, state_size);
}
constexpr std::size_t tail_size = 2 * number_digits + 2;

std::uint64_t number_in(std::string_view digits) {
    std::uint64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

} // namespace

std::optional<Journal> read_journal(const std::string& path) {
    std::ostringstream stream;
    stream << std::ifstream(path, std::ios::binary).rdbuf();
    const std::string bytes = std::move(stream).str();
    if (bytes.size() < tail_size + digest_digits) return std::nullopt;
    std::string_view body = std::string_view(bytes).substr(0, bytes.size() - digest_digits);
    if (digest_of(std::string(body), {}) != bytes.substr(body.size())) return std::nullopt;
    const std::string_view tail = body.substr(body.size() - tail_size);
    body.remove_suffix(tail_size);
    const std::uint64_t state_size = number_in(tail.substr(number_digits + 1, number_digits));
    Journal journal;
    std::string title, word;
    std::istringstream head(std::string(body.substr(0, body.find('\n') + 1)));
    head >> title >> word >> journal.key >> word >> journal.places;
    if (!head || title != journal_title || state_size > body.size()) return std::nullopt;
    journal.text_size = number_in(tail.substr(0, number_digits));
    journal.state = body.substr(body.size() - state_size);
    return journal;
}

NextJournal::NextJournal(const std::string& path, const std::string& key, const std::string& places)
    : path_(path),
      file_(disk::SideFile::named(name(path), true)),
      digest_("") {
    add(fmt::format("{} key {} places {}\n", journal_title, key, places));
}

void NextJournal::add(std::string_view bytes) {
    digest_.add(bytes);
    file_.write_at(size_, bytes.data(), bytes.size());
    size_ += bytes.size();
}

void NextJournal::add_state(std::string_view bytes) {
    add(bytes);
    state_size_ += bytes.size();
}

void NextJournal::publish(std::uint64_t text_size) {
    add(tail_text(text_size, state_size_));
    const std::string digest = digest_.hex();
    file_.write_at(size_, digest.data(), digest.size());
    file_.sync();
    std::filesystem::rename(name(path_), path_);
    disk::sync_folder_of(path_);
}

} // namespace gemel::io
