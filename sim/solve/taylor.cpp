#include "solve/taylor.hpp"

#include "solve/error_scale.hpp"
#include "solve/lane_solver.hpp"
#include "solve/lowering_budget.hpp"
#include "solve/taylor_step.hpp"

namespace gemel::sim {

const StepMethod& taylor_method() {
    static constexpr StepMethod method{.is_explicit = true,
                                       .splits = false,
                                       .error_order = taylor_order + 1,
                                       .is_series = true,
                                       .n_dense_terms = taylor_order,
                                       .step_part = step_part,
                                       .build = taylor_step};
    return method;
}

bool taylor_applies(const CompiledSystem& system) {
    return lanes_apply(system) && !system.structure.uses_time &&
           taylor_operations(system) <= lowering_budget;
}

std::unique_ptr<PreparedSolver> prepare_taylor(const CompiledSystem& system,
                                               const SolverOptions& options) {
    return prepare_lanes("taylor9", taylor_method(), system, options);
}

} // namespace gemel::sim
