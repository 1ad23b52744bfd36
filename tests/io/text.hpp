#pragma once

#include <gemel/io/toml.hpp>

#include <memory>
#include <string>

/// What the tests of TOML reading share.
namespace gemel::io::test {

inline std::shared_ptr<const sim::SourceFile> source(std::string text) {
    return std::make_shared<const sim::SourceFile>(sim::SourceFile{"a.toml", std::move(text)});
}

/// "line:column:length"
inline std::string place(const sim::SourceSpan& span) {
    return std::to_string(span.line) + ':' + std::to_string(span.column) + ':' +
           std::to_string(span.length);
}

/// "line:column message [help]" per mistake, one per line.
inline std::string told(const sim::DiagnosticList& diagnostics) {
    std::string text;
    for (const sim::Diagnostic& item : diagnostics.items()) {
        text += std::to_string(item.span.line) + ':' + std::to_string(item.span.column) + ' ' +
                item.message;
        if (!item.help.empty()) text += " [" + item.help + ']';
        text += '\n';
    }
    return text;
}

} // namespace gemel::io::test
