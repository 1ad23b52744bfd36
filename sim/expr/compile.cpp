#include <gemel/sim/ode_system.hpp>

#include <fmt/format.h>

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

} // namespace

CompiledSystem compile(OdeSystem system, std::vector<int> wrt) {
    check(system, wrt);
    CompiledSystem compiled;
    compiled.structure = analyse(system);
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
