#include "sim/solve/agreement.hpp"
#include "sim/solve/random_models.hpp"

#include <doctest/doctest.h>

#include <cmath>

/// Fifty generated systems, on which all solvers must agree.
using namespace gemel::sim;

namespace {

constexpr int n_patients = 2;
constexpr double tight_rtol = 1e-8;

BlockResult precisely(const char* solver, const CompiledSystem& system, const Problem& problem) {
    SolverOptions options;
    options.rtol = 1e-12;
    options.max_steps = 100'000'000;
    BlockResult result =
        solve(*find_solver(solver), system, problem, problem.patients(n_patients), options);
    REQUIRE(all_ok(result));
    return result;
}

void check_solver(const Solver& solver,
                  const CompiledSystem& system,
                  const Problem& problem,
                  const BlockResult& reference) {
    SolverOptions options;
    options.rtol = tight_rtol;
    const BlockResult result =
        solve(solver, system, problem, problem.patients(n_patients), options);
    CAPTURE(problem.name);
    CAPTURE(solver.name);
    REQUIRE(all_ok(result));
    const Errors errors = errors_of(problem, result, reference);
    // The battery's bar for methods with steps. Exact ones: their rounding and the reference's own
    // 1e-12, of the value and of 1e-3 of its peak.
    CHECK(errors.rms <= (solver.order == 0 ? 1e-10 : 2.0 * tight_rtol));
    CHECK(errors.maximum <= (solver.order == 0 ? 1e-9 : 30.0 * tight_rtol));
    for (std::size_t f = 0; f < result.functionals.size(); ++f)
        CHECK(result.functionals[f] ==
              doctest::Approx(reference.functionals[f]).epsilon(30.0 * tight_rtol));
}

} // namespace

TEST_CASE("all solvers agree on fifty random models") {
    // Oracle: each other. The reference is Fehlberg 8(7) at 1e-12, of stiff systems Rodas5P at
    // 1e-12; explicit methods are let off stiff ones, as their registry line says.
    for (const Problem& problem : random_models()) {
        const CompiledSystem system = compile(problem.system);
        const char* judge = problem.is_stiff ? "rodas5p" : "odeint-fehlberg78";
        const BlockResult reference = precisely(judge, system, problem);
        for (const Solver& solver : solvers())
            if (solver.applies(system) && (solver.is_stiff || !problem.is_stiff))
                check_solver(solver, system, problem, reference);
    }
}
