#include <gemel/sim/expression.hpp>

#include <fmt/format.h>

namespace gemel::sim {
namespace {

/// What lies deeper, or beyond so many nodes, is written as "…": a graph may be exponentially
/// larger as text.
constexpr int deepest_text = 100;
constexpr int most_nodes_of_text = 1000;

std::string infix_symbol(Op op) {
    switch (op) {
    case Op::add:
        return " + ";
    case Op::subtract:
        return " - ";
    case Op::multiply:
        return "*";
    case Op::divide:
        return "/";
    case Op::power:
        return "^";
    case Op::less:
        return " < ";
    case Op::less_equal:
        return " <= ";
    case Op::equal:
        return " == ";
    case Op::logical_and:
        return " and ";
    case Op::logical_or:
        return " or ";
    default:
        return "";
    }
}

std::string function_name(Op op) {
    switch (op) {
    case Op::minimum:
        return "min";
    case Op::maximum:
        return "max";
    case Op::absolute:
        return "abs";
    case Op::square_root:
        return "sqrt";
    case Op::exponential:
        return "exp";
    case Op::logarithm:
        return "log";
    case Op::sine:
        return "sin";
    case Op::cosine:
        return "cos";
    case Op::hyperbolic_tangent:
        return "tanh";
    case Op::error_function:
        return "erf";
    case Op::logical_not:
        return "not";
    case Op::fused_multiply_add:
        return "fma";
    case Op::fused_negative_multiply_add:
        return "fnma";
    default:
        return std::string(name(op));
    }
}

std::string write(const ExpressionGraph& graph, Expr e, int depth, int& budget) {
    if (depth > deepest_text || budget-- <= 0) return "…";
    const Node& n = graph.node(e);
    const auto part = [&](Expr x) { return write(graph, x, depth + 1, budget); };
    if (n.op == Op::constant) return fmt::format("{}", n.value);
    if (n.op == Op::leaf)
        return n.leaf.kind == LeafKind::time ? "t"
                                             : fmt::format("{}{}", name(n.leaf.kind), n.leaf.index);
    if (n.op == Op::negate) return "-" + part(n.a);
    const std::string symbol = infix_symbol(n.op);
    if (!symbol.empty()) return "(" + part(n.a) + symbol + part(n.b) + ")";
    std::string arguments = part(n.a);
    for (const Expr more : {n.b, n.c})
        if (more.is_set()) arguments += ", " + part(more);
    return function_name(n.op) + "(" + arguments + ")";
}

} // namespace

std::string ExpressionGraph::text(Expr e) const {
    int budget = most_nodes_of_text;
    std::string whole = write(*this, e, 0, budget);
    const bool is_bracketed = n_operands(node(e).op) == 2 && !infix_symbol(node(e).op).empty();
    return is_bracketed ? whole.substr(1, whole.size() - 2) : whole;
}

std::string_view name(LeafKind kind) {
    switch (kind) {
    case LeafKind::time:
        return "time";
    case LeafKind::state:
        return "state";
    case LeafKind::input:
        return "input";
    case LeafKind::infusion:
        return "infusion";
    case LeafKind::derived:
        return "derived";
    case LeafKind::scale:
        return "scale";
    case LeafKind::step:
        return "step";
    case LeafKind::rate:
        return "rate";
    case LeafKind::tolerance:
        return "tolerance";
    case LeafKind::control:
        return "control";
    case LeafKind::result:
        break;
    }
    return "result";
}

} // namespace gemel::sim
