#include "expr/traverse.hpp"

#include <gemel/sim/ode_system.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace gemel::sim {
namespace {

void check(const OdeSystem& system, const std::vector<int>& wrt) {
    for (const State& state : system.states)
        if (!state.rate.is_set() || !state.initial.is_set())
            throw std::invalid_argument(
                fmt::format("compile: state {} has no rate or no initial value", state.name));
    for (const int input : wrt)
        if (input < 0 || input >= static_cast<int>(system.inputs.size()))
            throw std::invalid_argument(
                fmt::format("compile: wrt names input {} of {}", input, system.inputs.size()));
}

/// Where a − b is α·t + β with α and β of inputs: −β/α; otherwise nothing.
std::optional<Expr> crossing(ExpressionGraph& graph, Expr a, Expr b) {
    const auto is_fixed = [&](Expr e) {
        return !graph.depends_on(e, LeafKind::time) && !graph.depends_on(e, LeafKind::state);
    };
    const Expr difference = graph.subtract(a, b);
    if (!graph.depends_on(difference, LeafKind::time) ||
        graph.depends_on(difference, LeafKind::state))
        return std::nullopt;
    const Expr slope = graph.differentiate(difference, {LeafKind::time, 0});
    const Expr level = graph.substitute(std::vector{difference},
                                        {{graph.leaf(LeafKind::time).id, graph.constant(0.0)}})[0];
    if (!is_fixed(slope) || !is_fixed(level) || graph.is_constant(slope, 0.0)) return std::nullopt;
    return graph.negate(graph.divide(level, slope));
}

bool has_a_corner(Op op) {
    return op == Op::less || op == Op::less_equal || op == Op::equal || op == Op::minimum ||
           op == Op::maximum || op == Op::absolute;
}

std::vector<Expr> model_times(OdeSystem& system) {
    std::vector<Expr> rates;
    for (const State& state : system.states)
        rates.push_back(state.rate);
    ExpressionGraph& graph = system.graph;
    std::vector<Expr> times;
    for (const std::uint32_t id : parts_of(graph, rates)) {
        const Node node = graph.node(Expr{id});
        if (!has_a_corner(node.op)) continue;
        const auto time = crossing(graph, node.a, node.b.is_set() ? node.b : graph.constant(0.0));
        // A row's start is an event anyway.
        if (time && system.row_start_input >= 0 &&
            *time == graph.leaf(LeafKind::input, system.row_start_input))
            continue;
        if (time && std::find(times.begin(), times.end(), *time) == times.end())
            times.push_back(*time);
    }
    return times;
}

} // namespace

CompiledSystem compile(OdeSystem system, std::vector<int> wrt) {
    check(system, wrt);
    CompiledSystem compiled;
    compiled.structure = analyse(system);
    if (compiled.structure.uses_time) compiled.model_times = model_times(system);
    for (const int input : wrt) {
        const Leaf leaf{LeafKind::input, input};
        std::vector<Expr>& rates = compiled.rate_derivatives.emplace_back();
        std::vector<Expr>& initials = compiled.initial_derivatives.emplace_back();
        std::vector<Expr>& outputs = compiled.output_derivatives.emplace_back();
        for (const State& state : system.states) {
            rates.push_back(system.graph.differentiate(state.rate, leaf));
            initials.push_back(system.graph.differentiate(state.initial, leaf));
        }
        for (const NamedExpr& output : system.outputs)
            outputs.push_back(system.graph.differentiate(output.value, leaf));
    }
    compiled.system = std::move(system);
    compiled.wrt = std::move(wrt);
    return compiled;
}

} // namespace gemel::sim
