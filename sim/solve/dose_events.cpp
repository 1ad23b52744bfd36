#include "solve/dose_events.hpp"

#include "base/index.hpp"
#include "solve/infusion.hpp"
#include "solve/transit_times.hpp"

#include <algorithm>

namespace gemel::sim {
namespace {

bool has_steady(std::span<const Record> records) {
    return std::any_of(records.begin(), records.end(), [](const Record& record) {
        return record.steady != SteadyState::none;
    });
}

} // namespace

DoseEvents::DoseEvents(const CompiledSystem& system, const ProgramSet& set)
    : system_(system.system),
      layout_(system.system.sensitivities),
      n_own_(system.system.n_own_states()),
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
    problem_ = &problem;
    setup_ = &setup;
    find_steady_states(carrier);
}

void DoseEvents::find_steady_states(StateCarrier& carrier) {
    steady_.begin(*problem_, *setup_);
    first_pattern_.clear();
    const bool all_have = has_steady(problem_->timeline->records);
    SubjectEvents events;
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
    SubjectDoses doses{.timeline = problem_->timeline,
                       .own = problem_->own.empty() ? nullptr : problem_->own[index(subject)],
                       .modifiers = {setup_->bioavailability.data() + first,
                                     setup_->lag.data() + first,
                                     setup_->modelled_rate.data() + first,
                                     setup_->modelled_duration.data() + first,
                                     n_rows},
                       .inputs = problem_->inputs.data() + first,
                       .input_stride = n_rows};
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

SolverStatus DoseEvents::expand(int subject, SubjectEvents& events) {
    events.subject = subject;
    events.row = setup_->first_row[index(subject)];
    if (!sim::expand(doses_of(subject), events.expanded)) return SolverStatus::invalid_parameter;
    if (!events.expanded.steady.empty()) {
        events.first_pattern = first_pattern_[index(subject)];
        for (std::size_t k = 0; k < events.expanded.steady.size(); ++k)
            if (const SolverStatus status =
                    steady_.status(events.first_pattern + static_cast<int>(k));
                status != SolverStatus::ok)
                return status;
    }
    return prepare_transits(events) ? SolverStatus::ok : SolverStatus::invalid_parameter;
}

/// Stops on the way of each dose, so that no step passes over an input that has hardly begun:
/// three standard deviations before the mean, and at the height. After them no dose is kept.
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
    std::vector<double> given; // one time for doses at one time
    for (const Event& event : events.all()) {
        if (event.dose < 0 || event.state != state) continue;
        if (event.kind != EventKind::add) return false;
        if (given.empty() || event.time > given.back()) given.push_back(event.time);
    }
    for (std::size_t i = index(depot.n_kept); i < given.size(); ++i)
        if (transit.still_to_come(given[i] - given[i - index(depot.n_kept)]) > may_be_lost)
            return false;
    for (double time : given)
        for (double stop : {time + transit.begin(), time + transit.height()})
            if (stop > time && stop < problem_->timeline->end)
                events.expanded.events.push_back(
                    {.time = stop, .kind = EventKind::stop, .state = state});
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
    switch (event.kind) {
    case EventKind::add:
        return add_amount(events, event, columns);
    case EventKind::rate_on:
    case EventKind::goes_on:
    case EventKind::rate_off:
        return switch_infusions(events, event, columns);
    case EventKind::set:
    case EventKind::multiply:
        return change(events, event, columns);
    case EventKind::reset:
        return reset(events, columns);
    case EventKind::replace_all:
    case EventKind::add_all:
        return reach(events, event, columns);
    default:
        return;
    }
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

/// A steady state replaces everything, or what it adds to the state at rest is added.
void DoseEvents::reach(const SubjectEvents& events,
                       const Event& event,
                       const SubjectColumns& columns) {
    const std::span<const double> steady = steady_.states(events.first_pattern + event.which);
    const bool replaces = event.kind == EventKind::replace_all;
    if (replaces) stop_infusions(columns);
    for (std::size_t i = 0; i < system_.states.size(); ++i) {
        double& x = columns.states[static_cast<std::ptrdiff_t>(i) * columns.stride];
        x = replaces ? steady[i] : x + (steady[i] - initial(events, i));
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
