#include "sim/expr/random_expression.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

using namespace gemel::sim;

namespace {

constexpr Leaf x_leaf{LeafKind::state, 0};
constexpr Leaf p_leaf{LeafKind::input, 0};

/// Central difference of fourth order; error of order h^4 and rounding/h.
double difference(const ExpressionGraph& g, Expr e, Leaf leaf, std::array<double, 3> at) {
    const auto value = [&](double shift) {
        return g.evaluate(e, [&](Leaf l) {
            const auto i = static_cast<std::size_t>(l.kind == LeafKind::state ? l.index : 2);
            return at[i] + (l == leaf ? shift : 0.0);
        });
    };
    const double h = 1e-3;
    return (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
}

} // namespace

TEST_CASE("derivatives of random expressions agree with central differences") {
    // Independent method. h = 1e-3: truncation h^4·f⁽⁵⁾/30 with derivatives of nested functions up
    // to some 1e6, rounding 1e-13: 1e-5 relative to 1 + |f| + |f'| is expected of the difference.
    ExpressionGraph g;
    testing::RandomExpressions random(g, 3);
    random.leaves = {
        g.leaf(LeafKind::state, 0), g.leaf(LeafKind::state, 1), g.leaf(LeafKind::input, 0)};
    const std::array<double, 3> at{0.4, 0.9, 0.7};
    const auto value_of = [&](Leaf l) {
        return at[static_cast<std::size_t>(l.kind == LeafKind::state ? l.index : 2)];
    };
    int n_compared = 0;
    for (int i = 0; i < 400; ++i) {
        const Expr e = random.smooth(5);
        for (const Leaf leaf : {x_leaf, Leaf{LeafKind::state, 1}, p_leaf}) {
            const double size = std::abs(g.evaluate(e, value_of));
            const double exact = g.evaluate(g.differentiate(e, leaf), value_of);
            const double expected = difference(g, e, leaf, at);
            if (size > 1e3 || std::abs(exact) > 1e3) continue; // too steep for the difference
            CAPTURE(g.text(e));
            CHECK(std::abs(exact - expected) < 1e-5 * (1 + size + std::abs(exact)));
            ++n_compared;
        }
    }
    CHECK(n_compared > 800);
}

TEST_CASE("derivatives share what they can and vanish where nothing depends") {
    ExpressionGraph g;
    const Expr x = g.leaf(LeafKind::state, 0), y = g.leaf(LeafKind::state, 1);
    const Expr e = g.unary(Op::exponential, g.multiply(x, y));
    CHECK(g.differentiate(e, x_leaf) == g.multiply(e, y)); // the exponential itself is used again
    CHECK(g.is_constant(g.differentiate(y, x_leaf), 0.0));
    const Expr cube = g.power(x, g.constant(3.0));
    CHECK(g.evaluate(g.differentiate(cube, x_leaf), [](Leaf) { return 2.0; }) == 12.0);
}

TEST_CASE("maximum, minimum, absolute value and select differentiate the chosen branch") {
    ExpressionGraph g;
    const Expr x = g.leaf(LeafKind::state, 0), two = g.constant(2.0);
    const auto slope = [&](Expr e, double at) {
        return g.evaluate(g.differentiate(e, x_leaf), [=](Leaf) { return at; });
    };
    const Expr square = g.multiply(x, x);
    CHECK(slope(g.binary(Op::maximum, square, two), 3.0) == 6.0);
    CHECK(slope(g.binary(Op::maximum, square, two), 1.0) == 0.0);
    CHECK(slope(g.binary(Op::minimum, square, two), 1.0) == 2.0);
    CHECK(slope(g.unary(Op::absolute, x), -3.0) == -1.0);
    CHECK(slope(g.select(g.binary(Op::less, x, two), square, x), 1.5) == 3.0);
    CHECK(slope(g.select(g.binary(Op::less, x, two), square, x), 5.0) == 1.0);
}

TEST_CASE("the derivative of a power is right for every exponent and finite at zero") {
    // Closed form g·x^(g−1), and log(x)·x^g for the exponent.
    ExpressionGraph g;
    const Expr x = g.leaf(LeafKind::state, 0), p = g.leaf(LeafKind::input, 0);
    const Expr power = g.power(x, p);
    for (const double exponent : {0.3, 0.424, 1.0, 1.7, 3.0, -0.5})
        for (const double at : {1e-6, 0.2, 5.0, 1e4}) {
            const auto value = [&](Leaf l) { return l == x_leaf ? at : exponent; };
            const double by_base = g.evaluate(g.differentiate(power, x_leaf), value);
            const double by_exponent = g.evaluate(g.differentiate(power, p_leaf), value);
            CHECK(by_base == doctest::Approx(exponent * std::pow(at, exponent - 1)).epsilon(1e-13));
            CHECK(by_exponent ==
                  doctest::Approx(std::log(at) * std::pow(at, exponent)).epsilon(1e-13));
        }
    for (const double exponent : {0.3, 0.424, 1.7}) {
        const auto value = [&](Leaf l) { return l == x_leaf ? 0.0 : exponent; };
        CHECK(g.evaluate(g.differentiate(power, x_leaf), value) == 0.0);
        CHECK(g.evaluate(g.differentiate(power, p_leaf), value) == 0.0);
    }
    const Expr root = g.unary(Op::square_root, x);
    CHECK(g.evaluate(g.differentiate(root, x_leaf), [](Leaf) { return 0.0; }) == 0.0);
    CHECK(g.evaluate(g.differentiate(root, x_leaf), [](Leaf) { return 4.0; }) == 0.25);
}
