#include "expr/functions.hpp"

#include <utility>

namespace gemel::sim {
namespace {

using Graph = ExpressionGraph;
using Arguments = std::span<const Expr>;

template <Op op>
Expr unary(Graph& graph, Arguments x) {
    return graph.unary(op, x[0]);
}

template <Op op>
Expr fold(Graph& graph, Arguments x) {
    Expr value = x[0];
    for (Expr next : x.subspan(1))
        value = graph.binary(op, value, next);
    return value;
}

Expr log10(Graph& graph, Arguments x) {
    constexpr double per_ln10 = 0.43429448190325182765;
    return graph.multiply(graph.constant(per_ln10), graph.unary(Op::logarithm, x[0]));
}

Expr log2(Graph& graph, Arguments x) {
    constexpr double per_ln2 = 1.44269504088896340736;
    return graph.multiply(graph.constant(per_ln2), graph.unary(Op::logarithm, x[0]));
}

Expr tangent(Graph& graph, Arguments x) {
    return graph.divide(graph.unary(Op::sine, x[0]), graph.unary(Op::cosine, x[0]));
}

/// 1 / (1 + e^−x): for x → −∞ the exponential overflows to ∞ and the value is 0, as it should.
Expr expit(Graph& graph, Arguments x) {
    const Expr one = graph.constant(1.0);
    return graph.divide(one, graph.add(one, graph.unary(Op::exponential, graph.negate(x[0]))));
}

Expr logit(Graph& graph, Arguments p) {
    const Expr odds = graph.divide(p[0], graph.subtract(graph.constant(1.0), p[0]));
    return graph.unary(Op::logarithm, odds);
}

constexpr int any_number = 100;
constexpr Function table[] = {
    {"abs", 1, 1, UnitRule::keeps, unary<Op::absolute>, "absolute value"},
    {"cos", 1, 1, UnitRule::plain, unary<Op::cosine>, "cosine of an angle in radians"},
    {"erf", 1, 1, UnitRule::plain, unary<Op::error_function>, "error function"},
    {"exp", 1, 1, UnitRule::plain, unary<Op::exponential>, "exponential"},
    {"expit", 1, 1, UnitRule::plain, expit, "1 / (1 + exp(-x)), the inverse of logit"},
    {"expm1", 1, 1, UnitRule::plain, unary<Op::expm1>, "exp(x) - 1, exact for small x"},
    {"log", 1, 1, UnitRule::plain, unary<Op::logarithm>, "natural logarithm"},
    {"log10", 1, 1, UnitRule::plain, log10, "logarithm to base 10"},
    {"log1p", 1, 1, UnitRule::plain, unary<Op::log1p>, "log(1 + x), exact for small x"},
    {"log2", 1, 1, UnitRule::plain, log2, "logarithm to base 2"},
    {"logit", 1, 1, UnitRule::plain, logit, "log(p / (1 - p))"},
    {"max", 2, any_number, UnitRule::keeps, fold<Op::maximum>, "the largest"},
    {"min", 2, any_number, UnitRule::keeps, fold<Op::minimum>, "the smallest"},
    {"sin", 1, 1, UnitRule::plain, unary<Op::sine>, "sine of an angle in radians"},
    {"sqrt", 1, 1, UnitRule::halves, unary<Op::square_root>, "square root"},
    {"tan", 1, 1, UnitRule::plain, tangent, "tangent of an angle in radians"},
    {"tanh", 1, 1, UnitRule::plain, unary<Op::hyperbolic_tangent>, "hyperbolic tangent"},
};

} // namespace

std::span<const Function> functions() {
    return table;
}

const Function* find_function(std::string_view name) {
    for (const Function& function : table)
        if (function.name == name) return &function;
    return nullptr;
}

std::vector<std::string> function_names() {
    std::vector<std::string> names;
    for (const Function& function : table)
        names.emplace_back(function.name);
    names.emplace_back("in");
    return names;
}

std::string_view advice_for_foreign_function(std::string_view name) {
    constexpr std::pair<std::string_view, std::string_view> advice[] = {
        {"ln", "the natural logarithm is written log(x)"},
        {"LOG", "the natural logarithm is written log(x)"},
        {"pow", "a power is written x^y"},
        {"power", "a power is written x^y"},
        {"if", "a choice is written condition ? value : other_value"},
        {"ifelse", "a choice is written condition ? value : other_value"},
        {"piecewise", "a choice is written condition ? value : other_value"},
        {"floor", "functions with jumps are not available; a choice is condition ? a : b"},
        {"ceil", "functions with jumps are not available; a choice is condition ? a : b"},
        {"round", "functions with jumps are not available; a choice is condition ? a : b"},
        {"mod", "functions with jumps are not available; a choice is condition ? a : b"},
        {"sign", "functions with jumps are not available; a choice is x < 0 ? -1 : 1"},
        {"sum", "a sum is written a + b"},
        {"inv_logit", "the inverse of logit is written expit(x)"},
        {"invlogit", "the inverse of logit is written expit(x)"},
    };
    for (const auto& [foreign, help] : advice)
        if (foreign == name) return help;
    return "";
}

} // namespace gemel::sim
