#include "sim/solve/random_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>

namespace gemel::sim {
namespace {

constexpr double per_hour = 8.0; ///< of the grid

struct PkTerms {
    std::vector<Term> in;
    Term depot, central, c;
    Term flow_depot, flow_central;
};

/// Inputs, depot and central with their modifiers; no elimination yet.
PkTerms start_pk(Problem& p) {
    PkTerms t;
    for (const char* name :
         {"CL", "V", "ka", "lag_depot", "F_depot", "lag", "F", "rate", "duration", "weight"})
        t.in.push_back(p.input(name, 1.0));
    t.depot = p.dosed_state("depot");
    t.central = p.dosed_state("central");
    p.definition(t.depot).lag = t.in[in_lag_depot].expr;
    p.definition(t.depot).bioavailability = t.in[in_f_depot].expr;
    State& central = p.definition(t.central);
    central.lag = t.in[in_lag].expr;
    central.bioavailability = t.in[in_f].expr;
    central.modelled_rate = t.in[in_rate].expr;
    central.modelled_duration = t.in[in_duration].expr;
    t.c = t.central / t.in[in_v];
    t.flow_depot = -(t.in[in_ka] * t.depot);
    t.flow_central = t.in[in_ka] * t.depot - t.in[in_cl] * t.c;
    return t;
}

void finish_pk(Problem& p, const PkTerms& t, bool has_area = true) {
    p.rate(t.depot, t.flow_depot);
    p.rate(t.central, t.flow_central);
    p.output("C", t.c);
    p.output("depot", t.depot);
    if (!has_area) return;
    const Term area = p.state("area", p.number(0.0));
    p.rate(area, t.c);
    p.output("area", area);
}

Record random_change(EventDice& dice, double time, const TableOptions& options) {
    Record record{.time = time};
    record.state = dice.below(1 + options.n_compartments);
    const int what = dice.below(3);
    record.kind = what == 0   ? RecordKind::reset
                  : what == 1 ? RecordKind::set
                              : RecordKind::multiply;
    if (what == 1) record.amount = dice.between(0.0, 100.0);
    if (what == 2) record.amount = dice.between(0.0, 1.5);
    return record;
}

double random_lag(EventDice& dice, bool on_grid) {
    if (dice.happens(0.4)) return 0.0;
    const double most = dice.happens(0.2) ? 30.0 : 3.0; // sometimes longer than any interval
    return on_grid ? dice.on_grid(0.0, most) : dice.time(0.0, most);
}

double random_duration(EventDice& dice, bool on_grid) {
    constexpr double shortest = 1.0 / per_hour;
    return on_grid ? dice.on_grid(shortest, 20.0) : dice.time(shortest, 20.0);
}

std::vector<double>
random_row(EventDice& dice, const TableOptions& options, const std::vector<double>* before) {
    std::vector<double> row = random_pk_row(dice, options.n_compartments);
    if (options.on_grid)
        for (const int i : {in_lag_depot, in_lag, in_duration})
            row[static_cast<std::size_t>(i)] =
                i == in_duration ? random_duration(dice, true) : random_lag(dice, true);
    if (before != nullptr && options.keeps_lag)
        for (const int i : {in_lag_depot, in_lag})
            row[static_cast<std::size_t>(i)] = (*before)[static_cast<std::size_t>(i)];
    return row;
}

} // namespace

EventDice::EventDice(std::string_view purpose, std::uint64_t number)
    : stream_({4, 0, number}, purpose_number(purpose)) {}

double EventDice::one_of(std::span<const double> values) {
    return values[static_cast<std::size_t>(below(static_cast<int>(values.size())))];
}

double EventDice::on_grid(double from, double to) {
    return std::clamp(std::round(between(from, to) * per_hour) / per_hour, from, to);
}

double EventDice::time(double from, double to) {
    return happens(0.75) ? on_grid(from, to) : between(from, to);
}

Problem linear_pk(int n_compartments, bool has_area) {
    Problem p("linear compartments", 0.0);
    PkTerms t = start_pk(p);
    for (int i = 2; i <= n_compartments; ++i) {
        const std::string number = std::to_string(i);
        const Term q = p.input("Q" + number, 1.0), v = p.input("V" + number, 1.0);
        const Term peripheral = p.dosed_state("peripheral" + number);
        const Term out = q * t.c, back = q * (peripheral / v);
        t.flow_central = t.flow_central - out + back;
        p.rate(peripheral, out - back);
    }
    finish_pk(p, t, has_area);
    return p;
}

Problem turnover_pk() {
    Problem p("turnover", 0.0);
    const PkTerms t = start_pk(p);
    const Term kout = p.input("kout", 1.0), base = p.input("base", 1.0),
               half = p.input("IC50", 1.0);
    const Term effect = p.state("effect", base);
    p.rate(effect, kout * (base * (1.0 - t.c / (half + t.c)) - effect));
    finish_pk(p, t);
    p.output("effect", effect);
    return p;
}

Problem saturable_pk() {
    Problem p("saturable elimination", 0.0);
    PkTerms t = start_pk(p);
    const Term vmax = p.input("Vmax", 1.0), km = p.input("Km", 1.0);
    t.flow_central = t.flow_central - vmax * t.c / (km + t.c);
    finish_pk(p, t);
    return p;
}

Problem target_pk() {
    Problem p("target-mediated disposition", 0.0);
    PkTerms t = start_pk(p);
    const Term kon = p.input("kon", 1.0), koff = p.input("koff", 1.0), kint = p.input("kint", 1.0);
    const Term kdeg = p.input("kdeg", 1.0), r0 = p.input("R0", 1.0);
    const Term target = p.state("target", r0);
    const Term bound = p.state("complex", p.number(0.0));
    p.definition(bound).scale = 1.0;
    const Term binding = kon * t.c * target - koff * bound;
    t.flow_central = t.flow_central - t.in[in_v] * binding;
    p.rate(target, kdeg * (r0 - target) - binding);
    p.rate(bound, binding - kint * bound);
    finish_pk(p, t);
    p.output("target", target);
    p.output("complex", bound);
    return p;
}

std::vector<double> random_pk_row(EventDice& dice, int n_compartments) {
    std::vector<double> row(n_pk_inputs);
    const double volume = dice.between(5.0, 40.0);
    const auto rate = [&dice] { return 0.03 * std::pow(100.0, dice.uniform()); };
    row[in_v] = volume;
    row[in_cl] = rate() * volume;
    row[in_ka] = rate();
    row[in_lag_depot] = random_lag(dice, false);
    row[in_f_depot] = dice.between(0.1, 1.2);
    row[in_lag] = random_lag(dice, false);
    row[in_f] = dice.happens(0.3) ? 1.0 : dice.between(0.1, 1.2);
    row[in_rate] = dice.between(2.0, 40.0);
    row[in_duration] = random_duration(dice, false);
    row[in_weight] = dice.between(3.0, 90.0);
    for (int i = 2; i <= n_compartments; ++i) {
        const double q = rate() * volume;
        row.push_back(q);
        row.push_back(q / rate());
    }
    return row;
}

Record random_dose(EventDice& dice, double time, const TableOptions& options) {
    constexpr double intervals[] = {2.0, 4.0, 6.0, 8.0, 12.0, 24.0};
    Record record{.time = time, .amount = std::round(dice.between(1.0, 200.0))};
    record.state = dice.happens(0.8) ? dice.below(2) : dice.below(1 + options.n_compartments);
    if (dice.happens(0.2)) {
        record.amount_factor = in_weight;
        record.amount = dice.between(0.1, 3.0);
    }
    if (dice.happens(0.6)) {
        record.interval =
            options.on_grid || dice.happens(0.8) ? dice.one_of(intervals) : dice.between(1.0, 24.0);
        record.count = 1 + dice.below(6);
    }
    const bool may_be_modelled = record.state == central_state && options.has_modelled;
    switch (dice.below(may_be_modelled ? 6 : 4)) {
    case 2:
        record.kind = RecordKind::infuse;
        record.duration = random_duration(dice, options.on_grid);
        break;
    case 3:
        record.kind = RecordKind::infuse;
        record.rate = dice.between(2.0, 40.0);
        if (options.on_grid) {
            record.rate = 0.0;
            record.duration = random_duration(dice, true);
        }
        break;
    case 4:
        record.kind = RecordKind::infuse;
        record.rate = options.on_grid ? modelled_duration : modelled_rate;
        break;
    case 5:
        record.kind = RecordKind::infuse;
        record.rate = modelled_duration;
        break;
    default:
        break;
    }
    if (options.has_steady && record.interval > 0.0 && dice.happens(0.4))
        record.steady = dice.happens(0.6) ? SteadyState::replaces : SteadyState::adds;
    return record;
}

/// Before everything at its time, after it, or anywhere among the records and samples there.
RowSwitch random_switch(EventDice& dice, double time, const SubjectTimeline& own) {
    RowSwitch s{.time = time, .place = static_cast<RowPlace>(dice.below(3))};
    if (s.place != RowPlace::among) return s;
    for (const Record& record : own.records)
        if (record.time < time || (record.time == time && dice.happens(0.5))) ++s.n_records;
    for (const OwnSample& sample : own.samples)
        if (sample.time < time || (sample.time == time && sample.n_before < s.n_records))
            ++s.n_samples;
    return s;
}

EventTable random_table(EventDice& dice, const TableOptions& options) {
    const auto time = [&] {
        return options.on_grid ? dice.on_grid(options.start, options.end)
                               : dice.time(options.start, options.end);
    };
    EventTable table;
    std::vector<double> times;
    for (int i = 4 + dice.below(24); i > 0; --i)
        times.push_back(time());
    std::sort(times.begin(), times.end());
    for (const double t : times) {
        if (dice.happens(0.6))
            table.own.samples.push_back({t, table.own.records.size()});
        else if (options.has_changes && dice.happens(0.2))
            table.own.records.push_back(random_change(dice, t, options));
        else
            table.own.records.push_back(random_dose(dice, t, options));
    }
    table.own.samples.push_back({options.end, table.own.records.size()});

    table.rows.push_back(random_row(dice, options, nullptr));
    for (int i = options.has_switches ? dice.below(4) : 0; i > 0; --i)
        table.own.switches.push_back(random_switch(dice, time(), table.own));
    std::sort(table.own.switches.begin(),
              table.own.switches.end(),
              [](const RowSwitch& a, const RowSwitch& b) {
                  return std::tuple(a.time, a.place, a.n_records) <
                         std::tuple(b.time, b.place, b.n_records);
              });
    for (std::size_t i = 0; i < table.own.switches.size(); ++i)
        table.rows.push_back(random_row(dice, options, &table.rows[0]));
    return table;
}

EventTable written_out(const EventTable& table) {
    EventTable out = table;
    out.own.records.clear();
    std::vector<std::size_t> n_before(1, 0); // records that stand for the first of the table's
    for (const Record& record : table.own.records) {
        for (std::int64_t k = 0; k < record.count; ++k) {
            Record one = record;
            one.count = 1;
            one.time = record.time + static_cast<double>(k) * record.interval;
            if (k > 0) one.steady = SteadyState::none;
            if (one.steady == SteadyState::none) one.interval = 0.0;
            out.own.records.push_back(one);
        }
        n_before.push_back(out.own.records.size());
    }
    for (OwnSample& sample : out.own.samples)
        sample.n_before = n_before[sample.n_before];
    for (RowSwitch& s : out.own.switches)
        s.n_records = n_before[s.n_records];
    return out;
}

BlockResult solve_tables(const Solver& solver,
                         const CompiledSystem& system,
                         const Problem& problem,
                         std::span<const EventTable> tables,
                         const SolverOptions& options,
                         double park_at,
                         std::span<const ParkedSubject> parked) {
    std::vector<const ParkedSubject*> resume;
    for (const ParkedSubject& subject : parked)
        resume.push_back(&subject);
    std::vector<double> inputs;
    std::vector<const SubjectTimeline*> own;
    for (const EventTable& table : tables)
        own.push_back(&table.own);
    for (std::size_t i = 0; i < system.system.inputs.size(); ++i)
        for (const EventTable& table : tables)
            for (const std::vector<double>& row : table.rows)
                inputs.push_back(row[i]);
    BlockResult result;
    prepare(solver, system, options)
        ->worker()
        ->solve({static_cast<int>(tables.size()),
                 inputs,
                 &problem.timeline,
                 &problem.observation,
                 own,
                 park_at,
                 resume},
                result);
    return result;
}

void observe_everything(Problem& problem, double start, double end) {
    problem.timeline.start = start;
    problem.timeline.end = end;
    problem.observation = {};
    for (int k = 0; k < static_cast<int>(problem.system.outputs.size()); ++k) {
        problem.observation.own_outputs.push_back(k);
        problem.functional(FunctionalKind::maximum, k, start, end);
    }
}

std::span<const double> own_values(const BlockResult& result, int output, std::size_t subject) {
    const std::size_t first = result.own_first[subject];
    return std::span(result.own[static_cast<std::size_t>(output)])
        .subspan(first, result.own_first[subject + 1] - first);
}

double gap_of(const BlockResult& a, const BlockResult& b, int output, std::size_t subject) {
    const std::span<const double> of_a = own_values(a, output, subject);
    const std::span<const double> of_b = own_values(b, output, subject);
    constexpr double nothing = 1e-6; // of amounts of about 100
    double largest = std::max(
        nothing, b.functionals[static_cast<std::size_t>(output) * b.status.size() + subject]);
    double gap = 0.0;
    for (std::size_t i = 0; i < of_b.size(); ++i) {
        if (!std::isfinite(of_a[i]) || !std::isfinite(of_b[i]))
            return std::numeric_limits<double>::infinity();
        gap = std::max(gap, std::fabs(of_a[i] - of_b[i]));
        largest = std::max(largest, std::fabs(of_b[i]));
    }
    return gap > 0.0 ? gap / largest : 0.0;
}

double largest_gap(const BlockResult& a, const BlockResult& b) {
    double largest = 0.0;
    for (std::size_t k = 0; k < b.own.size(); ++k)
        for (std::size_t s = 0; s < b.status.size(); ++s)
            largest = std::max(largest, gap_of(a, b, static_cast<int>(k), s));
    return largest;
}

bool same_bits(const BlockResult& a, const BlockResult& b) {
    if (a.status != b.status || a.own.size() != b.own.size() || a.own_first != b.own_first)
        return false;
    for (std::size_t k = 0; k < a.own.size(); ++k)
        if (a.own[k].size() != b.own[k].size() ||
            std::memcmp(a.own[k].data(), b.own[k].data(), a.own[k].size() * sizeof(double)) != 0)
            return false;
    return true;
}

std::string text_of(const EventTable& table) {
    std::string text;
    for (const Record& r : table.own.records)
        text += fmt::format("time {} kind {} state {} amount {} (×{}) duration {} rate {} interval "
                            "{} count {} steady {}\n",
                            r.time,
                            static_cast<int>(r.kind),
                            r.state,
                            r.amount,
                            r.amount_factor,
                            r.duration,
                            r.rate,
                            r.interval,
                            r.count,
                            static_cast<int>(r.steady));
    for (const RowSwitch& s : table.own.switches)
        text +=
            fmt::format("row at {}{}\n",
                        s.time,
                        s.place == RowPlace::after   ? " after"
                        : s.place == RowPlace::among ? fmt::format(" after {} records", s.n_records)
                                                     : "");
    for (const std::vector<double>& row : table.rows) {
        text += "inputs";
        for (const double value : row)
            text += fmt::format(" {}", value);
        text += "\n";
    }
    return text;
}

} // namespace gemel::sim
