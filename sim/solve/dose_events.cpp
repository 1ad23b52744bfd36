#include "solve/dose_events.hpp"

#include "base/index.hpp"
#include "solve/infusion.hpp"
#include "solve/step_control.hpp"
#include "solve/transit_times.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace gemel::sim {
namespace {

bool has_steady(std::span<const Record> records) {
    return std::any_of(records.begin(), records.end(), [](const Record& record) {
        return record.steady != SteadyState::none;
    });
}

bool is_of_dose(EventKind kind) {
    return kind == EventKind::add || kind == EventKind::rate_on || kind == EventKind::goes_on ||
           kind == EventKind::rate_change || kind == EventKind::rate_off;
}

/// The times of doses into a state that keeps the latest `n_kept` of them.
class DosesOnTheirWay {
public:
    DosesOnTheirWay(std::size_t n_kept, const TransitTimes& transit)
        : n_kept_(n_kept),
          transit_(transit) {}

    /// @returns false if the event is an infusion, or a dose is given up of which too much is still
    ///          to come
    bool take(const Event& event, int state, const Expansion& expanded) {
        if (event.kind == EventKind::reset || event.kind == EventKind::replace_all) kept_.clear();
        if (event.kind == EventKind::replace_all || event.kind == EventKind::add_all)
            return take(expanded.steady[index(event.which)], state) && let_go(event.time);
        if (event.dose < 0 || event.state != state) return true;
        if (event.kind != EventKind::add) return false;
        add(event.time); // one time for doses at one time
        return let_go(event.time);
    }

    const std::vector<double>& given() const { return given_; }

private:
    /// The doses of a pattern that its state keeps, and the one before.
    bool take(const SteadyPattern& pattern, int state) {
        if (pattern.state != state) return true;
        if (pattern.rate != 0.0) return false;
        for (std::size_t j = n_kept_ + 1; pattern.amount != 0.0 && j > 0; --j)
            add(pattern.time + pattern.phase - static_cast<double>(j) * pattern.period);
        std::sort(kept_.begin(), kept_.end());
        return true;
    }
    void add(double time) {
        if (!kept_.empty() && time == kept_.back()) return;
        kept_.push_back(time);
        given_.push_back(time);
    }
    bool let_go(double now) {
        bool have_come = true;
        for (; kept_.size() > n_kept_; kept_.erase(kept_.begin()))
            have_come &= transit_.still_to_come(now - kept_.front()) <= may_be_lost;
        return have_come;
    }

    std::size_t n_kept_ = 0;
    TransitTimes transit_;
    std::vector<double> kept_, given_;
};

} // namespace

DoseEvents::DoseEvents(const CompiledSystem& system, const ProgramSet& set)
    : system_(system.system),
      layout_(system.system.sensitivities),
      n_own_(system.system.n_own_states()),
      n_model_times_(static_cast<int>(system.model_times.size())),
      by_input_(index(layout_.n_wrt())),
      steady_(system),
      rates_(set.programs[rates_at_doses], set.layout),
      states_(index(n_own_)),
      before_(index(n_own_)),
      after_(index(n_own_)) {
    for (int i = 0; i < n_own_; ++i)
        if (system_.states[index(i)].n_kept > 0) transits_.push_back(i);
}

void DoseEvents::begin(const BlockProblem& problem,
                       const BlockSetup& setup,
                       StateCarrier& carrier) {
    if (layout_.is_set() && !problem.timeline->triggers.empty())
        throw std::invalid_argument("triggers have no derivatives yet");
    problem_ = &problem;
    setup_ = &setup;
    n_problems_ += 1.0;
    find_key_columns();
    cut_records();
    find_steady_states(carrier);
}

/// Timelines as they were when subjects were parked.
void DoseEvents::cut_records() {
    timelines_.clear();
    const Timeline& now = *problem_->timeline;
    for (const ParkedSubject* parked : problem_->resume) {
        if (parked == nullptr || timelines_.contains(parked->n_records)) continue;
        if (parked->n_records > now.records.size())
            throw std::invalid_argument("solve: a parked subject had more records");
        Timeline& before = timelines_[parked->n_records];
        before = now;
        before.records.resize(parked->n_records);
    }
}

