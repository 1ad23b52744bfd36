#include "sim/expr/random_expression.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>

using namespace gemel::sim;

namespace {

struct Fixture {
    ExpressionGraph g;
    Expr x = g.leaf(LeafKind::state, 0);
    Expr y = g.leaf(LeafKind::state, 1);
    Expr p = g.leaf(LeafKind::input, 0);
    Expr zero = g.constant(0.0);
    Expr one = g.constant(1.0);
    Expr t = g.leaf(LeafKind::time);
};

/// Values for leaves, different ones for each kind and index.
double value_of(Leaf leaf) {
    return 0.6 + 0.37 * leaf.index + 0.11 * static_cast<int>(leaf.kind);
}

} // namespace

TEST_CASE("equal expressions are one node, whatever the order of commuting operands") {
    Fixture f;
    CHECK(f.g.add(f.x, f.y) == f.g.add(f.y, f.x));
    CHECK(f.g.multiply(f.x, f.y) == f.g.multiply(f.y, f.x));
    CHECK(f.g.subtract(f.x, f.y) != f.g.subtract(f.y, f.x));
    const std::size_t size = f.g.size();
    CHECK(f.g.leaf(LeafKind::state, 1) == f.y);
    CHECK(f.g.constant(1.0) == f.one);
    CHECK(f.g.size() == size);
    CHECK(f.g.constant(-0.0) != f.zero);
}

TEST_CASE("building simplifies what needs no further knowledge") {
    Fixture f;
    ExpressionGraph& g = f.g;
    CHECK(g.add(f.x, f.zero) == f.x);
    CHECK(g.multiply(f.x, f.one) == f.x);
    CHECK(g.multiply(f.zero, f.x) == f.zero);
    CHECK(g.subtract(f.x, f.x) == f.zero);
    CHECK(g.divide(f.x, f.one) == f.x);
    CHECK(g.negate(g.negate(f.x)) == f.x);
    CHECK(g.add(f.x, g.negate(f.y)) == g.subtract(f.x, f.y));
    CHECK(g.subtract(f.zero, f.x) == g.negate(f.x));
    CHECK(g.multiply(g.negate(f.x), g.negate(f.y)) == g.multiply(f.x, f.y));
    CHECK(g.unary(Op::exponential, g.unary(Op::logarithm, f.x)) == f.x);
    CHECK(g.select(f.one, f.x, f.y) == f.x);
    CHECK(g.select(f.zero, f.x, f.y) == f.y);
    CHECK(g.select(g.binary(Op::less, f.x, f.y), f.p, f.p) == f.p);
    CHECK(g.binary(Op::logical_and, f.one, g.binary(Op::less, f.x, f.y)) ==
          g.binary(Op::less, f.x, f.y));
    CHECK(g.multiply(g.constant(1000.0), g.multiply(g.constant(0.25), f.x)) ==
          g.multiply(g.constant(250.0), f.x));
    CHECK(g.is_constant(g.power(g.constant(2.0), g.constant(10.0)), 1024.0));
    CHECK(g.is_constant(g.add(g.constant(2.0), g.constant(3.0)), 5.0));
}

TEST_CASE("integer powers are products, and their number of products is logarithmic") {
    Fixture f;
    CHECK(f.g.power(f.x, f.zero) == f.one);
    CHECK(f.g.power(f.x, f.one) == f.x);
    CHECK(f.g.power(f.x, f.g.constant(2.0)) == f.g.multiply(f.x, f.x));
    const std::size_t size = f.g.size();
    f.g.power(f.p, f.g.constant(64.0));
    CHECK(f.g.size() - size == 7); // six squarings and the constant
    CHECK(f.g.power(f.p, f.g.constant(0.5)) == f.g.unary(Op::square_root, f.p));
}

