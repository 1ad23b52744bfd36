#include "solve/error_scale.hpp"

#include <cmath>
#include <vector>

namespace gemel::sim {

namespace {

/// The largest amount in the events; infusions of one state that overlap or touch count as one.
double largest_amount(std::span<const Event> events, std::size_t n_states, double end) {
    struct Stretch {
        double rate = 0.0, since = 0.0, amount = 0.0;
        int running = 0;
    };
    std::vector<Stretch> stretches(n_states);
    double largest = 0.0;
    const auto advance = [&largest](Stretch& stretch, double time) {
        stretch.amount += stretch.rate * (time - stretch.since);
        stretch.since = time;
        largest = std::fmax(largest, std::fabs(stretch.amount));
    };
    for (const Event& event : events) {
        if (event.kind == EventKind::add) {
            largest = std::fmax(largest, std::fabs(event.value));
            continue;
        }
        Stretch& stretch = stretches[static_cast<std::size_t>(event.state)];
        const bool starts = event.kind == EventKind::rate_on;
        if (stretch.running == 0) stretch = {0.0, event.time, 0.0, 0};
        advance(stretch, event.time);
        stretch.running += starts ? 1 : -1;
        stretch.rate += starts ? event.value : -event.value;
    }
    for (Stretch& stretch : stretches)
        if (stretch.running > 0) advance(stretch, end);
    return largest;
}

} // namespace

void error_scales(const OdeSystem& system,
                  std::span<const Event> events,
                  const double* initial,
                  std::ptrdiff_t initial_stride,
                  double end,
                  double* scale,
                  std::ptrdiff_t stride) {
    const auto n = static_cast<std::ptrdiff_t>(system.states.size());
    const auto baseline = [&](std::ptrdiff_t i) { return std::fabs(initial[i * initial_stride]); };
    double received = largest_amount(events, system.states.size(), end);
    for (std::ptrdiff_t i = 0; i < n; ++i)
        if (system.states[static_cast<std::size_t>(i)].takes_doses)
            received = std::fmax(received, baseline(i));
    for (std::ptrdiff_t i = 0; i < n; ++i) {
        const State& state = system.states[static_cast<std::size_t>(i)];
        double size = state.scale;
        if (!(size > 0.0)) size = state.takes_doses ? received : baseline(i);
        scale[i * stride] = size > 0.0 ? size : 1.0;
    }
}

} // namespace gemel::sim