void DoseEvents::find_steady_states(StateCarrier& carrier) {
    steady_.begin(*problem_, *setup_);
    first_pattern_.clear();
    const bool all_have = has_steady(problem_->timeline->records);
    SubjectEvents& events = events_of_steady_;
    for (int subject = 0; subject < problem_->n_subjects; ++subject) {
        const bool own_have =
            !problem_->own.empty() && has_steady(problem_->own[index(subject)]->records);
        if (!(all_have || own_have)) continue;
        first_pattern_.resize(index(problem_->n_subjects), 0);
        if (setup_->status[index(subject)] != SolverStatus::ok) continue;
        events.subject = subject;
        if (sim::expand(doses_of(subject), events.expanded))
            first_pattern_[index(subject)] = steady_.add(events);
    }
    if (!first_pattern_.empty()) steady_.find(carrier);
}

/// Valid until the next call.
SubjectDoses DoseEvents::doses_of(int subject) {
    const std::ptrdiff_t n_rows = setup_->n_rows, first = setup_->first_row[index(subject)];
    const ParkedSubject* parked = problem_->parked(subject);
    SubjectDoses doses{.timeline = parked ? &timelines_.at(parked->n_records) : problem_->timeline,
                       .own = problem_->own.empty() ? nullptr : problem_->own[index(subject)],
                       .modifiers = {setup_->bioavailability.data() + first,
                                     setup_->lag.data() + first,
                                     setup_->modelled_rate.data() + first,
                                     setup_->modelled_duration.data() + first,
                                     n_rows},
                       .inputs = problem_->inputs.data() + first,
                       .input_stride = n_rows,
                       .model_times = setup_->model_times.data() + first,
                       .n_model_times = n_model_times_,
                       .model_time_derivatives = setup_->model_time_derivatives.data() + first};
    if (!layout_.is_set()) return doses;
    const std::ptrdiff_t part = n_own_ * n_rows;
    for (std::size_t k = 0; k < by_input_.size(); ++k) {
        const double* d =
            setup_->modifier_derivatives.data() + static_cast<std::ptrdiff_t>(k) * 4 * part + first;
        by_input_[k] = {d, d + part, d + 2 * part, d + 3 * part, n_rows};
    }
    doses.by_input = by_input_;
    doses.wrt = layout_.wrt;
    return doses;
}

/// Subjects of one pattern of records have equal events where everything these are made from is
/// equal: what that is.
void DoseEvents::find_key_columns() {
    keyed_states_.clear();
    keyed_inputs_.clear();
    for (const Record& record : problem_->timeline->records) {
        keyed_states_.push_back(record.state);
        if (record.amount_factor >= 0) keyed_inputs_.push_back(record.amount_factor);
    }
    for (std::vector<int>* columns : {&keyed_states_, &keyed_inputs_}) {
        std::sort(columns->begin(), columns->end());
        columns->erase(std::unique(columns->begin(), columns->end()), columns->end());
    }
}

/// @returns false where a subject's events are made from more than a key holds
bool DoseEvents::fill_key(int subject) {
    if (!problem_->own.empty() || problem_->parked(subject) != nullptr || layout_.is_set() ||
        !transits_.empty() || !first_pattern_.empty())
        return false;
    const std::size_t n = index(setup_->n_rows), row = index(setup_->first_row[index(subject)]);
    key_.assign(1, n_problems_);
    for (const std::vector<double>* column : {&setup_->bioavailability,
                                              &setup_->lag,
                                              &setup_->modelled_rate,
                                              &setup_->modelled_duration})
        for (const int state : keyed_states_)
            key_.push_back((*column)[index(state) * n + row]);
    for (const int input : keyed_inputs_)
        key_.push_back(problem_->inputs[index(input) * n + row]);
    for (int k = 0; k < n_model_times_; ++k)
        key_.push_back(setup_->model_times[index(k) * n + row]);
    return true;
}

