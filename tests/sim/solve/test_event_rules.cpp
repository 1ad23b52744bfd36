#include "sim/solve/random_events.hpp"

#include <gemel/sim/ode_system.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

/// Rules of NONMEM's PREDPP that random tables do not reach. Oracles: closed forms of one
/// compartment, or the same said in other records.
using namespace gemel::sim;

namespace {

/// A row of linear_pk(1, false): CL 2, V 20, ka 1, no lag, F 1.
std::vector<double> plain_row() {
    std::vector<double> row(n_pk_inputs, 1.0);
    row[in_cl] = 2.0;
    row[in_v] = 20.0;
    row[in_lag_depot] = row[in_lag] = 0.0;
    row[in_rate] = row[in_duration] = 10.0;
    row[in_weight] = 70.0;
    return row;
}
constexpr double k_of_plain_row = 0.1;

Problem one_compartment(double end) {
    Problem problem = linear_pk(1, false);
    observe_everything(problem, 0.0, end);
    return problem;
}

Record central(double time, double amount) {
    return {.time = time, .state = central_state, .amount = amount};
}

/// C of one subject at its own samples, by every solver that applies.
template <class Check>
void by_all(const Problem& problem, const EventTable& table, const Check& check) {
    const CompiledSystem system = compile(problem.system);
    SolverOptions options;
    options.rtol = 1e-9;
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult result = solve_tables(solver, system, problem, {&table, 1}, options);
        REQUIRE(name(result.status[0]) == "ok");
        const std::span<const double> c = own_values(result, 0, 0);
        check(std::vector<double>(c.begin(), c.end()), solver.order == 0 ? 1e-11 : 1e-6);
    }
}

void same(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        CHECK(a[i] == doctest::Approx(b[i]).epsilon(tolerance).scale(1e-6));
}

std::vector<OwnSample> samples(std::initializer_list<double> times, std::size_t n_before) {
    std::vector<OwnSample> all;
    for (const double time : times)
        all.push_back({time, n_before});
    return all;
}

} // namespace

TEST_CASE("a modelled rate is that of each moment, until the amount is in") {
    // 100 at 10/h for 4 h, then at 30/h: 60 are left, which take 2 h. The same as two infusions by
    // known rates; at 5 h a third row, in which the rate is 20: 30 are left, 1.5 h.
    const Problem problem = one_compartment(24.0);
    EventTable table;
    Record record = central(0.0, 100.0);
    record.kind = RecordKind::infuse;
    record.rate = modelled_rate;
    record.interval = 12.0;
    record.count = 2;
    table.own.records = {record};
    table.own.switches = {{.time = 4.0}, {.time = 5.0}};
    table.own.samples = samples({1.0, 4.5, 5.5, 6.5, 7.0, 12.0, 14.0, 24.0}, 1);
    table.rows.assign(3, plain_row());
    table.rows[1][in_rate] = 30.0;
    table.rows[2][in_rate] = 20.0;
    EventTable known;
    const auto infuse = [&](double time, double amount, double rate) {
        Record r = central(time, amount);
        r.kind = RecordKind::infuse;
        r.rate = rate;
        known.own.records.push_back(r);
    };
    infuse(0.0, 40.0, 10.0);
    infuse(4.0, 30.0, 30.0);
    infuse(5.0, 30.0, 20.0);
    infuse(12.0, 100.0, 20.0);
    known.own.samples = samples({1.0, 4.5, 5.5, 6.5, 7.0, 12.0, 14.0, 24.0}, 4);
    known.rows = {plain_row()};
    const CompiledSystem system = compile(problem.system);
    const BlockResult oracle =
        solve_tables(*find_solver("exact-closed-form"), system, problem, {&known, 1}, {});
    const std::span<const double> c = own_values(oracle, 0, 0);
    by_all(problem, table, [&](const std::vector<double>& found, double tolerance) {
        same(found, {c.begin(), c.end()}, tolerance);
    });
    // A reset at 4.5 h ends what runs, and the rates it would have had; the second dose comes.
    for (EventTable* t : {&table, &known})
        t->own.records.push_back({.time = 4.5, .kind = RecordKind::reset});
    known.own.records[2].amount = 0.0;
    known.own.records[2].kind = RecordKind::add;
    const BlockResult reset =
        solve_tables(*find_solver("exact-closed-form"), system, problem, {&known, 1}, {});
    const std::span<const double> after = own_values(reset, 0, 0);
    by_all(problem, table, [&](const std::vector<double>& found, double tolerance) {
        same(found, {after.begin(), after.end()}, tolerance);
    });
}

