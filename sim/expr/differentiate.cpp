#include <gemel/sim/expression.hpp>

namespace gemel::sim {
namespace {

std::uint64_t memo_key(Expr leaf, Expr e) {
    return std::uint64_t{leaf.id} << 32 | e.id;
}

} // namespace

Expr ExpressionGraph::differentiate(Expr e, Leaf with_respect_to) {
    const Expr zero = constant(0.0);
    if (!may_depend_on(e, with_respect_to)) return zero;
    const Expr variable = leaf(with_respect_to.kind, with_respect_to.index);
    const auto is_known = [&](Expr x) {
        return !x.is_set() || !may_depend_on(x, with_respect_to) ||
               derivatives_.contains(memo_key(variable, x));
    };
    // A stack of our own: chains of 1e5 nodes are longer than the machine's.
    std::vector<Expr> stack{e};
    while (!stack.empty()) {
        const Expr top = stack.back();
        const std::size_t depth = stack.size();
        if (!is_known(top))
            for (const Expr operand : {node(top).a, node(top).b, node(top).c})
                if (!is_known(operand)) stack.push_back(operand);
        if (stack.size() > depth) continue;
        stack.pop_back();
        if (!is_known(top)) {
            const Expr derivative =
                top == variable ? constant(1.0) : derivative_of(top, with_respect_to);
            derivatives_.emplace(memo_key(variable, top), derivative);
        }
    }
    return derivatives_.at(memo_key(variable, e));
}

/// x^g: g·x^g/x, written so that it is 0 at x = 0 for every g > 0, and never infinite there.
Expr ExpressionGraph::power_derivative(Expr e, Expr da, Expr db) {
    const Node n = node(e);
    const Expr base = binary(Op::maximum, constant(smallest_base), n.a);
    const Expr by_base = multiply(da, divide(multiply(n.b, e), base));
    const Expr by_exponent =
        is_constant(db, 0.0) ? db : multiply(db, multiply(e, unary(Op::logarithm, base)));
    return add(by_base, by_exponent);
}

/// One node's derivative from its operands', which the memo holds.
Expr ExpressionGraph::derivative_of(Expr e, Leaf with_respect_to) {
    const Node n = node(e); // a copy: nodes move while new ones are made
    const Expr zero = constant(0.0), one = constant(1.0);
    const Expr variable = leaf(with_respect_to.kind, with_respect_to.index);
    const auto derivative = [&](Expr x) {
        const auto found =
            x.is_set() ? derivatives_.find(memo_key(variable, x)) : derivatives_.end();
        return found == derivatives_.end() ? zero : found->second;
    };
    const Expr a = n.a, b = n.b, da = derivative(a), db = derivative(b), dc = derivative(n.c);
    switch (n.op) {
    case Op::add:
        return add(da, db);
    case Op::subtract:
        return subtract(da, db);
    case Op::multiply:
        return add(multiply(da, b), multiply(a, db));
    case Op::divide:
        return divide(subtract(da, multiply(e, db)), b);
    case Op::negate:
        return negate(da);
    case Op::power:
        return power_derivative(e, da, db);
    case Op::minimum:
        return select(binary(Op::less, a, b), da, db);
    case Op::maximum:
        return select(binary(Op::less, b, a), da, db);
    case Op::absolute:
        return select(binary(Op::less, a, zero), negate(da), da);
    case Op::square_root: {
        const Expr base = binary(Op::maximum, constant(smallest_base), a);
        return multiply(da, divide(multiply(constant(0.5), e), base));
    }
    case Op::exponential:
        return multiply(e, da);
    case Op::logarithm:
        return divide(da, a);
    case Op::expm1:
        return multiply(add(e, one), da);
    case Op::log1p:
        return divide(da, add(one, a));
    case Op::sine:
        return multiply(unary(Op::cosine, a), da);
    case Op::cosine:
        return negate(multiply(unary(Op::sine, a), da));
    case Op::hyperbolic_tangent:
        return multiply(subtract(one, multiply(e, e)), da);
    case Op::error_function: {
        const double two_over_root_pi = 0x1.20dd750429b6dp+0;
        const Expr density = unary(Op::exponential, negate(multiply(a, a)));
        return multiply(multiply(constant(two_over_root_pi), density), da);
    }
    case Op::select:
        return select(a, db, dc);
    case Op::fused_multiply_add:
        return add(add(multiply(da, b), multiply(a, db)), dc);
    case Op::fused_negative_multiply_add:
        return subtract(dc, add(multiply(da, b), multiply(a, db)));
    case Op::constant:
    case Op::leaf:
    case Op::less:
    case Op::less_equal:
    case Op::equal:
    case Op::logical_and:
    case Op::logical_or:
    case Op::logical_not:
    case Op::rough_inverse_tenth_root: // of step control: nobody asks
        break;
    }
    return zero;
}

} // namespace gemel::sim
