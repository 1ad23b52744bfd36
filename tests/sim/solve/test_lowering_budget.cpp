#include "sim/solve/networks.hpp"
#include "solve/lowering_budget.hpp"
#include "solve/observer.hpp"
#include "solve/rodas5p.hpp"
#include "solve/rosenbrock_lu.hpp"
#include "solve/rosenbrock_step.hpp"

#include <doctest/doctest.h>

using namespace gemel::sim;

namespace {

std::int64_t operations_built(CompiledSystem system) {
    const StepLayout layout = step_layout(system, rodas5p_method());
    const ProgramSpec own[] = {rosenbrock_step(system, rodas5p_tableau(), layout, 1e-6)};
    return lower_with_common(system, own).programs[n_common_programs].n_operations();
}

} // namespace

TEST_CASE("counted operations of a step are those of the program that is built") {
    // Invariant, within a third: counting knows neither fused operations nor what simplifies.
    for (const Problem& problem : {turnover_hill(),
                                   target_mediated(),
                                   tumour_growth(),
                                   organ_network(20, 1.0),
                                   organ_network(60, 1.0),
                                   dense_network(12, 1.0)}) {
        const CompiledSystem system = compile(problem.system);
        const auto built = static_cast<double>(operations_built(system));
        const auto counted = static_cast<double>(rosenbrock_operations(system, 1'000'000'000));
        CAPTURE(problem.name);
        CHECK(counted / built > 0.66);
        CHECK(counted / built < 1.5);
    }
}

TEST_CASE("elimination is counted from the pattern") {
    // By hand. Tridiagonal of 4: three pivots with one entry below and right, 1 + 1·(1 + 1) each,
    // and the last reciprocal. Dense of 3: (1 + 2·3) + (1 + 1·2) + 1; solve: all 9 entries.
    const EliminationCost chain = elimination_cost({{0, 1}, {0, 1, 2}, {1, 2, 3}, {2, 3}}, 1000);
    CHECK(chain.eliminate == 10);
    CHECK(chain.solve == 10);
    const EliminationCost dense = elimination_cost({{0, 1, 2}, {0, 1, 2}, {0, 1, 2}}, 1000);
    CHECK(dense.eliminate == 11);
    CHECK(dense.solve == 9);
}

TEST_CASE("a sparse network of 300 states goes to lanes, a dense one to CVODE") {
    const CompiledSystem sparse = compile(organ_network(300, 1.0).system);
    const SolverChoice for_sparse = choose_solver(sparse);
    CHECK(for_sparse.solver->falls_back); // a solver in lanes
    CHECK(rosenbrock_operations(sparse) <= lowering_budget);

    const CompiledSystem dense = compile(dense_network(300, 1.0).system);
    const SolverChoice for_dense = choose_solver(dense);
    CHECK(for_dense.solver->name == "cvode");
    CAPTURE(for_dense.why);
    CHECK(for_dense.why.find("not rodas5p: a step in lanes would take") != std::string::npos);
    CHECK(for_dense.why.find("lowering budget of 150000") != std::string::npos);
}
