#include "solve/error_scale.hpp"

#include "solve/infusion.hpp"
#include "solve/step_control.hpp"

#include <gemel/sim/assert.hpp>

#include <algorithm>
#include <cmath>

namespace gemel::sim {

ErrorScales::ErrorScales(const OdeSystem& system)
    : system_(system),
      n_(static_cast<std::size_t>(system.n_own_states())),
      factor_(n_ * n_),
      stretches_(n_),
      amounts_(n_) {
    for (std::size_t i = 0; i < n_; ++i)
        for (std::size_t j = 0; j < n_; ++j)
            if (system.states[i].unit.dimension == system.states[j].unit.dimension)
                factor_[i * n_ + j] =
                    conversion_factor(system.states[j].unit, system.states[i].unit);
}

void ErrorScales::advance(std::size_t state, double time) {
    Stretch& one = stretches_[state];
    one.amount += one.rate * (time - one.since);
    one.since = time;
    amounts_[state] = std::fmax(amounts_[state], std::fabs(one.amount));
}

/// Infusions that touch up to rounding of their times count as one.
void ErrorScales::find_largest_amounts(std::span<const Event> events, double end) {
    std::fill(stretches_.begin(), stretches_.end(), Stretch{});
    std::fill(amounts_.begin(), amounts_.end(), 0.0);
    for (const Event& event : events) {
        if (event.dose < 0 || event.kind == EventKind::multiply) continue;
        const auto state = static_cast<std::size_t>(event.state);
        if (event.kind == EventKind::add || event.kind == EventKind::set) {
            amounts_[state] = std::fmax(amounts_[state], std::fabs(event.value));
            continue;
        }
        Stretch& one = stretches_[state];
        const double gap = event.time - one.since;
        if (one.running == 0 && gap > least_step(event.time))
            one = {0.0, event.time, 0.0, 0};
        advance(state, event.time);
        if (event.kind == EventKind::rate_change)
            one.rate += event.value;
        else
            switch_infusion(event, one.rate, one.running);
    }
    for (std::size_t state = 0; state < n_; ++state)
        if (stretches_[state].running > 0) advance(state, end);
}

/// Over states whose unit has its dimension.
double ErrorScales::largest_in_unit_of(std::size_t state) const {
    double largest = 0.0;
    for (std::size_t j = 0; j < n_; ++j)
        if (amounts_[j] > 0.0 && factor_[state * n_ + j] != 0.0)
            largest = std::fmax(largest, amounts_[j] * factor_[state * n_ + j]);
    return largest;
}

void ErrorScales::find(std::span<const Event> events,
                       const double* initial,
                       std::ptrdiff_t initial_stride,
                       double end,
                       double* scale,
                       std::ptrdiff_t stride,
                       const double* inputs,
                       std::ptrdiff_t input_stride) {
    const auto baseline = [&](std::size_t i) {
        return std::fabs(initial[static_cast<std::ptrdiff_t>(i) * initial_stride]);
    };
    find_largest_amounts(events, end);
    for (std::size_t i = 0; i < n_; ++i)
        if (system_.states[i].takes_doses) amounts_[i] = std::fmax(amounts_[i], baseline(i));
    for (std::size_t i = 0; i < n_; ++i) {
        const State& state = system_.states[i];
        double size = state.scale;
        if (!(size > 0.0)) size = state.takes_doses ? largest_in_unit_of(i) : baseline(i);
        scale[static_cast<std::ptrdiff_t>(i) * stride] = size > 0.0 ? size : 0.0;
    }
    const auto n = static_cast<std::ptrdiff_t>(n_);
    GEMEL_ASSERT(inputs != nullptr || system_.n_controlled_states() == n,
                 "scales of derivatives need the inputs");
    for (std::ptrdiff_t i = n; i < system_.n_controlled_states(); ++i) {
        const auto which = static_cast<std::size_t>(i / n - 1);
        const double size = std::fabs(inputs[system_.sensitivities.wrt[which] * input_stride]);
        scale[i * stride] = scale[i % n * stride] / (size > 0.0 ? size : 1.0);
    }
}

} // namespace gemel::sim
