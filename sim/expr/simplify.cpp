#include <gemel/sim/expression.hpp>

#include <cmath>
#include <stdexcept>

// Rules look at a node's operands and theirs, never at anything else in the graph. Changes of sign
// are exact; x + 0, x·0 and x − x are simplified as if x were a finite number and 0 had no sign.
namespace gemel::sim {

Expr ExpressionGraph::add(Expr a, Expr b) {
    if (is_constant(a, 0.0)) return b;
    if (is_constant(b, 0.0)) return a;
    if (has_op(b, Op::negate)) return subtract(a, node(b).a);
    if (has_op(a, Op::negate)) return subtract(b, node(a).a);
    if (a == b) return multiply(constant(2.0), a);
    order(a, b);
    return folded(Op::add, a, b);
}

Expr ExpressionGraph::subtract(Expr a, Expr b) {
    if (is_constant(b, 0.0)) return a;
    if (is_constant(a, 0.0)) return negate(b);
    if (a == b) return constant(0.0);
    if (has_op(b, Op::negate)) return add(a, node(b).a);
    if (has_op(a, Op::negate)) return negate(add(node(a).a, b));
    return folded(Op::subtract, a, b);
}

Expr ExpressionGraph::negate(Expr a) {
    const Node n = node(a);
    if (n.op == Op::negate) return n.a;
    if (n.op == Op::subtract) return subtract(n.b, n.a);
    if (n.op == Op::multiply && is_constant(n.a)) return multiply(constant(-node(n.a).value), n.b);
    return folded(Op::negate, a);
}

Expr ExpressionGraph::multiply(Expr a, Expr b) {
    order(a, b); // a constant comes first
    if (is_constant(a, 0.0)) return constant(0.0);
    if (is_constant(a, 1.0)) return b;
    if (is_constant(a, -1.0)) return negate(b);
    if (has_op(a, Op::negate)) return negate(multiply(node(a).a, b));
    if (has_op(b, Op::negate)) {
        const Expr inner = node(b).a; // making a constant may move the nodes
        return is_constant(a) ? multiply(constant(-node(a).value), inner)
                              : negate(multiply(a, inner));
    }
    if (is_constant(a) && has_op(b, Op::multiply) && is_constant(node(b).a)) {
        const Node inner = node(b);
        const double product = node(a).value * node(inner.a).value;
        if (std::isnormal(product)) // scales of units, back and forth
            return multiply(constant(product), inner.b);
    }
    return folded(Op::multiply, a, b);
}

Expr ExpressionGraph::divide(Expr a, Expr b) {
    if (is_constant(b, 1.0)) return a;
    if (is_constant(b, -1.0)) return negate(a);
    if (is_constant(a, 0.0) && !is_constant(b)) return constant(0.0);
    if (has_op(a, Op::negate)) return negate(divide(node(a).a, b));
    if (has_op(b, Op::negate)) return negate(divide(a, node(b).a));
    return folded(Op::divide, a, b);
}

/// By squaring; the product's shape depends on the exponent alone.
Expr ExpressionGraph::integer_power(Expr base, int exponent) {
    Expr result = constant(1.0);
    for (Expr square = base; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0) result = multiply(result, square);
        if (exponent > 1) square = multiply(square, square);
    }
    return result;
}

Expr ExpressionGraph::power(Expr base, Expr exponent) {
    if (is_constant(base) && is_constant(exponent)) return folded(Op::power, base, exponent);
    if (is_constant(base, 1.0)) return base;
    const double n = is_constant(exponent) ? node(exponent).value : std::nan("");
    if (n == std::rint(n) && std::abs(n) <= 64.0) {
        const Expr size = integer_power(base, static_cast<int>(std::abs(n)));
        return n < 0.0 ? divide(constant(1.0), size) : size;
    }
    // 0 first: the rule of `maximum` then lets NaN pass.
    const Expr clamped =
        depends_on(base, LeafKind::state) ? binary(Op::maximum, constant(0.0), base) : base;
    if (std::abs(n) == 0.5) {
        const Expr root = unary(Op::square_root, clamped);
        return n < 0.0 ? divide(constant(1.0), root) : root;
    }
    return folded(Op::power, clamped, exponent);
}

