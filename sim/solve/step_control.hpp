#pragma once

#include <cstdint>

/// How step sizes follow errors. Theory manual: solvers.md.
namespace gemel::sim {

inline constexpr double safety = 0.9;
inline constexpr double least_factor = 0.2, largest_factor = 6.0;
inline constexpr double singular_factor = 0.5;
inline constexpr int max_singular_in_a_row = 8;
/// An explicit method is watched from every so many steps on, given up after so many at the edge of
/// stability, and let be after so many others.
inline constexpr int stability_watch = 1000, stiff_after = 15, calm_after = 6;
/// A step that would leave less than this part of itself before the stop goes to the stop.
inline constexpr double stretch = 1.01;

/// Step change for a step whose squared error has `error_to_minus_tenth`; NaN shrinks most.
inline double step_factor(double error_to_minus_tenth) {
    const double factor = safety * error_to_minus_tenth;
    if (!(factor > least_factor)) return least_factor;
    return factor < largest_factor ? factor : largest_factor;
}

/// The smallest step at a time: 16 ulp. At 0 the clock can tell almost any step: a dose there may
/// vanish at a rate of 1e300 and leave its area right.
inline double least_step(double time) {
    constexpr double least_at_zero = 0x1p-1010;
    const double part = 0x1p-48 * (time < 0.0 ? -time : time);
    return part > least_at_zero ? part : least_at_zero;
}

/// What a rate makes in this time is as good as 0, for a state that has no scale to be judged by.
inline double hardly_a_moment(double time) {
    return 1000.0 * least_step(time);
}

} // namespace gemel::sim
