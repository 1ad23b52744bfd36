#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// How mistakes in the user's text are told: every reader collects them in a DiagnosticList, goes
/// on reading, and throws one InputError at the end.
namespace gemel::sim {

/// A text the user wrote, kept whole so that messages can quote it.
struct SourceFile {
    std::string name; ///< as the user named it, for messages
    std::string text; ///< UTF-8
};

/// A place in a text. Lines and columns count from 1; columns and length count code points.
struct SourceSpan {
    std::shared_ptr<const SourceFile> file;
    int line = 0; ///< 0: the file as a whole
    int column = 0;
    int length = 1;
};

/// One mistake: what stands there and what was expected; `help` says what to write instead.
struct Diagnostic {
    SourceSpan span;
    std::string message;
    std::string help;
};

class DiagnosticList {
public:
    void add(SourceSpan span, std::string message, std::string help = {});
    void append(const DiagnosticList& other);

    bool empty() const { return items_.empty(); }
    std::size_t size() const { return items_.size(); }
    std::span<const Diagnostic> items() const { return items_; }

    /// Every mistake with file:line:column, excerpt, caret and help, in order of file and place,
    /// identical ones once; ends with a line such as "2 errors".
    std::string render() const;

    /// @throws InputError holding this list, if there is anything in it
    void throw_if_any() const;

private:
    std::vector<Diagnostic> items_;
};

/// The user's text is wrong. `what()` is the rendered list.
class InputError : public std::exception {
public:
    explicit InputError(DiagnosticList list);
    const char* what() const noexcept override { return text_.c_str(); }
    const DiagnosticList& diagnostics() const { return list_; }

private:
    DiagnosticList list_;
    std::string text_;
};

/// The candidate nearest to `name` by edit distance (case-insensitive; at most 2 edits, fewer for
/// short names), or "" if none is near.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

/// "did you mean 'x'?", or "known names: a, b, c" when nothing is near, or "" without candidates.
std::string suggest(std::string_view name, std::span<const std::string> candidates);

} // namespace gemel::sim
