#include "expr/lexer.hpp"

#include "base/utf8.hpp"

#include <fmt/format.h>

#include <charconv>

namespace gemel::sim {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Longest first, so that "<=" is not read as "<".
constexpr std::string_view symbols[] = {"<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "^",
                                        "(",  ")",  ",",  "<",  ">",  "!",  "?", ":", "=", ";"};

struct Respelling {
    std::string_view written;
    std::string_view meant;
};
/// What people write from habit or paste from papers: told as a mistake and read as meant.
constexpr Respelling respellings[] = {
    {"**", "^"},
    {"×", "*"},
    {"·", "*"},
    {"⋅", "*"},
    {"÷", "/"},
    {"−", "-"},
    {"–", "-"},
    {"≤", "<="},
    {"≥", ">="},
    {"≠", "!="},
    {"&", "&&"},
    {"|", "||"},
    {"{", "("},
    {"}", ")"},
};
constexpr Respelling words[] = {{"and", "&&"}, {"or", "||"}, {"not", "!"}};

class Lexer {
public:
    Lexer(const SourceText& source, DiagnosticList* diagnostics)
        : text_(source.text),
          place_(source.start),
          diagnostics_(diagnostics) {}

    std::vector<Token> all(bool keep_newlines) {
        std::vector<Token> tokens;
        while (true) {
            skip_blanks_and_comments();
            Token token = next();
            if (token.kind != Token::Kind::newline || keep_newlines) tokens.push_back(token);
            if (token.kind == Token::Kind::end) return tokens;
        }
    }

private:
    std::string_view rest() const { return std::string_view(text_).substr(position_); }
    char at(std::size_t ahead) const {
        return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
    }

    void skip_blanks_and_comments() {
        while (at(0) == ' ' || at(0) == '\t' || at(0) == '\r')
            advance(1);
        if (at(0) == '#') advance(rest().substr(0, rest().find('\n')).size());
    }

    /// Moves on by bytes within one line, counting code points.
    void advance(std::size_t n_bytes) {
        const std::size_t goal = position_ + n_bytes;
        while (position_ < goal) {
            position_ += decode_utf8(text_, position_).n_bytes;
            ++place_.column;
        }
    }

    Token next() {
        if (position_ >= text_.size()) return take(Token::Kind::end, 0);
        if (at(0) == '\n') return newline();
        if (is_digit(at(0)) || (at(0) == '.' && is_digit(at(1)))) return number();
        if (is_letter(at(0))) return word();
        if (at(0) == '[') return unit();
        if (at(0) == '"' || at(0) == '\'') return quoted(at(0));
        return symbol();
    }

    /// The token of the next bytes, passing them.
    Token take(Token::Kind kind, std::size_t n_bytes) {
        Token token;
        token.kind = kind;
        token.text = rest().substr(0, n_bytes);
        token.offset = position_;
        token.n_bytes = n_bytes;
        token.span = place_;
        advance(n_bytes);
        token.span.length = std::max(place_.column - token.span.column, 1);
        return token;
    }

    Token newline() {
        Token token = take(Token::Kind::newline, 1);
        ++place_.line;
        place_.column = 1;
        return token;
    }

    Token number() {
        std::size_t n = 0;
        while (is_digit(at(n)))
            ++n;
        if (at(n) == '.')
            for (++n; is_digit(at(n));)
                ++n;
        if (at(n) == 'e' || at(n) == 'E') {
            const std::size_t sign = at(n + 1) == '+' || at(n + 1) == '-' ? 1 : 0;
            if (is_digit(at(n + 1 + sign)))
                for (n += 2 + sign; is_digit(at(n));)
                    ++n;
        }
        Token token = take(Token::Kind::number, n);
        const auto [end, error] =
            std::from_chars(token.text.data(), token.text.data() + token.text.size(), token.value);
        if (error == std::errc::result_out_of_range)
            tell(token, fmt::format("the number {} is too large or too small", token.text));
        else if (error != std::errc{} || end != token.text.data() + token.text.size())
            tell(token, fmt::format("'{}' is no number", token.text));
        return token;
    }

    Token word() {
        std::size_t n = 0;
        while (is_letter(at(n)) || is_digit(at(n)))
            ++n;
        Token token = take(Token::Kind::name, n);
        for (const Respelling& word : words)
            if (token.text == word.written) {
                token.kind = Token::Kind::symbol;
                token.text = word.meant;
            }
        return token;
    }

    /// Brackets may nest, as in 5[m[IU]/L].
    Token unit() {
        int depth = 0;
        std::size_t n = 0;
        do {
            depth += at(n) == '[' ? 1 : at(n) == ']' ? -1 : 0;
            ++n;
        } while (depth > 0 && position_ + n < text_.size() && at(n) != '\n');
        Token token = take(Token::Kind::unit, n);
        if (depth > 0)
            tell(token, "the ']' of this unit is missing");
        else
            token.text = token.text.substr(1, token.text.size() - 2);
        return token;
    }

    Token quoted(char quote) {
        std::size_t n = 1;
        while (position_ + n < text_.size() && at(n) != quote && at(n) != '\n')
            ++n;
        const bool is_closed = at(n) == quote;
        Token token = take(Token::Kind::text, is_closed ? n + 1 : n);
        if (is_closed)
            token.text = token.text.substr(1, token.text.size() - 2);
        else
            tell(token, fmt::format("the closing {} is missing", quote));
        return token;
    }

    Token symbol() {
        for (const Respelling& known : respellings)
            if (rest().starts_with(known.written) && !is_doubled(known.written))
                return respelt(known);
        for (std::string_view known : symbols)
            if (rest().starts_with(known)) return take(Token::Kind::symbol, known.size());
        Token token = take(Token::Kind::bad, decode_utf8(text_, position_).n_bytes);
        tell(token,
             fmt::format("'{}' has no meaning here", printable(token.text)),
             static_cast<unsigned char>(token.text[0]) >= 0x80
                 ? "names are made of the letters a to z and A to Z, digits and '_'"
                 : "");
        return token;
    }

    /// "&&" and "||" are right; a single "&" or "|" is not.
    bool is_doubled(std::string_view written) const {
        return (written == "&" || written == "|") && at(1) == written[0];
    }

    Token respelt(const Respelling& known) {
        Token token = take(Token::Kind::symbol, known.written.size());
        tell(token,
             fmt::format("'{}' is no operator", known.written),
             fmt::format("write {}", known.meant));
        token.kind = Token::Kind::symbol;
        token.text = known.meant;
        return token;
    }

    static std::string printable(std::string_view text) {
        const auto c = static_cast<unsigned char>(text[0]);
        if (c < 0x20 || c == 0x7F || decode_utf8(text, 0).value == U'\uFFFD')
            return fmt::format("\\x{:02X}", c);
        return std::string(text);
    }

    void tell(Token& token, std::string message, std::string help = {}) {
        token.kind = Token::Kind::bad;
        if (diagnostics_) diagnostics_->add(token.span, std::move(message), std::move(help));
    }

    const std::string& text_;
    std::size_t position_ = 0;
    SourceSpan place_;
    DiagnosticList* diagnostics_;
};

} // namespace

std::vector<Token> lex(const SourceText& source, DiagnosticList* diagnostics, bool keep_newlines) {
    return Lexer(source, diagnostics).all(keep_newlines);
}

} // namespace gemel::sim
