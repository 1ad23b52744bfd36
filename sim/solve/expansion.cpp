#include "solve/expansion.hpp"

#include "base/index.hpp"
#include "solve/dose_shape.hpp"
#include "solve/step_control.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gemel::sim {
namespace {

double part_of(const double* column, std::ptrdiff_t at, double otherwise) {
    return column ? column[at] : otherwise;
}

Modifiers<double>
modifiers_of(const DoseModifiers& all, int state, int row, const Modifiers<double>& none) {
    const std::ptrdiff_t at = state * all.state_stride + row;
    return {part_of(all.bioavailability, at, none.bioavailability),
            part_of(all.lag, at, none.lag),
            part_of(all.modelled_rate, at, none.rate),
            part_of(all.modelled_duration, at, none.duration)};
}

/// The dose an infusion began with.
int begun_with(const Event& event) {
    return event.which >= 0 ? event.which : event.dose;
}

bool takes_doses_away(EventKind kind) {
    return kind == EventKind::reset || kind == EventKind::replace_all;
}

EventKind event_kind(RecordKind kind) {
    switch (kind) {
    case RecordKind::reset:
        return EventKind::reset;
    case RecordKind::switch_off:
        return EventKind::off;
    case RecordKind::switch_on:
        return EventKind::on;
    default:
        return EventKind::discontinue;
    }
}

/// What comes first at one time.
int phase(const Event& event, RowPlace place) {
    switch (event.kind) {
    case EventKind::row:
        return place == RowPlace::before ? 0 : place == RowPlace::among ? 2 : 3;
    case EventKind::rate_off:
        return 1;
    default:
        return 2;
    }
}

/// Makes the events of one subject.
class Expander {
public:
    Expander(const SubjectDoses& subject, Expansion& expansion)
        : subject_(subject),
          end_(subject.timeline->end),
          to_(expansion) {}

    bool run() {
        to_.events.clear();
        to_.derivatives.clear();
        to_.corners.clear();
        to_.steady.clear();
        to_.samples.clear();
        to_.n_doses = 0;
        begin();
        switch_rows();
        stop_at_model_times();
        stop_at_windows();
        const std::vector<Record>& shared = subject_.timeline->records;
        for (std::size_t i = 0; i < shared.size(); ++i)
            if (!add(shared[i], static_cast<int>(i))) return false;
        if (subject_.own && !add_own(static_cast<int>(shared.size()))) return false;
        bring_into_order();
        if (has_resets_) take_away();
        if (!to_.steady.empty()) note_switches();
        if (subject_.own) leave_lone_samples();
        return true;
    }

    bool run_also(const Record& record, int index, std::size_t next) {
        std::vector<Event> before = std::exchange(to_.events, {});
        const bool is_good = add(record, index);
        for (const Event& event : to_.events)
            insert_in_time(event, next, before);
        to_.events = std::move(before);
        return is_good;
    }

private:
    bool add_own(int n_shared) {
        const SubjectTimeline& own = *subject_.own;
        std::size_t sample = 0, row = 0;
        const auto switch_among = [&](std::size_t n_records) {
            for (; row < own.switches.size(); ++row) {
                const RowSwitch& s = own.switches[row];
                if (s.place != RowPlace::among) continue;
                if (s.n_records > n_records || s.n_samples > sample) return;
                push_row(row);
            }
        };
        const auto observe_before = [&](std::size_t n_records) {
            switch_among(n_records);
            for (; sample < own.samples.size() && own.samples[sample].n_before <= n_records;
                 switch_among(n_records))
                push({.time = own.samples[sample].time,
                      .kind = EventKind::observe,
                      .which = static_cast<int>(sample++)});
        };
        for (std::size_t i = 0; i < own.records.size(); ++i) {
            observe_before(i);
            if (!add(own.records[i], n_shared + static_cast<int>(i))) return false;
        }
        observe_before(own.samples.size() + own.records.size());
        return true;
    }

    void push(Event event) {
        event.place = static_cast<int>(to_.events.size());
        if (!comes(event.time)) return;
        event.time = std::min(event.time, end_);
        to_.events.push_back(event);
    }
    /// Before the end, or within rounding of it.
    bool comes(double time) const { return time <= end_ + least_step(end_); }

