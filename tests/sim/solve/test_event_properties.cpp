#include "sim/solve/random_events.hpp"
#include "solve/expansion.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

/// What must hold for any event table, tried on random ones. Oracles: the same doses said in other
/// words, other solvers, symmetries.
using namespace gemel::sim;

namespace {

struct EventBlock {
    Problem problem;
    CompiledSystem system;
    std::vector<EventTable> tables;

    EventBlock(Problem p, double start, double end)
        : problem(std::move(p)),
          system(compile(problem.system)) {
        observe_everything(problem, start, end);
    }

    BlockResult with(const Solver& solver, SolverOptions options = {}) const {
        return solve_tables(solver, system, problem, tables, options);
    }
    BlockResult with(const char* solver, SolverOptions options = {}) const {
        return with(*find_solver(solver), options);
    }
};

/// Every second number of compartments with an area, which has no closed form.
EventBlock linear_block(std::string_view name, int n_tables, const TableOptions& options) {
    EventBlock block(
        linear_pk(options.n_compartments, options.n_compartments == 2), options.start, options.end);
    for (int i = 0; i < n_tables; ++i) {
        EventDice dice(name, static_cast<std::uint64_t>(i));
        block.tables.push_back(random_table(dice, options));
    }
    return block;
}

/// Tables for the turnover model.
EventBlock turnover_block(std::string_view name, int n_tables, TableOptions options) {
    options.n_compartments = 1;
    EventBlock block(turnover_pk(), options.start, options.end);
    for (int i = 0; i < n_tables; ++i) {
        EventDice dice(name, static_cast<std::uint64_t>(i));
        EventTable table = random_table(dice, options);
        for (std::vector<double>& row : table.rows) {
            row.push_back(dice.between(0.03, 0.5));
            row.push_back(dice.between(20.0, 100.0));
            row.push_back(dice.between(0.3, 5.0));
        }
        block.tables.push_back(std::move(table));
    }
    return block;
}

EventBlock changed(const EventBlock& block, EventTable (*change)(const EventTable&)) {
    EventBlock other = block;
    for (EventTable& table : other.tables)
        table = change(table);
    return other;
}

void require_all_ok(const EventBlock& block, const BlockResult& result) {
    for (std::size_t s = 0; s < block.tables.size(); ++s) {
        if (result.status[s] == SolverStatus::ok) continue;
        CAPTURE(s);
        CAPTURE(text_of(block.tables[s]));
        REQUIRE(name(result.status[s]) == "ok");
    }
}

/// Methods that go subject by subject take most of the time: tried on a quarter of the tables.
EventBlock judged(const EventBlock& block, const Solver& solver) {
    EventBlock some = block;
    if (!solver.is_portable) some.tables.resize(std::max<std::size_t>(4, some.tables.size() / 4));
    return some;
}

/// Two ways to say one thing: every solver gives the same bits.
void check_same_bits(const EventBlock& all, const EventBlock& all_other) {
    for (const Solver& solver : solvers()) {
        if (!solver.applies(all.system)) continue;
        CAPTURE(solver.name);
        const EventBlock block = judged(all, solver), other = judged(all_other, solver);
        const BlockResult result = block.with(solver);
        require_all_ok(block, result);
        CHECK(same_bits(result, other.with(solver)));
    }
}

TableOptions all_kinds(int n_compartments) {
    return {.start = -24.0,
            .end = 96.0,
            .n_compartments = n_compartments,
            .has_switches = true,
            .has_changes = true,
            .has_steady = true};
}

/// −1 and −2 become what the table's inputs say.
EventTable with_rates_in_the_data(const EventTable& table) {
    EventTable data = table;
    for (Record& record : data.own.records) {
        if (record.rate == modelled_rate) record.rate = table.rows[0][in_rate];
        if (record.rate == modelled_duration) {
            record.rate = 0.0;
            record.duration = table.rows[0][in_duration];
        }
    }
    return data;
}

EventTable later(const EventTable& table, double by) {
    EventTable shifted = table;
    for (Record& record : shifted.own.records)
        record.time += by;
    for (OwnSample& sample : shifted.own.samples)
        sample.time += by;
    for (RowSwitch& row : shifted.own.switches)
        row.time += by;
    return shifted;
}

EventBlock later(const EventBlock& block, double by) {
    EventBlock shifted = block;
    observe_everything(
        shifted.problem, block.problem.timeline.start + by, block.problem.timeline.end + by);
    for (EventTable& table : shifted.tables)
        table = later(table, by);
    return shifted;
}

/// Largest gaps to a judge, among all tables.
void check_agreement(const EventBlock& all, const char* judge, double rtol) {
    SolverOptions precise, usual;
    precise.rtol = 1e-12;
    precise.max_steps = 100'000'000;
    usual.rtol = rtol;
    const BlockResult of_all = all.with(judge, precise);
    require_all_ok(all, of_all);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(all.system)) continue;
        CAPTURE(solver.name);
        const EventBlock block = judged(all, solver);
        const bool has_all = block.tables.size() == all.tables.size();
        const BlockResult reference = has_all ? of_all : block.with(judge, precise);
        const BlockResult result = block.with(solver, usual);
        require_all_ok(block, result);
        // Rounding; the battery's bar for methods with steps.
        CHECK(largest_gap(result, reference) <= (solver.order == 0 ? 1e-10 : 30.0 * rtol));
    }
}

