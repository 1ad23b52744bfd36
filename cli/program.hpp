#pragma once

#include <gemel/io/resources.hpp>

#include <filesystem>
#include <string>
#include <vector>

/// What all commands share: exit codes, library, version.
namespace gemel::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_error = 1;    ///< ours, or of files
inline constexpr int exit_input = 2;    ///< input wrong, nothing run
inline constexpr int exit_failures = 3; ///< finished, more subjects failed than max_failures
inline constexpr int exit_gate = 4;      ///< finished, what was asked of the result does not hold
inline constexpr int exit_interrupted = 130;

/// GEMEL_LIBRARY first, then share/gemel beside the program's folder, then the source tree.
io::Library library();

/// Where the plug-in of native code may lie: GEMEL_LLVM_PLUG_IN first, then beside the program,
/// then lib/gemel beside the program's folder.
std::vector<std::string> plug_ins();
/// Where native code is kept: gemel in XDG_CACHE_HOME or ~/.cache; empty if there is neither.
std::filesystem::path cache_folder();

std::string version();      ///< "0.1.0 (4f5a9c2)"
std::string version_text(); ///< what --version prints

} // namespace gemel::cli
