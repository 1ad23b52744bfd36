#pragma once

#include <functional>
#include <iosfwd>
#include <string>

/// Where a command's table goes: a file, or standard output.
namespace gemel::cli {

/// @param source  the file the table is of, which the table never replaces
/// @param output  "" for standard output; a file appears only when it is whole
/// @param write   writes the table
/// @returns the exit code
/// @throws std::runtime_error naming a file that cannot be written, or that holds the source
int write_table(const std::string& source,
                const std::string& output,
                const std::function<void(std::ostream&)>& write);

} // namespace gemel::cli