TEST_CASE("a level just below zero counts as zero in a power, NaN stays NaN") {
    Fixture f;
    const Expr hill = f.g.power(f.x, f.g.constant(0.424));
    CHECK(f.g.evaluate(hill, [](Leaf) { return -1e-20; }) == 0.0);
    CHECK(std::isnan(f.g.evaluate(hill, [](Leaf) { return std::nan(""); })));
    // What depends on inputs only is not touched: (WT/70)^0.75 of a negative weight is no number.
    const Expr scale = f.g.power(f.p, f.g.constant(0.75));
    CHECK(std::isnan(f.g.evaluate(scale, [](Leaf) { return -1.0; })));
}

TEST_CASE("an expression's content does not depend on what the graph held before") {
    // Invariant: build the same random expression in an empty and in a used graph.
    for (unsigned seed = 0; seed < 50; ++seed) {
        ExpressionGraph empty, used;
        for (int i = 9; i >= 0; --i)
            used.multiply(used.leaf(LeafKind::state, i), used.leaf(LeafKind::input, i));
        const auto build = [seed](ExpressionGraph& graph) {
            testing::RandomExpressions random(graph, seed);
            random.leaves = {graph.leaf(LeafKind::state, 0),
                             graph.leaf(LeafKind::state, 1),
                             graph.leaf(LeafKind::input, 0),
                             graph.leaf(LeafKind::time)};
            return random.any(6);
        };
        const Expr a = build(empty), b = build(used);
        CHECK(empty.content_hash(a) == used.content_hash(b));
        const double left = empty.evaluate(a, value_of), right = used.evaluate(b, value_of);
        const bool is_same =
            std::bit_cast<std::uint64_t>(left) == std::bit_cast<std::uint64_t>(right);
        CHECK((is_same || (std::isnan(left) && std::isnan(right))));
    }
}

TEST_CASE("substitution replaces leaves and simplifies on the way") {
    Fixture f;
    const Expr e = f.g.add(f.g.multiply(f.x, f.p), f.g.unary(Op::exponential, f.x));
    const std::vector<Expr> replaced = f.g.substitute(std::vector{e, f.y}, {{f.x.id, f.zero}});
    CHECK(replaced[0] == f.one);
    CHECK(replaced[1] == f.y);
    // An exponent that becomes known becomes products.
    const Expr hill = f.g.power(f.p, f.y);
    CHECK(f.g.substitute(std::vector{hill}, {{f.y.id, f.g.constant(2.0)}})[0] ==
          f.g.multiply(f.p, f.p));
}

TEST_CASE("leaves are listed once, by kind and index") {
    Fixture f;
    const Expr e = f.g.add(f.g.multiply(f.p, f.y), f.g.multiply(f.t, f.y));
    CHECK(f.g.leaves(std::vector{e}) ==
          std::vector<Leaf>{{LeafKind::time, 0}, {LeafKind::state, 1}, {LeafKind::input, 0}});
    CHECK(f.g.depends_on(e, LeafKind::input));
    CHECK_FALSE(f.g.is_of_inputs(e));
    CHECK(f.g.is_of_inputs(f.g.unary(Op::exponential, f.p)));
}

TEST_CASE("expressions read as people write them") {
    Fixture f;
    const Expr flux = f.g.divide(f.g.multiply(f.p, f.x), f.g.add(f.y, f.x));
    CHECK(f.g.text(flux) == "(state0*input0)/(state0 + state1)");
    CHECK(f.g.text(f.g.unary(Op::exponential, f.g.negate(f.t))) == "exp(-t)");
}

TEST_CASE("chains of a hundred thousand nodes need no deep stack") {
    Fixture f;
    Expr chain = f.x;
    for (int i = 0; i < 100'000; ++i)
        chain = f.g.unary(Op::sine, f.g.add(chain, f.p));
    CHECK(f.g.leaves(std::vector{chain}).size() == 2);
    CHECK(f.g.substitute(std::vector{chain}, {{f.x.id, f.y}})[0] != chain);
    CHECK(f.g.differentiate(chain, {LeafKind::state, 0}) != f.zero);
    CHECK(f.g.text(chain).size() < 10'000);
}