void check_all_agree(int n_tables) {
    for (int n = 1; n <= 3; ++n)
        check_agreement(linear_block("agreement", n_tables, all_kinds(n)), "exact-expm", 1e-8);
    check_agreement(turnover_block("agreement", n_tables, all_kinds(1)), "odeint-fehlberg78", 1e-8);
}

void check_written_out(int n_tables) {
    for (int n = 1; n <= 3; ++n) {
        TableOptions options = all_kinds(n);
        options.keeps_lag = true; // the lag of all repeats is that of their record's row
        const EventBlock block = linear_block("written out", n_tables, options);
        check_same_bits(block, changed(block, written_out));
    }
}

void check_modelled(int n_tables) {
    for (int n = 1; n <= 3; ++n) {
        TableOptions options = all_kinds(n);
        options.has_switches = false;
        const EventBlock block = linear_block("modelled", n_tables, options);
        check_same_bits(block, changed(block, with_rates_in_the_data));
    }
}

void check_shifted(int n_tables, double by) {
    for (int n = 1; n <= 3; ++n) {
        TableOptions options = all_kinds(n);
        options.on_grid = true;
        const EventBlock all = linear_block("shifted", n_tables, options);
        for (const Solver& solver : solvers()) {
            if (!solver.applies(all.system)) continue;
            CAPTURE(solver.name);
            const EventBlock block = judged(all, solver), other = later(block, by);
            const BlockResult result = block.with(solver), shifted = other.with(solver);
            require_all_ok(block, result);
            // Exact solvers know differences of times only, which have no rounding on the grid.
            if (solver.order == 0)
                CHECK(same_bits(result, shifted));
            else // rounding of times may move single steps
                CHECK(largest_gap(result, shifted) <= 1e-6);
        }
    }
}

void check_order_and_width(const EventBlock& all) {
    for (const Solver& solver : solvers()) {
        if (!solver.applies(all.system)) continue;
        CAPTURE(solver.name);
        const EventBlock block = judged(all, solver);
        EventBlock turned = block;
        std::reverse(turned.tables.begin(), turned.tables.end());
        std::rotate(turned.tables.begin(), turned.tables.begin() + 3, turned.tables.end());
        const std::size_t n = block.tables.size();
        const BlockResult result = block.with(solver);
        const BlockResult other = turned.with(solver);
        for (std::size_t s = 0; s < n; ++s)
            for (std::size_t k = 0; k < result.own.size(); ++k) {
                const std::size_t there = (2 * n - 1 - s - 3) % n;
                const auto a = own_values(result, static_cast<int>(k), s);
                const auto b = own_values(other, static_cast<int>(k), there);
                REQUIRE(a.size() == b.size());
                CHECK(std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
            }
        if (!solver.is_portable) continue; // has no lanes
        for (const int width : {8, 16, 64}) {
            SolverOptions options;
            options.width = width;
            CHECK(same_bits(result, block.with(solver, options)));
        }
    }
}

} // namespace

