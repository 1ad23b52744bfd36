#include "expr/log_gamma.hpp"

namespace gemel::sim {

namespace {

/// The first seven terms; what follows is below 2e-16 from w = 9 on.
Expr stirling_series(ExpressionGraph& g, Expr w) {
    const Expr inverse = g.divide(g.constant(1.0), w);
    const Expr square = g.multiply(inverse, inverse);
    Expr sum = g.constant(0.0);
    for (int i = 6; i >= 0; --i)
        sum = g.add(g.multiply(sum, square), g.constant(stirling_terms[i]));
    return g.multiply(sum, inverse);
}

} // namespace

/// log Γ(w) = (w − ½)·log w − w + ½·log 2π + series, w = z + 8; log Γ(z) = log Γ(w) − log Π(z + i).
Expr log_gamma(ExpressionGraph& g, Expr z) {
    constexpr int shift = 8;
    Expr product = z;
    for (int i = 1; i < shift; ++i)
        product = g.multiply(product, g.add(z, g.constant(i)));
    const Expr w = g.add(z, g.constant(shift));
    const Expr leading =
        g.subtract(g.multiply(g.subtract(w, g.constant(0.5)), g.unary(Op::logarithm, w)), w);
    const Expr at_w = g.add(g.add(leading, g.constant(half_log_two_pi)), stirling_series(g, w));
    return g.subtract(at_w, g.unary(Op::logarithm, product));
}

} // namespace gemel::sim
