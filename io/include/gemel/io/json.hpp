#pragma once

#include <gemel/sim/diagnostic.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// JSON with places, for files other programs write. The source of this header is the only one that
/// sees nlohmann's library, and it reads as if the file were hostile.
namespace gemel::io {

/// A value of a document with its place, and what it holds.
struct JsonValue {
    enum class Kind { null, boolean, number, text, array, object };
    Kind kind = Kind::null;
    sim::SourceSpan span;
    std::string text; ///< of a text
    double number = 0.0;
    bool boolean = false;
    std::vector<std::string> keys; ///< of an object, each once, in the order of the file
    std::vector<JsonValue> values; ///< of an array, or of the keys

    const JsonValue* find(std::string_view key) const; ///< nullptr: no such key, or no object
    /// The text of a key; nothing if there is none or it is no text.
    std::optional<std::string> text_of(std::string_view key) const;
};

/// "a list", "a text", … for messages
std::string_view name(JsonValue::Kind kind);

/// A text as JSON writes it, with its quotation marks; bytes that are no UTF-8 become U+FFFD.
std::string json_text(std::string_view text);

/// Parses a text. Mistakes: what is no JSON (RFC 8259), a key that stands twice in an object, more
/// than 64 levels, more than a million values.
/// @returns nullptr after adding to diagnostics what is wrong where
std::shared_ptr<const JsonValue> parse_json(std::shared_ptr<const sim::SourceFile> file,
                                            sim::DiagnosticList& diagnostics);

} // namespace gemel::io
