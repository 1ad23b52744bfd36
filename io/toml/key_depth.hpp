#pragma once

#include <gemel/io/toml.hpp>

namespace gemel::io {

/// Refuses keys of more than 64 parts (a.b.c…), before the parser, whose recursion they would
/// exhaust. @returns false after a mistake
bool check_key_depth(const std::shared_ptr<const sim::SourceFile>& file,
                     sim::DiagnosticList& diagnostics);

} // namespace gemel::io
