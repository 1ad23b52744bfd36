#include "expr/lexer.hpp"
#include "expr/typed_math.hpp"

#include <gemel/sim/equations.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace gemel::sim {
namespace {

using Kind = Token::Kind;

constexpr int deepest_expression = 200;

/// From the first to the last; of several lines only what stands on the first.
SourceSpan joined(const SourceSpan& first, const SourceSpan& last) {
    SourceSpan span = first;
    if (first.line == last.line)
        span.length = std::max(last.column + last.length - first.column, 1);
    return span;
}

/// Recursive descent. A mistake of grammar makes the parser skip (`is_lost_`) to the end of the
/// innermost parentheses, whose value is then a mistake; mistakes of names and units do not stop
/// it.
class ExpressionParser {
public:
    ExpressionParser(const SourceText& source, const ExpressionContext& context)
        : context_(context),
          math_(context),
          n_told_before_(context.diagnostics->size()),
          tokens_(lex(source, context.diagnostics)) {}

    TypedExpr parse() {
        const Operand value = conditional();
        if (!is_lost_ && peek().kind != Kind::end) tell_unexpected();
        return context_.diagnostics->size() > n_told_before_ ? math_.mistake() : value.typed;
    }

private:
    // ---- tokens

    const Token& peek(std::size_t ahead = 0) const {
        return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
    }
    Token take() {
        Token token = peek();
        if (position_ + 1 < tokens_.size()) ++position_;
        return token;
    }
    bool at_any(std::initializer_list<std::string_view> symbols) const {
        return !is_lost_ && std::any_of(symbols.begin(), symbols.end(), [&](std::string_view s) {
            return peek().is(s);
        });
    }
    // ---- mistakes of grammar

    Operand lost(const SourceSpan& span, std::string message, std::string help = {}) {
        if (!is_lost_) context_.diagnostics->add(span, std::move(message), std::move(help));
        is_lost_ = true;
        return {math_.mistake(), span};
    }

    /// Passes everything up to the ')' of the parentheses that are open, and is found again.
    void skip_to_closing() {
        int depth = 0;
        while (peek().kind != Kind::end) {
            const Token token = take();
            depth += token.is("(") ? 1 : token.is(")") ? -1 : 0;
            if (depth < 0) {
                is_lost_ = false;
                return;
            }
        }
    }

    /// @returns whether the ')' stands where it should
    bool expect_closing(const SourceSpan& opening) {
        if (!is_lost_ && peek().is(")")) {
            take();
            return true;
        }
        if (!is_lost_ && peek().kind == Kind::end) {
            lost(opening, "this '(' is never closed");
            return false;
        }
        if (!is_lost_) tell_unexpected();
        skip_to_closing();
        return false;
    }

    void tell_unexpected() {
        const Token& token = peek();
        switch (token.kind) {
        case Kind::bad:
            is_lost_ = true;
            return; // told by the lexer
        case Kind::unit:
            lost(token.span,
                 "a unit stands here without a number",
                 "a unit follows its number, as in 70[kg]; the unit of a name is "
                 "declared with it");
            return;
        case Kind::text:
            lost(token.span,
                 "a text has no meaning here",
                 "texts are the second argument of in(x, \"mg/dL\") only");
            return;
        case Kind::number:
        case Kind::name:
            tell_missing_operator();
            return;
        default:
            break;
        }
        if (token.is("="))
            lost(token.span, "'=' defines; it does not compare", "to compare write ==");
        else if (token.is(")"))
            lost(token.span, "there is no '(' for this ')'");
        else if (token.is("("))
            tell_missing_operator();
        else
            lost(token.span, fmt::format("'{}' is not expected here", token.text));
    }

    void tell_missing_operator() {
        const Token& token = peek();
        const Token& before = tokens_[position_ - 1];
        if (before.kind == Kind::number && parse_unit(token.text))
            lost(token.span,
                 fmt::format("'{}' follows a number without an operator", token.text),
                 fmt::format("a unit stands in brackets: {}[{}]", before.text, token.text));
        else
            lost(token.span,
                 fmt::format("an operator is missing before '{}'", token.text),
                 "a product is written with *");
    }

    Operand tell_no_operand() {
        const Token& token = peek();
        if (token.kind == Kind::bad) {
            is_lost_ = true; // told by the lexer
            return {math_.mistake(), token.span};
        }
        if (token.kind == Kind::unit || token.kind == Kind::text) {
            tell_unexpected();
            return {math_.mistake(), token.span};
        }
        if (token.kind != Kind::end)
            return lost(
                token.span,
                fmt::format("'{}' stands where a number or a name is expected", token.text));
        if (position_ == 0) return lost(token.span, "an expression is expected here");
        const Token& before = tokens_[position_ - 1];
        return lost(before.span, fmt::format("the expression ends after '{}'", before.text));
    }

