// The only source that sees toml++, hardened as docs/decisions/toml_hardening.md says: its
// assertions throw here, in every build, because without them it runs into undefined behaviour.
#undef NDEBUG
#include <stdexcept>
namespace gemel::io {
struct TomlAssertion : std::logic_error {
    using std::logic_error::logic_error;
};
// A function of its own, because some assertions stand in noexcept functions, where a plain throw
// is a warning. None of them was ever reached (docs/decisions/toml_hardening.md).
[[noreturn]] static void fail_assertion(const char* condition) {
    throw TomlAssertion(condition);
}
} // namespace gemel::io
#define TOML_ASSERT(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) ::gemel::io::fail_assertion(#condition);                                 \
    } while (false)
#define TOML_MAX_NESTED_VALUES 64
#include "key_depth.hpp"
#include "node.hpp"
#include "shift.hpp"
#include "utf8.hpp"

#include <gemel/io/toml.hpp>

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

namespace gemel::io {

namespace {

using SharedFile = std::shared_ptr<const sim::SourceFile>;

/// Turns toml++'s tree into ours: file order, places in the user's text, texts shifted back.
class Converter {
public:
    explicit Converter(SharedFile file) : file_(std::move(file)), lines_(file_->text) {}

    NodePtr document(const toml::table& root) const {
        auto node = std::make_shared<TomlView::Node>();
        fill_table(*node, root);
        node->span = {file_, 0, 0, 1};
        return node;
    }

private:
    NodePtr value(const toml::node& from, const toml::key* key, std::string path) const {
        auto node = std::make_shared<TomlView::Node>();
        node->path = std::move(path);
        if (key) node->key_span = region(key->source());
        node->span = region(from.source());
        fill(*node, from);
        return node;
    }

    void fill(TomlView::Node& node, const toml::node& from) const {
        if (const auto* table = from.as_table()) {
            fill_table(node, *table);
            node.span = table_span(node);
        } else if (const auto* array = from.as_array()) {
            fill_array(node, *array);
        } else if (const auto* text = from.as_string()) {
            node.kind = TomlKind::text;
            node.text = shift_back(text->get());
            node.text_start = inside_quotes(node.span);
        } else if (const auto* integer = from.as_integer()) {
            node.kind = TomlKind::integer;
            node.integer = integer->get();
        } else if (const auto* real = from.as_floating_point()) {
            node.kind = TomlKind::real;
            node.real = real->get();
        } else if (const auto* boolean = from.as_boolean()) {
            node.kind = TomlKind::boolean;
            node.boolean = boolean->get();
        }
    }

    void fill_table(TomlView::Node& node, const toml::table& from) const {
        node.kind = TomlKind::table;
        for (const auto& [key, member] : from) {
            const std::string word = shift_back(key.str());
            node.members.emplace_back(word, value(member, &key, join_path(node.path, word)));
        }
        std::stable_sort(
            node.members.begin(), node.members.end(), [](const auto& a, const auto& b) {
                const auto& at = a.second->key_span;
                const auto& bt = b.second->key_span;
                return std::pair(at.line, at.column) < std::pair(bt.line, bt.column);
            });
    }

    void fill_array(TomlView::Node& node, const toml::array& from) const {
        node.kind = TomlKind::array;
        for (const toml::node& element : from) {
            const std::string path = fmt::format("{}[{}]", node.path, node.elements.size());
            node.elements.push_back(value(element, nullptr, path));
        }
    }

    /// A region over several lines is told by its first one.
    sim::SourceSpan region(const toml::source_region& region) const {
        const int line = static_cast<int>(region.begin.line);
        const int column = static_cast<int>(region.begin.column);
        int end = static_cast<int>(region.end.column);
        if (region.end.line != region.begin.line)
            end = 1 + static_cast<int>(count_code_points(lines_.line(line)));
        return {file_, line, column, std::max(1, end - column)};
    }

