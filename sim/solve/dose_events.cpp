#include "solve/dose_events.hpp"

#include "base/index.hpp"
#include "solve/infusion.hpp"
#include "solve/transit_times.hpp"

#include <algorithm>

namespace gemel::sim {
DoseEvents::DoseEvents(const CompiledSystem& system, const ProgramSet& set)
    : system_(system.system),
      layout_(system.system.sensitivities),
      n_own_(system.system.n_own_states()),
      modifiers_(n_own_),
      rates_(set.programs[rates_at_doses], set.layout),
      states_(index(n_own_)),
      by_input_(index(4 * n_own_)),
      before_(index(n_own_)),
      after_(index(n_own_)) {
    for (int i = 0; i < n_own_; ++i)
        if (system_.states[index(i)].n_kept > 0) transits_.push_back(i);
}

void DoseEvents::begin(const BlockProblem& problem, const BlockSetup& setup) {
    problem_ = &problem;
    setup_ = &setup;
}

bool DoseEvents::expand(int subject, SubjectEvents& events) {
    events.subject = subject;
    gather(problem_->inputs, problem_->n_subjects, subject, inputs_);
    const DoseModifiers modifiers = modifiers_.of(*setup_, subject);
    events.derivatives.clear();
    if (layout_.is_set()) differentiate(modifiers, events);
    return sim::expand(
               *problem_->timeline, modifiers, inputs_.data(), 1, events.all, events.derivatives) &&
           prepare_transits(events);
}

/// Stops on the way of each dose, so that no step passes over an input that has hardly begun:
/// three standard deviations before the mean, and at the height. After them no dose is kept.
bool DoseEvents::prepare_transits(SubjectEvents& events) const {
    for (int state : transits_)
        if (!prepare_transit(state, events)) return false;
    if (!transits_.empty())
        std::stable_sort(events.all.begin(), events.all.end(), [](const Event& a, const Event& b) {
            return a.time < b.time;
        });
    return true;
}

bool DoseEvents::prepare_transit(int state, SubjectEvents& events) const {
    const State& depot = system_.states[index(state)];
    const auto start = [&](int of_state) {
        return setup_->initial[index(of_state) * index(setup_->n_subjects) + index(events.subject)];
    };
    const TransitTimes transit{start(depot.first_kept + 2 * depot.n_kept),
                               start(depot.first_kept + 2 * depot.n_kept + 1)};
    std::vector<double> given; // one time for doses at one time
    for (const Event& event : events.all) {
        if (event.state != state) continue;
        if (event.kind != EventKind::add) return false;
        if (event.record >= 0 && (given.empty() || event.time > given.back()))
            given.push_back(event.time);
    }
    for (std::size_t i = index(depot.n_kept); i < given.size(); ++i)
        if (transit.still_to_come(given[i] - given[i - index(depot.n_kept)]) > may_be_lost)
            return false;
    for (double time : given)
        for (double stop : {time + transit.begin(), time + transit.height()})
            if (stop > time && stop < problem_->timeline->end)
                events.all.push_back({stop, EventKind::add, state, 0.0, no_record});
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

void DoseEvents::differentiate(const DoseModifiers& modifiers, SubjectEvents& events) {
    const std::vector<Record>& records = problem_->timeline->records;
    const auto n = index(layout_.n_wrt());
    events.derivatives.resize(records.size() * n);
    for (std::size_t k = 0; k < n; ++k) {
        const int which = static_cast<int>(k);
        const DoseModifiers by_input = derivatives_of_modifiers(events.subject, which);
        for (std::size_t r = 0; r < records.size(); ++r)
            events.derivatives[r * n + k] = derivative_of_dose(
                records[r], modifiers, by_input, inputs_.data(), 1, layout_.wrt[k]);
    }
}

/// Valid until the next call.
DoseModifiers DoseEvents::derivatives_of_modifiers(int subject, int wrt) {
    const auto all = index(4 * n_own_), n = index(n_own_);
    for (std::size_t i = 0; i < all; ++i)
        by_input_[i] =
            setup_->modifier_derivatives[(index(wrt) * all + i) * index(setup_->n_subjects) +
                                         index(subject)];
    const double* d = by_input_.data();
    return {d, d + n, d + 2 * n, d + 3 * n};
}

void DoseEvents::apply(const SubjectEvents& events,
                       std::size_t which,
                       const SubjectColumns& columns) {
    const Event& event = events.all[which];
    if (event.record < 0) return; // a stop on the way of a dose
    if (event.kind == EventKind::add)
        add_amount(events, event, columns);
    else
        switch_infusions(events, event, columns);
}

const DoseDerivative&
DoseEvents::derivative(const SubjectEvents& events, const Event& event, int wrt) const {
    return events.derivatives[index(event.record) * index(layout_.n_wrt()) + index(wrt)];
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
        const bool starts = event.kind == EventKind::rate_on;
        columns.states[at] += starts ? -event.value * by.time : event.value * by.end;
        int n = running;
        switch_infusion({event.time, event.kind, event.state, by.rate}, columns.infusion[at], n);
    }
    switch_infusion(event, columns.infusion[event.state * columns.stride], running);
}

void DoseEvents::rates_at(const SubjectEvents& events,
                          double time,
                          const SubjectColumns& columns,
                          std::vector<double>& rates) {
    gather(problem_->inputs, problem_->n_subjects, events.subject, inputs_);
    gather(setup_->derived, problem_->n_subjects, events.subject, derived_);
    for (int i = 0; i < n_own_; ++i)
        states_[index(i)] = columns.states[i * columns.stride];
    rates_.load({inputs_, derived_, {}});
    rates_.set_time(time);
    rates_.set_states(states_);
    rates_.run();
    std::copy_n(rates_.results(), n_own_, rates.begin());
}

} // namespace gemel::sim
