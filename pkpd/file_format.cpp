#include <gemel/pkpd/file_format.hpp>

#include <fmt/format.h>

namespace gemel::pkpd {

namespace {

bool is_format(const io::TomlView& root,
               const std::string& format,
               sim::DiagnosticList& diagnostics) {
    const io::TomlView view = root["gemel"];
    const auto text = view.text();
    if (!text || *text == format) return true;
    const std::string kind = format.substr(0, format.find('/'));
    const bool is_newer = text->starts_with(kind + "/");
    diagnostics.add(view.span(),
                    is_newer ? fmt::format("this program reads \"{}\", not \"{}\"", format, *text)
                             : fmt::format("this is no {} file but \"{}\"", kind, *text),
                    fmt::format("a {} file begins with gemel = \"{}\"", kind, format));
    return false;
}

} // namespace

io::TomlView open_format(const std::filesystem::path& file,
                         const std::string& format,
                         sim::DiagnosticList& diagnostics,
                         const std::vector<std::string>& overrides) {
    const auto source = io::read_source(file, diagnostics);
    if (!source) return {};
    io::TomlView root = io::parse_toml(source, diagnostics);
    for (const std::string& assignment : overrides)
        if (root.is_set()) root = io::with_override(root, assignment, diagnostics);
    return root.is_set() && is_format(root, format, diagnostics) ? root : io::TomlView();
}

} // namespace gemel::pkpd
