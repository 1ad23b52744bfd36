#include "expr/affine.hpp"

namespace gemel::sim {
namespace {

bool is_fixed(const ExpressionGraph& graph, Expr e) {
    return !e.is_set() ||
           (!graph.depends_on(e, LeafKind::state) && !graph.depends_on(e, LeafKind::time));
}

/// Whether a node is affine, given which of its operands are.
bool is_affine_node(const ExpressionGraph& graph,
                    const Node& n,
                    const std::vector<char>& is_affine) {
    const auto affine = [&](Expr e) { return is_affine[e.id] != 0; };
    switch (n.op) {
    case Op::leaf:
        return n.leaf.kind != LeafKind::time;
    case Op::add:
    case Op::subtract:
        return affine(n.a) && affine(n.b);
    case Op::negate:
        return affine(n.a);
    case Op::multiply:
        return (affine(n.a) && is_fixed(graph, n.b)) || (affine(n.b) && is_fixed(graph, n.a));
    case Op::divide:
        return affine(n.a) && is_fixed(graph, n.b);
    case Op::select:
        return is_fixed(graph, n.a) && affine(n.b) && affine(n.c);
    default:
        return is_fixed(graph, n.a) && is_fixed(graph, n.b) && is_fixed(graph, n.c);
    }
}

} // namespace

std::vector<char> affine_nodes(const ExpressionGraph& graph) {
    std::vector<char> is_affine(graph.size(), 0);
    for (std::uint32_t i = 0; i < is_affine.size(); ++i)
        is_affine[i] = is_affine_node(graph, graph.node(Expr{i}), is_affine) ? 1 : 0;
    return is_affine;
}

} // namespace gemel::sim
