#pragma once

#include <gemel/sim/expression.hpp>

#include <random>
#include <vector>

/// Random expressions for tests, smooth or of every operation.
namespace gemel::sim::testing {

class RandomExpressions {
public:
    RandomExpressions(ExpressionGraph& graph, unsigned seed) : graph_(&graph), generator_(seed) {}

    std::vector<Expr> leaves; ///< what expressions are made of, besides numbers

    /// Operations whose derivative exists everywhere near positive arguments of moderate size.
    Expr smooth(int depth) {
        if (depth == 0 || below(6) == 0) return atom();
        const Expr a = smooth(depth - 1);
        switch (below(12)) {
        case 0:
            return graph_->unary(Op::sine, a);
        case 1:
            return graph_->unary(Op::cosine, a);
        case 2:
            return graph_->unary(Op::hyperbolic_tangent, a);
        case 3:
            return graph_->unary(Op::error_function, a);
        case 4:
            return graph_->unary(Op::exponential, graph_->unary(Op::sine, a));
        case 5:
            return graph_->unary(Op::log1p, graph_->multiply(a, a));
        case 6:
            return graph_->power(positive(a), graph_->unary(Op::sine, smooth(depth - 1)));
        case 7:
            return graph_->divide(smooth(depth - 1), positive(a));
        case 8:
            return graph_->unary(Op::square_root, positive(a));
        case 9:
            return graph_->unary(Op::expm1, graph_->unary(Op::cosine, a));
        case 10:
            return graph_->multiply(a, smooth(depth - 1));
        default:
            return below(2) == 0 ? graph_->add(a, smooth(depth - 1))
                                 : graph_->subtract(a, smooth(depth - 1));
        }
    }

    /// Any operation on anything.
    Expr any(int depth) {
        if (depth == 0 || below(8) == 0) return atom();
        constexpr Op unary[] = {Op::negate,
                                Op::absolute,
                                Op::square_root,
                                Op::exponential,
                                Op::logarithm,
                                Op::expm1,
                                Op::log1p,
                                Op::sine,
                                Op::cosine,
                                Op::hyperbolic_tangent,
                                Op::error_function,
                                Op::logical_not};
        constexpr Op binary[] = {Op::add,
                                 Op::subtract,
                                 Op::multiply,
                                 Op::divide,
                                 Op::power,
                                 Op::minimum,
                                 Op::maximum,
                                 Op::less,
                                 Op::less_equal,
                                 Op::equal,
                                 Op::logical_and,
                                 Op::logical_or};
        const int kind = below(10);
        if (kind < 2) return graph_->unary(unary[below(12)], any(depth - 1));
        if (kind < 3) return graph_->select(any(depth - 1), any(depth - 1), any(depth - 1));
        if (kind < 6) return graph_->binary(binary[below(12)], any(depth - 1), any(depth - 1));
        return graph_->binary(binary[below(3)], any(depth - 1), any(depth - 1));
    }

private:
    int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(generator_); }
    Expr atom() {
        if (below(4) == 0) return graph_->constant(0.25 * (1 + below(12)));
        return leaves[static_cast<std::size_t>(below(static_cast<int>(leaves.size())))];
    }
    Expr positive(Expr a) { return graph_->add(graph_->constant(0.5), graph_->multiply(a, a)); }

    ExpressionGraph* graph_;
    std::mt19937 generator_;
};

} // namespace gemel::sim::testing