TEST_CASE("the derivatives of a modelled rate follow its rows") {
    // Central differences of the closed form in CL, V, rate and lag, all of which are the same in
    // both rows but for the rate's factor.
    Problem p("modelled rate", 24.0);
    const Term cl = p.input("CL", 2.0), v = p.input("V", 20.0), r = p.input("R", 10.0),
               lag = p.input("lag", 0.3), factor = p.input("factor", 1.0);
    const Term a = p.dosed_state("central");
    p.rate(a, -(cl / v * a));
    p.definition(a).modelled_rate = (r * factor).expr;
    p.definition(a).lag = lag.expr;
    p.output("C", a / v);
    observe_everything(p, 0.0, 24.0);
    EventTable table;
    Record record{.kind = RecordKind::infuse, .amount = 100.0, .rate = modelled_rate};
    table.own.records = {record};
    table.own.switches = {{.time = 4.0}};
    table.own.samples = samples({2.0, 5.0, 6.0, 9.0, 20.0}, 1);
    table.rows = {{2.0, 20.0, 10.0, 0.3, 1.0}, {2.0, 20.0, 10.0, 0.3, 3.0}};
    const CompiledSystem plain = compile(p.system);
    const std::vector<std::string> wrt{"CL", "V", "R", "lag"};
    Problem with = p;
    with.system = with_sensitivities(p.system, wrt);
    observe_everything(with, 0.0, 24.0);
    const CompiledSystem system = compile(with.system);
    const Solver& exact = *find_solver("exact-closed-form");
    for (const char* solver : {"rodas5p", "tsit5", "taylor9", "cvode"}) {
        CAPTURE(solver);
        SolverOptions options;
        options.rtol = 1e-9;
        const BlockResult result =
            solve_tables(*find_solver(solver), system, with, {&table, 1}, options);
        REQUIRE(name(result.status[0]) == "ok");
        for (std::size_t k = 0; k < wrt.size(); ++k) {
            CAPTURE(wrt[k]);
            const double h = 1e-4 * table.rows[0][k];
            EventTable up = table, down = table;
            for (std::size_t row = 0; row < 2; ++row) {
                up.rows[row][k] += h;
                down.rows[row][k] -= h;
            }
            const BlockResult above = solve_tables(exact, plain, p, {&up, 1}, {});
            const BlockResult below = solve_tables(exact, plain, p, {&down, 1}, {});
            for (std::size_t i = 0; i < table.own.samples.size(); ++i) {
                const double slope =
                    (own_values(above, 0, 0)[i] - own_values(below, 0, 0)[i]) / (2.0 * h);
                CHECK(own_values(result, static_cast<int>(k) + 1, 0)[i] ==
                      doctest::Approx(slope).epsilon(1e-5).scale(1e-3));
            }
        }
    }
}

TEST_CASE("times that differ by rounding are one, and what happens then keeps its order") {
    // Minutes in hours: 3·(66/60) is above 198/60 by an ulp, and 0.1 + 0.2 above 0.3. Each sample
    // sees the dose that stands before it.
    const double interval = 66.0 / 60.0, at = 198.0 / 60.0;
    REQUIRE(3.0 * interval > at);
    REQUIRE(0.1 + 0.2 > 0.3);
    const Problem problem = one_compartment(10.0);
    EventTable table;
    Record repeated = central(0.0, 10.0);
    repeated.interval = interval;
    repeated.count = 4;
    table.own.records = {repeated};
    table.own.samples = samples({at}, 1);
    table.rows = {plain_row()};
    double c = 0.0;
    for (int n = 0; n < 4; ++n)
        c += 0.5 * std::exp(-k_of_plain_row * n * interval);
    by_all(problem, table, [&](const std::vector<double>& found, double tolerance) {
        same(found, {c}, tolerance);
    });
    EventTable lagged;
    lagged.own.records = {central(0.1, 10.0)};
    lagged.own.samples = samples({0.3}, 1);
    lagged.rows = {plain_row()};
    lagged.rows[0][in_lag] = 0.2;
    by_all(problem, lagged, [&](const std::vector<double>& found, double tolerance) {
        same(found, {0.5}, tolerance);
    });
    // At the end of the study, too.
    Problem short_one = one_compartment(at);
    by_all(short_one, table, [&](const std::vector<double>& found, double tolerance) {
        same(found, {c}, tolerance);
    });
    // A sample that stands before the dose does not.
    lagged.own.records = {central(0.1 + 0.2, 10.0)};
    lagged.own.samples = samples({0.3}, 0);
    lagged.rows[0][in_lag] = 0.0;
    by_all(problem, lagged, [&](const std::vector<double>& found, double tolerance) {
        same(found, {0.0}, tolerance);
    });
}

