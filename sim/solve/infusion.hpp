#pragma once

#include "solve/expansion.hpp"

/// Zero-order input into a state.
namespace gemel::sim {

/// Starts or ends an infusion into a state with `rate` in all. The infusions running are counted,
/// so that their sum ends at exactly 0.
inline void switch_infusion(const Event& event, double& rate, int& n_running) {
    const bool starts = event.kind != EventKind::rate_off;
    n_running += starts ? 1 : -1;
    rate = n_running == 0 ? 0.0 : rate + (starts ? event.value : -event.value);
}

} // namespace gemel::sim
