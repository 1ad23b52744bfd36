#pragma once

#include "digest.hpp"
#include "disk.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// How far a result file in the making is: what a later run goes on from
/// (docs/decisions/resume.md). It is replaced as a whole: there is the one of before or the new
/// one, never a part of one.
namespace gemel::io {

struct Journal {
    std::string key;             ///< of what is being written; one word
    std::string places;          ///< digest of where its cells lie; one word
    std::uint64_t text_size = 0; ///< of texts that belong to finished blocks, in bytes
    std::string state;           ///< the writer's own
};

/// Nothing if there is none, or none that is whole.
std::optional<Journal> read_journal(const std::string& path);

/// The next journal, written beside the one there is.
/// @throws std::runtime_error with the path and the reason
class NextJournal {
public:
    NextJournal(const std::string& path, const std::string& key, const std::string& places);
    void add_state(std::string_view bytes);
    /// What it tells of must be on disk: it takes the place of the one of before.
    void publish(std::uint64_t text_size);

    static std::string name(const std::string& path) { return path + ".next"; }

private:
    void add(std::string_view bytes);

    std::string path_;
    disk::SideFile file_;
    Digest digest_;
    std::uint64_t size_ = 0, state_size_ = 0;
};

} // namespace gemel::io
