#include "sim/solve/agreement.hpp"
#include "sim/solve/random_models.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

/// The choice of a solver: by structure, then by counts on a pilot.
using namespace gemel::sim;

namespace {

Pilot pilot_of(const Problem& problem) {
    return {16, problem.patients(16), problem.timeline};
}

/// Steps on the pilot times what a step costs, counted here again.
double cost(const Solver& solver, const CompiledSystem& system, const Problem& problem) {
    const auto prepared = solver.prepare(system, {});
    const std::vector<double> inputs = problem.patients(16);
    BlockResult result;
    prepared->worker()->solve({16, inputs, &problem.timeline, &problem.observation}, result);
    REQUIRE(all_ok(result));
    double steps = 0.0;
    for (std::size_t s = 0; s < 16; ++s)
        steps += result.n_steps[s] + result.n_rejected[s];
    return steps * prepared->step_cost();
}

/// y' = −λ·y·(1 + y): λ of the size of 1e4 per hour for `stiff`, a few tenths else.
Problem logistic(double rate) {
    Problem p("logistic decay", 48.0);
    const Term k = p.input("k", rate, 0.2);
    const Term y = p.dosed_state("y");
    p.rate(y, 0.1 - k * y * (1.0 + y));
    p.output("y", y);
    p.bolus(y, 1.0);
    p.sample(4);
    return p;
}

} // namespace

TEST_CASE("without a pilot the structure of the equations chooses") {
    CHECK(choose_solver(compile(oral_one_compartment().system)).solver->name ==
          "exact-closed-form");
    CHECK(choose_solver(compile(turnover_hill().system)).solver->name == "rodas5p");
}

TEST_CASE("where a solution is exact a pilot is not asked") {
    const Problem problem = transit_absorption();
    const Pilot pilot = pilot_of(problem);
    CHECK(choose_solver(compile(problem.system), {}, &pilot).solver->order == 0);
}

TEST_CASE("the lane method with the lower counted cost is chosen") {
    // Oracle: the same counts, made here.
    for (const Problem& problem : {turnover_emax(),
                                   turnover_hill(),
                                   michaelis_menten(),
                                   tumour_growth(),
                                   modulated_growth(),
                                   random_model(RandomKind::nonlinear, 1),
                                   random_model(RandomKind::nonlinear, 2)}) {
        CAPTURE(problem.name);
        const CompiledSystem system = compile(problem.system);
        const Pilot pilot = pilot_of(problem);
        std::string cheapest;
        double least = std::numeric_limits<double>::infinity();
        for (const Solver& solver : solvers()) {
            if (!solver.is_counted || !solver.applies(system)) continue;
            const double here = cost(solver, system, problem);
            if (here < least) cheapest = solver.name;
            least = std::min(least, here);
        }
        const SolverChoice choice = choose_solver(system, {}, &pilot);
        CHECK(std::string(choice.solver->name) == cheapest);
        CHECK(choice.why.find("16 pilot patients") != std::string::npos);
    }
}

TEST_CASE("a stiff pilot keeps the implicit method and says why") {
    const Problem problem = logistic(1e4);
    const Pilot pilot = pilot_of(problem);
    const SolverChoice choice = choose_solver(compile(problem.system), {}, &pilot);
    CHECK(choice.solver->name == "rodas5p");
    CHECK(choice.why.find("tsit5 ends in stiff for 16 of 16") != std::string::npos);
}

TEST_CASE("patients without meaning do not count in the choice") {
    // Half of them have a lag of NaN.
    Problem problem = turnover_emax();
    const Term lag = problem.input("lag", 0.1);
    problem.system.states[0].lag = lag.expr;
    Pilot pilot = pilot_of(problem);
    for (std::size_t s = 0; s < 8; ++s)
        pilot.inputs[pilot.inputs.size() - 1 - s] = std::numeric_limits<double>::quiet_NaN();
    const SolverChoice choice = choose_solver(compile(problem.system), {}, &pilot);
    CHECK(choice.why.find("ends in") == std::string::npos);
}

TEST_CASE("the choice does not depend on the width or the order of lanes") {
    const Problem problem = tumour_growth();
    const CompiledSystem system = compile(problem.system);
    const Pilot pilot = pilot_of(problem);
    const std::string why = choose_solver(system, {}, &pilot).why;
    SolverOptions options;
    for (int width : {1, 8, 64}) {
        options.width = width;
        CHECK(choose_solver(system, options, &pilot).why == why);
    }
}