    // ---- grammar, from loosely to tightly binding

    /// Every recursion passes here or through one of the callers of too_deep().
    bool too_deep(int depth) {
        if (depth < deepest_expression) return false;
        lost(peek().span,
             fmt::format("this is nested more than {} levels deep", deepest_expression),
             "give parts of it names of their own");
        position_ = tokens_.size() - 1;
        return true;
    }
    template <class Parse>
    Operand nested(Parse parse) {
        if (too_deep(depth_)) return {math_.mistake(), peek().span};
        ++depth_;
        Operand value = parse();
        --depth_;
        return value;
    }

    Operand conditional() {
        const Operand condition = disjunction();
        if (!at_any({"?"})) return condition;
        take();
        const Operand yes = nested([&] { return conditional(); });
        if (!is_lost_ && !peek().is(":"))
            return lost(peek().kind == Kind::end ? yes.span : peek().span,
                        "the ':' of this choice is missing",
                        "a choice is written condition ? value : other_value");
        if (is_lost_) return {math_.mistake(), condition.span};
        take();
        const Operand no = nested([&] { return conditional(); });
        return {math_.choose(condition, yes, no), joined(condition.span, no.span)};
    }

    Operand disjunction() {
        Operand left = conjunction();
        while (at_any({"||"})) {
            take();
            const Operand right = conjunction();
            left = {math_.logic(Op::logical_or, left, right), joined(left.span, right.span)};
        }
        return left;
    }

    Operand conjunction() {
        Operand left = negation();
        while (at_any({"&&"})) {
            take();
            const Operand right = negation();
            left = {math_.logic(Op::logical_and, left, right), joined(left.span, right.span)};
        }
        return left;
    }

    Operand negation() {
        if (!at_any({"!"})) return comparison();
        const SourceSpan start = take().span;
        const Operand value = nested([&] { return negation(); });
        return {math_.logical_not(value), joined(start, value.span)};
    }

    Operand comparison() {
        const auto at_comparison = [&] { return at_any({"<", "<=", ">", ">=", "==", "!="}); };
        const Operand left = sum();
        if (!at_comparison()) return left;
        const Token symbol = take();
        const Operand right = sum();
        if (at_comparison())
            return lost(peek().span,
                        "comparisons do not follow each other",
                        "write both out, as in a < b and b < c");
        return {math_.compare(symbol.text, left, right), joined(left.span, right.span)};
    }

    Operand sum() {
        Operand left = product();
        while (at_any({"+", "-"})) {
            const Op op = take().is("+") ? Op::add : Op::subtract;
            const Operand right = product();
            left = {math_.sum(op, left, right), joined(left.span, right.span)};
        }
        return left;
    }

    Operand product() {
        Operand left = signed_power();
        while (at_any({"*", "/"})) {
            const bool is_product = take().is("*");
            const Operand right = signed_power();
            left = {is_product ? math_.multiply(left, right) : math_.divide(left, right),
                    joined(left.span, right.span)};
        }
        return left;
    }

    Operand signed_power() {
        if (!at_any({"+", "-"})) return power();
        const Token sign = take();
        const Operand value = nested([&] { return signed_power(); });
        return {sign.is("-") ? math_.negate(value) : value.typed, joined(sign.span, value.span)};
    }

    Operand power() {
        const Operand base = primary();
        if (!at_any({"^"})) return base;
        take();
        const Operand exponent = nested([&] { return signed_power(); });
        return {math_.power(base, exponent), joined(base.span, exponent.span)};
    }

    Operand primary() {
        if (is_lost_) return {math_.mistake(), peek().span};
        if (peek().kind == Kind::number) return number();
        if (peek().kind == Kind::name) return peek(1).is("(") ? call() : name();
        if (peek().is("(")) return group();
        return tell_no_operand();
    }

    Operand group() {
        const SourceSpan opening = take().span;
        const Operand value = nested([&] { return conditional(); });
        const SourceSpan closing = peek().span;
        if (!expect_closing(opening)) return {math_.mistake(), opening};
        return {value.typed, joined(opening, closing)};
    }

    Operand number() {
        const Token token = take();
        if (peek().kind != Kind::unit) return {math_.constant(token.value, Unit{}), token.span};
        const Token unit_token = take();
        const SourceSpan span = joined(token.span, unit_token.span);
        const auto unit = read_unit(unit_token);
        return {unit ? math_.constant(token.value, *unit) : math_.mistake(), span};
    }

    std::optional<Unit> read_unit(const Token& token) {
        std::string why;
        const auto unit = parse_unit(token.text, &why);
        if (!unit)
            context_.diagnostics->add(token.span,
                                      fmt::format("\"{}\" is no unit: {}", token.text, why));
        return unit;
    }

    // ---- names and functions

