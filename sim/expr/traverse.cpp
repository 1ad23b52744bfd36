#include "expr/traverse.hpp"

#include <algorithm>
#include <tuple>

namespace gemel::sim {

std::vector<std::uint32_t> parts_of(const ExpressionGraph& graph,
                                    std::span<const Expr> expressions) {
    std::vector<char> is_part(graph.size(), 0);
    std::vector<std::uint32_t> parts;
    const auto visit = [&](Expr e) {
        if (!e.is_set() || is_part[e.id] != 0) return;
        is_part[e.id] = 1;
        parts.push_back(e.id);
    };
    for (const Expr e : expressions)
        visit(e);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Node& node = graph.node(Expr{parts[i]});
        for (const Expr operand : {node.a, node.b, node.c})
            visit(operand);
    }
    // In order of numbers: operands have smaller ones.
    if (parts.size() < graph.size() / 16) {
        std::sort(parts.begin(), parts.end());
        return parts;
    }
    parts.clear();
    for (std::uint32_t id = 0; id < is_part.size(); ++id)
        if (is_part[id] != 0) parts.push_back(id);
    return parts;
}

std::vector<Expr> ExpressionGraph::substitute(std::span<const Expr> expressions,
                                              const std::unordered_map<std::uint32_t, Expr>& with) {
    std::vector<Expr> replaced(size());
    const auto at = [&](Expr e) { return e.is_set() ? replaced[e.id] : Expr{}; };
    for (const std::uint32_t id : parts_of(*this, expressions)) {
        const Node n = nodes_[id];
        const auto found = with.find(id);
        if (found != with.end()) {
            replaced[id] = found->second;
            continue;
        }
        const Expr a = at(n.a), b = at(n.b), c = at(n.c);
        const bool is_unchanged = a == n.a && b == n.b && c == n.c;
        replaced[id] = is_unchanged ? Expr{id} : make(n.op, a, b, c);
    }
    std::vector<Expr> results;
    for (const Expr e : expressions)
        results.push_back(at(e));
    return results;
}

std::vector<Leaf> ExpressionGraph::leaves(std::span<const Expr> expressions) const {
    std::vector<Leaf> found;
    for (const std::uint32_t id : parts_of(*this, expressions))
        if (nodes_[id].op == Op::leaf) found.push_back(nodes_[id].leaf);
    std::sort(found.begin(), found.end(), [](const Leaf& x, const Leaf& y) {
        return std::tie(x.kind, x.index) < std::tie(y.kind, y.index);
    });
    return found;
}

} // namespace gemel::sim
