#include "solve/lane_solver.hpp"

#include "lanes/counted_cost.hpp"
#include "solve/lane_engine.hpp"
#include "solve/lowering_budget.hpp"
#include "solve/native_tier.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace gemel::sim {
namespace {

/// An engine that changes to native code between two blocks, once that is there.
class TieredWorker : public BlockSolver {
public:
    TieredWorker(const LaneMethod& method, NativeTier& tier) : method_(method), tier_(tier) {}

    void solve(const BlockProblem& problem, BlockResult& result) override {
        choose_engine(problem.n_subjects);
        engine_->solve(problem, result);
        if (is_native_) return;
        std::int64_t n_steps = 0;
        for (std::size_t s = 0; s < result.n_steps.size(); ++s)
            n_steps += result.n_steps[s] + result.n_rejected[s];
        tier_.note(problem.n_subjects, n_steps);
    }

private:
    void choose_engine(int n_subjects) {
        if (is_native_) return;
        if (const auto native = tier_.executor()) {
            engine_ = std::make_unique<LaneEngine>(method_, *native, tier_.width());
            is_native_ = true;
            return;
        }
        const int asked = method_.options.width;
        const int width = asked > 0 ? asked : lanes_for(n_subjects);
        if (engine_ != nullptr && width <= width_) return;
        engine_ = std::make_unique<LaneEngine>(method_, interpreter(), width);
        width_ = width;
    }

    int width_ = 0; ///< of the interpreting engine
    const LaneMethod& method_;
    NativeTier& tier_;
    std::unique_ptr<LaneEngine> engine_;
    bool is_native_ = false;
};

class LaneSolver : public PreparedSolver {
public:
    LaneSolver(const CompiledSystem& system, const StepMethod& method, const SolverOptions& options)
        : method_(system, method, options),
          tier_(method_, options) {}

    std::unique_ptr<BlockSolver> worker() const override {
        return std::make_unique<TieredWorker>(method_, tier_);
    }

    std::string executor() const override { return tier_.describe(); }

    double step_cost() const override {
        return engine_cost + counted_cost(method_.programs.programs[step_program]);
    }

private:
    LaneMethod method_;
    mutable NativeTier tier_; ///< its own locks
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
    if (options.width != 1 && (options.width < 0 || options.width % 8 != 0))
        throw std::invalid_argument(
            fmt::format("{}: width must be a multiple of 8, got {}", name, options.width));
    return std::make_unique<LaneSolver>(system, method, options);
}

} // namespace gemel::sim