    Operand name() {
        const Token token = take();
        const std::string text(token.text);
        if (text == "t") return {time(token.span), token.span};
        if (context_.resolve)
            if (const auto found = context_.resolve(text)) return {*found, token.span};
        if (find_function(text) || text == "in")
            return {math_.mistake(token.span,
                                  fmt::format("'{}' is a function", text),
                                  fmt::format("its argument stands in parentheses: {}(x)", text)),
                    token.span};
        const bool means_time = text == "time" || text == "T" || text == "TIME";
        return {math_.mistake(token.span,
                              fmt::format("'{}' is not known", text),
                              means_time && context_.allows_time
                                  ? "the time is written t"
                                  : suggest(text, context_.known_names)),
                token.span};
    }

    TypedExpr time(const SourceSpan& span) {
        if (!context_.allows_time)
            return math_.mistake(
                span, "t (the time) has no meaning here", "this is fixed for a subject over time");
        return {context_.graph->leaf(LeafKind::time), context_.time_unit};
    }

    Operand call() {
        const Token token = take();
        const SourceSpan opening = take().span;
        if (token.text == "in") return call_in(token, opening);
        const std::vector<Operand> values = arguments();
        const SourceSpan span = joined(token.span, peek().span);
        if (!expect_closing(opening)) return {math_.mistake(), token.span};
        const Function* function = find_function(token.text);
        if (!function) return {unknown_function(token), span};
        if (!has_right_number(*function, values.size()))
            return {wrong_number(*function, values.size(), token.span), span};
        return {math_.call(*function, values), span};
    }

    std::vector<Operand> arguments() {
        std::vector<Operand> values;
        if (peek().is(")")) return values;
        do
            values.push_back(nested([&] { return conditional(); }));
        while (at_any({","}) && (take(), true));
        return values;
    }

    static bool has_right_number(const Function& function, std::size_t n) {
        const int count = static_cast<int>(n);
        return count >= function.n_arguments_min && count <= function.n_arguments_max;
    }

    TypedExpr wrong_number(const Function& function, std::size_t n, const SourceSpan& span) {
        return math_.mistake(
            span,
            fmt::format("{} takes {}{} argument{}, not {}",
                        function.name,
                        function.n_arguments_max > function.n_arguments_min ? "at least " : "",
                        function.n_arguments_min,
                        function.n_arguments_min == 1 ? "" : "s",
                        n));
    }

    TypedExpr unknown_function(const Token& token) {
        const std::string text(token.text);
        if (const auto advice = advice_for_foreign_function(text); !advice.empty())
            return math_.mistake(
                token.span, fmt::format("'{}' is no function here", text), std::string(advice));
        const auto& known = context_.known_names;
        if (std::find(known.begin(), known.end(), text) != known.end())
            return math_.mistake(token.span,
                                 fmt::format("'{}' is a quantity, not a function", text),
                                 fmt::format("a product is written {} * (…)", text));
        return math_.mistake(
            token.span, fmt::format("'{}' is no function", text), suggest(text, function_names()));
    }

    /// in(x, "mg/dL")
    Operand call_in(const Token& token, const SourceSpan& opening) {
        const Operand value = nested([&] { return conditional(); });
        std::optional<Token> text;
        if (!is_lost_ && peek().is(",") && peek(1).kind == Kind::text) {
            take();
            text = take();
        } else {
            lost(token.span,
                 "in takes a quantity and a unit in quotes",
                 "as in in(x, \"mg/dL\"), which is the bare number of x in mg/dL");
        }
        const SourceSpan span = joined(token.span, peek().span);
        if (!expect_closing(opening)) return {math_.mistake(), token.span};
        const auto unit = read_unit(*text);
        return {unit ? math_.in_unit(value, *unit) : math_.mistake(), span};
    }

    const ExpressionContext& context_;
    TypedMath math_;
    std::size_t n_told_before_;
    std::vector<Token> tokens_;
    std::size_t position_ = 0;
    int depth_ = 0;
    bool is_lost_ = false;
};

} // namespace

TypedExpr parse_expression(const SourceText& text, const ExpressionContext& context) {
    GEMEL_ASSERT(context.graph && context.diagnostics, "a context has a graph and diagnostics");
    return ExpressionParser(text, context).parse();
}

std::vector<std::string> names_in(const SourceText& expression) {
    const std::vector<Token> tokens = lex(expression, nullptr);
    std::vector<std::string> names;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        const bool is_variable =
            tokens[i].kind == Kind::name && !tokens[i + 1].is("(") && tokens[i].text != "t";
        if (is_variable && std::find(names.begin(), names.end(), tokens[i].text) == names.end())
            names.emplace_back(tokens[i].text);
    }
    return names;
}

bool is_reserved_name(std::string_view name) {
    return name == "t" || name == "in" || name == "and" || name == "or" || name == "not" ||
           find_function(name);
}

} // namespace gemel::sim