SolverStatus DoseEvents::expand(int subject, SubjectEvents& events) {
    events.subject = subject;
    events.row = setup_->first_row[index(subject)];
    const bool has_key = fill_key(subject);
    if (has_key && events.key == key_) return SolverStatus::ok;
    events.key.clear();
    if (!sim::expand(doses_of(subject), events.expanded)) return SolverStatus::invalid_parameter;
    if (!events.expanded.steady.empty()) {
        events.first_pattern = first_pattern_[index(subject)];
        for (std::size_t k = 0; k < events.expanded.steady.size(); ++k)
            if (const SolverStatus status =
                    steady_.status(events.first_pattern + static_cast<int>(k));
                status != SolverStatus::ok)
                return status;
    }
    stop_to_park(events.expanded.events);
    if (!prepare_transits(events)) return SolverStatus::invalid_parameter;
    if (has_key) events.key = key_;
    return SolverStatus::ok;
}

void DoseEvents::stop_to_park(std::vector<Event>& events) const {
    if (problem_->park_at < problem_->timeline->end)
        insert_in_time({.time = problem_->park_at, .kind = EventKind::stop}, 0, events);
}

/// Stops on the way of each dose; after them no dose is kept.
bool DoseEvents::prepare_transits(SubjectEvents& events) const {
    for (int state : transits_)
        if (!prepare_transit(state, events)) return false;
    if (!transits_.empty())
        std::stable_sort(events.expanded.events.begin(),
                         events.expanded.events.end(),
                         [](const Event& a, const Event& b) { return a.time < b.time; });
    return true;
}

bool DoseEvents::prepare_transit(int state, SubjectEvents& events) const {
    const State& depot = system_.states[index(state)];
    const auto start = [&](int of_state) {
        return setup_->initial[index(of_state) * index(setup_->n_rows) + index(events.row)];
    };
    const TransitTimes transit{start(depot.first_kept + 2 * depot.n_kept),
                               start(depot.first_kept + 2 * depot.n_kept + 1)};
    DosesOnTheirWay way(index(depot.n_kept), transit);
    for (const Event& event : events.all())
        if (!way.take(event, state, events.expanded)) return false;
    const double from = problem_->timeline->start, end = problem_->timeline->end;
    for (const double time : way.given())
        add_stops(transit, time, state, from, end, events.expanded.events);
    return true;
}

/// The latest dose comes first; older ones move on, and the oldest goes.
void DoseEvents::keep(const SubjectEvents& events,
                      const Event& event,
                      const SubjectColumns& columns) {
    const State& depot = system_.states[index(event.state)];
    const auto put = [&](int derivative, double time, double amount) {
        const auto slot = [&](int which) -> double& {
            const int own = depot.first_kept + which;
            const int at = derivative < 0 ? own : layout_.state(own, derivative);
            return columns.states[at * columns.stride];
        };
        slot(0) = time;
        slot(1) += amount;
    };
    const auto shift = [&](int derivative) {
        for (int which = 2 * depot.n_kept - 1; which >= 0; --which) {
            const int own = depot.first_kept + which;
            const auto at = [&](int state) {
                return (derivative < 0 ? state : layout_.state(state, derivative)) * columns.stride;
            };
            columns.states[at(own)] = which < 2 ? 0.0 : columns.states[at(own - 2)];
        }
    };
    const bool is_same = columns.states[depot.first_kept * columns.stride] == event.time &&
                         columns.states[(depot.first_kept + 1) * columns.stride] != 0.0;
    for (int k = -1; k < layout_.n_wrt(); ++k) {
        if (!is_same) shift(k);
        if (k < 0)
            put(k, event.time, event.value);
        else
            put(k, derivative(events, event, k).time, derivative(events, event, k).amount);
    }
}

