#include "sim/solve/random_events.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

/// Subjects that stop on their way and go on. Oracle: the same way without stopping, bit for bit.
using namespace gemel::sim;

namespace {

/// Random tables of one model, whose every row may have further inputs.
struct Ward {
    Problem problem;
    std::vector<EventTable> tables;

    Ward(Problem p, std::string_view name, int n_tables, TableOptions options)
        : problem(std::move(p)) {
        observe_everything(problem, options.start, options.end);
        const int n = static_cast<int>(problem.system.outputs.size());
        for (int k = 0; k < n; ++k) {
            problem.functional(FunctionalKind::integral, k, options.start, options.end);
            problem.functional(FunctionalKind::time_of_maximum, k, options.start, options.end);
            problem.functional(FunctionalKind::time_above, k, options.start, options.end, 0.5);
        }
        problem.sample_output(0, {0.0, 7.3, 24.0, 50.0, options.end});
        for (int i = 0; i < n_tables; ++i) {
            EventDice dice(name, static_cast<std::uint64_t>(i));
            tables.push_back(random_table(dice, options));
        }
    }

    /// Something happens to everybody at these times that changes nothing: steps end there.
    void stop_at(std::initializer_list<double> times) {
        for (const double time : times)
            problem.timeline.records.push_back(
                {.time = time, .kind = RecordKind::multiply, .amount = 1.0});
    }
};

TableOptions everything() {
    return {.start = -24.0,
            .end = 72.0,
            .n_compartments = 2,
            .has_switches = true,
            .has_changes = true,
            .has_steady = true};
}

std::uint64_t bits(double x) {
    return std::bit_cast<std::uint64_t>(x);
}

/// Values of a way in two parts: those of the first, where the second has none.
void put_together(const std::vector<double>& first, std::vector<double>& second) {
    for (std::size_t i = 0; i < second.size(); ++i)
        if (std::isnan(second[i])) second[i] = first[i];
}

void check_same(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    std::size_t n_different = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        n_different += bits(a[i]) != bits(b[i]);
    CHECK(n_different == 0);
}

/// Stops at each of `times`, each part in a new solver, of other lanes.
void check_in_parts(const Ward& ward, const Solver& solver, std::vector<double> times) {
    const CompiledSystem system = compile(ward.problem.system);
    const BlockResult whole = solve_tables(solver, system, ward.problem, ward.tables, {});
    std::vector<ParkedSubject> parked;
    std::vector<std::vector<double>> own, sampled;
    BlockResult part;
    times.push_back(std::numeric_limits<double>::infinity());
    int n = 0;
    for (const double until : times) {
        SolverOptions options;
        options.width = ++n % 2 == 0 ? 32 : 8;
        part = solve_tables(solver, system, ward.problem, ward.tables, options, until, parked);
        for (std::size_t k = 0; k < own.size(); ++k)
            put_together(own[k], part.own[k]);
        for (std::size_t k = 0; k < sampled.size(); ++k)
            put_together(sampled[k], part.sampled[k]);
        own = part.own;
        sampled = part.sampled;
        parked = part.parked;
        if (until > ward.problem.timeline.end) break;
        REQUIRE(parked.size() == ward.tables.size());
        for (std::size_t s = 0; s < parked.size(); ++s)
            if (!parked[s].numbers.empty()) CHECK(part.stopped_at[s] == until);
    }
    CHECK(part.status == whole.status);
    CHECK(part.n_steps == whole.n_steps);
    CHECK(part.n_rejected == whole.n_rejected);
    CHECK(part.stopped_at == whole.stopped_at);
    check_same(part.functionals, whole.functionals);
    for (std::size_t k = 0; k < own.size(); ++k)
        check_same(part.own[k], whole.own[k]);
    for (std::size_t k = 0; k < sampled.size(); ++k)
        check_same(part.sampled[k], whole.sampled[k]);
}

void check_in_parts(const Ward& ward, const std::vector<double>& times) {
    const CompiledSystem system = compile(ward.problem.system);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        check_in_parts(ward, solver, times);
    }
}

} // namespace

namespace {

/// Infusions that run, doses on their way, steady states, rows of inputs: random tables of two
/// compartments with an area, by every solver.
void check_stops(int n_tables) {
    Ward ward(linear_pk(2, true), "parking", n_tables, everything());
    ward.stop_at({-10.0, 13.25, 24.0, 51.7});
    check_in_parts(ward, {-10.0, 13.25, 24.0, 51.7});
    check_in_parts(ward, {13.25});
}

} // namespace

