#pragma once

#include "base/lane_math.hpp"
#include "solve/expansion.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

/// When a dose by way of n transit compartments comes, k being their rate: a gamma law of shape
/// n + 1. Theory manual: transit.md.
namespace gemel::sim {

/// A dose that is given up must have come but for this part.
inline constexpr double may_be_lost = 1e-10;

struct TransitTimes {
    double n = 0.0;
    double k = 0.0;

    /// Three standard deviations before the mean: hardly anything has come. Negative: at once.
    double begin() const { return (n + 1.0 - 3.0 * std::sqrt(n + 1.0)) / k; }
    double height() const { return n / k; }

    /// A bound on the part still to come after `age`: with x = k·age > n,
    /// Q(n + 1, x) ≤ x^(n+1)·exp(−x)/((x − n)·Γ(n + 1)), and Γ(n + 1) is above 0.8856 and above
    /// √(2πn)·(n/e)^n. 1 where the bound says nothing.
    double still_to_come(double age) const {
        const double x = k * age;
        if (!(x > n)) return 1.0;
        const double stirling =
            n > 0.0 ? 0.5 * lane_log(6.283185307179586 * n) + n * (lane_log(n) - 1.0) : 0.0;
        const double log_gamma = std::max(stirling, -0.1215);
        const double bound = lane_exp((n + 1.0) * lane_log(x) - x - log_gamma) / (x - n);
        return std::min(bound, 1.0);
    }
};

/// Stops on the way of a dose given at `time`, so that no step passes over an input that has hardly
/// begun: three standard deviations before the mean, and at the height. Only those in (from, to).
inline void add_stops(const TransitTimes& transit,
                      double time,
                      int state,
                      double from,
                      double to,
                      std::vector<Event>& events) {
    for (const double stop : {time + transit.begin(), time + transit.height()})
        if (stop > time && stop > from && stop < to)
            events.push_back({.time = stop, .kind = EventKind::stop, .state = state});
}

} // namespace gemel::sim