    std::span<const RowSwitch> switches() const {
        return subject_.own ? std::span<const RowSwitch>(subject_.own->switches)
                            : std::span<const RowSwitch>();
    }

    /// Those among records wait for add_own().
    void switch_rows() {
        for (std::size_t row = 0; row < switches().size(); ++row)
            if (switches()[row].place != RowPlace::among) push_row(row);
    }
    void push_row(std::size_t row) {
        push({.time = switches()[row].time,
              .kind = EventKind::row,
              .which = static_cast<int>(row) + 1});
    }

    /// Initial values come anew where the subject begins later than its arm.
    void begin() {
        if (!subject_.own || !(subject_.own->begin > subject_.timeline->start)) return;
        double time = subject_.own->begin;
        for (const Record& record : subject_.timeline->records)
            time = std::min(time, record.time);
        if (time > subject_.timeline->start) push({.time = time, .kind = EventKind::reset});
    }

    /// Steps end just before, so that no stage is beyond the corner, and go on there.
    void stop_at_model_times() {
        constexpr double before = 4.0; // smallest steps
        const auto n_rows = static_cast<int>(switches().size()) + 1;
        for (int k = 0; k < subject_.n_model_times; ++k)
            for (int row = 0; row < n_rows; ++row) {
                const double time = subject_.model_times[k * subject_.input_stride + row];
                if (!(time > subject_.timeline->start && time < end_)) continue;
                push({.time = time - before * least_step(time),
                      .kind = EventKind::leap,
                      .value = time});
                push({.time = time,
                      .kind = EventKind::stop,
                      .which = corner(k, row),
                      .repeat = row});
            }
    }

    /// −1 where it does not move.
    int corner(int time, int row) {
        bool moves = false;
        for (std::size_t w = 0; w < n_wrt(); ++w) {
            const auto at = (static_cast<std::ptrdiff_t>(w) * subject_.n_model_times + time) *
                                subject_.input_stride +
                            row;
            to_.corners.push_back(subject_.model_time_derivatives[at]);
            moves |= to_.corners.back() != 0.0;
        }
        if (moves) return static_cast<int>(to_.corners.size() / n_wrt()) - 1;
        to_.corners.resize(to_.corners.size() - n_wrt());
        return -1;
    }

    /// No step goes over the ends of a trigger's window.
    void stop_at_windows() {
        for (const Trigger& trigger : subject_.timeline->triggers)
            for (const double time : {trigger.from, trigger.to})
                if (time > subject_.timeline->start && time < end_)
                    push({.time = time, .kind = EventKind::stop});
    }

    /// The row whose values a record sees that acts at a time.
    int row_at(double time, int record) const {
        const auto n_shared = static_cast<std::int64_t>(subject_.timeline->records.size());
        int row = 0;
        for (const RowSwitch& s : switches()) {
            const bool is_among = s.place == RowPlace::among &&
                                  static_cast<std::int64_t>(s.n_records) <= record - n_shared;
            if (s.time < time || (s.time == time && (s.place == RowPlace::before || is_among)))
                ++row;
        }
        return row;
    }

    bool add(const Record& record, int index) {
        switch (record.kind) {
        case RecordKind::add:
        case RecordKind::infuse:
            return add_doses(record, index);
        case RecordKind::set:
        case RecordKind::multiply:
            return add_change(record, index);
        default:
            has_resets_ |=
                record.kind == RecordKind::reset || record.kind == RecordKind::switch_off;
            push({.time = record.time,
                  .kind = event_kind(record.kind),
                  .state = record.state,
                  .record = index});
            return true;
        }
    }

    double given(const Record& record, int row) const {
        return record.amount_factor < 0
                   ? record.amount
                   : record.amount *
                         subject_.inputs[record.amount_factor * subject_.input_stride + row];
    }

