#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// Where library files are, and what a name in a file refers to.
namespace gemel::io {

/// Folders that hold `models/`, `genes/`, …; given by the program, searched in order.
struct Library {
    std::vector<std::filesystem::path> roots;

    /// "models", "warfarin_hamberg2007" → the file; empty if there is none.
    std::filesystem::path find(const std::string& kind, const std::string& name) const;
    /// Names of a kind, sorted.
    std::vector<std::string> names(const std::string& kind) const;
};

/// "library:warfarin" → the library's file of that kind; anything else → relative to the folder of
/// the file that names it. Empty if it does not exist.
std::filesystem::path resolve(const Library& library,
                              const std::string& kind,
                              const std::string& reference,
                              const std::filesystem::path& named_in);

} // namespace gemel::io