TEST_CASE("random tables: additional doses are the doses written out, bit for bit") {
    check_written_out(12);
}

TEST_CASE("random tables: a modelled rate or duration is that of the data, bit for bit") {
    check_modelled(12);
}

TEST_CASE("random tables: time may begin anywhere") {
    check_shifted(12, 1024.0);
}

TEST_CASE("random tables: order of subjects and width of lanes change no bit") {
    check_order_and_width(linear_block("order", 8, all_kinds(2)));
    check_order_and_width(turnover_block("order", 8, all_kinds(1)));
}

TEST_CASE("random tables: all solvers agree") {
    check_all_agree(12);
}

TEST_SUITE("slow") {
    TEST_CASE("hundreds of random tables: additional doses are the doses written out") {
        check_written_out(160);
    }

    TEST_CASE("hundreds of random tables: a modelled rate or duration is that of the data") {
        check_modelled(160);
    }

    TEST_CASE("hundreds of random tables: time may begin anywhere") {
        check_shifted(80, 1024.0);
        check_shifted(80, -72.0);
    }

    TEST_CASE("hundreds of random tables: order of subjects and width of lanes change no bit") {
        check_order_and_width(linear_block("order", 160, all_kinds(3)));
        check_order_and_width(turnover_block("order", 160, all_kinds(1)));
    }

    TEST_CASE("hundreds of random tables: all solvers agree") {
        check_all_agree(160);
    }
}

TEST_CASE("doses pending at a reset or a steady state come, or do not where they are cancelled") {
    // By hand: half of an amount is left after 12 h, so that 100 every 12 h for ever are 200 just
    // after a dose and 100 just before.
    const auto half_after = [](double hours) { return std::exp2(-hours / 12.0); };
    Problem problem("decay", 0.0);
    const Term k = problem.input("k", 1.0), lag = problem.input("lag", 1.0);
    const Term amount = problem.dosed_state("amount");
    problem.definition(amount).lag = lag.expr;
    problem.rate(amount, -k * amount);
    problem.output("amount", amount);
    const CompiledSystem system = compile(problem.system);
    observe_everything(problem, 0.0, 60.0);

    const Record every_12_h{.amount = 100.0, .interval = 12.0, .count = 6};
    const Record infusion{.kind = RecordKind::infuse, .amount = 40.0, .duration = 40.0};
    const Record reset{.time = 30.0, .kind = RecordKind::reset};
    Record steady = every_12_h;
    steady.steady = SteadyState::replaces;
    Record steady_again = steady;
    steady.count = 3;
    steady_again.count = 1;
    steady_again.time = 3.0;

    struct Case {
        const char* text;
        std::vector<Record> records;
        double lag;
        PendingDoses pending;
        double time, expected;
    };
    const auto given = PendingDoses::given, cancelled = PendingDoses::cancelled;
    const double at_30 = 200.0; // just after the first dose of the pattern that begins there
    Record steady_at_30 = every_12_h;
    steady_at_30.time = 30.0;
    steady_at_30.steady = SteadyState::replaces;
    steady_at_30.count = 1;
    const Case cases[] = {
        {"after a reset nothing is there", {every_12_h, reset}, 0.0, given, 35.0, 0.0},
        {"repeats go on", {every_12_h, reset}, 0.0, given, 48.0, 100.0 * (1.0 + half_after(12.0))},
        {"repeats are cancelled", {every_12_h, reset}, 0.0, cancelled, 60.0, 0.0},
        {"a lagged dose comes", {every_12_h, reset}, 8.0, given, 32.0, 100.0},
        {"a lagged dose is cancelled", {every_12_h, reset}, 8.0, cancelled, 32.0, 0.0},
        {"an infusion stops", {infusion, reset}, 0.0, given, 36.0, 0.0},
        {"an infusion that lags runs whole", {infusion, reset}, 30.5, cancelled, 60.0, 0.0},
        {"repeats join a steady state",
         {every_12_h, steady_at_30},
         0.0,
         given,
         36.0,
         at_30 * half_after(6.0) + 100.0},
        {"repeats do not join a steady state",
         {every_12_h, steady_at_30},
         0.0,
         cancelled,
         36.0,
         at_30 * half_after(6.0)},
        {"a dose at the time of a reset, before it",
         {{.time = 30.0, .amount = 50.0}, reset},
         0.0,
         given,
         30.0,
         0.0},
        {"a dose at the time of a reset, after it",
         {reset, {.time = 30.0, .amount = 50.0}},
         0.0,
         given,
         30.0,
         50.0},
        // Before 0 the last dose came at −6: 200 at −6, 200·2^(−9/12) at 3. The new pattern's last
        // dose came at −3.
        {"a pattern's lagged dose makes way",
         {steady, steady_again},
         6.0,
         given,
         8.0,
         200.0 * half_after(11.0)},
        {"a pattern's repeat comes",
         {steady, steady_again},
         6.0,
         given,
         18.0,
         200.0 * half_after(9.0) + 100.0},
        {"a pattern's repeat is cancelled",
         {steady, steady_again},
         6.0,
         cancelled,
         18.0,
         200.0 * half_after(9.0)},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        problem.timeline.pending = c.pending;
        EventTable table;
        table.own.records = c.records;
        table.own.samples = {{c.time, c.records.size()}};
        table.rows = {{std::log(2.0) / 12.0, c.lag}};
        for (const Solver& solver : solvers()) {
            if (!solver.applies(system)) continue;
            CAPTURE(solver.name);
            const BlockResult result = solve_tables(solver, system, problem, {{table}}, {});
            REQUIRE(name(result.status[0]) == "ok");
            // Steps: a few rtol
            CHECK(result.own[0][0] ==
                  doctest::Approx(c.expected).epsilon(solver.order == 0 ? 1e-12 : 1e-5));
        }
    }
}