    bool add_change(const Record& record, int index) {
        const int row = row_at(record.time, index);
        const double value = given(record, row);
        if (!std::isfinite(value)) return false;
        const bool sets = record.kind == RecordKind::set;
        const int dose = new_dose();
        for (std::size_t k = 0; k < n_wrt(); ++k)
            if (record.amount_factor == subject_.wrt[k]) derivative(dose, k).amount = record.amount;
        push({.time = record.time,
              .kind = sets ? EventKind::set : EventKind::multiply,
              .state = record.state,
              .value = value,
              .record = index,
              .dose = dose});
        return true;
    }

    std::size_t n_wrt() const { return subject_.wrt.size(); }
    int new_dose() {
        to_.derivatives.resize(to_.derivatives.size() + n_wrt());
        return to_.n_doses++;
    }
    std::vector<DoseDerivative> derivatives_of(int dose) const {
        const auto first =
            to_.derivatives.begin() + static_cast<std::ptrdiff_t>(sim::index(dose) * n_wrt());
        return {first, first + static_cast<std::ptrdiff_t>(n_wrt())};
    }
    DoseDerivative& derivative(int dose, std::size_t wrt) {
        return to_.derivatives[sim::index(dose) * n_wrt() + wrt];
    }

    bool add_doses(const Record& record, int index) {
        const int row = row_at(record.time, index);
        const double lag = modifiers_of(subject_.modifiers, record.state, row, {}).lag;
        if (!is_lag(lag)) return false;
        std::int64_t first = 0;
        if (record.steady != SteadyState::none) {
            if (!reach_steady_state(record, index, row, lag)) return false;
            if (record.interval == 0.0) return true;
            first = -static_cast<std::int64_t>(std::floor(lag / record.interval));
        }
        Dose<double> dose;
        int number = -1, dose_row = -1;
        for (std::int64_t k = first; k < record.count; ++k) {
            const double time = record.time + static_cast<double>(k) * record.interval + lag;
            if (!comes(time)) break;
            const int now = row_at(time, index);
            if (now != dose_row || (record.rate == modelled_rate && !switches().empty())) {
                dose_row = now;
                if (!make_dose(record, row, now, dose, number)) return false;
            }
            if (number >= 0 &&
                !append(index, record, dose, number, time, static_cast<int>(k), dose_row))
                return false;
        }
        return true;
    }

    /// A dose that comes in row `row`, of a record in row `record_row`. `number` stays −1 where
    /// there is nothing to give.
    bool make_dose(const Record& record, int record_row, int row, Dose<double>& dose, int& number) {
        const Modifiers<double> own = modifiers_of(subject_.modifiers, record.state, row, {});
        if (!shape(record, own, given(record, row), dose)) return false;
        number = -1;
        bool is_needed = dose.amount != 0.0;
        const int next = new_dose();
        for (std::size_t k = 0; k < n_wrt(); ++k) {
            derivative(next, k) = differentiate(record, record_row, row, k);
            is_needed |= derivative(next, k).amount != 0.0;
        }
        if (is_needed) number = next;
        return true;
    }

    DoseDerivative differentiate(const Record& record, int record_row, int row, std::size_t wrt) {
        const DoseModifiers& by_input = subject_.by_input[wrt];
        const Modifiers<double> none{0.0};
        const Modifiers<Dual> own =
            with_derivatives(modifiers_of(subject_.modifiers, record.state, row, {}),
                             modifiers_of(by_input, record.state, row, none));
        const int factor = record.amount_factor;
        const Dual amount = {given(record, row),
                             factor >= 0 && factor == subject_.wrt[wrt] ? record.amount : 0.0};
        Dose<Dual> dose;
        if (!shape(record, own, amount, dose)) return {};
        const double lag = modifiers_of(by_input, record.state, record_row, none).lag;
        return {lag, lag + dose.duration.derivative, dose.amount.derivative, dose.rate.derivative};
    }

    bool append(int index,
                const Record& record,
                const Dose<double>& dose,
                int number,
                double time,
                int repeat,
                int row) {
        const double off = time + dose.duration;
        Event event{.time = time,
                    .state = record.state,
                    .value = dose.amount,
                    .record = index,
                    .dose = number,
                    .repeat = repeat};
        // A bolus, or an infusion too short for steps to see.
        if (record.kind == RecordKind::add || !(off > time + least_step(time))) {
            push(event);
            return true;
        }
        event.value = dose.rate;
        event.kind = EventKind::rate_on;
        push(event);
        return run_infusion(record, event, off, row);
    }

