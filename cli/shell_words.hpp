#pragma once

#include <string>

/// Commands as they could be typed again in a POSIX shell.
namespace gemel::cli {

std::string quoted(const std::string& text);  ///< one word, whatever stands in it
std::string word_of(const std::string& text); ///< quoted only where the shell would not read it
/// A file by its name, so that no path of this machine travels with results.
std::string word_of_file(const std::string& path);

} // namespace gemel::cli
