#include "lexer.hpp"

#include <gemel/sim/renaming.hpp>

namespace gemel::sim {

std::string with_names(const SourceText& expression,
                       const std::function<std::string(const std::string&)>& name_of) {
    const std::vector<Token> tokens = lex(expression, nullptr);
    std::string text;
    std::size_t done = 0;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        const Token& token = tokens[i];
        if (token.kind != Token::Kind::name || tokens[i + 1].is("(") || token.text == "t") continue;
        text +=
            expression.text.substr(done, token.offset - done) + name_of(std::string(token.text));
        done = token.offset + token.n_bytes;
    }
    return text + expression.text.substr(done);
}

} // namespace gemel::sim