    /// The header of a [table]; the braces of an inline one; the key of one that dotted keys made.
    sim::SourceSpan table_span(const TomlView::Node& node) const {
        const std::string_view text = file_->text;
        const std::size_t at = lines_.byte_of(node.span.line, node.span.column);
        if (at >= text.size() || text[at] == '{') return node.span;
        if (text[at] != '[') return node.key_span.file ? node.key_span : node.span;
        const bool is_double = text.substr(at, 2) == "[[";
        const std::size_t end = text.find(is_double ? "]]" : "]", at);
        if (end == std::string_view::npos) return node.span;
        sim::SourceSpan span = node.span;
        span.length =
            static_cast<int>(count_code_points(text.substr(at, end + (is_double ? 2 : 1) - at)));
        return span;
    }

    /// TOML drops a line break that follows ''' or """ directly.
    sim::SourceSpan inside_quotes(const sim::SourceSpan& span) const {
        const std::string_view text =
            std::string_view(file_->text).substr(lines_.byte_of(span.line, span.column));
        const bool is_triple = text.starts_with("'''") || text.starts_with("\"\"\"");
        const std::size_t quotes = is_triple ? 3 : 1;
        const std::string_view inside = text.substr(std::min(quotes, text.size()));
        if (is_triple && (inside.starts_with('\n') || inside.starts_with("\r\n")))
            return {file_, span.line + 1, 1, 1};
        return {file_, span.line, span.column + static_cast<int>(quotes), 1};
    }

