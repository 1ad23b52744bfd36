#include "sim/solve/random_events.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

/// Steady states of random records against the doses they stand for, given one by one.
using namespace gemel::sim;

namespace {

/// A steady-state record among others, and the same with its past doses written out.
struct SteadyCase {
    EventTable asked, given;
    double past = 0.0;    ///< how far the doses given reach back
    double remains = 0.0; ///< part of a state left after one interval: errors grow by 1/(1 − it)
};

/// A model's own part of a case.
struct SteadyModel {
    int n_compartments = 1;
    bool is_linear = true; ///< else nothing stands before a steady state that adds
    /// Completes a row for a dose rate [1/h] in steady state. @returns a rate at which it is
    /// reached
    double (*complete)(EventDice& dice,
                       double dose_rate,
                       double interval,
                       std::vector<double>& row) = nullptr;
    bool is_slow = true;     ///< linear rates down to 0.03/h, else not below 0.2/h
    bool is_smooth = false;  ///< short lags, and no sample at the time of anything
    bool is_transit = false; ///< boluses into the depot only: few enough to be kept
};

/// A rate below the slowest of linear compartments: the reciprocal of the longest mean time to
/// leave, of all compartments to begin in, is not above it.
double slowest_rate(const std::vector<double>& row) {
    double volume = row[in_v], before = 1.0 / row[in_ka];
    for (std::size_t i = n_pk_inputs; i + 1 < row.size(); i += 2) {
        volume += row[i + 1];
        before = std::max(before, row[i + 1] / row[i]);
    }
    return 1.0 / (volume / row[in_cl] + before);
}

/// A bolus into the depot.
Record random_transit_dose(EventDice& dice, double time, const TableOptions& options) {
    Record record = random_dose(dice, time, options);
    record.state = depot_state;
    record.kind = RecordKind::add;
    record.rate = record.duration = 0.0;
    return record;
}

Record random_steady_record(EventDice& dice, double time, const TableOptions& options) {
    Record record = random_dose(dice, time, options);
    while (record.interval == 0.0)
        record = random_dose(dice, time, options);
    record.steady = dice.happens(0.6) ? SteadyState::replaces : SteadyState::adds;
    if (dice.happens(0.1) && record.state == central_state) { // running for ever
        record.kind = RecordKind::infuse;
        record.rate = dice.happens(0.5) ? modelled_rate : dice.between(1.0, 20.0);
        record.amount = record.duration = record.interval = 0.0;
        record.amount_factor = -1;
        record.count = 1;
    }
    return record;
}

/// The record's doses from `past` before it on.
Record given_from(const Record& record, const std::vector<double>& row, double& past) {
    Record given = record;
    given.steady = SteadyState::none;
    if (record.interval > 0.0) {
        const double n = std::ceil(past / record.interval);
        past = n * record.interval;
        given.time -= past;
        given.count += static_cast<std::int64_t>(n);
        return given;
    }
    // An infusion that ends at the record, whatever lag and bioavailability are.
    const double rate = record.rate == modelled_rate ? row[in_rate] : record.rate;
    given.amount = rate * past / row[in_f];
    given.time -= past + row[in_lag];
    past += row[in_lag];
    return given;
}

double lag_of(const Record& record, const std::vector<double>& row) {
    return record.state == depot_state     ? row[in_lag_depot]
           : record.state == central_state ? row[in_lag]
                                           : 0.0;
}

/// What a steady state that replaces leaves of an earlier record: repeats that come after it.
void leave_pending(const Record& earlier,
                   double at,
                   const std::vector<double>& row,
                   std::vector<Record>& records) {
    for (std::int64_t k = 0; k < earlier.count; ++k) {
        Record one = earlier;
        one.time = earlier.time + static_cast<double>(k) * earlier.interval;
        one.count = 1;
        if (one.time + lag_of(one, row) > at) records.push_back(one);
    }
}

/// Amount per hour that reaches the state.
double dose_rate_of(const Record& record, const std::vector<double>& row) {
    if (record.interval == 0.0) return record.rate == modelled_rate ? row[in_rate] : record.rate;
    const double f = record.state == depot_state     ? row[in_f_depot]
                     : record.state == central_state ? row[in_f]
                                                     : 1.0;
    return record.amount * f * (record.amount_factor >= 0 ? row[in_weight] : 1.0) / record.interval;
}

/// One steady state at 24 h among a few other doses; samples from its record on.
SteadyCase random_case(EventDice& dice, const SteadyModel& model) {
    constexpr double at = 24.0, end = 96.0;
    const TableOptions plain{.start = 0.0, .end = end, .n_compartments = model.n_compartments};
    std::vector<double> row = random_pk_row(dice, model.n_compartments);
    if (!model.is_slow) {
        row[in_cl] = std::max(row[in_cl], 0.2 * row[in_v]);
        row[in_ka] = std::max(row[in_ka], 0.2);
    }
    if (model.is_smooth)
        for (const int i : {in_lag, in_lag_depot})
            row[static_cast<std::size_t>(i)] = dice.between(0.1, 3.0);
    Record steady = random_steady_record(dice, at, plain);
    if (model.is_transit) {
        steady = random_transit_dose(dice, at, plain);
        steady.interval = dice.between(3.0, 24.0);
        steady.steady = dice.happens(0.5) ? SteadyState::replaces : SteadyState::adds;
    }
    const double interval = steady.interval > 0.0 ? steady.interval : end;
    double slowest = slowest_rate(row);
    if (model.complete)
        slowest = std::min(slowest, model.complete(dice, dose_rate_of(steady, row), interval, row));

    SteadyCase c;
    c.asked.rows = c.given.rows = {row};
    c.remains = std::exp(-slowest * interval);
    c.past = std::max(34.0 / slowest, steady.interval > 0.0 ? 300.0 * interval : 0.0);
    std::vector<Record>&asked = c.asked.own.records, &given = c.given.own.records;
    const bool adds = steady.steady == SteadyState::adds;
    for (int i = adds && !model.is_linear ? 0 : dice.below(3); i > 0; --i) {
        Record earlier = random_dose(dice, dice.time(0.0, at), plain);
        if (model.is_transit) {
            earlier = random_transit_dose(dice, dice.between(18.0, at), plain);
            earlier.count = 1;
        }
        asked.push_back(earlier);
        if (adds)
            given.push_back(earlier);
        else
            leave_pending(earlier, at, row, given);
    }
    asked.push_back(steady);
    given.push_back(given_from(steady, row, c.past));
    for (int i = model.is_transit ? 0 : dice.below(3); i > 0; --i)
        given.push_back(asked.emplace_back(random_dose(dice, dice.time(at, end), plain)));
    std::vector<double> times;
    if (!model.is_smooth) times = {at, end};
    for (int i = 0; i < 24; ++i)
        times.push_back(model.is_smooth ? dice.between(at, end) : dice.time(at, end));
    std::sort(times.begin(), times.end());
    for (const double time : times) {
        c.asked.own.samples.push_back({time, asked.size()});
        c.given.own.samples.push_back({time, given.size()});
    }
    return c;
}

struct SteadyBlock {
    Problem problem;
    CompiledSystem system;
    std::vector<SteadyCase> cases;
    std::vector<EventTable> asked, given;

