#include "lanes/primitive_program.hpp"
#include "native/x86_code.hpp"
#include "native/x86_order.hpp"
#include "native/x86_selection.hpp"
#include "sim/expr/random_expression.hpp"
#include "sim/lanes/reference.hpp"
#include "sim/native/plug_in_for_tests.hpp"
#include "sim/native/x86_evaluator.hpp"
#include "sim/special_numbers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace gemel::sim;

namespace {

/// Programs that share a layout, and what their leaves hold.
struct ProgramsOfOneLayout {
    std::vector<LaneProgram> programs;
    WorkspaceLayout layout;
    std::vector<double> leaves;

    std::vector<const LaneProgram*> pointers() const {
        std::vector<const LaneProgram*> all;
        for (const LaneProgram& program : programs)
            all.push_back(&program);
        return all;
    }
};

const std::vector<double> special_numbers{0.0,
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

/// Every operation, on columns and with constants at every place: result k is the k-th of them.
ProgramsOfOneLayout every_operation() {
    ProgramsOfOneLayout all;
    int most = 0;
    for (int op = 0; op < n_ops; ++op) {
        const int arity = n_operands(static_cast<Op>(op));
        if (arity == 0) continue;
        LaneProgram program;
        for (int i = 0; i < 3; ++i)
            program.instructions.push_back({Op::leaf, 0, 0, 0, 0.0, {LeafKind::state, i}});
        for (const double number : {0.0, -0.0, 1.0, -1.0, 2.5, infinite, not_a_number})
            program.instructions.push_back({Op::constant, 0, 0, 0, number, {}});
        const auto n_constants = static_cast<std::uint32_t>(program.instructions.size()) - 3;
        for (std::uint32_t which = 0; which < n_constants; ++which)
            for (unsigned constants = which == 0 ? 0U : 1U; constants >> arity == 0; ++constants) {
                const auto operand = [&](std::uint32_t i) {
                    return (constants >> i & 1U) != 0 ? 3 + (which + 3 * i) % n_constants : i;
                };
                program.stores.push_back(
                    {{LeafKind::result, static_cast<int>(program.stores.size())},
                     static_cast<std::uint32_t>(program.instructions.size())});
                program.instructions.push_back({static_cast<Op>(op),
                                                operand(0),
                                                arity > 1 ? operand(1) : 0U,
                                                arity > 2 ? operand(2) : 0U,
                                                0.0,
                                                {}});
            }
        most = std::max(most, static_cast<int>(program.stores.size()));
        all.programs.push_back(program);
    }
    all.layout.make_room(LeafKind::state, 3);
    all.layout.make_room(LeafKind::result, most);
    for (std::size_t i = 0; i < 16; ++i) // three columns of 16 in which many pairs meet
        all.leaves.push_back(special_numbers[i]);
    for (std::size_t i = 0; i < 16; ++i)
        all.leaves.push_back(special_numbers[(5 * i + 3) % 16]);
    for (std::size_t i = 0; i < 16; ++i)
        all.leaves.push_back(special_numbers[(11 * i + 7) % 16]);
    return all;
}

/// A program that stores states which others still read, and `prepare` beside it.
ProgramsOfOneLayout random_programs(unsigned seed, int depth) {
    ExpressionGraph g;
    testing::RandomExpressions random(g, seed);
    for (int i = 0; i < 3; ++i) {
        random.leaves.push_back(g.leaf(LeafKind::state, i));
        random.leaves.push_back(g.leaf(LeafKind::input, i));
    }
    ProgramSpec spec{"p", {}};
    for (int i = 0; i < 6; ++i)
        spec.targets.push_back({{LeafKind::result, i}, random.any(depth)});
    for (int i = 0; i < 2; ++i)
        spec.targets.push_back({{LeafKind::state, i}, random.any(4)});
    spec.targets.push_back({{LeafKind::state, 2}, g.leaf(LeafKind::state, 0)});
    spec.targets.push_back({{LeafKind::input, 0}, g.constant(3.0)});
    const ProgramSet set = lower(g, {&spec, 1});
    ProgramsOfOneLayout all{{set.programs[0], set.prepare}, set.layout, special_numbers};
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal;
    while (all.leaves.size() < 97)
        all.leaves.push_back(normal(generator) * std::exp(5 * normal(generator)));
    return all;
}

/// Compares what `run` leaves in the layout's slots with the reference.
/// @returns the number of lanes and slots that differ
template <class Run>
int n_different(const LaneProgram& program,
                const ProgramsOfOneLayout& of,
                int n_slots,
                int width,
                const Run& run) {
    testing::Workspace workspace(n_slots, width);
    std::vector<double> expected(static_cast<std::size_t>(of.layout.n_slots() * width));
    for (std::size_t i = 0; i < expected.size(); ++i)
        workspace.data()[i] = expected[i] = of.leaves[i % of.leaves.size()];
    for (int lane = 0; lane < width; ++lane)
        testing::run_reference(program, of.layout, expected, width, lane);
    run(workspace.data());
    int n = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
        n += testing::is_same(workspace.data()[i], expected[i]) ? 0 : 1;
    return n;
}

/// The meaning of primitives: one lane, one op at a time.
void evaluate(const PrimitiveProgram& program, double* workspace, int width, int lane) {
    for (const PrimitiveFunction& function : program.functions) {
        std::vector<std::uint64_t> values;
        for (const PrimitiveOp& op : function) {
            const auto operand = [&](std::uint32_t v) { return v < values.size() ? values[v] : 0; };
            double& slot =
                workspace[op.bits < 1U << 20U ? static_cast<int>(op.bits) * width + lane : 0];
            if (op.op == Primitive::load || op.op == Primitive::load_bits)
                values.push_back(std::bit_cast<std::uint64_t>(slot));
            else if (value_kind(op.op) == ValueKind::nothing)
                slot = std::bit_cast<double>(operand(op.a)), values.push_back(0);
            else
                values.push_back(apply(op, operand(op.a), operand(op.b), operand(op.c)));
        }
    }
}

void check_primitives(const ProgramsOfOneLayout& all, const Cut& cut) {
    for (const LaneProgram& program : all.programs) {
        const PrimitiveProgram expanded = expand(program, all.layout, cut);
        CHECK(n_different(program, all, expanded.n_slots, 16, [&](double* workspace) {
                  for (int lane = 0; lane < 16; ++lane)
                      evaluate(expanded, workspace, 16, lane);
              }) == 0);
    }
}

void check_native(const ProgramsOfOneLayout& all, const NativeOptions& options, int width) {
    const NativeCode code(options);
    const auto executor = code.compile(all.pointers(), all.layout, width);
    for (const LaneProgram& program : all.programs) {
        const auto kernel = executor->compile(program, all.layout, width);
        CHECK(n_different(program, all, kernel->n_slots(), width, [&](double* workspace) {
                  kernel->run(workspace);
              }) == 0);
    }
}

void check_by_the_manual(const ProgramsOfOneLayout& all, VectorSet set, int width) {
    constexpr int whole = std::numeric_limits<int>::max();
    for (const LaneProgram& program : all.programs) {
        const PrimitiveProgram expanded[] = {expand(program, all.layout, {whole, whole})};
        const X86Code code = x86_code(expanded, width, set);
        const auto n_doubles = static_cast<std::size_t>(code.n_slots[0] * width);
        CHECK(n_different(program, all, code.n_slots[0], width, [&](double* workspace) {
                  testing::X86Evaluator(code.image.bytes, set)
                      .run(code.image.entries[0], {workspace, n_doubles});
              }) == 0);
    }
}

/// More than any machine has registers, all of them used again.
ProgramsOfOneLayout many_values_at_once() {
    ExpressionGraph g;
    std::vector<Expr> values;
    for (int i = 0; i < 80; ++i)
        values.push_back(g.divide(g.leaf(LeafKind::state, i % 3), g.constant(0.3 + i)));
    Expr sum = g.leaf(LeafKind::state, 0);
    for (const int stride : {1, 7, 31})
        for (int i = 0; i < 80; ++i)
            sum = g.select(g.binary(Op::less, sum, values[std::size_t(i)]),
                           g.add(sum, values[std::size_t(stride * i % 80)]),
                           g.multiply(sum, values[std::size_t((stride * i + 40) % 80)]));
    std::vector<ProgramSpec> spec{{"p", {{{LeafKind::result, 0}, sum}}}};
    for (int i = 0; i < 3; ++i) // to slots that are still needed
        spec[0].targets.push_back({{LeafKind::state, i}, values[std::size_t(i)]});
    const ProgramSet set = lower(g, spec);
    return {{set.programs[0]}, set.layout, special_numbers};
}

MachineFunction selected(const ProgramsOfOneLayout& all, std::size_t which = 0) {
    constexpr int whole = std::numeric_limits<int>::max();
    return select_operations(
        expand(all.programs[which], all.layout, {whole, whole}).functions.front());
}

std::vector<std::uint32_t> one_after_the_other(const MachineFunction& function) {
    std::vector<std::uint32_t> order(function.ops.size());
    std::iota(order.begin(), order.end(), 0U);
    return order;
}

/// How often an operation uses what the one before it makes.
int n_next_to_operand(const MachineFunction& function, const std::vector<std::uint32_t>& order) {
    int n = 0;
    for (std::size_t i = 1; i < order.size(); ++i)
        for_operands(function.ops[order[i]], [&](std::uint32_t v) {
            const MachineOp& before = function.ops[order[i - 1]];
            n += before.op != Primitive::store && before.result == v ? 1 : 0;
        });
    return n;
}

NativeCode llvm_for(const NativeTarget& target) {
    return NativeCode(
        {.plug_ins = testing::plug_ins(), .target = target, .maker = CodeMaker::llvm});
}

} // namespace

TEST_CASE("every operation means the same in primitives") {
    // Oracle: apply(Op), one number at a time.
    check_primitives(every_operation(), {});
}

TEST_CASE("random programs mean the same in primitives, cut into functions of any length") {
    for (unsigned seed = 0; seed < 30; ++seed)
        for (const int longest : {1, 7, 50, 1000})
            check_primitives(random_programs(seed, 6), {0, longest});
}

TEST_CASE("functions are no longer than asked for, scratch is used again") {
    ExpressionGraph g;
    Expr chain = g.leaf(LeafKind::state, 0);
    for (int i = 0; i < 300; ++i)
        chain = g.add(g.multiply(chain, chain), g.unary(Op::sine, chain));
    const ProgramSpec spec{"p", {{{LeafKind::result, 0}, chain}}};
    const ProgramSet set = lower(g, {&spec, 1});
    const PrimitiveProgram expanded = expand(set.programs[0], set.layout, {0, 100});
    CHECK(expanded.functions.size() > 50);
    CHECK(expanded.n_slots <= set.layout.n_slots() + 40);
    for (const PrimitiveFunction& function : expanded.functions)
        CHECK(std::count_if(function.begin(), function.end(), [](const PrimitiveOp& op) {
                  return op.op > Primitive::load_bits; // loads, stores and constants come on top
              }) <= 150);                              // with what masks that cross functions take
}

TEST_CASE("every operation gives the interpreter's bits in native code") {
    const ProgramsOfOneLayout all = every_operation();
    for (const NativeOptions& options : testing::native_options())
        check_native(all, options, 16);
}

TEST_CASE("random programs give the interpreter's bits in native code, at every width") {
    for (const NativeOptions& options : testing::native_options()) {
        check_native(many_values_at_once(), options, 8);
        for (const int width : {1, 8, 16, 32})
            for (unsigned seed = 0; seed < 2; ++seed)
                if (width > 1 || !testing::plug_ins().empty()) // one lane is LLVM's
                    check_native(random_programs(100 + seed, 6), options, width);
    }
}

TEST_CASE("code for x86-64 means the same on any machine, by the manual") {
    // AVX-512 is not everywhere; the bytes of both sets are evaluated one instruction at a time.
    for (const VectorSet set : {VectorSet::avx2, VectorSet::avx512})
        for (const int width : {8, 16, 32}) {
            check_by_the_manual(every_operation(), set, width);
            for (unsigned seed = 0; seed < 4; ++seed)
                check_by_the_manual(random_programs(200 + seed, 6), set, width);
            check_by_the_manual(many_values_at_once(), set, width);
        }
}

TEST_CASE("operations change places, but come behind what they use") {
    for (unsigned seed = 0; seed < 8; ++seed) {
        const MachineFunction function = selected(random_programs(300 + seed, 6));
        const OperationOrder order = order_operations(function, 1);
        REQUIRE(order.ops.size() == function.ops.size());
        std::vector<char> is_there(function.values.size());
        for (std::size_t v = 0; v < is_there.size(); ++v)
            is_there[v] = function.values[v].kind != MachineValue::Kind::computed;
        std::vector<std::vector<std::uint32_t>> uses(function.values.size());
        for (std::uint32_t place = 0; place < order.ops.size(); ++place) {
            const MachineOp& op = function.ops[order.ops[place]];
            for_operands(op, [&](std::uint32_t v) {
                CHECK(is_there[v]);
                uses[v].push_back(place);
            });
            if (op.op != Primitive::store) CHECK(!std::exchange(is_there[op.result], true));
        }
        for (std::size_t v = 0; v < uses.size(); ++v)
            CHECK(std::equal(uses[v].begin(),
                             uses[v].end(),
                             order.uses.begin() + order.first_use[v],
                             order.uses.begin() + order.first_use[v + 1]));
    }
}

TEST_CASE("chains that do not depend on each other take turns") {
    ExpressionGraph g;
    ProgramSpec spec{"p", {}};
    for (int chain = 0; chain < 6; ++chain) {
        Expr value = g.leaf(LeafKind::state, chain);
        for (int i = 0; i < 12; ++i)
            value = g.add(g.multiply(value, value), g.leaf(LeafKind::input, chain));
        spec.targets.push_back({{LeafKind::result, chain}, value});
    }
    const ProgramSet set = lower(g, {&spec, 1});
    const MachineFunction function = selected({{set.programs[0]}, set.layout, {}});
    CHECK(n_next_to_operand(function, one_after_the_other(function)) > 60);
    CHECK(n_next_to_operand(function, order_operations(function, 1).ops) < 10);
}

TEST_CASE("what native code was not made for is interpreted, or refused as there") {
    for (const NativeOptions& options : testing::native_options()) {
        const ProgramsOfOneLayout all = random_programs(1, 4), other = random_programs(2, 4);
        const NativeCode code(options);
        const auto executor = code.compile(all.pointers(), all.layout, 8);
        const auto kernel = executor->compile(other.programs[0], other.layout, 16);
        CHECK(n_different(other.programs[0], other, kernel->n_slots(), 16, [&](double* workspace) {
                  kernel->run(workspace);
              }) == 0);
        for (const int width : {0, -8, 2, 12})
            CHECK_THROWS_AS(code.compile(all.pointers(), all.layout, width), std::invalid_argument);
        CHECK_THROWS_AS(code.compile(all.pointers(), WorkspaceLayout{}, 8), std::invalid_argument);
    }
}

TEST_CASE("without a plug-in native code says why") {
    const NativeCode code({.plug_ins = {"/nowhere/libgemel_llvm.so"}, .maker = CodeMaker::llvm});
    CHECK(!code.why_not().empty());
    const ProgramsOfOneLayout all = random_programs(1, 3);
    CHECK_THROWS_AS(code.compile(all.pointers(), all.layout, 8), std::runtime_error);
    const NativeCode old({.plug_ins = testing::plug_ins(), .target = std::nullopt});
    CHECK(old.why_not().find("x86-64-v3") != std::string::npos);
}

TEST_CASE("code for aarch64 and for AVX2 calls no library") {
    // Linking refuses an object that refers to anything outside it. It cannot be run here.
    if (testing::plug_ins().empty()) return;
    const ProgramsOfOneLayout all = every_operation();
    for (const NativeTarget& target : {NativeTarget{"aarch64-unknown-linux-gnu", "generic", ""},
                                       NativeTarget{"x86_64-unknown-linux-gnu", "x86-64-v3", ""}})
        CHECK_NOTHROW(llvm_for(target).compile(all.pointers(), all.layout, 8));
    const NativeTarget too_old{"x86_64-unknown-linux-gnu", "x86-64", ""}; // fma would be a call
    CHECK_THROWS_AS(llvm_for(too_old).compile(all.pointers(), all.layout, 8), std::runtime_error);
}
