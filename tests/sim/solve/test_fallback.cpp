#include "sim/solve/problems.hpp"

#include <gemel/sim/run.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

using namespace gemel::sim;

namespace {

/// Both a and b are 0 and stay there; after t = 1 they drive each other at `rate`, so that at 1e20
/// elimination without pivoting grows by more than 1e6 in every step of sensible length. c decays.
Problem driven_pair() {
    Problem p("driven pair", 10.0);
    const Term rate = p.input("rate", 1.0);
    const Term a = p.state("a", p.number(0.0)), b = p.state("b", p.number(0.0));
    const Term c = p.state("c", p.number(1.0));
    const Term now = select(p.time() < 1.0, p.number(0.0), rate);
    p.rate(a, now * b);
    p.rate(b, now * a);
    p.rate(c, -c);
    p.output("a", a);
    p.output("c", c);
    p.sample(10);
    p.functional(FunctionalKind::integral, 1, 0.0, 10.0);
    return p;
}

constexpr int n_fallback_subjects = 20;

std::vector<double> rates_with_one_of(double rate) {
    std::vector<double> rates(n_fallback_subjects, 1.0);
    rates[7] = rate;
    return rates;
}

BlockResult solve_prepared(const PreparedSolver& solver,
                           const Problem& problem,
                           const std::vector<double>& inputs) {
    BlockProblem block{
        static_cast<int>(inputs.size()), inputs, &problem.timeline, &problem.observation};
    BlockResult result;
    solver.worker()->solve(block, result);
    return result;
}

} // namespace

TEST_CASE("a subject whose lane gives up is solved by CVODE, the others not") {
    // Closed forms: c = e^{−t}, a = 0; ∫c = 1 − e^{−10}.
    const Problem problem = driven_pair();
    const CompiledSystem system = compile(problem.system);
    const Solver& lanes = *find_solver("rodas5p");
    const std::vector<double> inputs = rates_with_one_of(1e20);
    SolverOptions alone;
    alone.falls_back = false;
    const BlockResult without = solve_prepared(*prepare(lanes, system, alone), problem, inputs);
    const BlockResult with = solve_prepared(*prepare(lanes, system, {}), problem, inputs);
    CHECK(without.status[7] == SolverStatus::singular);
    CHECK(without.fell_back[7] == 0);
    REQUIRE(with.status[7] == SolverStatus::ok);
    CHECK(with.stopped_at[7] == 10.0);
    for (std::size_t i = 0; i <= 10; ++i) {
        CHECK(with.sampled[0][7 * 11 + i] == 0.0);
        const double expected = std::exp(-static_cast<double>(i));
        // As in the battery: 30·rtol of the value and of a thousandth of the largest.
        CHECK(std::fabs(with.sampled[1][7 * 11 + i] - expected) <= 3e-5 * (expected + 1e-3));
    }
    CHECK(with.functionals[7] == doctest::Approx(1.0 - std::exp(-10.0)).epsilon(3e-5));
    for (std::size_t s = 0; s < n_fallback_subjects; ++s) {
        CHECK(with.fell_back[s] == (s == 7 ? 1 : 0));
        if (s == 7) continue;
        CHECK(with.functionals[s] == without.functionals[s]);
        CHECK(std::memcmp(&with.sampled[1][s * 11], &without.sampled[1][s * 11], 88) == 0);
    }
}

TEST_CASE("a subject that CVODE gives up too keeps its first status") {
    // y' = y² has a pole at t = 1: no method passes it.
    Problem problem("pole", 2.0);
    const Term y0 = problem.input("y0", 1.0);
    const Term y = problem.state("y", y0);
    problem.rate(y, y * y);
    problem.output("y", y);
    problem.sample(4);
    const CompiledSystem system = compile(problem.system);
    const Solver& lanes = *find_solver("rodas5p");
    SolverOptions alone;
    alone.falls_back = false;
    const BlockResult without = solve_prepared(*prepare(lanes, system, alone), problem, {1.0, 0.1});
    const BlockResult with = solve_prepared(*prepare(lanes, system, {}), problem, {1.0, 0.1});
    CHECK(without.status[0] != SolverStatus::ok);
    CHECK(with.status[0] == without.status[0]);
    CHECK(with.stopped_at[0] == without.stopped_at[0]);
    CHECK(with.fell_back[0] == 0);
    CHECK(std::isnan(with.sampled[0][0]));
    CHECK(with.status[1] == SolverStatus::ok); // 1/(10 − t)
}

TEST_CASE("a run counts the solves that fell back, whatever its blocks and threads") {
    const Problem problem = driven_pair();
    const CompiledSystem system = compile(problem.system);
    const std::vector<double> inputs = rates_with_one_of(1e20);
    const auto solver = prepare(*find_solver("rodas5p"), system, {});
    RunRequest request;
    request.system = &system;
    request.arms.push_back({problem.timeline, problem.observation, solver.get()});
    request.subjects = {0, 0, n_fallback_subjects};
    request.inputs = [&](const SubjectRange& range, std::span<double> columns) {
        std::copy_n(inputs.begin() + static_cast<std::ptrdiff_t>(range.first),
                    range.count,
                    columns.begin());
    };
    std::vector<double> first;
    for (const auto& [threads, block] : {std::pair{1, 20}, {2, 3}, {1, 8}}) {
        request.n_threads = threads;
        request.block_size = static_cast<std::uint64_t>(block);
        MemorySink sink(request);
        CHECK(run(request, sink).n_fell_back == 1);
        const double* c = sink.sampled(0, 1).data;
        const std::vector<double> all(c, c + n_fallback_subjects * 11);
        if (first.empty()) first = all;
        CHECK(all == first);
    }
}

TEST_CASE("subjects who fell back and stop on their way go on with CVODE") {
    // The same way without stopping, bit for bit; subject 7 fails in lanes just after t = 1.
    Problem problem = driven_pair();
    problem.timeline.records.push_back({.time = 5.0, .kind = RecordKind::multiply, .amount = 1.0});
    const CompiledSystem system = compile(problem.system);
    const auto solver = prepare(*find_solver("rodas5p"), system, {});
    const std::vector<double> inputs = rates_with_one_of(1e20);
    const BlockResult whole = solve_prepared(*solver, problem, inputs);
    REQUIRE(whole.fell_back[7] == 1);
    BlockProblem block{
        n_fallback_subjects, inputs, &problem.timeline, &problem.observation, {}, 5.0};
    BlockResult first, second;
    solver->worker()->solve(block, first);
    std::vector<const ParkedSubject*> resume;
    for (const ParkedSubject& subject : first.parked)
        resume.push_back(&subject);
    CHECK(first.parked[7].fell_back);
    CHECK(!first.parked[6].fell_back);
    block.resume = resume;
    block.park_at = 20.0; // after the end: nobody stops again
    solver->worker()->solve(block, second);
    CHECK(second.status == whole.status);
    CHECK(second.fell_back == whole.fell_back);
    CHECK(second.functionals == whole.functionals);
    for (std::size_t k = 0; k < whole.sampled.size(); ++k)
        for (std::size_t i = 0; i < whole.sampled[k].size(); ++i) {
            const bool is_late = problem.observation.sampled[k].times[i % 11] >= 5.0;
            CHECK((is_late ? second : first).sampled[k][i] == whole.sampled[k][i]);
        }
}
