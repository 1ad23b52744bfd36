#pragma once

#include <cstdint>
#include <optional>
#include <string>

/// How far a result file in the making is: what a later run goes on from
/// (docs/decisions/resume.md).
namespace gemel::io {

struct Journal {
    std::string key;             ///< of what is being written
    std::string places;          ///< digest of where its cells lie
    std::uint64_t text_size = 0; ///< of texts that belong to finished blocks, in bytes
    std::string state;           ///< the writer's own
};

/// Replaces the journal as a whole: it is the one of before or the new one, never a part of one.
/// @throws std::runtime_error with the path and the reason
void write_journal(const std::string& path, const Journal& journal);

/// Nothing if there is none, or none that is whole.
std::optional<Journal> read_journal(const std::string& path);

} // namespace gemel::io
