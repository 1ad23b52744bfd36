#include "solve/error_scale.hpp"

#include "solve/infusion.hpp"
#include "solve/step_control.hpp"

#include <gemel/sim/assert.hpp>

#include <cmath>
#include <vector>

namespace gemel::sim {

namespace {

/// The largest amount each state receives; infusions of one state that overlap or touch (up to
/// rounding of their times) count as one.
std::vector<double>
largest_amounts(std::span<const Event> events, std::size_t n_states, double end) {
    struct Stretch {
        double rate = 0.0, since = 0.0, amount = 0.0;
        int running = 0;
    };
    std::vector<Stretch> stretches(n_states);
    std::vector<double> largest(n_states, 0.0);
    const auto advance = [&](std::size_t state, double time) {
        Stretch& stretch = stretches[state];
        stretch.amount += stretch.rate * (time - stretch.since);
        stretch.since = time;
        largest[state] = std::fmax(largest[state], std::fabs(stretch.amount));
    };
    for (const Event& event : events) {
        if (event.dose < 0 || event.kind == EventKind::multiply) continue;
        const auto state = static_cast<std::size_t>(event.state);
        if (event.kind == EventKind::add || event.kind == EventKind::set) {
            largest[state] = std::fmax(largest[state], std::fabs(event.value));
            continue;
        }
        Stretch& stretch = stretches[state];
        const double gap = event.time - stretch.since;
        if (stretch.running == 0 && gap > least_step(event.time))
            stretch = {0.0, event.time, 0.0, 0};
        advance(state, event.time);
        if (event.kind == EventKind::rate_change)
            stretch.rate += event.value;
        else
            switch_infusion(event, stretch.rate, stretch.running);
    }
    for (std::size_t state = 0; state < n_states; ++state)
        if (stretches[state].running > 0) advance(state, end);
    return largest;
}

/// The largest of `amounts` (each in its own state's unit) in the unit of `state`, over states
/// whose unit has its dimension.
double largest_in_unit_of(const State& state,
                          const std::vector<State>& states,
                          const std::vector<double>& amounts) {
    double largest = 0.0;
    for (std::size_t j = 0; j < amounts.size(); ++j)
        if (amounts[j] > 0.0 && states[j].unit.dimension == state.unit.dimension)
            largest =
                std::fmax(largest, amounts[j] * conversion_factor(states[j].unit, state.unit));
    return largest;
}

} // namespace

void error_scales(const OdeSystem& system,
                  std::span<const Event> events,
                  const double* initial,
                  std::ptrdiff_t initial_stride,
                  double end,
                  double* scale,
                  std::ptrdiff_t stride,
                  const double* inputs,
                  std::ptrdiff_t input_stride) {
    const auto n = static_cast<std::ptrdiff_t>(system.n_own_states());
    const auto baseline = [&](std::ptrdiff_t i) { return std::fabs(initial[i * initial_stride]); };
    std::vector<double> amounts = largest_amounts(events, static_cast<std::size_t>(n), end);
    for (std::ptrdiff_t i = 0; i < n; ++i)
        if (system.states[static_cast<std::size_t>(i)].takes_doses)
            amounts[static_cast<std::size_t>(i)] =
                std::fmax(amounts[static_cast<std::size_t>(i)], baseline(i));
    for (std::ptrdiff_t i = 0; i < n; ++i) {
        const State& state = system.states[static_cast<std::size_t>(i)];
        double size = state.scale;
        if (!(size > 0.0))
            size =
                state.takes_doses ? largest_in_unit_of(state, system.states, amounts) : baseline(i);
        scale[i * stride] = size > 0.0 ? size : 0.0;
    }
    GEMEL_ASSERT(inputs != nullptr || system.n_controlled_states() == n,
                 "scales of derivatives need the inputs");
    for (std::ptrdiff_t i = n; i < system.n_controlled_states(); ++i) {
        const auto which = static_cast<std::size_t>(i / n - 1);
        const double size = std::fabs(inputs[system.sensitivities.wrt[which] * input_stride]);
        scale[i * stride] = scale[i % n * stride] / (size > 0.0 ? size : 1.0);
    }
}

} // namespace gemel::sim
