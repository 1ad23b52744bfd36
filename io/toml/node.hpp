#pragma once

#include <gemel/io/toml.hpp>

/// What a TomlView looks at. Nodes never change; an override copies the nodes on its way.
namespace gemel::io {

struct TomlView::Node {
    TomlKind kind = TomlKind::other;
    sim::SourceSpan span;
    sim::SourceSpan key_span;
    std::string path;

    std::string text;
    sim::SourceSpan text_start; ///< of the first character inside the quotation marks
    std::int64_t integer = 0;
    double real = 0.0;
    bool boolean = false;

    std::vector<std::pair<std::string, std::shared_ptr<const Node>>> members;
    std::vector<std::shared_ptr<const Node>> elements;
};

using NodePtr = std::shared_ptr<const TomlView::Node>;

/// "a" and "b" make "a.b"; keys that are no bare TOML keys are quoted.
std::string join_path(const std::string& parent, std::string_view key);

} // namespace gemel::io
