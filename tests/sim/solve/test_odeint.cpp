#include "sim/solve/problems.hpp"
#include "solve/odeint.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace gemel::sim;

TEST_CASE("the oracle agrees with an independent method at tight tolerances") {
    // Oracle: dopri5 at rtol 1e-12, another method with another estimate. The Hill response is the
    // hard case for Fehlberg's estimate. 1e-10: what dopri5 promises with some room for 1400 steps.
    const Problem p = turnover_hill();
    const CompiledSystem system = compile(p.system);
    const std::vector<double> inputs = p.patients(8);
    SolverOptions options;
    options.rtol = 1e-13;
    const BlockResult oracle = solve(*find_solver("odeint-fehlberg78"), system, p, inputs, options);
    options.rtol = 1e-12;
    const BlockResult other = solve(*find_solver("odeint-dopri5"), system, p, inputs, options);
    for (std::size_t i = 0; i < oracle.sampled[1].size(); ++i)
        CHECK(oracle.sampled[1][i] == doctest::Approx(other.sampled[1][i]).epsilon(1e-10));
}

TEST_CASE("steps land on events") {
    // Closed form: a pulse of rate 1 from 3.7 to 4.2 fills a state without loss to exactly 0.5.
    Problem p("pulse", 10.0);
    const Term x = p.dosed_state("x"), y = p.state("y", p.number(1.0));
    p.input("unused", 1.0);
    p.rate(y, p.time() * y / 50.0);
    p.output("x", x);
    p.infuse(x, 0.5, 0.5, 3.7);
    p.sample_output(0, {3.7, 4.2, 10.0});
    const CompiledSystem system = compile(p.system);
    for (const char* solver : {"odeint-dopri5", "odeint-fehlberg78"}) {
        CAPTURE(solver);
        const BlockResult result = solve(*find_solver(solver), system, p, p.patients(1), {});
        CHECK(result.sampled[0][0] == 0.0);
        CHECK(result.sampled[0][1] == doctest::Approx(0.5).epsilon(1e-15)); // rounding only
        CHECK(result.sampled[0][2] == doctest::Approx(0.5).epsilon(1e-15));
    }
}

TEST_CASE("too many steps and rates that are no numbers end in their status") {
    const Problem p = oral_one_compartment();
    const CompiledSystem system = compile(p.system);
    SolverOptions options;
    options.max_steps = 5;
    Problem broken("root of a negative number", 2.0);
    const Term z = broken.state("z", broken.number(1.0));
    broken.input("unused", 1.0);
    broken.rate(z, pow(0.5 - broken.time(), 0.5));
    broken.output("z", z);
    const CompiledSystem broken_system = compile(broken.system);
    for (const char* name : {"odeint-dopri5", "odeint-fehlberg78"}) {
        const Solver& solver = *find_solver(name);
        CAPTURE(name);
        CHECK(solve(solver, system, p, p.patients(1), options).status[0] ==
              SolverStatus::step_limit);
        const BlockResult result = solve(solver, broken_system, broken, broken.patients(1), {});
        CHECK(result.status[0] == SolverStatus::not_finite);
        CHECK(result.stopped_at[0] == doctest::Approx(0.5).epsilon(1e-3));
    }
}