    explicit SteadyBlock(Problem p) : problem(std::move(p)), system(compile(problem.system)) {}

    void add(SteadyCase c) {
        asked.push_back(c.asked);
        given.push_back(c.given);
        cases.push_back(std::move(c));
    }
    BlockResult ask(const Solver& solver, const SolverOptions& options) {
        observe_everything(problem, 0.0, 96.0);
        return solve_tables(solver, system, problem, asked, options);
    }
    BlockResult give(const Solver& solver, const SolverOptions& options) {
        observe_everything(problem, 0.0, 96.0);
        for (const SteadyCase& c : cases)
            problem.timeline.start = std::min(problem.timeline.start, 20.0 - c.past);
        return solve_tables(solver, system, problem, given, options);
    }
};

/// @param tolerance  of a state that forgets at once; errors of an interval add up in others
void check_cases(const SteadyBlock& block,
                 const BlockResult& asked,
                 const BlockResult& given,
                 double tolerance) {
    for (std::size_t s = 0; s < block.cases.size(); ++s) {
        CAPTURE(s);
        CAPTURE(text_of(block.asked[s]));
        REQUIRE(name(asked.status[s]) == "ok");
        REQUIRE(name(given.status[s]) == "ok");
        for (std::size_t k = 0; k < asked.own.size(); ++k) {
            const std::string& output = block.system.system.outputs[k].name;
            if (output.find("area") != std::string::npos) continue;
            CAPTURE(output);
            const double gap = gap_of(asked, given, static_cast<int>(k), s);
            CHECK(gap <= tolerance / (1.0 - block.cases[s].remains));
        }
    }
}

/// Areas have no steady state: they begin at 0 and are those of the doses given from then on.
void check_areas(const BlockResult& asked, const BlockResult& given, double tolerance) {
    for (std::size_t s = 0; s < asked.status.size(); ++s) {
        const auto a = own_values(asked, 2, s), b = own_values(given, 2, s);
        const double largest = std::fabs(b.back());
        for (std::size_t i = 0; i < a.size(); ++i)
            CHECK(std::fabs((a[i] - a[0]) - (b[i] - b[0])) <= tolerance * largest);
    }
}

SteadyBlock cases_of(Problem problem, const SteadyModel& model, const char* name, int n_cases) {
    SteadyBlock block(std::move(problem));
    for (int i = 0; i < n_cases; ++i) {
        EventDice dice(name, static_cast<std::uint64_t>(i));
        block.add(random_case(dice, model));
    }
    return block;
}

void check_exact(int n_cases) {
    for (int n = 1; n <= 3; ++n)
        for (const char* solver : {"exact-closed-form", "exact-expm"}) {
            CAPTURE(std::string(solver));
            const bool has_area = solver == std::string_view("exact-expm");
            SteadyBlock block =
                cases_of(linear_pk(n, has_area), {.n_compartments = n}, "exact", n_cases);
            const BlockResult asked = block.ask(*find_solver(solver), {});
            const BlockResult given = block.give(*find_solver(solver), {});
            // Times thousands of hours back are rounded to 1e-12 h, which rates of some 1/h
            // multiply.
            check_cases(block, asked, given, 1e-11);
            if (has_area) check_areas(asked, given, 1e-9);
        }
}

double complete_turnover(EventDice& dice, double, double, std::vector<double>& row) {
    const double kout = dice.between(0.1, 0.5);
    row.insert(row.end(), {kout, dice.between(20.0, 100.0), dice.between(0.3, 5.0)});
    return kout;
}

/// Doses at a part x of Vmax, and Km so that a deviation from the steady state falls by e^{-u} in
/// an interval: at the mean concentration C = Km·x/(1 − x) its rate is Vmax·Km/(V·(Km + C)²). Peaks
/// are slower.
double
complete_saturable(EventDice& dice, double dose_rate, double interval, std::vector<double>& row) {
    const double x = dice.between(0.2, 0.7), u = dice.between(0.5, 3.0);
    const double vmax = dose_rate / x;
    const double km = vmax * (1.0 - x) * (1.0 - x) * interval / (row[in_v] * u);
    row[in_cl] = 0.0;
    row.insert(row.end(), {vmax, km});
    return 0.3 * u / interval;
}

/// Binding hides drug from elimination: slower than each of the rates.
double complete_target(EventDice& dice, double, double, std::vector<double>& row) {
    const double kint = dice.between(0.1, 0.5), kdeg = dice.between(0.1, 0.5);
    row.insert(
        row.end(),
        {dice.between(0.1, 1.0), dice.between(0.1, 1.0), kint, kdeg, dice.between(1.0, 10.0)});
    return 0.2 * std::min({kint, kdeg, row[in_cl] / row[in_v], row[in_ka]});
}

void check_steps(SteadyBlock block, const char* judge, double judge_rtol = 1e-12) {
    SolverOptions precise, usual;
    precise.rtol = judge_rtol;
    precise.max_steps = 100'000'000;
    usual.rtol = 1e-8;
    const BlockResult given = block.give(*find_solver(judge), precise);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(block.system)) continue;
        CAPTURE(solver.name);
        check_cases(block, block.ask(solver, usual), given, 3.0 * usual.rtol);
    }
}

