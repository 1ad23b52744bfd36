#include "expr/taylor_series.hpp"

#include "base/index.hpp"
#include "expr/traverse.hpp"

#include <algorithm>

namespace gemel::sim {

TaylorSeries::TaylorSeries(ExpressionGraph& graph,
                           std::span<const Expr> expressions,
                           std::span<const Expr> varying)
    : graph_(graph),
      varying_(varying.begin(), varying.end()) {
    for (const Expr leaf : varying_)
        series_[leaf.id] = {};
    add_companions({expressions.begin(), expressions.end()});
}

/// The nodes that vary, with those that their series need beside their operands.
void TaylorSeries::add_companions(std::vector<Expr> expressions) {
    for (std::size_t n_before = 0; n_before < expressions.size();) {
        n_before = expressions.size();
        nodes_.clear();
        for (const std::uint32_t id : parts_of(graph_, expressions)) {
            const Node n = graph_.node(Expr{id});
            if (n.op == Op::leaf || !(varies(n.a) || varies(n.b) || varies(n.c))) continue;
            series_[id] = {};
            nodes_.push_back(Expr{id});
        }
        for (const Expr e : std::vector<Expr>(nodes_)) {
            if (companion_.contains(e.id)) continue;
            const Expr other = companion(e);
            companion_[e.id] = other;
            if (other.is_set()) expressions.push_back(other);
        }
    }
}

/// What e' is made of beside a': sin' = cos·a', expm1' = exp·a', tanh' = (1 − tanh²)·a',
/// erf' = 2/√π·exp(−a²)·a'.
Expr TaylorSeries::companion(Expr e) {
    const Node n = graph_.node(e);
    switch (n.op) {
    case Op::sine:
        return graph_.unary(Op::cosine, n.a);
    case Op::cosine:
        return graph_.unary(Op::sine, n.a);
    case Op::expm1:
        return graph_.unary(Op::exponential, n.a);
    case Op::hyperbolic_tangent:
        return graph_.subtract(number(1.0), graph_.multiply(e, e));
    case Op::error_function:
        return graph_.unary(Op::exponential, graph_.negate(graph_.multiply(n.a, n.a)));
    default:
        return {};
    }
}

void TaylorSeries::extend(std::span<const Expr> leaves) {
    for (std::size_t i = 0; i < varying_.size(); ++i)
        series_.at(varying_[i].id).push_back(leaves[i]);
    for (const Expr e : nodes_) {
        const Expr next = n_known_ == 0 ? leading(e) : following(e, n_known_);
        series_.at(e.id).push_back(next);
    }
    ++n_known_;
}

Expr TaylorSeries::at(Expr e, int k) const {
    const auto found = series_.find(e.id);
    if (found != series_.end()) return found->second[index(k)];
    return k == 0 ? e : graph_.constant(0.0);
}

Expr TaylorSeries::leading(Expr e) {
    const Node n = graph_.node(e);
    const auto start = [&](Expr operand) { return operand.is_set() ? at(operand, 0) : operand; };
    return graph_.make(n.op, start(n.a), start(n.b), start(n.c));
}

Expr TaylorSeries::following(Expr e, int k) {
    const Node n = graph_.node(e);
    const auto below = [&](Expr a, Expr b) { return graph_.binary(Op::less, at(a, 0), at(b, 0)); };
    switch (n.op) {
    case Op::add:
        return graph_.add(at(n.a, k), at(n.b, k));
    case Op::subtract:
        return graph_.subtract(at(n.a, k), at(n.b, k));
    case Op::negate:
        return graph_.negate(at(n.a, k));
    case Op::multiply:
        return product(n, k);
    case Op::divide:
        return quotient(e, n, k);
    case Op::power:
        return power(e, n.a, n.b, k);
    case Op::square_root:
        return power(e, n.a, number(0.5), k);
    case Op::exponential:
        return integral(n.a, e, k);
    case Op::logarithm:
        return logarithm(e, n.a, at(n.a, 0), k);
    case Op::log1p:
        return logarithm(e, n.a, graph_.add(number(1.0), at(n.a, 0)), k);
    case Op::sine:
    case Op::hyperbolic_tangent:
    case Op::expm1:
        return integral(n.a, companion_.at(e.id), k);
    case Op::cosine:
        return graph_.negate(integral(n.a, companion_.at(e.id), k));
    case Op::error_function: {
        const double two_over_root_pi = 0x1.20dd750429b6dp+0;
        return graph_.multiply(number(two_over_root_pi), integral(n.a, companion_.at(e.id), k));
    }
    case Op::minimum:
        return graph_.select(below(n.a, n.b), at(n.a, k), at(n.b, k));
    case Op::maximum:
        return graph_.select(below(n.b, n.a), at(n.a, k), at(n.b, k));
    case Op::absolute:
        return graph_.select(graph_.binary(Op::less, at(n.a, 0), number(0.0)),
                             graph_.negate(at(n.a, k)),
                             at(n.a, k));
    case Op::select:
        return graph_.select(at(n.a, 0), at(n.b, k), at(n.c, k));
    default: // comparisons and logic
        return number(0.0);
    }
}

/// Σ_j a_j b_{k−j}, what came last at the end: others need not wait for it.
Expr TaylorSeries::product(const Node& n, int k) {
    if (!varies(n.a)) return graph_.multiply(n.a, at(n.b, k));
    if (!varies(n.b)) return graph_.multiply(n.b, at(n.a, k));
    const auto pair = [&](int j) { return graph_.multiply(at(n.a, j), at(n.b, k - j)); };
    Expr sum = number(0.0);
    if (n.a == n.b) {
        for (int j = (k - 1) / 2; j >= 0; --j)
            sum = graph_.add(sum, pair(j));
        sum = graph_.multiply(number(2.0), sum);
        return k % 2 == 0 ? graph_.add(sum, pair(k / 2)) : sum;
    }
    for (int j = k / 2; j >= 0; --j) {
        sum = graph_.add(sum, pair(j));
        if (j != k - j) sum = graph_.add(sum, pair(k - j));
    }
    return sum;
}

/// q = a/b: q_k = (a_k − Σ_{j≥1} b_j q_{k−j}) / b_0.
Expr TaylorSeries::quotient(Expr e, const Node& n, int k) {
    if (!varies(n.b)) return graph_.multiply(at(n.a, k), reciprocal(n.b));
    Expr sum = number(0.0);
    for (int j = 2; j < k; ++j)
        sum = graph_.add(sum, graph_.multiply(at(n.b, j), at(e, k - j)));
    if (k > 1) sum = graph_.add(sum, graph_.multiply(at(n.b, k), at(e, 0)));
    sum = graph_.add(sum, graph_.multiply(at(n.b, 1), at(e, k - 1)));
    return graph_.multiply(graph_.subtract(at(n.a, k), sum), reciprocal(at(n.b, 0)));
}

/// p = a^g, so that p'·a = g·p·a': p_k = Σ_{j≥1} ((g + 1)·j/k − 1)·a_j p_{k−j} / a_0.
Expr TaylorSeries::power(Expr e, Expr base, Expr exponent, int k) {
    const Expr above = graph_.add(exponent, number(1.0));
    Expr sum = number(0.0);
    for (int j = k; j >= 1; --j) {
        const Expr weight = graph_.subtract(
            graph_.multiply(number(static_cast<double>(j) / k), above), number(1.0));
        sum = graph_.add(sum, graph_.multiply(graph_.multiply(weight, at(base, j)), at(e, k - j)));
    }
    const Expr start = graph_.binary(Op::maximum, number(smallest_base), at(base, 0));
    return graph_.multiply(sum, reciprocal(start));
}

/// Of e' = factor·of': e_k = Σ_{j≥1} j·of_j·factor_{k−j} / k.
Expr TaylorSeries::integral(Expr of, Expr factor, int k) {
    Expr sum = number(0.0);
    for (int j = k; j >= 1; --j)
        sum = graph_.add(sum, graph_.multiply(slope(of, j), at(factor, k - j)));
    return graph_.multiply(number(1.0 / k), sum);
}

/// Of e'·a = a', where a is `of` and begins with `start`: (a_k − Σ_{j<k} j·e_j·a_{k−j} / k) / a_0.
Expr TaylorSeries::logarithm(Expr e, Expr of, Expr start, int k) {
    Expr sum = number(0.0);
    for (int j = 1; j < k; ++j)
        sum = graph_.add(sum, graph_.multiply(slope(e, j), at(of, k - j)));
    const Expr rest = graph_.subtract(at(of, k), graph_.multiply(number(1.0 / k), sum));
    return graph_.multiply(rest, reciprocal(start));
}

Expr TaylorSeries::slope(Expr e, int j) {
    return graph_.multiply(number(static_cast<double>(j)), at(e, j));
}

} // namespace gemel::sim
