#include "solve/tsit5.hpp"

#include "solve/error_scale.hpp"
#include "solve/lane_solver.hpp"
#include "solve/runge_kutta_step.hpp"

namespace gemel::sim {

namespace {

ProgramSpec tsit5_step(CompiledSystem& system, const StepLayout& layout, double rtol) {
    return runge_kutta_step(system, tsit5_tableau(), layout, rtol);
}

} // namespace

const StepMethod& tsit5_method() {
    static constexpr StepMethod method{.is_explicit = true, .splits = false, .step_part = explicit_step_part, .build = tsit5_step};
    return method;
}

const StepMethod& tsit5_split_method() {
    static constexpr StepMethod method{.is_explicit = true, .splits = true, .step_part = explicit_step_part, .build = tsit5_step};
    return method;
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
