#pragma once

#include "sim/solve/problems.hpp"

/// How far two solvers' results are apart.
namespace gemel::sim {

struct Errors {
    double rms = 0.0;
    double maximum = 0.0;
};

/// error = |y − ref| / (|ref| + 1e-3·max of that profile), over subjects in both, outputs, times.
Errors errors_of(const Problem& problem, const BlockResult& result, const BlockResult& reference);

bool all_ok(const BlockResult& result);

} // namespace gemel::sim