/// Every table with one input of all rows a part larger.
std::vector<EventTable> with_input_moved(std::vector<EventTable> tables, int input, double by) {
    for (EventTable& table : tables)
        for (std::vector<double>& row : table.rows)
            row[static_cast<std::size_t>(input)] *= 1.0 + by;
    return tables;
}

/// Derivatives of own values by one input: central differences with steps h and 2h, extrapolated,
/// so that what is left is rounding over h.
class Differences {
public:
    Differences(SteadyBlock& block, const Solver& solver, int input) : input_(input) {
        SolverOptions precise;
        precise.rtol = 1e-12;
        precise.max_steps = 100'000'000;
        observe_everything(block.problem, 0.0, 96.0);
        for (const double by : {-2.0, -1.0, 1.0, 2.0})
            at_.push_back(solve_tables(solver,
                                       block.system,
                                       block.problem,
                                       with_input_moved(block.asked, input, by * step),
                                       precise));
    }

    double derivative(const SteadyBlock& block, int output, std::size_t s, std::size_t i) const {
        const double h = step * block.asked[s].rows[0][static_cast<std::size_t>(input_)];
        const auto y = [&](std::size_t which) { return own_values(at_[which], output, s)[i]; };
        return (8.0 * (y(2) - y(1)) - (y(3) - y(0))) / (12.0 * h);
    }

private:
    static constexpr double step = 1e-4;
    int input_ = 0;
    std::vector<BlockResult> at_;
};

