#pragma once

#include <gemel/sim/expression.hpp>

/// Elementary functions with the same bits on every machine: the maths of the lanes.
namespace gemel::scenarios {

inline double exponential(double x) {
    return sim::apply(sim::Op::exponential, x, 0.0, 0.0);
}

inline double logarithm(double x) {
    return sim::apply(sim::Op::logarithm, x, 0.0, 0.0);
}

} // namespace gemel::scenarios
