#pragma once

#include <gemel/sim/diagnostic.hpp>

#include <optional>
#include <string>
#include <string_view>

/// Keeps toml++ 3.3 away from its faulty classifier of non-ASCII characters
/// (docs/decisions/toml_hardening.md): code points U+00A0…U+FEFF are moved to private plane 15
/// before parsing and back afterwards. Each stays one code point, so columns stay right.
namespace gemel::io {

/// @returns nothing after a mistake: text that is not UTF-8, C1 control characters, and characters
/// of plane 15 itself (also as an escape), which the way back could not tell apart
std::optional<std::string> shift_to_plane_15(const std::shared_ptr<const sim::SourceFile>& file,
                                             sim::DiagnosticList& diagnostics);

std::string shift_back(std::string_view text);

} // namespace gemel::io
