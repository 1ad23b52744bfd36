#include <gemel/sim/ode_system.hpp>

#include <fmt/format.h>

#include <stdexcept>
#include <unordered_map>
#include <vector>

namespace gemel::sim {

OdeSystem with_linear_inputs(OdeSystem system, const std::vector<int>& inputs) {
    if (system.sensitivities.is_set())
        throw std::invalid_argument("with_linear_inputs: the system carries sensitivities already");
    ExpressionGraph& graph = system.graph;
    const auto n = static_cast<int>(system.inputs.size());
    const auto start = n + static_cast<int>(inputs.size());
    // Before the row, as in doses that a steady state stands for, its first value holds.
    const Expr elapsed =
        graph.binary(Op::maximum,
                     graph.subtract(graph.leaf(LeafKind::time), graph.leaf(LeafKind::input, start)),
                     graph.constant(0.0));
    system.row_start_input = start;
    std::unordered_map<std::uint32_t, Expr> with;
    for (const int input : inputs) {
        if (input < 0 || input >= n)
            throw std::invalid_argument(
                fmt::format("with_linear_inputs: there is no input {} of {}", input, n));
        const Input of = system.inputs[static_cast<std::size_t>(input)];
        const auto slope = static_cast<int>(system.inputs.size());
        system.inputs.push_back({"slope of " + of.name, of.unit / system.time_unit});
        const Expr level = graph.leaf(LeafKind::input, input);
        with[level.id] =
            graph.add(level, graph.multiply(graph.leaf(LeafKind::input, slope), elapsed));
    }
    system.inputs.push_back({"start of the row", system.time_unit});
    for (State& state : system.states)
        state.rate = graph.substitute(std::vector{state.rate}, with)[0];
    for (NamedExpr& output : system.outputs)
        output.value = graph.substitute(std::vector{output.value}, with)[0];
    return system;
}

} // namespace gemel::sim
