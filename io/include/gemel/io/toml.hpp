#pragma once

#include <gemel/sim/diagnostic.hpp>
#include <gemel/sim/equations.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// TOML with places. The source of this header is the only one that sees toml++, and it hardens it.
namespace gemel::io {

enum class TomlKind { table, array, text, integer, real, boolean, other };
/// "a table", "a text", "a whole number", … for messages
std::string_view name(TomlKind kind);

/// A value in a document, with its place. Cheap to copy; keeps its document alive.
class TomlView {
public:
    TomlView() = default;

    bool is_set() const { return node_ != nullptr; } ///< false: there is no such key
    TomlKind kind() const;
    sim::SourceSpan span() const;     ///< of the value; of the header line for [table]s
    sim::SourceSpan key_span() const; ///< of its key, where it has one
    std::string path() const;         ///< "regimens.loaded.doses[1].every"

    std::optional<std::string> text() const;
    std::optional<std::int64_t> integer() const;
    std::optional<double> number() const; ///< of an integer or a real
    std::optional<bool> boolean() const;
    /// The text of a string with the place of its first character, for equations and quantities;
    /// exact in basic and literal strings, single- and multi-line. In a text with
    /// escapes the places after an escape are those of the text, not of the file.
    std::optional<sim::SourceText> source_text() const;

    TomlView operator[](std::string_view key) const; ///< member of a table, or an unset view
    std::vector<std::pair<std::string, TomlView>> members() const; ///< in the order of the file
    std::vector<TomlView> elements() const;                        ///< of an array

    /// Details beside the source.
    struct Node;
    explicit TomlView(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
    const std::shared_ptr<const Node>& node() const { return node_; }

private:
    std::shared_ptr<const Node> node_;
};

/// Parses a text. @returns an unset view after adding to diagnostics what is wrong where
TomlView parse_toml(std::shared_ptr<const sim::SourceFile> file, sim::DiagnosticList& diagnostics);

/// Reads a file whole. A missing or unreadable file, one over 64 MiB or not UTF-8 is a mistake.
std::shared_ptr<const sim::SourceFile> read_source(const std::filesystem::path& path,
                                                   sim::DiagnosticList& diagnostics);

/// The document with one value replaced or added: `assignment` is "save.Cp.every=2 h" as on the
/// command line. The right side is read as a TOML value if it is one ("10", "true", '[1, 2]',
/// '"text"'), as text otherwise. Mistakes point into "--set save.Cp.every=2 h".
/// @returns an unset view after a mistake
TomlView with_override(const TomlView& document,
                       std::string_view assignment,
                       sim::DiagnosticList& diagnostics);

} // namespace gemel::io
