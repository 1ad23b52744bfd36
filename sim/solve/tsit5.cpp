#include "solve/tsit5.hpp"

#include "solve/lane_solver.hpp"
#include "solve/runge_kutta_step.hpp"

namespace gemel::sim {

namespace {

ProgramSpec step(CompiledSystem& system, const StepLayout& layout, double rtol) {
    return runge_kutta_step(system, tsit5_tableau(), layout, rtol);
}

} // namespace

const StepMethod& tsit5_method() {
    static constexpr StepMethod method{.is_explicit = true, .splits = false, .build = step};
    return method;
}

const StepMethod& tsit5_split_method() {
    static constexpr StepMethod method{.is_explicit = true, .splits = true, .build = step};
    return method;
}

bool tsit5_applies(const CompiledSystem& system) {
    return lanes_apply(system);
}

std::unique_ptr<PreparedSolver> prepare_tsit5(const CompiledSystem& system,
                                              const SolverOptions& options) {
    return prepare_lanes("tsit5", tsit5_method(), system, options);
}

std::unique_ptr<PreparedSolver> prepare_tsit5_split(const CompiledSystem& system,
                                                    const SolverOptions& options) {
    return prepare_lanes("tsit5-split", tsit5_split_method(), system, options);
}

} // namespace gemel::sim