    /// What becomes of an infusion that runs from an event in row `row` on, and would end at `off`:
    /// a modelled rate changes with the rows of inputs until the amount is in.
    bool run_infusion(const Record& record, Event event, double off, int row) {
        const bool follows = record.rate == modelled_rate;
        RunningRate now(derivatives_of(event.dose), event);
        const int first = event.dose;
        for (; follows && row < static_cast<int>(switches().size()); ++row) {
            const double time = std::max(switches()[sim::index(row)].time, event.time);
            if (!(time < off)) break;
            if (!change_rate(row + 1, time, event, now, off)) return false;
            event.which = first;
        }
        event.time = off;
        event.kind = EventKind::rate_off;
        if (event.which >= 0) {
            event.dose = new_dose();
            for (std::size_t k = 0; k < n_wrt(); ++k)
                derivative(event.dose, k) = now.at_end(k, event.value);
        }
        push(event);
        return true;
    }

    /// Derivatives of an infusion that runs: of its rate, and of what is left of its amount.
    struct RunningRate {
        RunningRate(std::span<const DoseDerivative> first, const Event& event) : since(event.time) {
            for (const DoseDerivative& by : first) {
                rates.push_back(by.rate);
                left.push_back(by.amount + event.value * by.time);
            }
        }
        DoseDerivative at_end(std::size_t k, double rate) const {
            return {.end = (left[k] - amount / rate * rates[k]) / rate, .rate = rates[k]};
        }

        double since = 0.0, amount = 0.0; ///< left at `since`
        std::vector<double> rates, left;  ///< [n_wrt]
    };

    /// `event` and `off` become those of the rate in row `row`, from `time` on.
    bool change_rate(int row, double time, Event& event, RunningRate& now, double& off) {
        const double rate =
            std::copysign(modifiers_of(subject_.modifiers, event.state, row, {}).rate, event.value);
        if (!is_above_zero(std::abs(rate))) return false;
        now.amount = event.value * (off - time);
        const int change = new_dose();
        for (std::size_t k = 0; k < n_wrt(); ++k) {
            now.left[k] -= now.rates[k] * (time - now.since);
            const double slope = std::copysign(1.0, rate) *
                                 modifiers_of(subject_.by_input[k], event.state, row, {0.0}).rate;
            derivative(change, k).rate = slope - std::exchange(now.rates[k], slope);
        }
        Event changes = event;
        changes.kind = EventKind::rate_change;
        changes.time = time;
        changes.value = rate - event.value;
        changes.dose = change;
        push(changes);
        now.since = time;
        event.value = rate;
        off = time + now.amount / rate;
        return true;
    }

    bool reach_steady_state(const Record& record, int index, int row, double lag) {
        const bool replaces = record.steady == SteadyState::replaces;
        has_resets_ |= replaces;
        SteadyPattern pattern{.time = record.time, .state = record.state, .row = row};
        Dose<double> dose;
        const bool is_constant = record.interval == 0.0;
        if (is_constant) {
            const Modifiers<double> own = modifiers_of(subject_.modifiers, record.state, row, {});
            dose.rate = record.rate == modelled_rate ? own.rate : record.rate;
            if (!is_above_zero(dose.rate)) return false;
            pattern.dose = new_dose();
            if (record.rate == modelled_rate)
                for (std::size_t k = 0; k < n_wrt(); ++k)
                    derivative(pattern.dose, k).rate =
                        modifiers_of(subject_.by_input[k], record.state, row, {0.0}).rate;
        } else if (!make_dose(record, row, row, dose, pattern.dose)) {
            return false;
        }
        if (!is_constant && dose.duration > most_running * record.interval) return false;
        pattern.period = record.interval;
        pattern.phase = is_constant ? 0.0 : std::fmod(lag, record.interval);
        pattern.amount = dose.amount;
        pattern.rate = record.kind == RecordKind::infuse ? dose.rate : 0.0;
        pattern.duration = dose.duration;
        push({.time = record.time,
              .kind = replaces ? EventKind::replace_all : EventKind::add_all,
              .record = index,
              .which = static_cast<int>(to_.steady.size())});
        to_.steady.push_back(pattern);
        return is_constant || pattern.rate == 0.0 || keep_running(pattern, index);
    }

