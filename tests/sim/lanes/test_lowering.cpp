#include "sim/expr/random_expression.hpp"
#include "sim/lanes/reference.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace gemel::sim;

namespace {

constexpr Leaf result(int i) {
    return {LeafKind::result, i};
}

int count(const LaneProgram& program, Op op) {
    return static_cast<int>(std::count_if(program.instructions.begin(),
                                          program.instructions.end(),
                                          [op](const auto& i) { return i.op == op; }));
}

/// Leaves for programs: any, the same for the same leaf.
double leaf_value(Leaf leaf) {
    return 0.3 + 0.71 * leaf.index + 0.13 * static_cast<int>(leaf.kind);
}

/// What the set's first program stores, computed one number at a time; the first `n` results.
std::vector<double> results(const ProgramSet& set, int n) {
    std::vector<double> workspace(static_cast<std::size_t>(set.layout.n_slots()));
    for (int kind = 0; kind < n_leaf_kinds; ++kind)
        for (int i = 0; i < set.layout.counts[static_cast<std::size_t>(kind)]; ++i) {
            const Leaf leaf{static_cast<LeafKind>(kind), i};
            workspace[static_cast<std::size_t>(set.layout.slot(leaf))] = leaf_value(leaf);
        }
    testing::run_reference(set.prepare, set.layout, workspace, 1, 0);
    testing::run_reference(set.programs[0], set.layout, workspace, 1, 0);
    const auto first = workspace.begin() + set.layout.slot(result(0));
    return {first, first + n};
}

} // namespace

TEST_CASE("what depends on inputs alone is computed once, and divisions by it become products") {
    ExpressionGraph g;
    const Expr cl = g.leaf(LeafKind::input, 0), v = g.leaf(LeafKind::input, 1);
    const Expr level = g.leaf(LeafKind::state, 0);
    const Expr rate = g.multiply(g.divide(cl, v), level), concentration = g.divide(level, v);
    const ProgramSpec specs[] = {{"rates", {{result(0), rate}}},
                                 {"outputs", {{result(0), concentration}, {result(1), rate}}}};
    const ProgramSet set = lower(g, specs);
    CHECK(count(set.prepare, Op::divide) == 2); // CL/V itself, and 1/V
    CHECK(set.prepare.stores.size() == 2);      // shared by both programs
    for (const LaneProgram& program : set.programs)
        CHECK(count(program, Op::divide) == 0);
    CHECK(set.programs[0].n_operations() == 1);
    CHECK(set.programs[1].n_operations() == 2);
    CHECK(set.layout.counts[static_cast<std::size_t>(LeafKind::derived)] == 2);
}

TEST_CASE("multiply-adds are fused by shape") {
    ExpressionGraph g;
    const auto state = [&](int i) { return g.leaf(LeafKind::state, i); };
    const Expr product = g.multiply(state(0), state(1)), other = g.multiply(state(2), state(3));
    const auto only_program = [&](Expr e) {
        const ProgramSpec spec{"p", {{result(0), e}}};
        return lower(g, {&spec, 1}).programs[0];
    };
    CHECK(count(only_program(g.add(product, state(2))), Op::fused_multiply_add) == 1);
    CHECK(only_program(g.add(product, state(2))).n_operations() == 1);
    CHECK(only_program(g.subtract(state(2), product)).n_operations() == 1);
    CHECK(only_program(g.negate(product)).n_operations() == 1);
    CHECK(only_program(g.add(product, other)).n_operations() == 2);
    CHECK(count(only_program(g.subtract(product, state(2))), Op::subtract) == 1);
}

TEST_CASE("adding targets changes no bit of the others") {
    // Invariant. New targets share products, come first, and number nodes and derived slots anew.
    for (unsigned seed = 0; seed < 60; ++seed) {
        const auto build = [seed](bool has_more) {
            ExpressionGraph g;
            std::vector<Expr> leaves;
            for (int i = 0; i < 3; ++i)
                leaves.push_back(g.leaf(LeafKind::state, i));
            for (int i = 0; i < 3; ++i)
                leaves.push_back(g.leaf(LeafKind::input, i));
            std::vector<Expr> others;
            if (has_more) {
                testing::RandomExpressions random(g, 1000 + seed);
                random.leaves = leaves;
                std::reverse(random.leaves.begin(), random.leaves.end());
                for (int i = 0; i < 5; ++i)
                    others.push_back(random.any(5));
            }
            testing::RandomExpressions random(g, seed);
            random.leaves = leaves;
            ProgramSpec spec{"p", {}};
            std::vector<Expr> own;
            for (int i = 0; i < 5; ++i)
                own.push_back(random.any(6));
            for (int i = 0; i < static_cast<int>(others.size()); ++i) {
                spec.targets.push_back({result(5 + 2 * i), others[static_cast<std::size_t>(i)]});
                spec.targets.push_back( // uses a product of ours
                    {result(6 + 2 * i),
                     g.multiply(own[static_cast<std::size_t>(i)],
                                others[static_cast<std::size_t>(i)])});
            }
            for (int i = 0; i < 5; ++i)
                spec.targets.push_back({result(i), own[static_cast<std::size_t>(i)]});
            return results(lower(g, {&spec, 1}), 5);
        };
        const std::vector<double> alone = build(false), among = build(true);
        for (std::size_t i = 0; i < alone.size(); ++i)
            CHECK(testing::is_same(alone[i], among[i]));
    }
}

TEST_CASE("programs compute what their expressions say") {
    // Oracle: the graph's own value. Products fused and reciprocals taken move a few ulp; nested in
    // functions of moderate slope they stay below 1e-11.
    ExpressionGraph g;
    testing::RandomExpressions random(g, 5);
    random.leaves = {g.leaf(LeafKind::state, 0),
                     g.leaf(LeafKind::state, 1),
                     g.leaf(LeafKind::input, 0),
                     g.leaf(LeafKind::input, 1),
                     g.leaf(LeafKind::time)};
    ProgramSpec spec{"p", {}};
    for (int i = 0; i < 100; ++i)
        spec.targets.push_back({result(i), random.smooth(5)});
    const std::vector<double> values = results(lower(g, {&spec, 1}), 100);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double expected = g.evaluate(spec.targets[i].value, leaf_value);
        CHECK(values[i] == doctest::Approx(expected).epsilon(1e-11));
    }
}

TEST_CASE("a long chain lowers without a deep stack, and nothing unused is left") {
    ExpressionGraph g;
    Expr chain = g.leaf(LeafKind::state, 0);
    for (int i = 0; i < 100'000; ++i)
        chain = g.unary(Op::sine, chain);
    g.unary(Op::exponential, chain); // in the graph, but in no target
    const ProgramSpec spec{"p", {{result(0), chain}}};
    CHECK(lower(g, {&spec, 1}).programs[0].n_operations() == 100'000);
}