TEST_CASE("samples of all subjects see what happens within rounding of their time") {
    Problem problem = one_compartment(10.0);
    problem.sample_output(0, {0.3, 5.0});
    Record record = central(0.1, 10.0);
    EventTable table;
    table.own.records = {record};
    table.rows = {plain_row()};
    table.rows[0][in_lag] = 0.2;
    const CompiledSystem system = compile(problem.system);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult result = solve_tables(solver, system, problem, {&table, 1}, {});
        CHECK(result.sampled.back()[0] == doctest::Approx(0.5).epsilon(1e-9));
    }
}

TEST_CASE("a state switched off takes its pending doses along, a later record switches it on") {
    for (const PendingDoses pending : {PendingDoses::given, PendingDoses::cancelled}) {
        Problem problem = one_compartment(48.0);
        problem.system = with_switches(problem.system, {central_state});
        problem.timeline.pending = pending;
        EventTable table;
        Record doses = central(0.0, 100.0);
        doses.interval = 12.0;
        doses.count = 3;
        table.own.records = {doses,
                             {.time = 6.0, .kind = RecordKind::switch_off, .state = central_state},
                             central(26.0, 100.0)};
        table.own.samples = samples({5.0, 7.0, 14.0, 30.0}, 3);
        table.rows = {plain_row()};
        const auto left = [](double since) { return 5.0 * std::exp(-k_of_plain_row * since); };
        by_all(problem, table, [&](const std::vector<double>& found, double tolerance) {
            same(found, {left(5.0), 0.0, 0.0, left(4.0)}, tolerance);
        });
    }
}

TEST_CASE("a lagged dose switches its state on when it comes, not at its record") {
    // The same as a record that switches on at 6 h, where the dose of 4 h comes after a lag of 2 h.
    Problem problem = one_compartment(24.0);
    problem.system = with_switches(problem.system, {central_state});
    EventTable lagged;
    lagged.own.records = {{.time = 0.0, .state = depot_state, .amount = 100.0},
                          {.time = 1.0, .kind = RecordKind::switch_off, .state = central_state},
                          central(4.0, 50.0)};
    lagged.own.samples = samples({5.0, 6.5, 10.0, 24.0}, 3);
    lagged.rows = {plain_row()};
    lagged.rows[0][in_lag] = 2.0;
    EventTable explicitly = lagged;
    explicitly.rows[0][in_lag] = 0.0;
    explicitly.own.records[2] = {
        .time = 6.0, .kind = RecordKind::switch_on, .state = central_state};
    explicitly.own.records.push_back(central(6.0, 50.0));
    const CompiledSystem system = compile(problem.system);
    SolverOptions options;
    options.rtol = 1e-10;
    const BlockResult oracle =
        solve_tables(*find_solver("rodas5p"), system, problem, {&explicitly, 1}, options);
    const std::span<const double> c = own_values(oracle, 0, 0);
    CHECK(c[0] == 0.0);
    by_all(problem, lagged, [&](const std::vector<double>& found, double tolerance) {
        same(found, {c.begin(), c.end()}, tolerance);
    });
}

TEST_CASE("what is off stays off in a steady state") {
    // The depot holds 100 and is switched off; steady doses into central know nothing of it, in
    // place of what there is or beside it, and a dose into the depot switches it on again.
    for (const SteadyState steady : {SteadyState::replaces, SteadyState::adds}) {
        Problem problem = one_compartment(60.0);
        problem.system = with_switches(problem.system, {depot_state});
        EventTable table;
        Record into_depot{.time = 0.0, .state = depot_state, .amount = 100.0};
        Record pattern = central(24.0, 50.0);
        pattern.steady = steady;
        pattern.interval = 12.0;
        table.own.records = {into_depot,
                             {.time = 0.0, .kind = RecordKind::switch_off, .state = depot_state},
                             pattern};
        table.own.samples = samples({20.0, 24.0, 36.0, 60.0}, 3);
        table.rows = {plain_row()};
        const auto c = [](double since) {
            return 2.5 * std::exp(-k_of_plain_row * since) / (1.0 - std::exp(-1.2));
        };
        by_all(problem, table, [&](const std::vector<double>& found, double tolerance) {
            same(found, {0.0, c(0.0), c(12.0), c(36.0)}, tolerance);
        });
    }
}

