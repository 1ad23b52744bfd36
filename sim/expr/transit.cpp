#include "expr/log_gamma.hpp"

#include <gemel/sim/ode_system.hpp>

#include <fmt/format.h>

#include <limits>
#include <stdexcept>

namespace gemel::sim {

namespace {

/// The start of a dose: x^n has no logarithm at 0, and a slope there that may be infinite.
constexpr double smallest_age = 1e-290;

/// A state that only doses change. Its scale keeps it out of error control.
State kept_state(OdeSystem& system, std::string name, const Unit& unit, Expr initial) {
    State state;
    state.name = std::move(name);
    state.unit = unit;
    state.rate = system.graph.constant(0.0);
    state.initial = initial;
    state.scale = 1.0;
    return state;
}

} // namespace

void add_transit(OdeSystem& system, int state, Expr number, Expr mean_time, int n_kept) {
    if (state < 0 || state >= static_cast<int>(system.states.size()) || n_kept < 1 ||
        system.sensitivities.is_set())
        throw std::invalid_argument(
            fmt::format("no transit into state {} that keeps {} doses", state, n_kept));
    ExpressionGraph& g = system.graph;
    const Expr zero = g.constant(0.0), one = g.constant(1.0);
    const Expr is_valid = g.binary(Op::logical_and,
                                   g.binary(Op::less_equal, zero, number),
                                   g.binary(Op::less, zero, mean_time));
    const Expr invalid = g.constant(std::numeric_limits<double>::quiet_NaN());
    const Expr k = g.divide(g.add(number, one), mean_time);
    const Expr log_factorial = log_gamma(g, g.add(number, one));

    const auto depot = static_cast<std::size_t>(state);
    const int first = static_cast<int>(system.states.size());
    const Unit unit = system.states[depot].unit;
    const std::string name = system.states[depot].name;
    Expr input = zero;
    for (int which = 0; which < n_kept; ++which) {
        const Expr time = g.leaf(LeafKind::state, first + 2 * which);
        const Expr amount = g.leaf(LeafKind::state, first + 2 * which + 1);
        const Expr x = g.binary(Op::maximum,
                                g.multiply(k, g.subtract(g.leaf(LeafKind::time), time)),
                                g.constant(smallest_age));
        const Expr exponent =
            g.subtract(g.subtract(g.multiply(number, g.unary(Op::logarithm, x)), x), log_factorial);
        input = g.add(input, g.multiply(g.multiply(amount, k), g.unary(Op::exponential, exponent)));
        system.states.push_back(kept_state(
            system, fmt::format("{}.dose_time_{}", name, which + 1), system.time_unit, zero));
        system.states.push_back(
            kept_state(system, fmt::format("{}.dose_{}", name, which + 1), unit, zero));
    }
    system.states.push_back(
        kept_state(system, name + ".transits", Unit{}, g.select(is_valid, number, invalid)));
    system.states.push_back(kept_state(
        system, name + ".transit_rate", Unit{} / system.time_unit, g.select(is_valid, k, invalid)));
    State& filled = system.states[depot];
    filled.rate = g.add(filled.rate, input);
    filled.n_kept = n_kept;
    filled.first_kept = first;
    system.n_kept_states += 2 * n_kept + 2;
}

} // namespace gemel::sim