    SharedFile file_;
    LineIndex lines_;
};

/// "Error while parsing key-value pair: expected …" says no more than its second half.
std::string without_scope(std::string_view description) {
    constexpr std::string_view opening = "Error while parsing ";
    if (description.starts_with(opening))
        if (const auto colon = description.find(": "); colon != std::string_view::npos)
            description.remove_prefix(colon + 2);
    return shift_back(description);
}

std::string help_for(std::string_view message, std::string_view line) {
    const auto says = [&](std::string_view words) {
        return message.find(words) != std::string_view::npos;
    };
    const bool has_text = line.find_first_of("\"'") != std::string_view::npos;
    if (says("control characters") || says("line-break") || says("end-of-file") || says("terminat"))
        return "close what is open here: a text on one line ends with the quotation mark it began "
               "with; a text of several lines stands between ''' and '''";
    if (says("value") || (!has_text && (says("digit") || says("comment or whitespace"))))
        return "texts and quantities stand in quotation marks, as in: every = \"24 h\"";
    if (says("escape sequence")) return "in '…' and '''…''' a backslash is an ordinary character";
    if (says("'='") || says("expected keys"))
        return "a line is a [table], or key = value; # begins a comment; a key with other letters "
               "than "
               "A-Z a-z 0-9 _ - stands in quotation marks";
    return {};
}

NodePtr parse_text(const SharedFile& file, std::string_view shifted) {
    return Converter(file).document(toml::parse(shifted));
}

/// The table that keys before the mistake went to: the one whose header is the last.
const TomlView::Node* last_headed_table(const TomlView::Node& node) {
    const TomlView::Node* last = &node;
    const auto look = [&](const NodePtr& child) {
        const bool inline_value = child->kind != TomlKind::table && child->elements.empty();
        if (inline_value) return;
        const TomlView::Node* found = last_headed_table(*child);
        const auto place = [](const TomlView::Node* n) {
            return std::pair(n->span.line, n->span.column);
        };
        if (place(found) > place(last)) last = found;
    };
    for (const auto& member : node.members)
        look(member.second);
    for (const NodePtr& element : node.elements)
        look(element);
    return last;
}

/// The line of the first definition of what stands twice, from the text before the second; 0 if
/// it cannot be told.
int first_line_of(std::string_view dotted,
                  bool is_header,
                  const SharedFile& file,
                  std::string_view shifted,
                  int second_line) {
    const LineIndex lines(shifted);
    const std::string_view before = shifted.substr(0, lines.byte_of(second_line, 1));
    try {
        const NodePtr root = parse_text(file, before);
        const TomlView::Node* at = is_header ? root.get() : last_headed_table(*root);
        TomlView view(std::shared_ptr<const TomlView::Node>(root, at));
        while (view.is_set() && !dotted.empty()) {
            const std::size_t dot = std::min(dotted.find('.'), dotted.size());
            view = view[dotted.substr(0, dot)];
            dotted.remove_prefix(std::min(dot + 1, dotted.size()));
        }
        return view.is_set() ? view.key_span().line : 0;
    } catch (const std::exception&) {
        return 0;
    }
}

/// toml++ garbles keys in quotation marks: those are taken from the line, where it begins with one.
std::string repeated_key(const std::string& told, std::string_view line) {
    if (told.find_first_of("\"'") == std::string::npos) return told;
    const std::size_t open = line.find_first_not_of(" \t");
    if (open == std::string_view::npos || (line[open] != '"' && line[open] != '\'')) return "a key";
    const std::size_t close = line.find(line[open], open + 1);
    if (close == std::string_view::npos) return "a key";
    return std::string(line.substr(open + 1, close - open - 1));
}

/// "cannot redefine existing integer 'size'" in the words of both places.
bool add_duplicate(const std::string& message,
                   sim::SourceSpan span,
                   std::string_view shifted,
                   sim::DiagnosticList& diagnostics) {
    const auto open = message.find('\'');
    const auto close = message.find('\'', open + 1);
    if (!message.starts_with("cannot redefine") || close == std::string::npos) return false;
    const std::string_view line = LineIndex(span.file->text).line(span.line);
    const std::string key = repeated_key(message.substr(open + 1, close - open - 1), line);
    const bool is_header =
        line.find('[') < line.find('=') && line.find('[') != std::string_view::npos;
    const int first = first_line_of(key, is_header, span.file, shifted, span.line);
    if (const auto at = line.find(key); at != std::string_view::npos) {
        span.column = 1 + static_cast<int>(count_code_points(line.substr(0, at)));
        span.length = static_cast<int>(count_code_points(key));
    }
    diagnostics.add(span,
                    first > 0
                        ? fmt::format("'{}' stands here twice; the first is in line {}", key, first)
                        : fmt::format("'{}' stands here twice", key),
                    "keep one of them");
    return true;
}

void add_syntax_mistake(const toml::parse_error& error,
                        const SharedFile& file,
                        std::string_view shifted,
                        sim::DiagnosticList& diagnostics) {
    const std::string message = without_scope(error.description());
    const sim::SourceSpan span{file,
                               std::max(1, static_cast<int>(error.source().begin.line)),
                               std::max(1, static_cast<int>(error.source().begin.column)),
                               1};
    if (add_duplicate(message, span, shifted, diagnostics)) return;
    const LineIndex lines(file->text);
    diagnostics.add(span, "this is not TOML: " + message, help_for(message, lines.line(span.line)));
}

} // namespace

TomlView parse_toml(std::shared_ptr<const sim::SourceFile> file, sim::DiagnosticList& diagnostics) {
    if (!check_key_depth(file, diagnostics)) return {};
    const std::optional<std::string> shifted = shift_to_plane_15(file, diagnostics);
    if (!shifted) return {};
    try {
        return TomlView(parse_text(file, *shifted));
    } catch (const toml::parse_error& error) {
        add_syntax_mistake(error, file, *shifted, diagnostics);
    } catch (const TomlAssertion&) {
        // Where exactly the parser stood is unknown: it lost its own thread.
        diagnostics.add({file, 0, 0, 1},
                        "this is not TOML: a bracket or quotation mark is out of place",
                        "look for a '[' without key or an unfinished text");
    }
    return {};
}

} // namespace gemel::io
