#include "base/normal_lanes.hpp"

#include <gemel/sim/random.hpp>

#include <cmath>

namespace gemel::sim {

double normal_quantile(double p) {
    const double q = p - 0.5;
    if (lane::is_near_half(q)) {
        const auto [top, bottom] = lane::quantile_near_half(q);
        return top / bottom;
    }
    const double tail = q < 0.0 ? p : 1.0 - p;
    if (!(tail > 0.0)) // also NaN
        return tail == 0.0 ? std::copysign(lane::infinity, q) : lane::nan;
    const double r = std::sqrt(-lane_log(tail));
    const auto [top, bottom] = r <= 5.0 ? lane::quantile_in_tail(r) : lane::quantile_far_out(r);
    return std::copysign(top / bottom, q);
}

double normal_probability(double z) {
    return lane::lane_normal_probability(z);
}

} // namespace gemel::sim