TEST_CASE("subjects begin at their own time, with their initial values") {
    // A' = −k·A from 100: at 5 h 100, whatever the arm's start; a shared record at 2 h lets it
    // begin there.
    Problem p("baseline", 20.0);
    const Term k = p.input("k", 0.1);
    const Term a = p.state("a", p.number(100.0));
    p.rate(a, -(k * a));
    p.output("A", a);
    observe_everything(p, -24.0, 20.0);
    EventTable table;
    table.own.begin = 5.0;
    table.own.samples = samples({5.0, 15.0}, 0);
    table.rows = {{0.1}};
    by_all(p, table, [&](const std::vector<double>& found, double tolerance) {
        same(found, {100.0, 100.0 * std::exp(-1.0)}, tolerance);
    });
    p.timeline.records.push_back({.time = 2.0, .amount = 10.0});
    by_all(p, table, [&](const std::vector<double>& found, double tolerance) {
        same(found, {110.0 * std::exp(-0.3), 110.0 * std::exp(-1.3)}, tolerance);
    });
}

TEST_CASE("inputs on straight lines stand still in the past of a steady state") {
    // CL is 2 at the record and rises by 0.5/h afterwards: the steady state is that of CL 2, and
    // from then on A' = −(2 + t/2)/20·A.
    Problem p("linear clearance", 12.0);
    const Term cl = p.input("CL", 2.0);
    const Term a = p.dosed_state("central");
    p.rate(a, -(cl / p.number(20.0) * a));
    p.output("C", a / p.number(20.0));
    p.system = with_linear_inputs(p.system, {0});
    observe_everything(p, 0.0, 12.0);
    EventTable table;
    Record record{.amount = 100.0, .interval = 12.0, .steady = SteadyState::replaces};
    table.own.records = {record};
    table.own.samples = samples({0.0, 6.0, 12.0}, 1);
    table.rows = {{2.0, 0.5, 0.0}};
    const CompiledSystem system = compile(p.system);
    CHECK(system.model_times.empty());
    const double peak = 5.0 / (1.0 - std::exp(-1.2));
    const auto c = [&](double t) { return peak * std::exp(-(2.0 * t + 0.25 * t * t) / 20.0); };
    by_all(p, table, [&](const std::vector<double>& found, double tolerance) {
        same(found, {c(0.0), c(6.0), c(12.0)}, std::max(tolerance, 1e-8));
    });
}

TEST_CASE("states without a scale that start at 0 have a steady state") {
    // An effect compartment, Ce' = ke0·(C − Ce): at a steady state every 12 h of an intravenous
    // dose Ce = D/V·ke0/(ke0 − k)·(e^{−k·t}/(1 − e^{−12k}) − e^{−ke0·t}/(1 − e^{−12·ke0})).
    Problem p("effect compartment", 24.0);
    const Term k = p.input("k", 0.1), ke0 = p.input("ke0", 0.5);
    const Term a = p.dosed_state("central"), ce = p.state("Ce", p.number(0.0));
    p.rate(a, -(k * a));
    p.rate(ce, ke0 * (a / p.number(20.0) - ce));
    p.output("Ce", ce);
    Record record{.amount = 100.0, .interval = 12.0, .count = 2, .steady = SteadyState::replaces};
    p.timeline.records.push_back(record);
    observe_everything(p, 0.0, 24.0);
    EventTable table;
    table.own.samples = samples({0.0, 3.0, 12.0, 20.0}, 0);
    table.rows = {{0.1, 0.5}};
    const auto expected = [](double t) {
        return 5.0 * 0.5 / 0.4 *
               (std::exp(-0.1 * t) / (1.0 - std::exp(-1.2)) -
                std::exp(-0.5 * t) / (1.0 - std::exp(-6.0)));
    };
    by_all(p, table, [&](const std::vector<double>& found, double tolerance) {
        same(found, {expected(0.0), expected(3.0), expected(0.0), expected(8.0)}, tolerance);
    });
}
