#include "sim/expr/random_expression.hpp"
#include "sim/lanes/reference.hpp"
#include "sim/special_numbers.hpp"

#include <doctest/doctest.h>

#include <random>
#include <stdexcept>

using namespace gemel::sim;

namespace {

std::vector<InstructionSet> instruction_sets() {
    std::vector<InstructionSet> sets;
    for (int set = 0; set <= static_cast<int>(best_instruction_set()); ++set)
        sets.push_back(static_cast<InstructionSet>(set));
    return sets;
}

/// Runs a program on every executor and compares all slots of the layout with the reference.
/// @returns the number of lanes and slots that differ
int n_differences(const LaneProgram& program,
                  const WorkspaceLayout& layout,
                  const std::vector<double>& leaves,
                  InstructionSet set,
                  int width) {
    const auto kernel = interpreter(set).compile(program, layout, width);
    testing::Workspace workspace(kernel->n_slots(), width);
    const int n_numbers = layout.n_slots() * width;
    std::vector<double> expected(static_cast<std::size_t>(n_numbers));
    for (std::size_t i = 0; i < expected.size(); ++i)
        workspace.data()[i] = expected[i] = leaves[i % leaves.size()];
    for (int lane = 0; lane < width; ++lane)
        testing::run_reference(program, layout, expected, width, lane);
    kernel->run(workspace.data());
    int n_different = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
        n_different += testing::is_same(workspace.data()[i], expected[i]) ? 0 : 1;
    return n_different;
}

void check_everywhere(const LaneProgram& program,
                      const WorkspaceLayout& layout,
                      const std::vector<double>& leaves) {
    for (const InstructionSet set : instruction_sets())
        for (const int width : {1, 8, 16, 32, 64})
            CHECK(n_differences(program, layout, leaves, set, width) == 0);
}

/// Numbers of every sort: ordinary ones of all sizes and each special value.
std::vector<double> leaf_values(std::size_t n) {
    std::vector<double> values{
        0.0, -0.0, 1.0, -1.0, 0.5, infinite, -infinite, not_a_number, 5e-324, 1e308, -1e-310};
    std::mt19937_64 generator(1);
    std::normal_distribution<double> normal;
    while (values.size() < n)
        values.push_back(normal(generator) * std::exp(5 * normal(generator)));
    return values;
}

} // namespace

TEST_CASE("every operation gives the same bits on every instruction set and width") {
    // Oracle: apply(), one number at a time. Every pair of the special values meets, as columns and
    // as constants.
    const std::vector<double> special{0.0,
                                      -0.0,
                                      1.0,
                                      -1.0,
                                      2.0,
                                      0.5,
                                      -2.5,
                                      3.0,
                                      infinite,
                                      -infinite,
                                      not_a_number,
                                      5e-324,
                                      -1e-310,
                                      1e308,
                                      709.9,
                                      -745.2};
    const WorkspaceLayout layout = [] {
        WorkspaceLayout made;
        made.make_room(LeafKind::state, 3);
        made.make_room(LeafKind::result, 1);
        return made;
    }();
    for (int op = 0; op < n_ops; ++op)
        for (unsigned constants = 0; constants < 8; ++constants)
            for (const double number : special) {
                const int arity = n_operands(static_cast<Op>(op));
                if (arity == 0 || constants >> arity != 0) continue;
                LaneProgram program;
                for (int i = 0; i < 3; ++i)
                    program.instructions.push_back(
                        (constants >> i & 1U) != 0
                            ? LaneProgram::Instruction{Op::constant, 0, 0, 0, number, {}}
                            : LaneProgram::Instruction{
                                  Op::leaf, 0, 0, 0, 0.0, {LeafKind::state, i}});
                program.instructions.push_back(
                    {static_cast<Op>(op), 0, arity > 1 ? 1U : 0U, arity > 2 ? 2U : 0U, 0.0, {}});
                program.stores.push_back({{LeafKind::result, 0}, 3});
                // Columns of 16 lanes: state 1 is shifted against state 0 by the constant's place.
                std::vector<double> leaves;
                for (std::size_t slot = 0; slot < 4; ++slot)
                    for (std::size_t i = 0; i < 16; ++i)
                        leaves.push_back(slot == 1 ? number
                                                   : special[(i * (slot + 1) + slot) % 16]);
                for (const InstructionSet set : instruction_sets())
                    for (const int width : {1, 16})
                        CHECK(n_differences(program, layout, leaves, set, width) == 0);
            }
}