TEST_CASE("a subject that falls back to CVODE keeps its own rows and samples") {
    // The pair of test_fallback.cpp: both are 0 and stay there, but at a rate of 1e20 the linear
    // systems of a lane cannot be solved. The drug knows nothing of them.
    Problem problem = saturable_pk();
    const Term rate = problem.input("pair", 1.0);
    const Term a = problem.state("a", problem.number(0.0)),
               b = problem.state("b", problem.number(0.0));
    const Term now = select(problem.time() < 1.0, problem.number(0.0), rate);
    problem.rate(a, now * b);
    problem.rate(b, now * a);
    problem.output("a", a);
    EventBlock calm(std::move(problem), 0.0, 96.0);
    TableOptions options = all_kinds(1);
    options.start = 0.0;
    options.has_steady = false; // the pair has none
    for (int i = 0; i < 30; ++i) {
        EventDice dice("fallback", static_cast<std::uint64_t>(i));
        EventTable table = random_table(dice, options);
        for (std::vector<double>& row : table.rows)
            row.insert(row.end(), {dice.between(1.0, 10.0), dice.between(0.5, 5.0), 1.0});
        calm.tables.push_back(table);
    }
    EventBlock wild = calm;
    for (std::size_t s = 1; s < wild.tables.size(); s += 3)
        for (std::vector<double>& row : wild.tables[s].rows)
            row.back() = 1e20;
    SolverOptions tight;
    tight.rtol = 1e-8;
    const BlockResult expected = calm.with("rodas5p", tight), found = wild.with("rodas5p", tight);
    require_all_ok(calm, expected);
    require_all_ok(wild, found);
    for (std::size_t s = 0; s < wild.tables.size(); ++s) {
        CAPTURE(s);
        CHECK(found.fell_back[s] == (s % 3 == 1 ? 1 : 0));
        for (int k = 0; k < 3; ++k)
            CHECK(gap_of(found, expected, k, s) <= (s % 3 == 1 ? 30.0 * tight.rtol : 0.0));
    }
}
