#include "expr/gradient.hpp"
#include "sim/expr/random_expression.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace gemel::sim;

TEST_CASE("gradients of random expressions are their derivatives, state by state") {
    // Independent method: differentiate(), leaf by leaf, itself judged by central differences.
    // Sums in another order: 1e-9 leaves room for cancellation among terms of some 1e3.
    ExpressionGraph g;
    testing::RandomExpressions random(g, 11);
    random.leaves = {
        g.leaf(LeafKind::state, 0), g.leaf(LeafKind::state, 4), g.leaf(LeafKind::input, 0)};
    const auto value_of = [](Leaf l) {
        return l.kind == LeafKind::input ? 0.7 : l.index == 0 ? 0.4 : 0.9;
    };
    int n_compared = 0;
    for (int i = 0; i < 2000; ++i) {
        const Expr e = i % 2 == 0 ? random.smooth(5) : random.any(5);
        const std::map<int, Expr> gradient = state_gradient(g, e);
        for (const int state : {0, 1, 4}) {
            const double expected =
                g.evaluate(g.differentiate(e, {LeafKind::state, state}), value_of);
            if (!(std::abs(expected) < 1e3)) continue; // steep, or no number
            const auto found = gradient.find(state);
            const double value =
                found == gradient.end() ? 0.0 : g.evaluate(found->second, value_of);
            CAPTURE(g.text(e));
            CAPTURE(state);
            CHECK(std::abs(value - expected) < 1e-9 * (1.0 + std::abs(expected)));
            ++n_compared;
        }
    }
    CHECK(n_compared > 4000);
}

TEST_CASE("a branch that is not taken has no part in a gradient, be it no number") {
    ExpressionGraph g;
    const Expr x = g.leaf(LeafKind::state, 0), t = g.leaf(LeafKind::state, 1);
    const Expr zero = g.constant(0.0);
    const Expr softplus = g.unary(Op::log1p, g.unary(Op::exponential, x));
    const Expr guarded = g.select(g.binary(Op::less, g.constant(30.0), x), x, softplus);
    const Expr ratio = g.select(g.binary(Op::less, zero, t), g.divide(x, t), zero);
    const auto at = [](double first, double second) {
        return [=](Leaf l) { return l.index == 0 ? first : second; };
    };
    CHECK(g.evaluate(state_gradient(g, guarded).at(0), at(800.0, 1.0)) == 1.0);
    CHECK(g.evaluate(state_gradient(g, ratio).at(0), at(2.0, 0.0)) == 0.0);
    CHECK(g.evaluate(state_gradient(g, ratio).at(1), at(2.0, 0.0)) == 0.0);
    CHECK(g.evaluate(state_gradient(g, ratio).at(1), at(2.0, 4.0)) == -0.125);
}

TEST_CASE("what two choices share is chosen by either, after all products") {
    // x enters through t = log(x): by the first choice, by the second, by both or by none.
    ExpressionGraph g;
    const Expr x = g.leaf(LeafKind::state, 0), a = g.leaf(LeafKind::input, 0);
    const Expr b = g.leaf(LeafKind::input, 1), zero = g.constant(0.0);
    const Expr t = g.unary(Op::logarithm, x);
    const Expr sum = g.add(g.select(a, g.multiply(g.constant(2.0), t), zero),
                           g.select(b, g.multiply(g.constant(3.0), t), zero));
    const Expr slope = state_gradient(g, sum).at(0);
    for (const double of_a : {0.0, 1.0})
        for (const double of_b : {0.0, 1.0})
            for (const double of_x : {0.5, 0.0}) {
                const double factor = 2.0 * of_a + 3.0 * of_b;
                if (of_x == 0.0 && factor != 0.0) continue;
                CHECK(g.evaluate(slope, [&](Leaf l) {
                    return l.kind == LeafKind::state ? of_x : l.index == 0 ? of_a : of_b;
                }) == doctest::Approx(factor == 0.0 ? 0.0 : factor / of_x).epsilon(1e-14));
            }
}

TEST_CASE("the gradient of a rate that chooses costs a few times the rate") {
    ExpressionGraph g;
    const int n = 300;
    Expr sum = g.constant(0.0);
    for (int i = 0; i < n; ++i)
        sum = g.add(sum, g.multiply(g.leaf(LeafKind::input, i), g.leaf(LeafKind::state, i)));
    const Expr rate = g.binary(Op::maximum, g.constant(0.0), g.unary(Op::square_root, sum));
    const std::size_t before = g.size();
    CHECK(state_gradient(g, rate).size() == n);
    CHECK(g.size() - before < 4 * n);
}

TEST_CASE("a gradient holds only what is not zero") {
    ExpressionGraph g;
    const Expr x = g.leaf(LeafKind::state, 0), y = g.leaf(LeafKind::state, 1);
    const Expr step = g.binary(Op::less, y, g.constant(1.0));
    const std::map<int, Expr> gradient = state_gradient(g, g.add(g.multiply(x, x), step));
    CHECK(gradient.size() == 1);
    CHECK(gradient.at(0) == g.add(x, x));
}
