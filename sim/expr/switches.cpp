#include <gemel/sim/ode_system.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace gemel::sim {

OdeSystem with_switches(OdeSystem system, const std::vector<int>& states) {
    if (system.sensitivities.is_set())
        throw std::invalid_argument("with_switches: the system carries sensitivities already");
    ExpressionGraph& graph = system.graph;
    const auto n = static_cast<int>(system.states.size());
    for (const int state : states) {
        if (state < 0 || state >= n)
            throw std::invalid_argument(
                fmt::format("with_switches: there is no state {} of {}", state, n));
        const auto at = static_cast<std::size_t>(state);
        if (system.states[at].switch_state >= 0) continue;
        const auto number = static_cast<int>(system.states.size());
        State is_on;
        is_on.name = system.states[at].name + ".on";
        is_on.rate = graph.constant(0.0);
        is_on.initial = graph.constant(1.0);
        const Expr on =
            graph.binary(Op::less, graph.constant(0.5), graph.leaf(LeafKind::state, number));
        system.states[at].rate = graph.select(on, system.states[at].rate, graph.constant(0.0));
        system.states[at].switch_state = number;
        system.states.push_back(is_on);
        ++system.n_kept_states;
    }
    return system;
}

} // namespace gemel::sim
