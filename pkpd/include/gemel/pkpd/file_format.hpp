#pragma once

#include <gemel/io/toml.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace gemel::pkpd {

/// A file's tables, if it can be read and its first word `gemel = "model/1"` is the format expected
/// here; if it says something else, that is the one mistake told. A missing one is left to the
/// grammar.
/// @param overrides  "path=value", applied in order
/// @returns an unset view after a mistake
io::TomlView open_format(const std::filesystem::path& file,
                         const std::string& format,
                         sim::DiagnosticList& diagnostics,
                         const std::vector<std::string>& overrides = {});

} // namespace gemel::pkpd
