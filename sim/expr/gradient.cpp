#include "expr/gradient.hpp"

#include "expr/traverse.hpp"

#include <algorithm>
#include <span>
#include <unordered_map>

namespace gemel::sim {
namespace {

/// Passes what reaches a node (the derivative of the result by it) on to its operands.
class Backwards {
public:
    explicit Backwards(ExpressionGraph& graph) : graph_(graph) {}

    std::map<int, Expr> from(Expr e);

private:
    void pass(Expr operand, Expr share);
    void pass_on(Expr e, const Node& n, Expr reaching);
    void pass_through_power(Expr e, const Node& n, Expr reaching);
    Expr slope(Expr e, const Node& n);
    Expr at_least_smallest(Expr e) {
        return graph_.binary(Op::maximum, graph_.constant(smallest_base), e);
    }

    ExpressionGraph& graph_;
    std::unordered_map<std::uint32_t, Expr> reaching_;
};

void Backwards::pass(Expr operand, Expr share) {
    if (!graph_.depends_on(operand, LeafKind::state)) return;
    const auto [at, is_new] = reaching_.try_emplace(operand.id, share);
    if (!is_new) at->second = graph_.add(at->second, share);
}

void Backwards::pass_through_power(Expr e, const Node& n, Expr reaching) {
    const Expr base = at_least_smallest(n.a);
    pass(n.a, graph_.multiply(reaching, graph_.divide(graph_.multiply(n.b, e), base)));
    pass(n.b, graph_.multiply(reaching, graph_.multiply(e, graph_.unary(Op::logarithm, base))));
}

/// The derivative of a function of one operand.
Expr Backwards::slope(Expr e, const Node& n) {
    const Expr a = n.a, one = graph_.constant(1.0);
    switch (n.op) {
    case Op::square_root:
        return graph_.divide(graph_.multiply(graph_.constant(0.5), e), at_least_smallest(a));
    case Op::exponential:
        return e;
    case Op::logarithm:
        return graph_.divide(one, a);
    case Op::expm1:
        return graph_.add(e, one);
    case Op::log1p:
        return graph_.divide(one, graph_.add(one, a));
    case Op::sine:
        return graph_.unary(Op::cosine, a);
    case Op::cosine:
        return graph_.negate(graph_.unary(Op::sine, a));
    case Op::hyperbolic_tangent:
        return graph_.subtract(one, graph_.multiply(e, e));
    case Op::error_function: {
        const double two_over_root_pi = 0x1.20dd750429b6dp+0;
        return graph_.multiply(graph_.constant(two_over_root_pi),
                               graph_.unary(Op::exponential, graph_.negate(graph_.multiply(a, a))));
    }
    default:
        return graph_.constant(0.0); // comparisons and logic are flat
    }
}

void Backwards::pass_on(Expr e, const Node& n, Expr reaching) {
    switch (n.op) {
    case Op::add:
        pass(n.a, reaching);
        pass(n.b, reaching);
        return;
    case Op::subtract:
        pass(n.a, reaching);
        pass(n.b, graph_.negate(reaching));
        return;
    case Op::multiply:
        pass(n.a, graph_.multiply(reaching, n.b));
        pass(n.b, graph_.multiply(reaching, n.a));
        return;
    case Op::divide:
        pass(n.a, graph_.divide(reaching, n.b));
        pass(n.b, graph_.negate(graph_.divide(graph_.multiply(reaching, e), n.b)));
        return;
    case Op::negate:
        pass(n.a, graph_.negate(reaching));
        return;
    case Op::power:
        pass_through_power(e, n, reaching);
        return;
    case Op::fused_multiply_add:
    case Op::fused_negative_multiply_add: {
        const Expr product = n.op == Op::fused_multiply_add ? reaching : graph_.negate(reaching);
        pass(n.a, graph_.multiply(product, n.b));
        pass(n.b, graph_.multiply(product, n.a));
        pass(n.c, reaching);
        return;
    }
    default:
        if (n_operands(n.op) == 1) pass(n.a, graph_.multiply(reaching, slope(e, n)));
    }
}

std::map<int, Expr> Backwards::from(Expr e) {
    const Expr parts_of_what[] = {e};
    const std::vector<std::uint32_t> parts = parts_of(graph_, parts_of_what);
    std::map<int, Expr> gradient;
    pass(e, graph_.constant(1.0));
    for (auto id = parts.rbegin(); id != parts.rend(); ++id) { // users before operands
        const auto found = reaching_.find(*id);
        if (found == reaching_.end()) continue;
        const Expr reaching = found->second;
        const Node n = graph_.node(Expr{*id}); // a copy: nodes move while new ones are made
        if (n.op != Op::leaf)
            pass_on(Expr{*id}, n, reaching);
        else if (!graph_.is_constant(reaching, 0.0))
            gradient[n.leaf.index] = reaching;
    }
    return gradient;
}

bool is_choice(Op op) {
    return op == Op::minimum || op == Op::maximum || op == Op::select || op == Op::absolute;
}

/// One derivative after the other, each chosen as a whole.
std::map<int, Expr> forwards(ExpressionGraph& graph, Expr e, std::span<const std::uint32_t> parts) {
    std::vector<int> states;
    for (const std::uint32_t id : parts)
        if (const Node& n = graph.node(Expr{id});
            n.op == Op::leaf && n.leaf.kind == LeafKind::state)
            states.push_back(n.leaf.index);
    std::map<int, Expr> gradient;
    for (const int state : states)
        if (const Expr slope = graph.differentiate(e, {LeafKind::state, state});
            !graph.is_constant(slope, 0.0))
            gradient[state] = slope;
    return gradient;
}

} // namespace

/// Backwards, what is not chosen gets a share of 0; times a slope there that is no number this is
/// none either. Forwards the slopes are chosen, not multiplied.
std::map<int, Expr> state_gradient(ExpressionGraph& graph, Expr e) {
    const Expr parts_of_what[] = {e};
    const std::vector<std::uint32_t> parts = parts_of(graph, parts_of_what);
    const bool chooses = std::any_of(parts.begin(), parts.end(), [&](std::uint32_t id) {
        return is_choice(graph.node(Expr{id}).op);
    });
    return chooses ? forwards(graph, e, parts) : Backwards(graph).from(e);
}

} // namespace gemel::sim
