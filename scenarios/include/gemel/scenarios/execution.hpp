#pragma once

#include <gemel/sim/solver.hpp>

namespace gemel::scenarios {

/// Who computes. Changes no result.
struct Execution {
    sim::ExecutorChoice executor = sim::ExecutorChoice::interpreter;
    const sim::NativeCode* native_code = nullptr; ///< outlives the run
};

} // namespace gemel::scenarios
