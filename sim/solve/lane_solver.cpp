#include "solve/lane_solver.hpp"

#include "lanes/counted_cost.hpp"
#include "solve/lane_engine.hpp"
#include "solve/lowering_budget.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace gemel::sim {
namespace {

class LaneSolver : public PreparedSolver {
public:
    LaneSolver(const CompiledSystem& system, const StepMethod& method, const SolverOptions& options)
        : method_(system, method, options) {}

    std::unique_ptr<BlockSolver> worker() const override {
        return std::make_unique<LaneEngine>(method_, interpreter(), method_.options.width);
    }

    double step_cost() const override {
        return engine_cost + counted_cost(method_.programs.programs[step_program]);
    }

private:
    LaneMethod method_;
};

} // namespace

bool lanes_apply(const CompiledSystem& system) {
    return over_lowering_budget(system).empty();
}

bool split_lanes_apply(const CompiledSystem& system) {
    return can_split(system) && lanes_apply(system);
}

std::unique_ptr<PreparedSolver> prepare_lanes(std::string_view name,
                                              const StepMethod& method,
                                              const CompiledSystem& system,
                                              const SolverOptions& options) {
    if (!(options.rtol > 0.0 && options.rtol < 1.0))
        throw std::invalid_argument(
            fmt::format("{}: rtol must lie in (0, 1), got {}", name, options.rtol));
    if (options.width != 1 && (options.width <= 0 || options.width % 8 != 0))
        throw std::invalid_argument(
            fmt::format("{}: width must be a multiple of 8, got {}", name, options.width));
    return std::make_unique<LaneSolver>(system, method, options);
}

} // namespace gemel::sim