void DoseEvents::apply(const SubjectEvents& events,
                       const Event& event,
                       const SubjectColumns& columns) {
    if (event.kind == EventKind::add || event.kind == EventKind::rate_on) {
        switch_on(event.state, columns);
        note_dose(events, event, columns);
    }
    switch (event.kind) {
    case EventKind::add:
        return add_amount(events, event, columns);
    case EventKind::rate_on:
    case EventKind::goes_on:
    case EventKind::rate_off:
        return switch_infusions(events, event, columns);
    case EventKind::rate_change:
        return change_rate(events, event, columns);
    case EventKind::set:
    case EventKind::multiply:
        return change(events, event, columns);
    case EventKind::reset:
        return reset(events, columns);
    case EventKind::replace_all:
    case EventKind::add_all:
        return reach(events, event, columns);
    case EventKind::off:
        return switch_off(event.state, columns);
    case EventKind::on:
        return switch_on(event.state, columns);
    case EventKind::discontinue:
        return stop_infusions(columns);
    case EventKind::stop:
        if (event.which >= 0) turn_corner(events, event, columns);
        return;
    default:
        return;
    }
}

SolverStatus
DoseEvents::give(SubjectEvents& events, const Trigger& trigger, double time, std::size_t next) {
    events.key.clear();
    constexpr int of_a_trigger = std::numeric_limits<int>::max();
    const SubjectDoses doses = doses_of(events.subject);
    if (!expand_also(doses, trigger.record, of_a_trigger, time, next, events.expanded))
        return SolverStatus::invalid_parameter;
    if (!(trigger.wait > 0.0)) return SolverStatus::ok;
    if (const double over = time + trigger.wait; over <= problem_->timeline->end)
        insert_in_time({.time = over, .kind = EventKind::stop}, next, events.expanded.events);
    return SolverStatus::ok;
}

namespace {

void keep(Event& event, Parking& parking) {
    parking(event.time);
    parking(event.kind);
    parking(event.state);
    parking(event.value);
    parking(event.record);
    parking(event.dose);
    parking(event.which);
    parking(event.repeat);
}

} // namespace

void DoseEvents::park(const SubjectEvents& events, std::size_t next, Parking& parking) const {
    int row = events.row - setup_->first_row[index(events.subject)];
    parking(row);
    std::size_t n = events.all().size() - next;
    parking(n);
    for (; next < events.all().size(); ++next) {
        Event event = events.all()[next];
        sim::keep(event, parking);
    }
}

SolverStatus DoseEvents::take_back(SubjectEvents& events, Parking& parking) {
    events.key.clear();
    int row = 0;
    parking(row);
    if (row < 0 || row >= problem_->n_rows_of(events.subject))
        throw std::invalid_argument("solve: a parked subject had other rows of inputs");
    events.row = setup_->first_row[index(events.subject)] + row;
    std::size_t n = 0;
    parking(n);
    std::vector<Event>& all = events.expanded.events;
    all.clear();
    for (std::size_t i = 0; i < n; ++i)
        sim::keep(all.emplace_back(), parking);
    const std::vector<Record>& records = problem_->timeline->records;
    const SubjectDoses doses = doses_of(events.subject);
    for (std::size_t i = doses.timeline->records.size(); i < records.size(); ++i) {
        const bool is_kept = system_.states[index(records[i].state)].n_kept > 0;
        if (records[i].steady != SteadyState::none || is_kept)
            throw std::invalid_argument("solve: a further record of parked subjects is of a steady "
                                        "state or into transit compartments");
        if (!expand_also(doses, records[i], static_cast<int>(i), 0.0, 0, events.expanded))
            return SolverStatus::invalid_parameter;
    }
    stop_to_park(all);
    return SolverStatus::ok;
}

/// Of the subject's records; `otherwise` of a trigger's.
double DoseEvents::record_time(const SubjectEvents& events, int record, double otherwise) const {
    const std::vector<Record>& shared = problem_->timeline->records;
    if (index(record) < shared.size()) return shared[index(record)].time;
    if (problem_->own.empty()) return otherwise;
    const std::vector<Record>& own = problem_->own[index(events.subject)]->records;
    const std::size_t at = index(record) - shared.size();
    return at < own.size() ? own[at].time : otherwise;
}