TEST_CASE("random programs give the same bits on every instruction set and width") {
    for (unsigned seed = 0; seed < 40; ++seed) {
        ExpressionGraph g;
        testing::RandomExpressions random(g, seed);
        for (int i = 0; i < 3; ++i) {
            random.leaves.push_back(g.leaf(LeafKind::state, i));
            random.leaves.push_back(g.leaf(LeafKind::input, i));
        }
        ProgramSpec spec{"p", {}};
        for (int i = 0; i < 6; ++i)
            spec.targets.push_back({{LeafKind::result, i}, random.any(7)});
        for (int i = 0; i < 3; ++i) // states are stored while others still read them
            spec.targets.push_back({{LeafKind::state, i}, random.any(4)});
        const ProgramSet set = lower(g, {&spec, 1});
        check_everywhere(set.programs[0], set.layout, leaf_values(97));
        check_everywhere(set.prepare, set.layout, leaf_values(97));
    }
}

TEST_CASE("loads see the workspace as it was before any store") {
    ExpressionGraph g; // a rotation of three states, and one of them stored twice
    const auto state = [&](int i) { return g.leaf(LeafKind::state, i); };
    const ProgramSpec spec{"rotate",
                           {{{LeafKind::state, 0}, state(1)},
                            {{LeafKind::state, 1}, state(2)},
                            {{LeafKind::state, 2}, state(0)},
                            {{LeafKind::result, 0}, g.add(state(0), state(1))},
                            {{LeafKind::result, 1}, g.add(state(0), state(1))},
                            {{LeafKind::result, 2}, g.constant(4.0)}}};
    const ProgramSet set = lower(g, {&spec, 1});
    check_everywhere(set.programs[0], set.layout, leaf_values(50));
}

TEST_CASE("scratch is used again: a long chain needs little of it") {
    ExpressionGraph g;
    Expr chain = g.leaf(LeafKind::state, 0);
    for (int i = 0; i < 1000; ++i)
        chain = g.add(g.multiply(chain, chain), g.unary(Op::sine, chain));
    const ProgramSpec spec{"p", {{{LeafKind::result, 0}, chain}}};
    const ProgramSet set = lower(g, {&spec, 1});
    const auto kernel = interpreter().compile(set.programs[0], set.layout, 8);
    CHECK(kernel->n_slots() <= set.layout.n_slots() + 3);
}

TEST_CASE("a chain of values stays in registers: it needs no scratch") {
    ExpressionGraph g;
    Expr sum = g.leaf(LeafKind::state, 0);
    for (int i = 1; i < 20; ++i)
        sum = g.add(g.multiply(g.constant(i), g.leaf(LeafKind::state, i)), sum);
    const Expr half = g.multiply(sum, g.constant(0.5));
    const ProgramSpec spec{"p", {{{LeafKind::result, 0}, g.unary(Op::absolute, half)}}};
    const ProgramSet set = lower(g, {&spec, 1});
    const auto kernel = interpreter().compile(set.programs[0], set.layout, best_width());
    CHECK(kernel->n_slots() == set.layout.n_slots());
    check_everywhere(set.programs[0], set.layout, leaf_values(97));
}

TEST_CASE("a program of a million operations needs no stack") {
    LaneProgram program;
    program.instructions.push_back({Op::leaf, 0, 0, 0, 0.0, {LeafKind::state, 0}});
    program.instructions.push_back({Op::constant, 0, 0, 0, 1.0, {}});
    for (std::uint32_t i = 1; i <= 1'000'000; ++i)
        program.instructions.push_back({i % 2 == 0 ? Op::subtract : Op::add, i, 0, 0, 0.0, {}});
    const auto last = static_cast<std::uint32_t>(program.instructions.size() - 1);
    program.stores.push_back({{LeafKind::result, 0}, last});
    WorkspaceLayout layout;
    layout.make_room(LeafKind::state, 1);
    layout.make_room(LeafKind::result, 1);
    for (const InstructionSet set : instruction_sets())
        for (const int width : {1, best_width(set)})
            CHECK(n_differences(program, layout, {1.0, 0.0, -3.5}, set, width) == 0);
}

TEST_CASE("what cannot be run is refused before running") {
    const LaneProgram program = lane_program_from_text("gemel-lane-program/1\nname p\n"
                                                       "v0 = load state 1\nstore result 0 v0\n");
    WorkspaceLayout layout;
    layout.make_room(LeafKind::state, 2);
    CHECK_THROWS_AS(interpreter().compile(program, layout, 8), std::invalid_argument); // no result
    layout.make_room(LeafKind::result, 1);
    CHECK_NOTHROW(interpreter().compile(program, layout, 8));
    for (const int width : {0, -8, 2, 12})
        CHECK_THROWS_AS(interpreter().compile(program, layout, width), std::invalid_argument);
}
