// The only source that sees nlohmann's library: its event reader alone, which neither throws nor
// recurses; the tree is ours.
#include "../toml/utf8.hpp"

#include <gemel/io/json.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace gemel::io {
namespace {

constexpr std::size_t most_levels = 64;
constexpr std::size_t most_values = 1'000'000;

/// Counts what the library has read, which tells where a value ends.
class CountingIterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountingIterator(const char* at, std::size_t* n_read) : at_(at), n_read_(n_read) {}
    reference operator*() const { return *at_; }
    CountingIterator& operator++() {
        ++at_;
        ++*n_read_;
        return *this;
    }
    CountingIterator operator++(int) {
        CountingIterator before = *this;
        ++*this;
        return before;
    }
    bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

private:
    const char* at_;
    std::size_t* n_read_;
};

/// Lines and columns of bytes that only grow.
class GrowingPlace {
public:
    explicit GrowingPlace(std::string_view text) : text_(text) {}

    TextPlace at(std::size_t byte) {
        for (; byte_ < std::min(byte, text_.size()); ++byte_)
            if (text_[byte_] == '\n')
                place_ = {place_.line + 1, 1};
            else if ((static_cast<unsigned char>(text_[byte_]) & 0xC0u) != 0x80u)
                ++place_.column;
        return place_;
    }

private:
    std::string_view text_;
    std::size_t byte_ = 0;
    TextPlace place_;
};

/// Builds the tree from the library's events.
class JsonBuilder {
public:
    using Json = nlohmann::json;

    JsonBuilder(std::shared_ptr<const sim::SourceFile> file, sim::DiagnosticList& diagnostics)
        : file_(std::move(file)),
          place_(file_->text),
          diagnostics_(diagnostics) {}

    std::size_t n_read = 0; ///< bytes, by the iterator
    std::shared_ptr<JsonValue> root = std::make_shared<JsonValue>();

    bool null() { return add({}) != nullptr; }
    bool boolean(bool value) {
        JsonValue made;
        made.kind = JsonValue::Kind::boolean;
        made.boolean = value;
        return add(std::move(made)) != nullptr;
    }
    bool number_integer(Json::number_integer_t value) { return number(static_cast<double>(value)); }
    bool number_unsigned(Json::number_unsigned_t value) {
        return number(static_cast<double>(value));
    }
    bool number_float(Json::number_float_t value, const Json::string_t&) { return number(value); }
    bool string(Json::string_t& value) {
        JsonValue made;
        made.kind = JsonValue::Kind::text;
        made.text = std::move(value);
        return add(std::move(made)) != nullptr;
    }
    bool binary(Json::binary_t&) { return false; }
    bool start_object(std::size_t) { return open(JsonValue::Kind::object); }
    bool end_object() { return close(); }
    bool start_array(std::size_t) { return open(JsonValue::Kind::array); }
    bool end_array() { return close(); }

    bool key(Json::string_t& value) {
        const sim::SourceSpan span = take_span();
        Open& object = open_.back();
        if (!object.seen.insert(value).second)
            return mistake(span, fmt::format("the key \"{}\" stands twice in this object", value));
        object.keys.push_back(std::move(value));
        return true;
    }

    bool parse_error(std::size_t byte, const std::string& token, const Json::exception&) {
        const TextPlace place = place_of(file_->text, byte > 0 ? byte - 1 : 0);
        diagnostics_.add({file_, place.line, place.column, 1},
                         token.empty() || token == "<parse error>"
                             ? "this is no JSON from here on"
                             : fmt::format("this is no JSON: '{}' is not expected", shown(token)),
                         "see RFC 8259");
        return false;
    }

private:
    /// A container that is being filled. Its values move into it when it closes, so that no
    /// pointer into a growing list is kept.
    struct Open {
        JsonValue value;
        std::vector<std::string> keys;
        std::set<std::string> seen;
    };

    static std::string shown(const std::string& token) {
        constexpr std::size_t most_shown = 40;
        std::string text;
        for (const char c : token.substr(0, most_shown))
            text += (c >= ' ' && c < '\x7f') ? c : '?';
        return text;
    }

    bool mistake(const sim::SourceSpan& span, const std::string& message) {
        diagnostics_.add(span, message);
        return false;
    }

    bool number(double value) {
        JsonValue made;
        made.kind = JsonValue::Kind::number;
        made.number = value;
        return add(std::move(made)) != nullptr;
    }

    /// From where the last token ended to what was read by now, less what separates tokens.
    sim::SourceSpan take_span() {
        const std::string& text = file_->text;
        std::size_t from = read_before_;
        while (from < std::min(n_read, text.size()) &&
               std::string_view(" \t\r\n,:").find(text[from]) != std::string_view::npos)
            ++from;
        const TextPlace place = place_.at(from);
        read_before_ = n_read;
        const std::size_t n = std::min(n_read, text.size()) - from;
        const auto length = count_code_points(std::string_view(text).substr(from, n));
        return {file_, place.line, place.column, std::max(1, static_cast<int>(length))};
    }

    bool has_room(const sim::SourceSpan& span) {
        if (++n_values_ <= most_values) return true;
        return mistake(span, fmt::format("the file has more than {} values", most_values));
    }

    JsonValue* add(JsonValue made) {
        made.span = take_span();
        if (!has_room(made.span)) return nullptr;
        if (open_.empty()) {
            *root = std::move(made);
            return root.get();
        }
        std::vector<JsonValue>& values = open_.back().value.values;
        values.push_back(std::move(made));
        return &values.back();
    }

    bool open(JsonValue::Kind kind) {
        const sim::SourceSpan span = take_span();
        if (open_.size() >= most_levels)
            return mistake(span, fmt::format("more than {} levels are nested here", most_levels));
        if (!has_room(span)) return false;
        open_.emplace_back();
        open_.back().value.kind = kind;
        open_.back().value.span = span;
        return true;
    }

    bool close() {
        read_before_ = n_read;
        JsonValue made = std::move(open_.back().value);
        made.keys = std::move(open_.back().keys);
        open_.pop_back();
        if (open_.empty())
            *root = std::move(made);
        else
            open_.back().value.values.push_back(std::move(made));
        return true;
    }

    std::shared_ptr<const sim::SourceFile> file_;
    GrowingPlace place_;
    sim::DiagnosticList& diagnostics_;
    std::vector<Open> open_;
    std::size_t read_before_ = 0, n_values_ = 0;
};

} // namespace

const JsonValue* JsonValue::find(std::string_view key) const {
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (keys[i] == key) return &values[i];
    return nullptr;
}

std::optional<std::string> JsonValue::text_of(std::string_view key) const {
    const JsonValue* value = find(key);
    if (value == nullptr || value->kind != Kind::text) return std::nullopt;
    return value->text;
}

std::string_view name(JsonValue::Kind kind) {
    constexpr std::array<std::string_view, 6> names{
        "null", "true or false", "a number", "a text", "a list", "an object"};
    return names[static_cast<std::size_t>(kind)];
}

std::shared_ptr<const JsonValue> parse_json(std::shared_ptr<const sim::SourceFile> file,
                                            sim::DiagnosticList& diagnostics) {
    const std::string& text = file->text;
    JsonBuilder builder(file, diagnostics);
    const CountingIterator first(text.data(), &builder.n_read);
    const CountingIterator last(text.data() + text.size(), &builder.n_read);
    if (!nlohmann::json::sax_parse(first, last, &builder)) return nullptr;
    return builder.root;
}

} // namespace gemel::io