void DoseEvents::take_away(SubjectEvents& events, const Event& event, std::size_t next) const {
    events.key.clear();
    std::vector<Event>& all = events.expanded.events;
    const bool ends_all = event.kind == EventKind::reset || event.kind == EventKind::replace_all ||
                          event.kind == EventKind::discontinue;
    if (!ends_all && event.kind != EventKind::off) return;
    end_infusions(all, next, ends_all ? -1 : event.state);
    const bool cancels = !ends_all || problem_->timeline->pending == PendingDoses::cancelled;
    const auto does_not_come = [&](const Event& other) {
        const bool is_steady =
            other.kind == EventKind::replace_all || other.kind == EventKind::add_all;
        if (event.kind == EventKind::discontinue) return is_of_dose(other.kind) || is_steady;
        const bool is_of_another = !ends_all && other.state != event.state;
        return cancels && is_of_dose(other.kind) && !is_of_another &&
               record_time(events, other.record, event.time) < event.time;
    };
    all.erase(
        std::remove_if(all.begin() + static_cast<std::ptrdiff_t>(next), all.end(), does_not_come),
        all.end());
}

const DoseDerivative&
DoseEvents::derivative(const SubjectEvents& events, const Event& event, int wrt) const {
    return events.expanded.derivatives[index(event.dose) * index(layout_.n_wrt()) + index(wrt)];
}

/// Derivatives follow: S⁺ = ∂A/∂θ, or S⁺ = a·S⁻ + ∂a/∂θ·x⁻.
void DoseEvents::change(const SubjectEvents& events,
                        const Event& event,
                        const SubjectColumns& columns) {
    double& x = columns.states[event.state * columns.stride];
    const double before = x;
    const bool sets = event.kind == EventKind::set;
    x = sets ? event.value : event.value * before;
    for (int k = 0; k < layout_.n_wrt(); ++k) {
        double& s = columns.states[layout_.state(event.state, k) * columns.stride];
        const double by = derivative(events, event, k).amount;
        s = sets ? by : event.value * s + by * before;
    }
}

/// Amount and derivatives become 0, infusions into it end.
void DoseEvents::switch_off(int state, const SubjectColumns& columns) {
    const auto empty = [&](int i) {
        columns.states[i * columns.stride] = 0.0;
        columns.infusion[i * columns.stride] = 0.0;
    };
    empty(state);
    columns.running[state * columns.stride] = 0;
    for (int k = 0; k < layout_.n_wrt(); ++k)
        empty(layout_.state(state, k));
    const int is_on = system_.states[index(state)].switch_state;
    if (is_on >= 0) columns.states[is_on * columns.stride] = 0.0;
}

void DoseEvents::switch_on(int state, const SubjectColumns& columns) {
    const int is_on = system_.states[index(state)].switch_state;
    if (is_on >= 0) columns.states[is_on * columns.stride] = 1.0;
}

/// The time a dose came, with its derivatives, where the system keeps it.
void DoseEvents::note_dose(const SubjectEvents& events,
                           const Event& event,
                           const SubjectColumns& columns) {
    const int last = system_.last_dose_state;
    if (last < 0) return;
    columns.states[last * columns.stride] = event.time;
    for (int k = 0; k < layout_.n_wrt(); ++k)
        columns.states[layout_.state(last, k) * columns.stride] = derivative(events, event, k).time;
}

void DoseEvents::stop_infusions(const SubjectColumns& columns) const {
    for (std::size_t i = 0; i < system_.states.size(); ++i) {
        columns.infusion[static_cast<std::ptrdiff_t>(i) * columns.stride] = 0.0;
        columns.running[static_cast<std::ptrdiff_t>(i) * columns.stride] = 0;
    }
}

void DoseEvents::reset(const SubjectEvents& events, const SubjectColumns& columns) {
    stop_infusions(columns);
    for (std::size_t i = 0; i < system_.states.size(); ++i)
        columns.states[static_cast<std::ptrdiff_t>(i) * columns.stride] = initial(events, i);
}

double DoseEvents::initial(const SubjectEvents& events, std::size_t state) const {
    return setup_->initial[state * index(setup_->n_rows) + index(events.row)];
}

