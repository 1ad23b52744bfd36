#include "node.hpp"
#include "utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

namespace gemel::io {

namespace {

/// A step of a path: a key or an index, and where it stands in the assignment.
struct Step {
    std::string key;
    std::optional<std::size_t> index;
    sim::SourceSpan span;
};

struct Assignment {
    std::vector<Step> steps;
    std::size_t equals = 0; ///< byte of '='
};

class AssignmentReader {
public:
    AssignmentReader(std::shared_ptr<const sim::SourceFile> file, sim::DiagnosticList& diagnostics)
        : file_(std::move(file)),
          text_(file_->text),
          diagnostics_(diagnostics) {}

    std::optional<Assignment> read() {
        Assignment assignment;
        do {
            if (!read_key(assignment)) return std::nullopt;
            while (peek() == '[')
                if (!read_index(assignment)) return std::nullopt;
        } while (take('.'));
        skip_spaces();
        if (peek() != '=') {
            fail(at_, "'=' is missing");
            return std::nullopt;
        }
        assignment.equals = at_;
        return assignment;
    }

private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    bool take(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }

    void skip_spaces() {
        while (peek() == ' ' || peek() == '\t')
            ++at_;
    }

    bool fail(std::size_t byte, std::string message) {
        diagnostics_.add(span(byte, byte + 1),
                         std::move(message),
                         "write path=value, for example --set population.size=100");
        return false;
    }

    sim::SourceSpan span(std::size_t first, std::size_t last) const {
        const TextPlace place = place_of(text_, first);
        const auto length = count_code_points(text_.substr(first, last - first));
        return {file_, place.line, place.column, std::max(1, static_cast<int>(length))};
    }

    bool read_key(Assignment& assignment) {
        skip_spaces();
        const std::size_t first = at_;
        std::string key;
        if (const char quote = peek(); quote == '"' || quote == '\'') {
            const std::size_t close = text_.find(quote, at_ + 1);
            if (close == std::string_view::npos) return fail(first, "this key is not closed");
            key = text_.substr(at_ + 1, close - at_ - 1);
            at_ = close + 1;
        } else {
            at_ = std::min(text_.find_first_of(".[=", at_), text_.size());
            key = text_.substr(first, at_ - first);
            key.erase(key.find_last_not_of(" \t") + 1);
        }
        if (key.empty()) return fail(first, "a key is missing");
        assignment.steps.push_back({key, std::nullopt, span(first, at_)});
        return true;
    }

    bool read_index(Assignment& assignment) {
        const std::size_t first = at_++;
        std::size_t index = 0;
        const char* const end = text_.data() + text_.size();
        const auto read = std::from_chars(text_.data() + at_, end, index);
        if (read.ec != std::errc() || read.ptr == end || *read.ptr != ']')
            return fail(first, "an index such as [0] is expected");
        at_ = static_cast<std::size_t>(read.ptr - text_.data()) + 1;
        assignment.steps.push_back({{}, index, span(first, at_)});
        return true;
    }

    std::shared_ptr<const sim::SourceFile> file_;
    std::string_view text_;
    sim::DiagnosticList& diagnostics_;
    std::size_t at_ = 0;
};

using MutableNode = std::shared_ptr<TomlView::Node>;

/// A copy of a value under another path.
NodePtr with_path(const NodePtr& from, const std::string& path) {
    auto node = std::make_shared<TomlView::Node>(*from);
    node->path = path;
    for (auto& [key, member] : node->members)
        member = with_path(member, join_path(path, key));
    for (std::size_t i = 0; i < node->elements.size(); ++i)
        node->elements[i] = with_path(node->elements[i], fmt::format("{}[{}]", path, i));
    return node;
}

/// The right side as TOML, with its own places: the key is blanked out so that columns agree.
NodePtr toml_value(const std::shared_ptr<const sim::SourceFile>& file, std::size_t equals) {
    const std::string_view text = file->text;
    const std::size_t before = count_code_points(text.substr(0, equals));
    std::string document = "k" + std::string(before - 1, ' ');
    document += text.substr(equals);
    sim::DiagnosticList ignored;
    const auto blanked =
        std::make_shared<const sim::SourceFile>(sim::SourceFile{file->name, document});
    const TomlView parsed = parse_toml(blanked, ignored);
    const auto members = parsed.members();
    if (members.size() != 1 || members.front().first != "k") return nullptr;
    if (members.front().second.kind() == TomlKind::other) return nullptr; // a date is a text
    return members.front().second.node();
}

/// Spans of the blanked document point into the assignment instead.
NodePtr with_file(const NodePtr& from, const std::shared_ptr<const sim::SourceFile>& file) {
    auto node = std::make_shared<TomlView::Node>(*from);
    for (sim::SourceSpan* span : {&node->span, &node->key_span, &node->text_start})
        if (span->file) span->file = file;
    for (auto& member : node->members)
        member.second = with_file(member.second, file);
    for (NodePtr& element : node->elements)
        element = with_file(element, file);
    return node;
}

NodePtr text_value(const std::shared_ptr<const sim::SourceFile>& file, std::size_t equals) {
    const std::string_view text = file->text;
    const std::size_t first = std::min(text.find_first_not_of(" \t", equals + 1), text.size());
    auto node = std::make_shared<TomlView::Node>();
    node->kind = TomlKind::text;
    node->text = text.substr(first);
    node->text.erase(node->text.find_last_not_of(" \t") + 1);
    const TextPlace place = place_of(text, first);
    const int length = static_cast<int>(count_code_points(node->text));
    node->span = {file, place.line, place.column, std::max(1, length)};
    node->text_start = {file, place.line, place.column, 1};
    return node;
}

class Overrider {
public:
    Overrider(NodePtr value, sim::DiagnosticList& diagnostics)
        : value_(std::move(value)),
          diagnostics_(diagnostics) {}

