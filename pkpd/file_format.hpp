#pragma once

#include <gemel/io/toml.hpp>

#include <string>

namespace gemel::pkpd {

/// Whether the file's first word `gemel = "model/1"` is what is expected here; if it says something
/// else, that is the one mistake told. A missing one is left to the grammar.
bool is_format(const io::TomlView& root,
               const std::string& format,
               const std::string& kind,
               sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