/// The later one of a steady state's last dose and that of the state it is added to, which is time
/// 0 before the first dose, even where that is still to come.
void DoseEvents::keep_later_dose(const SubjectEvents& events,
                                 const Event& event,
                                 std::span<const double> before,
                                 std::span<const double> steady,
                                 const SubjectColumns& columns) const {
    const int last = system_.last_dose_state;
    const bool is_periodic = events.expanded.steady[index(event.which)].period > 0.0;
    const bool is_steady = is_periodic && (steady[index(last)] > before[index(last)] ||
                                           before[index(last)] > event.time);
    for (int k = -1; k < layout_.n_wrt(); ++k) {
        const int at = k < 0 ? last : layout_.state(last, k);
        columns.states[at * columns.stride] = is_steady ? steady[index(at)] : before[index(at)];
    }
}

/// Doses switch their own state on, and nothing else.
void DoseEvents::keep_switches(const SubjectEvents& events,
                               const Event& event,
                               std::span<const double> before,
                               const SubjectColumns& columns) {
    const int dosed = events.expanded.steady[index(event.which)].state;
    for (int i = 0; i < n_own_; ++i) {
        const int is_on = system_.states[index(i)].switch_state;
        if (is_on < 0) continue;
        columns.states[is_on * columns.stride] = before[index(is_on)];
        if (before[index(is_on)] != 0.0 || i == dosed) continue;
        columns.states[i * columns.stride] = 0.0;
        for (int k = 0; k < layout_.n_wrt(); ++k)
            columns.states[layout_.state(i, k) * columns.stride] = 0.0;
    }
    switch_on(dosed, columns);
}

/// A steady state replaces everything, or what it adds to the state at rest is added.
void DoseEvents::reach(const SubjectEvents& events,
                       const Event& event,
                       const SubjectColumns& columns) {
    const std::span<const double> steady = steady_.states(events.first_pattern + event.which);
    const bool replaces = event.kind == EventKind::replace_all;
    if (replaces) stop_infusions(columns);
    std::vector<double>& before = unsteady_;
    before.clear();
    for (std::size_t i = 0; i < system_.states.size(); ++i) {
        double& x = columns.states[static_cast<std::ptrdiff_t>(i) * columns.stride];
        before.push_back(x);
        x = replaces ? steady[i] : x + (steady[i] - initial(events, i));
    }
    if (replaces) return;
    keep_switches(events, event, before, columns);
    for (const int state : transits_)
        keep_both(system_.states[index(state)], before, steady, columns);
    if (system_.last_dose_state >= 0) keep_later_dose(events, event, before, steady, columns);
}

/// The latest doses of both: those on their way, and those of a steady state.
void DoseEvents::keep_both(const State& depot,
                           std::span<const double> one,
                           std::span<const double> other,
                           const SubjectColumns& columns) const {
    struct Kept {
        double time = 0.0;
        std::span<const double> of;
        int which = 0;
    };
    std::vector<Kept> all;
    for (const std::span<const double> of : {one, other})
        for (int which = 0; which < depot.n_kept; ++which)
            if (const int at = depot.first_kept + 2 * which; of[index(at + 1)] != 0.0)
                all.push_back({of[index(at)], of, which});
    std::stable_sort(
        all.begin(), all.end(), [](const Kept& a, const Kept& b) { return a.time > b.time; });
    all.resize(index(depot.n_kept), {0.0, {}, 0});
    for (int k = -1; k < layout_.n_wrt(); ++k)
        for (int slot = 0; slot < 2 * depot.n_kept; ++slot) {
            const auto at = [&](int own) { return k < 0 ? own : layout_.state(own, k); };
            const Kept& kept = all[index(slot / 2)];
            const int from = at(depot.first_kept + 2 * kept.which + slot % 2);
            columns.states[at(depot.first_kept + slot) * columns.stride] =
                kept.of.empty() ? 0.0 : kept.of[index(from)];
        }
}

