#include <gemel/sim/solver.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace gemel::sim {
namespace {

/// More steps than this on a pilot patient, and the structure decides: pilots are to be quick.
constexpr std::int64_t max_pilot_steps = 100'000;
constexpr int pilot_width = 16;

std::string describe(const CompiledSystem& compiled) {
    const SystemStructure& structure = compiled.structure;
    const std::size_t n = compiled.system.states.size();
    const char* what =
        structure.is_linear   ? "the rates are linear in the states with constant coefficients"
        : structure.uses_time ? "the rates depend on time or are not linear in the states"
                              : "the rates are not linear in the states";
    return fmt::format("{} ({} state{})", what, n, n == 1 ? "" : "s");
}

/// What a solver did on the pilot.
struct Count {
    const Solver* solver = nullptr;
    std::uint64_t n_steps = 0;
    double step_cost = 0.0;
    int n_failed = 0;
    SolverStatus failure = SolverStatus::ok; ///< of the first that failed

    double cost() const { return static_cast<double>(n_steps) * step_cost; }
};

Count count(const Solver& solver,
            const CompiledSystem& system,
            SolverOptions options,
            const Pilot& pilot) {
    options.width = pilot_width;
    options.executor = ExecutorChoice::interpreter; // a few patients
    options.max_steps = std::min(options.max_steps, max_pilot_steps);
    const std::unique_ptr<PreparedSolver> prepared = solver.prepare(system, options);
    const Observation nothing;
    BlockResult result;
    prepared->worker()->solve({pilot.n_subjects, pilot.inputs, &pilot.timeline, &nothing, {}},
                              result);
    Count count{&solver, 0, prepared->step_cost(), 0, SolverStatus::ok};
    for (std::size_t s = 0; s < result.status.size(); ++s) {
        count.n_steps += result.n_steps[s] + result.n_rejected[s];
        // A patient whose parameters mean nothing says nothing of solvers.
        if (result.status[s] == SolverStatus::ok ||
            result.status[s] == SolverStatus::invalid_parameter)
            continue;
        if (count.n_failed++ == 0) count.failure = result.status[s];
    }
    return count;
}

std::string words(const Count& count, const Pilot& pilot) {
    if (count.n_failed > 0)
        return fmt::format("{} ends in {} for {} of {}",
                           count.solver->name,
                           name(count.failure),
                           count.n_failed,
                           pilot.n_subjects);
    return fmt::format("{} takes {} steps of {:.0f} operations",
                       count.solver->name,
                       count.n_steps,
                       count.step_cost);
}

/// `first` unless another is cheaper and solves every patient; nothing can be said if it fails.
SolverChoice choose_by_counts(const Solver& first,
                              const CompiledSystem& system,
                              const SolverOptions& options,
                              const Pilot& pilot) {
    Count best = count(first, system, options, pilot);
    std::string why = fmt::format(
        "{}; on {} pilot patients {}", describe(system), pilot.n_subjects, words(best, pilot));
    for (const Solver& solver : solvers()) {
        if (!solver.is_counted || &solver == &first || !solver.applies(system)) continue;
        if (best.n_failed > 0) break;
        const Count other = count(solver, system, options, pilot);
        why += ", " + words(other, pilot);
        if (other.n_failed == 0 && other.cost() < best.cost()) best = other;
    }
    return {best.solver, why};
}

} // namespace

SolverChoice
choose_solver(const CompiledSystem& system, const SolverOptions& options, const Pilot* pilot) {
    std::string what = describe(system);
    for (const Solver& solver : solvers()) {
        if (solver.is_reference) continue;
        if (!solver.applies(system)) {
            if (solver.why_not != nullptr)
                what += fmt::format("; not {}: {}", solver.name, solver.why_not(system));
            continue;
        }
        if (solver.is_counted && pilot != nullptr && pilot->n_subjects > 0)
            return choose_by_counts(solver, system, options, *pilot);
        return {&solver, fmt::format("{}: {}", what, solver.about)};
    }
    throw std::invalid_argument("choose_solver: no solver applies to this system");
}

} // namespace gemel::sim