    /// Infusions of a pattern that still run at its record's time.
    bool keep_running(const SteadyPattern& pattern, int index) {
        for (int j = 1;; ++j) {
            const double left =
                pattern.phase - static_cast<double>(j) * pattern.period + pattern.duration;
            if (!(left > least_step(pattern.time))) break;
            Event event{.time = pattern.time,
                        .kind = EventKind::goes_on,
                        .state = pattern.state,
                        .value = pattern.rate,
                        .record = index,
                        .dose = pattern.dose,
                        .repeat = -j};
            push(event);
            if (!run_infusion(record(index), event, pattern.time + left, pattern.row)) return false;
        }
        return true;
    }

    RowPlace place(const Event& event) const {
        return event.kind == EventKind::row ? switches()[sim::index(event.which - 1)].place
                                            : RowPlace::before;
    }

    /// Times closer than a step can be are one time.
    void bring_into_order() {
        std::vector<Event>& events = to_.events;
        const auto is_before = [this](const Event& a, const Event& b) {
            if (a.time != b.time) return a.time < b.time;
            const int phase_a = phase(a, place(a)), phase_b = phase(b, place(b));
            return phase_a != phase_b ? phase_a < phase_b : a.place < b.place;
        };
        const auto sort = [&] { std::sort(events.begin(), events.end(), is_before); };
        if (!std::is_sorted(events.begin(), events.end(), is_before)) sort();
        bool has_merged = false;
        for (std::size_t i = 1; i < events.size(); ++i)
            if (events[i].time != events[i - 1].time &&
                events[i].time - events[i - 1].time <= least_step(events[i].time)) {
                events[i].time = events[i - 1].time;
                has_merged = true;
            }
        if (has_merged) sort();
    }

    /// States that are off at a steady state's record stay off in the past it stands for.
    void note_switches() {
        std::vector<int> off;
        for (const Event& event : to_.events) {
            const bool is_dose = event.kind == EventKind::add || event.kind == EventKind::rate_on;
            if (event.kind == EventKind::off) off.push_back(event.state);
            if (event.kind == EventKind::reset) off.clear();
            if (event.kind == EventKind::on || is_dose) std::erase(off, event.state);
            if (event.kind != EventKind::replace_all && event.kind != EventKind::add_all) continue;
            SteadyPattern& pattern = to_.steady[sim::index(event.which)];
            std::erase(off, pattern.state);
            pattern.off = off;
        }
    }

    /// Resets and steady states stop infusions, whose ends then do not come, and may take doses
    /// away that are still to come. Infusions of one dose are equally long: the first to begin is
    /// the first to end.
    void take_away() {
        auto& [kept, n_running, n_ends_to_skip, state_of, resets] = to_.kept;
        kept.clear();
        n_running.assign(sim::index(to_.n_doses), 0);
        n_ends_to_skip.assign(sim::index(to_.n_doses), 0);
        state_of.assign(sim::index(to_.n_doses), -1);
        resets.clear();
        for (const Event& event : to_.events) {
            if (takes_doses_away(event.kind)) {
                for (std::size_t dose = 0; dose < n_running.size(); ++dose)
                    n_ends_to_skip[dose] += std::exchange(n_running[dose], 0);
                resets.push_back(&event);
            } else if (event.kind == EventKind::off) {
                resets.push_back(&event);
                for (std::size_t dose = 0; dose < n_running.size(); ++dose)
                    if (state_of[dose] == event.state)
                        n_ends_to_skip[dose] += std::exchange(n_running[dose], 0);
            } else if (event.kind == EventKind::rate_change) {
                if (n_ends_to_skip[sim::index(begun_with(event))] > 0) continue;
            } else if (event.kind == EventKind::rate_off) {
                int& n_skip = n_ends_to_skip[sim::index(begun_with(event))];
                if (n_skip > 0) {
                    --n_skip;
                    continue;
                }
                --n_running[sim::index(begun_with(event))];
            } else if (event.dose >= 0) {
                const bool is_infusion =
                    event.kind == EventKind::rate_on || event.kind == EventKind::goes_on;
                if (is_taken(event, resets)) {
                    n_ends_to_skip[sim::index(event.dose)] += is_infusion ? 1 : 0;
                    continue;
                }
                n_running[sim::index(event.dose)] += is_infusion ? 1 : 0;
                state_of[sim::index(event.dose)] = event.state;
            }
            kept.push_back(event);
        }
        std::swap(to_.events, kept);
    }