TEST_CASE("subjects who stop at an event and go on have the bits of those who did not") {
    check_stops(9);
}

TEST_SUITE("slow") {
    TEST_CASE("many subjects who stop at an event and go on have the bits of those who did not") {
        check_stops(30);
    }
}

TEST_CASE("closed forms stop and go on likewise") {
    TableOptions options = everything();
    options.n_compartments = 1;
    Ward ward(linear_pk(1, false), "parking closed forms", 100, options);
    ward.stop_at({-24.0, 6.0, 72.0});
    check_in_parts(ward, {-24.0, 6.0, 72.0});
}

TEST_CASE("parked subjects know what triggers saw") {
    Ward ward(turnover_pk(), "parking triggers", 0, {});
    for (int i = 0; i < 40; ++i) {
        EventDice dice("parking triggers", static_cast<std::uint64_t>(i));
        EventTable table = random_table(dice, {.end = 72.0});
        table.rows[0].insert(table.rows[0].end(), {0.2, 50.0, 1.0});
        ward.tables.push_back(table);
    }
    observe_everything(ward.problem, 0.0, 72.0);
    Trigger low;
    low.threshold = 0.4;
    low.record = {.time = 0.5, .state = depot_state};
    low.record.amount = 40.0;
    low.record.interval = 3.0;
    low.record.count = 3;
    low.wait = 10.0;
    Trigger high;
    high.threshold = 3.0;
    high.is_above = true;
    high.record = {.kind = RecordKind::multiply, .state = central_state, .amount = 0.7};
    ward.problem.timeline.triggers = {low, high};
    ward.problem.functional(FunctionalKind::times_acted, 0, 0.0, 72.0);
    ward.problem.functional(FunctionalKind::times_acted, 1, 0.0, 72.0);
    ward.stop_at({8.0, 30.0, 31.0});
    check_in_parts(ward, {8.0, 30.0, 31.0});
}

TEST_CASE("what is decided when subjects stop comes as if it had been planned") {
    // A dose added at the stop: the same bits as where it stood in the timeline from the start.
    Ward planned(linear_pk(2, true), "decisions", 20, everything());
    planned.stop_at({24.0});
    Ward decided = planned;
    const Record dose{
        .time = 24.0, .state = depot_state, .amount = 80.0, .interval = 8.0, .count = 3};
    planned.problem.timeline.records.push_back(dose);
    const CompiledSystem system = compile(planned.problem.system);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult whole = solve_tables(solver, system, planned.problem, planned.tables, {});
        const BlockResult first =
            solve_tables(solver, system, decided.problem, decided.tables, {}, 24.0);
        const BlockResult second = solve_tables(solver,
                                                system,
                                                planned.problem,
                                                planned.tables,
                                                {},
                                                std::numeric_limits<double>::infinity(),
                                                first.parked);
        CHECK(second.status == whole.status);
        // Error scales know of all doses from the start in the one, not in the other: so solvers
        // that step agree to their tolerance only.
        for (std::size_t s = 0; s < planned.tables.size(); ++s) {
            if (whole.status[s] != SolverStatus::ok) continue;
            for (std::size_t i = whole.own_first[s]; i < whole.own_first[s + 1]; ++i)
                if (!std::isnan(second.own[0][i]))
                    CHECK(
                        second.own[0][i] ==
                        doctest::Approx(whole.own[0][i]).epsilon(solver.order == 0 ? 1e-12 : 1e-4));
        }
    }
}

TEST_CASE("a parked subject of another system or solver is refused") {
    Ward ward(linear_pk(2, true), "parking", 2, everything());
    ward.stop_at({10.0});
    const CompiledSystem system = compile(ward.problem.system);
    const Solver& lanes = *find_solver("rodas5p");
    const BlockResult parked = solve_tables(lanes, system, ward.problem, ward.tables, {}, 10.0);
    constexpr double to_the_end = std::numeric_limits<double>::infinity();
    CHECK_THROWS_AS(solve_tables(*find_solver("cvode"),
                                 system,
                                 ward.problem,
                                 ward.tables,
                                 {},
                                 to_the_end,
                                 parked.parked),
                    std::invalid_argument);
    std::vector<ParkedSubject> cut = parked.parked;
    cut[1].numbers.pop_back();
    CHECK_THROWS_AS(solve_tables(lanes, system, ward.problem, ward.tables, {}, to_the_end, cut),
                    std::invalid_argument);
    cut[1].n_records = 7;
    CHECK_THROWS_AS(solve_tables(lanes, system, ward.problem, ward.tables, {}, to_the_end, cut),
                    std::invalid_argument);
}
