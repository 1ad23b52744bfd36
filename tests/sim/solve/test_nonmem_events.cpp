#include "sim/solve/nonmem_events.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace gemel::sim;

namespace {

/// All situations as subjects of one block.
struct NonmemBlock {
    std::vector<NonmemSituation> situations = nonmem_situations();
    Problem problem = nonmem_problem();
    CompiledSystem system = compile(problem.system);
    std::vector<const SubjectTimeline*> own;
    std::vector<double> inputs;

    NonmemBlock() {
        for (const NonmemSituation& s : situations) {
            own.push_back(&s.own);
            problem.timeline.end = std::max(problem.timeline.end, s.own.samples.back().time);
        }
        for (std::size_t i = 0; i < situations[0].rows[0].size(); ++i)
            for (const NonmemSituation& s : situations)
                for (const std::vector<double>& row : s.rows)
                    inputs.push_back(row[i]);
        problem.observation.own_outputs = {0};
    }

    BlockResult solve(const Solver& solver, double rtol) const {
        SolverOptions options;
        options.rtol = rtol;
        BlockResult result;
        prepare(solver, system, options)
            ->worker()
            ->solve({static_cast<int>(own.size()),
                     inputs,
                     &problem.timeline,
                     &problem.observation,
                     own},
                    result);
        return result;
    }
};

/// Where NONMEM extrapolates a lagged steady state backwards, beyond its period, it prints numbers
/// that no body has: those before record + lag − II.
double extrapolated_until(const NonmemSituation& situation) {
    double until = -1.0;
    for (const Record& record : situation.own.records)
        if (record.steady != SteadyState::none)
            until = std::max(until, record.time + situation.rows[0][3] - record.interval);
    return until;
}

} // namespace

TEST_CASE("every solver answers 26 dosing situations as NONMEM does") {
    const NonmemBlock block;
    REQUIRE(block.situations.size() == 26);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(block.system)) continue;
        CAPTURE(solver.name);
        const BlockResult result = block.solve(solver, 1e-7);
        int n_compared = 0;
        for (std::size_t s = 0; s < block.situations.size(); ++s) {
            const NonmemSituation& situation = block.situations[s];
            CAPTURE(situation.text);
            REQUIRE(name(result.status[s]) == "ok");
            for (std::size_t k = 0; k < situation.expected.size(); ++k) {
                const double time = situation.own.samples[k].time;
                if (time < extrapolated_until(situation)) continue;
                CAPTURE(time);
                const double found = result.own[0][result.own_first[s] + k];
                // NONMEM's five printed digits
                CHECK(found == doctest::Approx(situation.expected[k]).epsilon(1e-4));
                ++n_compared;
            }
        }
        CHECK(n_compared > 3300);
    }
}
