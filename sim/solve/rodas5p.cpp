#include "solve/rodas5p.hpp"

#include "solve/error_scale.hpp"
#include "solve/lane_solver.hpp"
#include "solve/rosenbrock_step.hpp"

namespace gemel::sim {

namespace {

ProgramSpec rodas5p_step(CompiledSystem& system, const StepLayout& layout, double rtol) {
    return rosenbrock_step(system, rodas5p_tableau(), layout, rtol);
}

} // namespace

const StepMethod& rodas5p_method() {
    static constexpr StepMethod method{
        .is_explicit = false, .splits = false, .step_part = step_part, .build = rodas5p_step};
    return method;
}

const StepMethod& rodas5p_split_method() {
    static constexpr StepMethod method{.is_explicit = false, .splits = true, .step_part = step_part, .build = rodas5p_step};
    return method;
}

std::unique_ptr<PreparedSolver> prepare_rodas5p(const CompiledSystem& system,
                                                const SolverOptions& options) {
    return prepare_lanes("rodas5p", rodas5p_method(), system, options);
}

std::unique_ptr<PreparedSolver> prepare_rodas5p_split(const CompiledSystem& system,
                                                      const SolverOptions& options) {
    return prepare_lanes("rodas5p-split", rodas5p_split_method(), system, options);
}

} // namespace gemel::sim
