#include "node.hpp"

#include <algorithm>

namespace gemel::io {

namespace {

bool is_bare_key(std::string_view key) {
    const auto is_bare = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    };
    return !key.empty() && std::all_of(key.begin(), key.end(), is_bare);
}

} // namespace

std::string_view name(TomlKind kind) {
    switch (kind) {
    case TomlKind::table:
        return "a table";
    case TomlKind::array:
        return "a list";
    case TomlKind::text:
        return "a text";
    case TomlKind::integer:
        return "a whole number";
    case TomlKind::real:
        return "a number";
    case TomlKind::boolean:
        return "true or false";
    case TomlKind::other:
        break;
    }
    return "a date or time";
}

std::string join_path(const std::string& parent, std::string_view key) {
    const std::string word = is_bare_key(key) ? std::string(key) : '"' + std::string(key) + '"';
    return parent.empty() ? word : parent + '.' + word;
}

TomlKind TomlView::kind() const {
    return node_ ? node_->kind : TomlKind::other;
}

sim::SourceSpan TomlView::span() const {
    return node_ ? node_->span : sim::SourceSpan{};
}

sim::SourceSpan TomlView::key_span() const {
    if (!node_) return {};
    return node_->key_span.file ? node_->key_span : node_->span;
}

std::string TomlView::path() const {
    return node_ ? node_->path : std::string();
}

std::optional<std::string> TomlView::text() const {
    if (!node_ || node_->kind != TomlKind::text) return std::nullopt;
    return node_->text;
}

std::optional<std::int64_t> TomlView::integer() const {
    if (!node_ || node_->kind != TomlKind::integer) return std::nullopt;
    return node_->integer;
}

std::optional<double> TomlView::number() const {
    if (!node_) return std::nullopt;
    if (node_->kind == TomlKind::integer) return static_cast<double>(node_->integer);
    if (node_->kind == TomlKind::real) return node_->real;
    return std::nullopt;
}

std::optional<bool> TomlView::boolean() const {
    if (!node_ || node_->kind != TomlKind::boolean) return std::nullopt;
    return node_->boolean;
}

std::optional<sim::SourceText> TomlView::source_text() const {
    if (!node_ || node_->kind != TomlKind::text) return std::nullopt;
    return sim::SourceText{node_->text, node_->text_start};
}

TomlView TomlView::operator[](std::string_view key) const {
    if (!node_) return {};
    for (const auto& [member, node] : node_->members)
        if (member == key) return TomlView(node);
    return {};
}

std::vector<std::pair<std::string, TomlView>> TomlView::members() const {
    std::vector<std::pair<std::string, TomlView>> result;
    if (node_)
        for (const auto& [key, node] : node_->members)
            result.emplace_back(key, TomlView(node));
    return result;
}

std::vector<TomlView> TomlView::elements() const {
    std::vector<TomlView> result;
    if (node_)
        for (const NodePtr& node : node_->elements)
            result.emplace_back(node);
    return result;
}

} // namespace gemel::io
