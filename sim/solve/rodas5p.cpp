#include "solve/rodas5p.hpp"

#include "solve/lane_engine.hpp"
#include "solve/lowering_budget.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace gemel::sim {
namespace {

class Rodas5P : public PreparedSolver {
public:
    Rodas5P(const CompiledSystem& system, const SolverOptions& options)
        : method_(system, rodas5p_tableau(), options) {}

    std::unique_ptr<BlockSolver> worker() const override {
        return std::make_unique<LaneEngine>(method_);
    }

private:
    LaneMethod method_;
};

} // namespace

bool rodas5p_applies(const CompiledSystem& system) {
    return over_lowering_budget(system).empty();
}

std::unique_ptr<PreparedSolver> prepare_rodas5p(const CompiledSystem& system,
                                                const SolverOptions& options) {
    if (!(options.rtol > 0.0 && options.rtol < 1.0))
        throw std::invalid_argument(
            fmt::format("rodas5p: rtol must lie in (0, 1), got {}", options.rtol));
    if (options.width != 1 && (options.width <= 0 || options.width % 8 != 0))
        throw std::invalid_argument(
            fmt::format("rodas5p: width must be a multiple of 8, got {}", options.width));
    return std::make_unique<Rodas5P>(system, options);
}

} // namespace gemel::sim