/// Derivatives by `inputs`, of `tolerance` of the largest, or of a hundredth of the value over the
/// input where that is larger.
void check_derivatives(SteadyBlock block,
                       const std::vector<int>& inputs,
                       std::initializer_list<const char*> names,
                       double tolerance) {
    SteadyBlock with = block;
    with.problem.system = with_sensitivities(block.problem.system, inputs);
    with.system = compile(with.problem.system);
    const SensitivityLayout& layout = with.problem.system.sensitivities;
    for (const char* solver : names) {
        CAPTURE(solver);
        SolverOptions options;
        options.rtol = 1e-8;
        const BlockResult found = with.ask(*find_solver(solver), options);
        for (int k = 0; k < layout.n_wrt(); ++k) {
            CAPTURE(k);
            const int input = inputs[static_cast<std::size_t>(k)];
            const Differences differences(block, *find_solver(solver), input);
            for (std::size_t s = 0; s < block.cases.size(); ++s) {
                CAPTURE(text_of(block.asked[s]));
                REQUIRE(name(found.status[s]) == "ok");
                for (int output = 0; output < layout.n_outputs; ++output) {
                    CAPTURE(output);
                    const auto y = own_values(found, output, s);
                    const auto d = own_values(found, layout.output(output, k), s);
                    double largest = 1e-12, gap = 0.0; // amounts are about 100
                    for (std::size_t i = 0; i < d.size(); ++i) {
                        const double expected = differences.derivative(block, output, s, i);
                        gap = std::max(gap, std::fabs(d[i] - expected));
                        const double value =
                            block.asked[s].rows[0][static_cast<std::size_t>(input)];
                        largest = std::max(
                            {largest, std::fabs(expected), 0.01 * std::fabs(y[i] / value)});
                    }
                    CHECK(gap <= tolerance * largest);
                }
            }
        }
    }
}

/// Doses by way of transit compartments: a number of them, and the mean time it takes.
Problem transit_pk() {
    Problem p = linear_pk(1, false);
    const Term number = p.input("number", 1.0), mean = p.input("mean_time", 1.0);
    add_transit(p.system, depot_state, number.expr, mean.expr, 12);
    return p;
}

double complete_transit(EventDice& dice, double, double interval, std::vector<double>& row) {
    row.insert(row.end(), {dice.between(2.0, 8.0), dice.between(0.2, 1.0) * interval});
    return 1.0;
}

