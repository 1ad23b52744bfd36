#include <gemel/sim/ode_system.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace gemel::sim;

namespace {

struct System {
    OdeSystem system;
    ExpressionGraph& g = system.graph;
    Expr input(int i) { return g.leaf(LeafKind::input, i); }
    Expr state(int i) { return g.leaf(LeafKind::state, i); }
    void rate(Expr e) {
        State& added = system.states.emplace_back();
        added.name = "s" + std::to_string(system.states.size());
        added.rate = e;
        added.initial = g.constant(0.0);
    }
};

using Lists = std::vector<std::vector<int>>;

} // namespace

TEST_CASE("a compartment chain is linear, and its blocks stand in order of flow") {
    System f; // depot (state 2) → central (0) ⇄ peripheral (1)
    f.rate(f.g.subtract(
        f.g.add(f.g.multiply(f.input(0), f.state(2)), f.g.multiply(f.input(1), f.state(1))),
        f.g.multiply(f.g.divide(f.input(2), f.input(3)), f.state(0))));
    f.rate(
        f.g.subtract(f.g.multiply(f.input(4), f.state(0)), f.g.multiply(f.input(1), f.state(1))));
    f.rate(f.g.negate(f.g.multiply(f.input(0), f.state(2))));
    const SystemStructure structure = analyse(f.system);
    CHECK(structure.is_linear);
    CHECK_FALSE(structure.uses_time);
    CHECK(structure.jacobian == Lists{{0, 1, 2}, {0, 1}, {2}});
    CHECK(structure.blocks == Lists{{2}, {0, 1}});
}

TEST_CASE("what is not linear with constant coefficients is not called linear") {
    const auto is_linear = [](auto make_rate) {
        System f;
        f.rate(make_rate(f));
        return analyse(f.system).is_linear;
    };
    CHECK(is_linear([](System& f) { return f.g.divide(f.state(0), f.input(0)); }));
    CHECK(is_linear([](System& f) { return f.g.add(f.input(1), f.state(0)); }));
    CHECK_FALSE(is_linear([](System& f) { return f.g.divide(f.input(0), f.state(0)); }));
    CHECK_FALSE(is_linear([](System& f) { return f.g.multiply(f.state(0), f.state(0)); }));
    CHECK_FALSE(
        is_linear([](System& f) { return f.g.multiply(f.g.leaf(LeafKind::time), f.state(0)); }));
    // A switch on a level has derivative 0 on both sides and is still no linear system.
    CHECK_FALSE(is_linear([](System& f) {
        const Expr is_low = f.g.binary(Op::less, f.state(0), f.g.constant(1.0));
        return f.g.select(is_low, f.input(0), f.g.constant(0.0));
    }));
    System f;
    f.rate(f.g.unary(Op::sine, f.g.leaf(LeafKind::time)));
    CHECK(analyse(f.system).uses_time);
}

TEST_CASE("mutually dependent states are one block") {
    System f; // 0 ← 1 ← 2 ← 0, and 3 ← 2, 4 alone
    f.rate(f.state(1));
    f.rate(f.state(2));
    f.rate(f.state(0));
    f.rate(f.g.subtract(f.state(2), f.state(3)));
    f.rate(f.g.constant(1.0));
    CHECK(analyse(f.system).blocks == Lists{{0, 1, 2}, {3}, {4}});
}

TEST_CASE("a network of 300 states costs nodes in proportion to its Jacobian") {
    // Counted, not timed: a chain with saturable fluxes has three derivatives per row, each of at
    // most four new nodes; a tree without sharing would have thousands.
    System f;
    const auto flux = [&](int i) {
        const Expr level = f.state(i);
        return f.g.divide(f.g.multiply(f.input(0), level), f.g.add(f.input(1), level));
    };
    constexpr int n = 300;
    for (int i = 0; i < n; ++i)
        f.rate(f.g.subtract(f.g.add(flux((i + n - 1) % n), flux((i + 1) % n)), flux(i)));
    const std::size_t before = f.g.size();
    const SystemStructure structure = analyse(f.system);
    CHECK(f.g.size() - before <= 4 * 3 * n);
    CHECK(structure.blocks.size() == 1);
    CHECK(structure.jacobian[5] == std::vector<int>{4, 5, 6});
    CHECK_FALSE(structure.is_linear);
}