    /// The node with the value at the end of the steps; null after a mistake.
    NodePtr replaced(const NodePtr& from, std::span<const Step> steps, const std::string& path) {
        if (steps.empty()) return with_path(value_, path);
        const Step& step = steps.front();
        return step.index ? in_array(from, steps, path) : in_table(from, steps, path);
    }

private:
    NodePtr in_table(const NodePtr& from, std::span<const Step> steps, const std::string& path) {
        const Step& step = steps.front();
        if (from && from->kind != TomlKind::table)
            return refuse(step,
                          fmt::format("'{}' is {}, which has no keys", path, name(from->kind)));
        MutableNode node = from ? std::make_shared<TomlView::Node>(*from) : new_table(step, path);
        auto at = std::find_if(node->members.begin(), node->members.end(), [&](const auto& m) {
            return m.first == step.key;
        });
        const bool is_new = at == node->members.end();
        NodePtr child =
            replaced(is_new ? nullptr : at->second, steps.subspan(1), join_path(path, step.key));
        if (!child) return nullptr;
        if (is_new || steps.size() == 1) child = with_key_span(child, step.span);
        if (is_new) {
            node->members.emplace_back(step.key, child);
        } else {
            at->second = child;
        }
        return node;
    }

    NodePtr in_array(const NodePtr& from, std::span<const Step> steps, const std::string& path) {
        const Step& step = steps.front();
        if (!from || from->kind != TomlKind::array)
            return refuse(step,
                          from ? fmt::format("'{}' is {}, not a list", path, name(from->kind))
                               : fmt::format("there is no list '{}'", path));
        if (*step.index >= from->elements.size())
            return refuse(
                step,
                fmt::format("'{}' has {} elements; the first is [0]", path, from->elements.size()));
        auto node = std::make_shared<TomlView::Node>(*from);
        NodePtr& element = node->elements[*step.index];
        element = replaced(element, steps.subspan(1), fmt::format("{}[{}]", path, *step.index));
        return element ? node : nullptr;
    }

    static MutableNode new_table(const Step& step, const std::string& path) {
        auto node = std::make_shared<TomlView::Node>();
        node->kind = TomlKind::table;
        node->path = path;
        node->span = step.span;
        return node;
    }

    static NodePtr with_key_span(const NodePtr& from, const sim::SourceSpan& span) {
        auto node = std::make_shared<TomlView::Node>(*from);
        node->key_span = span;
        return node;
    }

    NodePtr refuse(const Step& step, std::string message) {
        diagnostics_.add(step.span, std::move(message));
        return nullptr;
    }

    NodePtr value_;
    sim::DiagnosticList& diagnostics_;
};

} // namespace

TomlView with_override(const TomlView& document,
                       std::string_view assignment,
                       sim::DiagnosticList& diagnostics) {
    const auto file = std::make_shared<const sim::SourceFile>(
        sim::SourceFile{"--set " + std::string(assignment), std::string(assignment)});
    const std::optional<Assignment> read = AssignmentReader(file, diagnostics).read();
    if (!read) return {};
    NodePtr value = toml_value(file, read->equals);
    value = value ? with_file(value, file) : text_value(file, read->equals);
    return TomlView(Overrider(value, diagnostics).replaced(document.node(), read->steps, {}));
}

} // namespace gemel::io