void check_all_steps(int n_cases) {
    check_steps(cases_of(linear_pk(2, true), {.n_compartments = 2}, "steps", n_cases),
                "exact-expm");
    const SteadyModel turnover{.is_linear = false, .complete = complete_turnover, .is_slow = false};
    check_steps(cases_of(turnover_pk(), turnover, "steps", n_cases), "odeint-fehlberg78");
    const SteadyModel saturable{
        .is_linear = false, .complete = complete_saturable, .is_slow = false};
    check_steps(cases_of(saturable_pk(), saturable, "steps", n_cases), "odeint-fehlberg78");
    const SteadyModel target{.is_linear = false, .complete = complete_target, .is_slow = false};
    check_steps(cases_of(target_pk(), target, "steps", n_cases), "odeint-fehlberg78");
}

void check_all_derivatives(int n_cases,
                           std::initializer_list<const char*> of_linear,
                           std::initializer_list<const char*> of_saturable) {
    std::vector<int> inputs{
        in_cl, in_v, in_ka, in_lag_depot, in_f_depot, in_lag, in_f, in_rate, in_duration};
    check_derivatives(cases_of(linear_pk(1, true), {.is_smooth = true}, "derivatives", n_cases),
                      inputs,
                      of_linear,
                      1e-5);
    inputs.erase(inputs.begin());
    inputs.insert(inputs.end(), {n_pk_inputs, n_pk_inputs + 1});
    const SteadyModel saturable{
        .is_linear = false, .complete = complete_saturable, .is_slow = false, .is_smooth = true};
    check_derivatives(
        cases_of(saturable_pk(), saturable, "derivatives", n_cases), inputs, of_saturable, 1e-5);
}

void check_transits(int n_cases) {
    const SteadyModel transit{.complete = complete_transit, .is_slow = false, .is_transit = true};
    check_steps(cases_of(transit_pk(), transit, "transit", n_cases), "odeint-fehlberg78", 1e-10);
}

} // namespace

TEST_CASE("a steady state is that of its past doses, in exact solvers") {
    check_exact(40);
}

TEST_CASE("a steady state is that of its past doses, in solvers with steps") {
    check_all_steps(4);
}

TEST_SUITE("slow") {
    TEST_CASE("thousands of steady states are those of their past doses") {
        check_exact(400); // by three numbers of compartments
        check_all_steps(40);
    }

    TEST_CASE("a steady state of doses by way of transit compartments is that of its past doses") {
        check_transits(16); // some have doses on their way when a steady state is added
    }

    TEST_CASE("many steady states have the derivatives that differences tell") {
        check_all_derivatives(12, {"exact-expm", "rodas5p"}, {"rodas5p", "tsit5"});
    }
}

TEST_CASE("a steady state misses no dose that comes quickly and rarely") {
    // Closed form: weekly doses of 100 come within hours and are gone a day later, so that the area
    // of a week is 100·F/CL, and what a dose does is what the first one does.
    Problem problem = transit_pk();
    observe_everything(problem, 0.0, 336.0);
    const int area = problem.functional(FunctionalKind::integral, 0, 0.0, 168.0);
    const CompiledSystem system = compile(problem.system);
    EventTable table;
    table.own.records = {
        {.amount = 100.0, .interval = 168.0, .count = 2, .steady = SteadyState::replaces}};
    table.own.samples = {{0.0, 1}, {1.0, 1}, {4.0, 1}, {168.0, 1}, {169.0, 1}, {172.0, 1}};
    table.rows = {{10.0, 20.0, 1.0, 160.0, 0.8, 0.0, 1.0, 1.0, 1.0, 1.0, 30.0, 1.0}};
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult result = solve_tables(solver, system, problem, {{table}}, {});
        REQUIRE(name(result.status[0]) == "ok");
        CHECK(result.functionals[static_cast<std::size_t>(area)] ==
              doctest::Approx(100.0 * 0.8 / 10.0).epsilon(1e-5)); // a few rtol
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(result.own[0][i] == doctest::Approx(result.own[0][i + 3]).epsilon(1e-4));
    }
}