    bool is_taken(const Event& event, const std::vector<const Event*>& resets) const {
        const Record& own = record(event.record);
        for (const Event* reset : resets) {
            const bool is_earlier =
                own.time != reset->time ? own.time < reset->time : event.record < reset->record;
            const bool is_of_another = reset->kind == EventKind::off && reset->state != event.state;
            if (!is_earlier || is_of_another) continue;
            if (reset->kind == EventKind::off) return true;
            if (subject_.timeline->pending == PendingDoses::cancelled) return true;
            if (record(reset->record).begins_period && is_own(event.record)) return true;
            // What an earlier steady state stands for, and lags behind its record.
            if (reset->kind == EventKind::replace_all && event.repeat <= 0 &&
                own.steady != SteadyState::none)
                return true;
        }
        return false;
    }

    bool is_own(int index) const { return sim::index(index) >= subject_.timeline->records.size(); }
    const Record& record(int index) const {
        const std::vector<Record>& shared = subject_.timeline->records;
        const auto at = sim::index(index);
        return at < shared.size() ? shared[at] : subject_.own->records[at - shared.size()];
    }

    /// Samples at times when nothing else happens are read off between steps.
    void leave_lone_samples() {
        std::vector<Event>& events = to_.events;
        std::size_t n_kept = 0;
        for (std::size_t i = 0; i < events.size();) {
            std::size_t end = i;
            bool is_lone = true;
            for (; end < events.size() && events[end].time == events[i].time; ++end)
                is_lone &= events[end].kind == EventKind::observe;
            for (; i < end; ++i)
                if (is_lone)
                    to_.samples.push_back(events[i].which);
                else
                    events[n_kept++] = events[i];
        }
        events.resize(n_kept);
    }

    const SubjectDoses& subject_;
    double end_ = 0.0;
    Expansion& to_;
    bool has_resets_ = false;
};

} // namespace

bool expand(const SubjectDoses& subject, Expansion& expansion) {
    return Expander(subject, expansion).run();
}

bool expand_also(const SubjectDoses& subject,
                 Record record,
                 int index,
                 double now,
                 std::size_t next,
                 Expansion& expansion) {
    record.time += now;
    return Expander(subject, expansion).run_also(record, index, next);
}

void insert_in_time(const Event& event, std::size_t next, std::vector<Event>& events) {
    const auto later =
        std::upper_bound(events.begin() + static_cast<std::ptrdiff_t>(next),
                         events.end(),
                         event,
                         [](const Event& a, const Event& b) { return a.time < b.time; });
    events.insert(later, event);
}

void end_infusions(std::vector<Event>& events, std::size_t next, int state) {
    const auto first = events.begin() + static_cast<std::ptrdiff_t>(next);
    const std::vector<Event> to_come(first, events.end());
    const auto is_running = [&](const Event& event) {
        const bool goes_on =
            event.kind == EventKind::rate_off || event.kind == EventKind::rate_change;
        if (!goes_on || (state >= 0 && event.state != state)) return false;
        return std::none_of(to_come.begin(), to_come.end(), [&](const Event& other) {
            return (other.kind == EventKind::rate_on || other.kind == EventKind::goes_on) &&
                   other.dose == begun_with(event) && other.repeat == event.repeat;
        });
    };
    events.erase(std::remove_if(first, events.end(), is_running), events.end());
}

} // namespace gemel::sim