Expr ExpressionGraph::select(Expr condition, Expr if_true, Expr if_false) {
    if (is_constant(condition)) return node(condition).value != 0.0 ? if_true : if_false;
    if (if_true == if_false) return if_true;
    if (has_op(condition, Op::logical_not)) return select(node(condition).a, if_false, if_true);
    return folded(Op::select, condition, if_true, if_false);
}

Expr ExpressionGraph::unary(Op op, Expr a) {
    const Node n = node(a);
    if (op == Op::negate) return negate(a);
    if (op == Op::exponential && n.op == Op::logarithm) return n.a;
    if (op == Op::logarithm && n.op == Op::exponential) return n.a;
    if (op == Op::expm1 && n.op == Op::log1p) return n.a;
    if (op == Op::log1p && n.op == Op::expm1) return n.a;
    if (op == Op::absolute && n.op == Op::absolute) return a;
    if (op == Op::absolute && n.op == Op::negate) return unary(op, n.a);
    if (op == Op::logical_not && n.op == Op::logical_not && is_boolean(n.a)) return n.a;
    return folded(op, a);
}

Expr ExpressionGraph::binary(Op op, Expr a, Expr b) {
    switch (op) {
    case Op::add:
        return add(a, b);
    case Op::subtract:
        return subtract(a, b);
    case Op::multiply:
        return multiply(a, b);
    case Op::divide:
        return divide(a, b);
    case Op::power:
        return power(a, b);
    case Op::minimum:
    case Op::maximum:
        return extreme(op, a, b);
    case Op::less:
        return a == b ? constant(0.0) : folded(op, a, b);
    case Op::equal:
        order(a, b);
        return folded(op, a, b);
    case Op::logical_and:
    case Op::logical_or:
        return logical(op, a, b);
    default:
        return folded(op, a, b);
    }
}

/// min and max keep the order of their operands, which matters to NaN.
Expr ExpressionGraph::extreme(Op op, Expr a, Expr b) {
    if (a == b) return a;
    const Node inner = node(b); // max(c, max(d, x)) is max(max(c, d), x), likewise min
    if (inner.op == op && is_constant(a) && is_constant(inner.a))
        return extreme(op, folded(op, a, inner.a), inner.b);
    return folded(op, a, b);
}

bool ExpressionGraph::is_boolean(Expr e) const {
    switch (node(e).op) {
    case Op::less:
    case Op::less_equal:
    case Op::equal:
    case Op::logical_and:
    case Op::logical_or:
    case Op::logical_not:
        return true;
    case Op::constant:
        return node(e).value == 0.0 || node(e).value == 1.0;
    default:
        return false;
    }
}

Expr ExpressionGraph::logical(Op op, Expr a, Expr b) {
    order(a, b);
    if (is_constant(a) && !is_constant(b)) {
        const bool decides = (node(a).value != 0.0) == (op == Op::logical_or);
        if (decides) return constant(op == Op::logical_or ? 1.0 : 0.0);
        if (is_boolean(b)) return b;
    }
    if (a == b && is_boolean(a)) return a;
    return folded(op, a, b);
}

Expr ExpressionGraph::fused(Op op, Expr a, Expr b, Expr c) {
    order(a, b); // exact, also in the product that is subtracted
    return folded(op, a, b, c);
}

Expr ExpressionGraph::make(Op op, Expr a, Expr b, Expr c) {
    switch (n_operands(op)) {
    case 1:
        return unary(op, a);
    case 2:
        return binary(op, a, b);
    case 3:
        return op == Op::select ? select(a, b, c) : fused(op, a, b, c);
    default:
        throw std::invalid_argument("ExpressionGraph::make: op has no operands");
    }
}

} // namespace gemel::sim
