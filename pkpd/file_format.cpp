#include "file_format.hpp"

#include <fmt/format.h>

namespace gemel::pkpd {

bool is_format(const io::TomlView& root,
               const std::string& format,
               const std::string& kind,
               sim::DiagnosticList& diagnostics) {
    const io::TomlView view = root["gemel"];
    const auto text = view.text();
    if (!text || *text == format) return true;
    const bool is_newer = text->starts_with(kind + "/");
    diagnostics.add(view.span(),
                    is_newer ? fmt::format("this program reads \"{}\", not \"{}\"", format, *text)
                             : fmt::format("this is no {} file but \"{}\"", kind, *text),
                    fmt::format("a {} file begins with gemel = \"{}\"", kind, format));
    return false;
}

} // namespace gemel::pkpd
