#include "expr/lexer.hpp"

#include <gemel/sim/equations.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace gemel::sim {
namespace {

using Kind = Token::Kind;

constexpr std::string_view dose_kinds[] = {"F", "lag", "rate", "duration", "transits", "mtt"};
constexpr std::string_view forms =
    "an equation is name = …, d/dt(name) = …, name(0) = …, or F, lag, rate, duration, transits or "
    "mtt(name) = …";

/// What stands left of '=': kind, target and how many tokens they and the '=' take; 0 if it is
/// none.
struct Header {
    std::string_view kind;
    const Token* target = nullptr;
    std::size_t n_tokens = 0;
};

class BlockReader {
public:
    BlockReader(const SourceText& block, DiagnosticList& diagnostics)
        : block_(block),
          diagnostics_(diagnostics),
          tokens_(lex(block, nullptr, true)) {}

    std::vector<Equation> read() {
        while (tokens_[position_].kind != Kind::end) {
            if (tokens_[position_].kind == Kind::newline || tokens_[position_].is(";"))
                ++position_;
            else
                read_equation();
        }
        return std::move(equations_);
    }

private:
    const Token& at(std::size_t i) const { return tokens_[std::min(i, tokens_.size() - 1)]; }

    /// `name ( name ) =` with one name of the kind.
    bool is_call(std::size_t i, std::string_view kind) const {
        return at(i).kind == Kind::name && at(i).text == kind && at(i + 1).is("(") &&
               at(i + 2).kind == Kind::name && at(i + 3).is(")") && at(i + 4).is("=");
    }

    Header header(std::size_t i) const {
        if (at(i).kind != Kind::name) return {};
        if (at(i + 1).is("=")) return {"", &at(i), 2};
        if (at(i).text == "d" && at(i + 1).is("/") && is_call(i + 2, "dt"))
            return {"d/dt", &at(i + 4), 7};
        for (std::string_view kind : dose_kinds)
            if (is_call(i, kind)) return {kind, &at(i + 2), 5};
        const bool is_initial = at(i + 1).is("(") && at(i + 2).kind == Kind::number &&
                                at(i + 2).value == 0.0 && at(i + 3).is(")") && at(i + 4).is("=");
        return is_initial ? Header{"initial", &at(i), 5} : Header{};
    }

    void read_equation() {
        const std::size_t first = position_;
        const Header head = header(first);
        const std::size_t last = end_of_equation(first + head.n_tokens);
        position_ = last;
        if (head.n_tokens == 0) return tell_no_equation(first, last);
        if (is_reserved_name(head.target->text)) {
            diagnostics_.add(head.target->span,
                             fmt::format("'{}' is a word of the language and cannot be defined",
                                         head.target->text));
            return;
        }
        add(head, expression(first + head.n_tokens, last));
    }

    /// The first token after the equation: a ';', a newline that ends it, or the end.
    std::size_t end_of_equation(std::size_t i) const {
        int depth = 0;
        for (; at(i).kind != Kind::end; ++i) {
            if (at(i).is("("))
                ++depth;
            else if (at(i).is(")"))
                depth = std::max(depth - 1, 0);
            else if (at(i).is(";"))
                return i;
            else if (at(i).kind == Kind::newline && line_ends_equation(i, depth))
                return i;
        }
        return i;
    }

    /// A parenthesis that was never closed must not swallow the equations after it.
    bool line_ends_equation(std::size_t newline, int depth) const {
        if (starts_equation(newline + 1)) return true;
        return depth == 0 && !(newline > 0 && continues(at(newline - 1)));
    }

    bool starts_equation(std::size_t i) const {
        while (at(i).kind == Kind::newline)
            ++i;
        return header(i).n_tokens > 0;
    }

    static bool continues(const Token& token) {
        return token.kind == Kind::newline ||
               (token.kind == Kind::symbol && !token.is(")") && !token.is(";"));
    }

    SourceText expression(std::size_t first, std::size_t last) const {
        while (first < last && at(first).kind == Kind::newline)
            ++first;
        while (last > first && at(last - 1).kind == Kind::newline)
            --last;
        SourceText text{"", at(first).span};
        if (first == last) { // nothing there: the place is the '='
            text.start = at(first - 1).span;
            return text;
        }
        const std::size_t begin = at(first).offset;
        const Token& end = at(last - 1);
        text.text = block_.text.substr(begin, end.offset + end.n_bytes - begin);
        const bool is_one_line = end.span.line == text.start.line;
        if (is_one_line) text.start.length = end.span.column + end.span.length - text.start.column;
        return text;
    }

    void add(const Header& head, SourceText text) {
        const std::string target(head.target->text);
        for (const Equation& known : equations_)
            if (known.kind == head.kind && known.target == target) {
                diagnostics_.add(head.target->span,
                                 fmt::format("{} is defined twice; first in line {}",
                                             written(known),
                                             known.target_span.line),
                                 "every name is defined once");
                return;
            }
        equations_.push_back({std::string(head.kind), target, head.target->span, std::move(text)});
    }

    static std::string written(const Equation& equation) {
        if (equation.kind.empty()) return equation.target;
        if (equation.kind == "initial") return equation.target + "(0)";
        return equation.kind + "(" + equation.target + ")";
    }

    void tell_no_equation(std::size_t first, std::size_t last) {
        std::size_t equals = first;
        while (equals < last && !at(equals).is("="))
            ++equals;
        SourceSpan span = at(first).span;
        const Token& end = at(std::max(equals, first + 1) - 1);
        if (end.span.line == span.line)
            span.length = std::max(end.span.column + end.span.length - span.column, 1);
        if (equals == last)
            diagnostics_.add(span, "this is no equation: it has no '='", advice_for_line(first));
        else
            diagnostics_.add(span, "this cannot stand left of '='", advice_for_header(first));
    }

    std::string advice_for_line(std::size_t first) const {
        if (first > 0 && at(first).kind == Kind::symbol)
            return "a line goes on in the next if it ends in an operator or inside parentheses";
        return std::string(forms);
    }

    std::string advice_for_header(std::size_t first) const {
        const std::string_view word = at(first).text;
        if (at(first).kind == Kind::name && word.starts_with("d") && at(first + 1).is("/"))
            return fmt::format("a derivative is written d/dt({})",
                               word.size() > 1 ? word.substr(1) : "name");
        const std::vector<std::string> kinds(std::begin(dose_kinds), std::end(dose_kinds));
        if (at(first + 1).is("("))
            if (const std::string nearest = nearest_name(word, kinds); !nearest.empty())
                return fmt::format("did you mean {}(…)?", nearest);
        return std::string(forms);
    }

    const SourceText& block_;
    DiagnosticList& diagnostics_;
    std::vector<Token> tokens_;
    std::size_t position_ = 0;
    std::vector<Equation> equations_;
};

} // namespace

std::vector<Equation> split_equations(const SourceText& block, DiagnosticList& diagnostics) {
    return BlockReader(block, diagnostics).read();
}

} // namespace gemel::sim
