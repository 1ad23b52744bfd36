#include "expr/gradient.hpp"

#include "expr/traverse.hpp"

#include <unordered_map>

namespace gemel::sim {
namespace {

/// The derivative of the result by a node, as far as the nodes seen so far go.
struct Share {
    Expr condition; ///< under which the node has a part in the result; unset: always
    Expr value;     ///< means nothing otherwise
};

/// Passes what reaches a node on to its operands. A share of 0 for what is not chosen would not do:
/// times a slope there that is no number it is none either. So shares are chosen after all
/// products.
class Backwards {
public:
    explicit Backwards(ExpressionGraph& graph) : graph_(graph) {}

    std::map<int, Expr> from(Expr e);

private:
    void pass(Expr operand, Expr value) { pass(operand, {condition_, value}); }
    void pass(Expr operand, const Share& share);
    void pass_to_chosen(Expr condition, Expr if_true, Expr if_false, Expr reaching);
    void pass_on(Expr e, const Node& n, Expr reaching);
    void pass_through_power(Expr e, const Node& n, Expr reaching);
    Expr slope(Expr e, const Node& n);
    Expr chosen(const Share& share) {
        return share.condition.is_set()
                   ? graph_.select(share.condition, share.value, graph_.constant(0.0))
                   : share.value;
    }
    Expr both(Expr a, Expr b) { return a.is_set() ? graph_.binary(Op::logical_and, a, b) : b; }
    Expr at_least_smallest(Expr e) {
        return graph_.binary(Op::maximum, graph_.constant(smallest_base), e);
    }

    ExpressionGraph& graph_;
    Expr condition_; ///< of the node in hand
    std::unordered_map<std::uint32_t, Share> reaching_;
};

void Backwards::pass(Expr operand, const Share& share) {
    if (!graph_.depends_on(operand, LeafKind::state)) return;
    const auto [at, is_new] = reaching_.try_emplace(operand.id, share);
    if (is_new) return;
    Share& sum = at->second;
    if (sum.condition == share.condition) {
        sum.value = graph_.add(sum.value, share.value);
        return;
    }
    sum.value = graph_.add(chosen(sum), chosen(share));
    sum.condition = sum.condition.is_set() && share.condition.is_set()
                        ? graph_.binary(Op::logical_or, sum.condition, share.condition)
                        : Expr{};
}

void Backwards::pass_to_chosen(Expr condition, Expr if_true, Expr if_false, Expr reaching) {
    pass(if_true, {both(condition_, condition), reaching});
    pass(if_false, {both(condition_, graph_.unary(Op::logical_not, condition)), reaching});
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
    case Op::minimum:
        pass_to_chosen(graph_.binary(Op::less, n.a, n.b), n.a, n.b, reaching);
        return;
    case Op::maximum:
        pass_to_chosen(graph_.binary(Op::less, n.b, n.a), n.a, n.b, reaching);
        return;
    case Op::select:
        pass_to_chosen(n.a, n.b, n.c, reaching);
        return;
    case Op::absolute:
        pass(n.a,
             graph_.select(graph_.binary(Op::less, n.a, graph_.constant(0.0)),
                           graph_.negate(reaching),
                           reaching));
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
    pass(e, {Expr{}, graph_.constant(1.0)});
    for (auto id = parts.rbegin(); id != parts.rend(); ++id) { // users before operands
        const auto found = reaching_.find(*id);
        if (found == reaching_.end()) continue;
        const Share reaching = found->second;
        const Node n = graph_.node(Expr{*id}); // a copy: nodes move while new ones are made
        condition_ = reaching.condition;
        if (n.op != Op::leaf)
            pass_on(Expr{*id}, n, reaching.value);
        else if (const Expr total = chosen(reaching); !graph_.is_constant(total, 0.0))
            gradient[n.leaf.index] = total;
    }
    return gradient;
}

} // namespace

std::map<int, Expr> state_gradient(ExpressionGraph& graph, Expr e) {
    return Backwards(graph).from(e);
}

} // namespace gemel::sim
