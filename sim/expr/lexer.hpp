#pragma once

#include <gemel/sim/equations.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

/// Cuts the text of equations into tokens, each with its place in the user's file.
namespace gemel::sim {

struct Token {
    enum class Kind {
        number,  ///< `value` holds it
        unit,    ///< [mg/L]; `text` is what stands between the brackets
        name,    ///< of a variable or a function
        text,    ///< "mg/dL"; `text` is what stands between the quotes
        symbol,  ///< an operator, bracket or separator in its one spelling: `and` is "&&"
        newline, ///< the end of a line
        bad,     ///< something already told as a mistake
        end
    };
    Kind kind = Kind::end;
    std::string_view text; ///< valid as long as the SourceText
    double value = 0.0;
    std::size_t offset = 0; ///< first byte in the SourceText
    std::size_t n_bytes = 0;
    SourceSpan span;

    bool is(std::string_view symbol) const { return kind == Kind::symbol && text == symbol; }
};

/// The last token is `end`. Mistakes go to `diagnostics` if given. A new line is a token only with
/// `keep_newlines`.
std::vector<Token>
lex(const SourceText& source, DiagnosticList* diagnostics, bool keep_newlines = false);

} // namespace gemel::sim
