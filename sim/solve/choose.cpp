#include <gemel/sim/solver.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace gemel::sim {
namespace {

std::string describe(const CompiledSystem& compiled) {
    const SystemStructure& structure = compiled.structure;
    if (structure.is_linear) return "the rates are linear in the states with constant coefficients";
    if (structure.uses_time) return "the rates depend on time or are not linear in the states";
    return "the rates are not linear in the states";
}

} // namespace

SolverChoice choose_solver(const CompiledSystem& system) {
    std::string passed_over;
    for (const Solver& solver : solvers()) {
        if (solver.is_reference) continue;
        if (solver.applies(system))
            return {&solver,
                    fmt::format("{} ({} states){}: {}",
                                describe(system),
                                system.system.states.size(),
                                passed_over,
                                solver.about)};
        if (solver.why_not != nullptr)
            passed_over += fmt::format("; not {}: {}", solver.name, solver.why_not(system));
    }
    throw std::invalid_argument("choose_solver: no solver applies to this system");
}

} // namespace gemel::sim