/// S⁺ = S⁻ + ∂A/∂θ·e_i + (f(x⁻) − f(x⁺))·∂τ/∂θ
void DoseEvents::add_amount(const SubjectEvents& events,
                            const Event& event,
                            const SubjectColumns& columns) {
    bool moves = false;
    for (int k = 0; k < layout_.n_wrt(); ++k)
        moves |= derivative(events, event, k).time != 0.0;
    if (moves) rates_at(events, event.time, columns, before_);
    const bool is_kept = system_.states[index(event.state)].n_kept > 0;
    if (is_kept)
        keep(events, event, columns);
    else
        columns.states[event.state * columns.stride] += event.value;
    if (moves) rates_at(events, event.time, columns, after_);
    for (int k = 0; k < layout_.n_wrt(); ++k) {
        const DoseDerivative& by = derivative(events, event, k);
        if (!is_kept) columns.states[layout_.state(event.state, k) * columns.stride] += by.amount;
        if (by.time == 0.0) continue;
        for (int i = 0; i < n_own_; ++i)
            columns.states[layout_.state(i, k) * columns.stride] +=
                (before_[index(i)] - after_[index(i)]) * by.time;
    }
}

/// f may jump at a time of the model that moves: S⁺ = S⁻ + (f⁻ − f⁺)·∂τ/∂θ. On which side a
/// comparison falls at the very time is a matter of rounding: f is that of just before and after.
void DoseEvents::turn_corner(const SubjectEvents& events,
                             const Event& event,
                             const SubjectColumns& columns) {
    const int row = events.row - setup_->first_row[index(events.subject)];
    if (event.repeat != row) return;
    const double moment = 2.0 * least_step(event.time);
    rates_at(events, event.time - moment, columns, before_);
    rates_at(events, event.time + moment, columns, after_);
    for (int k = 0; k < layout_.n_wrt(); ++k) {
        const double by =
            events.expanded.corners[index(event.which) * index(layout_.n_wrt()) + index(k)];
        for (int i = 0; by != 0.0 && i < n_own_; ++i)
            columns.states[layout_.state(i, k) * columns.stride] +=
                (before_[index(i)] - after_[index(i)]) * by;
    }
}

/// The states are continuous here and f jumps by the infusion's rate R alone, so that
/// S⁺ = S⁻ − R·∂τ/∂θ·e_i where it starts, + R·∂τ/∂θ·e_i where it ends, and ∂R/∂θ runs into S
/// meanwhile.
void DoseEvents::switch_infusions(const SubjectEvents& events,
                                  const Event& event,
                                  const SubjectColumns& columns) {
    int& running = columns.running[event.state * columns.stride];
    for (int k = 0; k < layout_.n_wrt(); ++k) {
        const DoseDerivative& by = derivative(events, event, k);
        const std::ptrdiff_t at = layout_.state(event.state, k) * columns.stride;
        if (event.kind == EventKind::rate_on) columns.states[at] -= event.value * by.time;
        if (event.kind == EventKind::rate_off) columns.states[at] += event.value * by.end;
        int n = running;
        switch_infusion(
            {.time = event.time, .kind = event.kind, .value = by.rate}, columns.infusion[at], n);
    }
    switch_infusion(event, columns.infusion[event.state * columns.stride], running);
}

/// The time is that of a row of inputs, so that only ∂R/∂θ changes.
void DoseEvents::change_rate(const SubjectEvents& events,
                             const Event& event,
                             const SubjectColumns& columns) const {
    columns.infusion[event.state * columns.stride] += event.value;
    for (int k = 0; k < layout_.n_wrt(); ++k)
        columns.infusion[layout_.state(event.state, k) * columns.stride] +=
            derivative(events, event, k).rate;
}

void DoseEvents::rates_at(const SubjectEvents& events,
                          double time,
                          const SubjectColumns& columns,
                          std::vector<double>& rates) {
    gather(problem_->inputs, setup_->n_rows, events.row, inputs_);
    gather(setup_->derived, setup_->n_rows, events.row, derived_);
    for (int i = 0; i < n_own_; ++i)
        states_[index(i)] = columns.states[i * columns.stride];
    rates_.load({inputs_, derived_, {}});
    rates_.set_time(time);
    rates_.set_states(states_);
    rates_.run();
    std::copy_n(rates_.results(), n_own_, rates.begin());
}

} // namespace gemel::sim