TEST_CASE("an area that is hardly above 0 when a dose comes stops no solver") {
    // Closed form: 100/CL for a dose that is gone at the end. A lag of 2.25 h after a steady state
    // leaves areas of 1e-13 to 1e-75 before it, while the clock at 1000 h takes steps of 4e-12.
    Problem problem = linear_pk(1, true);
    observe_everything(problem, 1000.0, 1020.0);
    const CompiledSystem system = compile(problem.system);
    for (const double rate : {1.3, 3.0, 8.0}) {
        EventTable table;
        table.own.records = {{.time = 1000.0,
                              .state = central_state,
                              .amount = 100.0,
                              .interval = 24.0,
                              .steady = SteadyState::replaces}};
        table.own.samples = {{1020.0, 1}};
        table.rows = {{20.0 * rate, 20.0, 1.0, 0.0, 1.0, 2.25, 1.0, 1.0, 1.0, 1.0}};
        for (const Solver& solver : solvers()) {
            if (!solver.applies(system)) continue;
            CAPTURE(solver.name);
            const BlockResult result = solve_tables(solver, system, problem, {{table}}, {});
            REQUIRE(name(result.status[0]) == "ok");
            CHECK(result.own[2][0] ==
                  doctest::Approx(100.0 / (20.0 * rate)).epsilon(1e-5)); // a few rtol
        }
    }
}

namespace {

/// Receptors that C binds and that are never renewed: their number is what it was at the start, and
/// each number has a steady state of its own.
Problem receptor_pk() {
    Problem p = linear_pk(1, false);
    const Term concentration = p.state("concentration", p.number(0.0));
    p.definition(concentration).scale = 1.0;
    const Term free = p.state("free", p.number(10.0)), bound = p.state("bound", p.number(0.0));
    const Term binding = 0.5 * concentration * free - 0.2 * bound;
    p.rate(concentration, 0.3 * (1.0 - concentration));
    p.rate(free, -binding);
    p.rate(bound, binding);
    return p;
}

} // namespace

TEST_CASE("where no steady state exists the subject's status says so") {
    // Nothing leaves, or less than comes.
    const auto doses = [](double amount) {
        Record bolus{.amount = amount, .interval = 12.0, .steady = SteadyState::replaces};
        Record infusion = bolus;
        infusion.kind = RecordKind::infuse;
        infusion.duration = 5.0;
        infusion.state = central_state;
        Record constant{.kind = RecordKind::infuse,
                        .state = central_state,
                        .rate = amount / 12.0,
                        .steady = SteadyState::adds};
        return std::vector<Record>{bolus, infusion, constant};
    };
    const auto check =
        [](Problem problem, std::vector<double> row, const std::vector<Record>& all) {
            CAPTURE(problem.name);
            const CompiledSystem system = compile(problem.system);
            observe_everything(problem, 0.0, 24.0);
            for (const Record& record : all) {
                EventTable table;
                table.own.records = {record};
                table.own.samples = {{12.0, 1}};
                table.rows = {row};
                CAPTURE(text_of(table));
                for (const Solver& solver : solvers()) {
                    if (!solver.applies(system)) continue;
                    CAPTURE(solver.name);
                    const BlockResult result = solve_tables(solver, system, problem, {{table}}, {});
                    CHECK(name(result.status[0]) == "no_steady_state");
                    CHECK(std::isnan(result.own[0][0]));
                }
            }
        };
    const auto row = [](double cl, std::initializer_list<double> more) {
        std::vector<double> values{cl, 20.0, 1.0, 0.5, 1.0, 0.0, 1.0, 10.0, 2.0, 70.0};
        values.insert(values.end(), more);
        return values;
    };
    check(linear_pk(1, false), row(0.0, {}), doses(100.0));
    check(linear_pk(1, true), row(0.0, {}), doses(100.0));
    check(linear_pk(2, false), row(0.0, {5.0, 30.0}), doses(100.0));
    check(linear_pk(3, true), row(0.0, {5.0, 30.0, 1.0, 100.0}), doses(100.0));
    check(turnover_pk(), row(0.0, {0.1, 50.0, 1.0}), doses(100.0));
    check(saturable_pk(), row(0.0, {100.0 / 12.0 / 1.2, 2.0}), doses(100.0));
    check(saturable_pk(), row(0.0, {100.0 / 12.0 / 1.01, 2.0}), doses(100.0));
    check(receptor_pk(), row(2.0, {}), doses(100.0));
}
