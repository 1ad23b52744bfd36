#include "solve/lane_engine.hpp"

#include "base/index.hpp"
#include "base/lane_math.hpp"
#include "solve/error_scale.hpp"
#include "solve/step_control.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace gemel::sim {
namespace {

ProgramSet lower_method(CompiledSystem& system,
                        const StepMethod& method,
                        const StepLayout& layout,
                        double rtol) {
    const ProgramSpec own[] = {
        method.build(system, layout, rtol), rates_program(system), exact_program(layout)};
    ProgramSet set = lower_with_common(system, own);
    set.layout.make_room(LeafKind::scale, system.system.n_controlled_states());
    return set;
}

} // namespace

LaneMethod::LaneMethod(const CompiledSystem& compiled,
                       const StepMethod& method,
                       const SolverOptions& solver_options)
    : system(compiled),
      options(solver_options),
      layout(step_layout(system, method)),
      programs(lower_method(system, method, layout, options.rtol)) {}

LaneEngine::LaneEngine(const LaneMethod& method, const Executor& executor, int width)
    : method_(method),
      width_(width),
      n_states_(method.layout.n_states),
      n_own_(method.system.system.n_own_states()),
      n_controlled_(method.system.system.n_controlled_states()),
      n_inputs_(static_cast<int>(method.system.system.inputs.size())),
      n_derived_(method.programs.layout.count(LeafKind::derived)),
      start_tolerance_(0.5 * lane_pow(method.options.rtol, 0.2)),
      setup_programs_(method.system, method.programs, width_, executor),
      observer_(method.system, method.programs, width_, executor),
      interpolate_(
          [this](const DenseObserver::Points& points, double* y) { interpolate(points, y); }),
      step_(
          executor.compile(method.programs.programs[step_program], method.programs.layout, width_)),
      rates_(executor.compile(
          method.programs.programs[rates_program_number], method.programs.layout, width_)),
      exact_points_(
          method.programs.programs[exact_program_number], method.programs.layout, width_, executor),
      workspace_(index(std::max(step_->n_slots(), rates_->n_slots())) * index(width_)),
      doses_(method.system, method.programs),
      watch_(observer_, width_),
      lanes_(index(width_)),
      events_(index(width_)),
      running_(index(n_states_ * width_)),
      follows_(index(n_controlled_ * width_)),
      since_event_(index(width_)),
      from_(index(width_)),
      to_(index(width_)),
      accepted_(index(width_)),
      finite_(index(width_)),
      failure_(index(width_)) {}

void LaneEngine::solve(const BlockProblem& problem, BlockResult& result) {
    problem_ = &problem;
    result_ = &result;
    result.reset(method_.system, problem);
    setup_programs_.run(problem, setup_);
    observer_.begin(problem, setup_, result);
    watch_.begin(problem);
    doses_.begin(problem, setup_, *this);
    run_lanes();
}

void LaneEngine::carry(std::span<Passage> passages) {
    passages_ = passages;
    run_lanes();
    passages_ = {};
}

void LaneEngine::run_lanes() {
    next_ = 0;
    n_live_ = width_;
    n_fresh_ = 0;
    for (int lane = 0; lane < width_; ++lane)
        refill(lane);
    while (n_live_ > 0) {
        if (n_fresh_ > 0) start_fresh_lanes();
        take_step();
    }
}

/// What programs take for the time: with an exact part, the time since the last event. Then no rate
/// asks for another.
double LaneEngine::clock(const LaneState& lane, double time) const {
    return method_.layout.exact.states.empty() ? time : time - lane.event;
}

/// The next subject that can be solved, or passage, or none: then the lane idles on harmless
/// numbers.
void LaneEngine::refill(int lane) {
    lanes_[index(lane)] = LaneState{};
    if (load_next(lane))
        arrive(lane);
    else
        idle(lane);
}

bool LaneEngine::load_next(int lane) {
    if (is_carrying()) {
        if (next_ >= static_cast<int>(passages_.size())) return false;
        load_passage(lane, next_++);
        return true;
    }
    while (next_ < problem_->n_subjects) {
        const int subject = next_++;
        if (setup_.status[index(subject)] != SolverStatus::ok) continue;
        const SolverStatus status = load_subject(lane, subject);
        if (status == SolverStatus::ok) return true;
        if (!result_->parked.empty()) result_->parked[index(subject)].status = status;
        observer_.fail(lane, status, problem_->timeline->start);
    }
    return false;
}

SolverStatus LaneEngine::load_subject(int lane, int subject) {
    SubjectEvents& events = events_[index(lane)];
    const SolverStatus status = doses_.expand(subject, events);
    observer_.load(lane, subject, events.expanded.samples);
    watch_.load(lane);
    if (status != SolverStatus::ok) return status;
    lanes_[index(lane)].subject = subject;
    if (const ParkedSubject* parked = problem_->parked(subject)) return resume(lane, *parked);
    start(lane, problem_->timeline->start, problem_->timeline->end);
    load_row(lane, events.row);
    for (int i = 0; i < n_states_; ++i)
        column(LeafKind::state, i)[lane] = setup_.initial[index(i * setup_.n_rows + events.row)];
    set_scales(lane, problem_->timeline->end);
    return SolverStatus::ok;
}

SolverStatus LaneEngine::resume(int lane, const ParkedSubject& parked) {
    if (parked.numbers.empty()) return parked.status;
    Parking parking(parked.numbers);
    const SolverStatus status = keep(lane, parking);
    if (status == SolverStatus::ok) parking.finish();
    lanes_[index(lane)].end = problem_->timeline->end;
    return status;
}

/// Before what happens at this time.
void LaneEngine::park(int lane) {
    const LaneState& state = lanes_[index(lane)];
    ParkedSubject& parked = result_->parked[index(state.subject)];
    parked.n_records = problem_->timeline->records.size();
    Parking parking(parked.numbers);
    keep(lane, parking);
    write_counts(state);
    observer_.park(lane, state.time);
    refill(lane);
}

/// What there is of a lane at a stop, to be parked or taken back. Rates and the step are found anew
/// at every stop.
SolverStatus LaneEngine::keep(int lane, Parking& parking) {
    LaneState& state = lanes_[index(lane)];
    parking(state.time);
    parking(state.n_steps);
    parking(state.n_rejected);
    parking(state.n_singular);
    parking(state.n_at_the_edge);
    parking(state.n_inside);
    parking(state.was_not_finite);
    state.event = state.time;
    SubjectEvents& events = events_[index(lane)];
    if (!parking.is_reading()) {
        doses_.park(events, state.next_event, parking);
    } else {
        const SolverStatus status = doses_.take_back(events, parking);
        if (status != SolverStatus::ok) return status;
        load_row(lane, events.row);
        observer_.load_row(lane, events.row);
    }
    if (n_states_ > 0) {
        parking.lane(column(LeafKind::state, 0), n_states_, lane, width_);
        parking.lane(column(LeafKind::infusion, 0), n_states_, lane, width_);
    }
    if (n_controlled_ > 0) parking.lane(column(LeafKind::scale, 0), n_controlled_, lane, width_);
    parking.lane(running_, lane, width_);
    parking.lane(follows_, lane, width_);
    observer_.keep(lane, parking);
    watch_.keep(lane, parking);
    return SolverStatus::ok;
}

void LaneEngine::load_passage(int lane, int number) {
    const Passage& passage = passages_[index(number)];
    events_[index(lane)] = passage.events;
    lanes_[index(lane)].subject = number;
    start(lane, passage.from, passage.to);
    load_row(lane, passage.events.row);
    for (int i = 0; i < n_states_; ++i)
        column(LeafKind::state, i)[lane] = passage.states[index(i)];
    set_scales(lane, passage.to);
}

void LaneEngine::start(int lane, double time, double end) {
    lanes_[index(lane)].time = lanes_[index(lane)].event = time;
    lanes_[index(lane)].end = end;
    for (int i = 0; i < n_states_; ++i) {
        column(LeafKind::infusion, i)[lane] = 0.0;
        running_[index(i * width_ + lane)] = 0;
    }
}

void LaneEngine::load_row(int lane, int row) {
    const int n = setup_.n_rows;
    const int used_inputs = std::min(n_inputs_, method_.programs.layout.count(LeafKind::input));
    for (int i = 0; i < used_inputs; ++i)
        column(LeafKind::input, i)[lane] = problem_->inputs[index(i * n + row)];
    for (int i = 0; i < n_derived_; ++i)
        column(LeafKind::derived, i)[lane] = setup_.derived[index(i * n + row)];
}

void LaneEngine::set_scales(int lane, double end) {
    if (n_own_ == 0) return;
    error_scales(method_.system.system,
                 events_[index(lane)].all(),
                 column(LeafKind::state, 0) + lane,
                 width_,
                 end,
                 column(LeafKind::scale, 0) + lane,
                 width_,
                 problem_->inputs.data() + events_[index(lane)].row,
                 setup_.n_rows);
    for (int i = 0; i < n_controlled_; ++i)
        follows_[index(i * width_ + lane)] = column(LeafKind::scale, i)[lane] > 0.0 ? 0.0 : 1.0;
}

void LaneEngine::idle(int lane) {
    --n_live_;
    lanes_[index(lane)].subject = -1;
    for (int i = 0; i < method_.programs.layout.count(LeafKind::input); ++i)
        column(LeafKind::input, i)[lane] = 1.0;
    for (int i = 0; i < n_derived_; ++i)
        column(LeafKind::derived, i)[lane] = 1.0;
    for (int i = 0; i < n_states_; ++i) {
        column(LeafKind::state, i)[lane] = 0.0;
        column(LeafKind::infusion, i)[lane] = 0.0;
    }
    if (method_.layout.is_explicit)
        for (int i : method_.layout.stepped)
            column(LeafKind::rate, i)[lane] = 0.0;
    for (int i = 0; i < n_controlled_; ++i) {
        column(LeafKind::scale, i)[lane] = 1.0;
        follows_[index(i * width_ + lane)] = 0.0;
    }
    column(LeafKind::time, 0)[lane] = 0.0;
    column(LeafKind::step, 0)[lane] = 1.0;
    accepted_[index(lane)] = 0;
}

/// At a stop (or the start): what happens now happens, then on to the next stop.
void LaneEngine::arrive(int lane) {
    LaneState& state = lanes_[index(lane)];
    settle_exact_part(lane);
    if (state.time >= problem_->park_at && !is_carrying()) return park(lane);
    const bool is_over = state.time >= state.end;
    if (!(is_over && is_carrying()))
        if (const SolverStatus status = happen_until_now(lane); status != SolverStatus::ok)
            return fail(lane, status);
    if (is_over) {
        finish(lane);
        refill(lane);
        return;
    }
    const std::vector<Event>& events = events_[index(lane)].all();
    state.stop = state.next_event < events.size() ? events[state.next_event].time : state.end;
    state.is_fresh = true;
    state.was_rejected = false;
    state.is_on_its_way_to_a_crossing = false;
    ++n_fresh_;
}

SolverStatus LaneEngine::happen_until_now(int lane) {
    LaneState& state = lanes_[index(lane)];
    SubjectEvents& events = events_[index(lane)];
    while (true) {
        while (state.next_event < events.all().size() &&
               events.all()[state.next_event].time <= state.time)
            happen(lane, Event(events.all()[state.next_event++]));
        if (!is_watching()) return SolverStatus::ok;
        const Trigger* trigger = watch_.due(
            lane, state.time, n_states_ > 0 ? column(LeafKind::state, 0) + lane : nullptr, width_);
        if (trigger == nullptr) return SolverStatus::ok;
        if (watch_.is_chattering(lane)) return SolverStatus::step_limit;
        const SolverStatus status = doses_.give(events, *trigger, state.time, state.next_event);
        if (status != SolverStatus::ok) return status;
    }
}

void LaneEngine::happen(int lane, const Event& event) {
    SubjectEvents& events = events_[index(lane)];
    const double* states = n_states_ > 0 ? column(LeafKind::state, 0) + lane : nullptr;
    if (event.kind == EventKind::observe)
        return observer_.take_own(lane, event.which, event.time, states, width_);
    if (event.kind == EventKind::leap) {
        LaneState& state = lanes_[index(lane)];
        state.time = state.event = std::max(state.time, event.value);
        return;
    }
    if (event.kind != EventKind::row) {
        doses_.apply(events, event, columns(lane));
        if (is_watching() || event.kind == EventKind::discontinue)
            doses_.take_away(events, event, lanes_[index(lane)].next_event);
        return;
    }
    // Samples at this time belong to the row before.
    if (problem_->own[index(events.subject)]->switches[index(event.which - 1)].place ==
        RowPlace::after)
        observer_.take_due(lane, event.time, states, width_);
    events.row = setup_.first_row[index(events.subject)] + event.which;
    load_row(lane, events.row);
    observer_.load_row(lane, events.row);
}

void LaneEngine::finish(int lane) {
    const LaneState& state = lanes_[index(lane)];
    if (is_carrying()) {
        Passage& passage = passages_[index(state.subject)];
        passage.status = SolverStatus::ok;
        for (int i = 0; i < n_states_; ++i)
            passage.states[index(i)] = column(LeafKind::state, i)[lane];
        return;
    }
    write_counts(state);
    observer_.finish(
        lane, state.end, n_states_ > 0 ? column(LeafKind::state, 0) + lane : nullptr, width_);
}

/// The exact part's states become those of now.
void LaneEngine::settle_exact_part(int lane) {
    LaneState& state = lanes_[index(lane)];
    if (state.time > state.event)
        for (int i : method_.layout.exact.states)
            column(LeafKind::state, i)[lane] = column(method_.layout.end(i))[lane];
    state.event = state.time;
}

SubjectColumns LaneEngine::columns(int lane) {
    return {column(LeafKind::state, 0) + lane,
            column(LeafKind::infusion, 0) + lane,
            running_.data() + lane,
            width_};
}

void LaneEngine::start_fresh_lanes() {
    for (int lane = 0; lane < width_; ++lane)
        if (lanes_[index(lane)].is_fresh)
            column(LeafKind::time, 0)[lane] = clock(lanes_[index(lane)], lanes_[index(lane)].time);
    rates_->run(workspace_.data());
    for (int lane = 0; lane < width_; ++lane) {
        LaneState& state = lanes_[index(lane)];
        if (!state.is_fresh) continue;
        state.step = first_step(lane);
        state.is_fresh = false;
        if (method_.layout.is_explicit)
            for (int i : method_.layout.stepped)
                column(LeafKind::rate, i)[lane] = column(LeafKind::result, i)[lane];
    }
    n_fresh_ = 0;
}

/// ½·rtol^(1/5) / rms_i(f_i / (|y_i| + scale_i)): a free number, so that units do not matter.
/// States without a scale that are 0, or as good as that, do not count.
double LaneEngine::first_step(int lane) const {
    const double room = lanes_[index(lane)].stop - lanes_[index(lane)].time;
    const double step = start_tolerance_ / rms_of_relative_rates(lane);
    return step < room ? step : room;
}

/// 0 if nothing moves. Only parts of the largest are squared: 1e300 per hour has no square.
double LaneEngine::rms_of_relative_rates(int lane) const {
    const double moment = hardly_a_moment(lanes_[index(lane)].time);
    const auto part = [&](int i) {
        const double size =
            std::abs(column(LeafKind::state, i)[lane]) + column(LeafKind::scale, i)[lane];
        const double rate = std::abs(column(LeafKind::result, i)[lane]);
        const double least = follows_[index(i * width_ + lane)] != 0.0 ? rate * moment : 0.0;
        return size > least ? rate / size : 0.0;
    };
    double largest = 0.0, sum = 0.0;
    for (int i = 0; i < n_own_; ++i)
        largest = std::max(largest, part(i));
    if (!(largest > 0.0)) return 0.0;
    for (int i = 0; i < n_own_; ++i) {
        const double relative = part(i) / largest;
        sum += relative * relative;
    }
    return largest * std::sqrt(sum / n_own_);
}

void LaneEngine::take_step() {
    for (int lane = 0; lane < width_; ++lane)
        if (lanes_[index(lane)].subject >= 0) propose(lane);
    step_->run(workspace_.data());
    find_finite();
    if (is_watching()) before_ = lanes_;
    for (int lane = 0; lane < width_; ++lane)
        if (lanes_[index(lane)].subject >= 0) judge(lane);
    if (is_watching()) look_for_crossings();
    if (!is_carrying())
        observer_.piece(from_.data(), to_.data(), accepted_.data(), interpolate_, shortest_part());
    commit();
    for (int lane = 0; lane < width_; ++lane) {
        const LaneState& state = lanes_[index(lane)];
        if (state.subject < 0) continue;
        if (failure_[index(lane)] != SolverStatus::ok)
            fail(lane, failure_[index(lane)]);
        else if (accepted_[index(lane)] && state.time >= state.stop)
            arrive(lane);
    }
}

/// Steps know nothing of the exact part's curves: there the observer looks for itself.
double LaneEngine::shortest_part() const {
    return method_.layout.exact_dense.empty() ? std::numeric_limits<double>::infinity() : 0.0;
}

/// A step over a crossing is taken again, to the crossing.
void LaneEngine::look_for_crossings() {
    std::vector<char> mask(accepted_);
    for (int lane = 0; lane < width_; ++lane)
        mask[index(lane)] = accepted_[index(lane)] && failure_[index(lane)] == SolverStatus::ok &&
                            !lanes_[index(lane)].is_on_its_way_to_a_crossing;
    watch_.scan(from_.data(), to_.data(), mask.data(), interpolate_, shortest_part());
    for (int lane = 0; lane < width_; ++lane) {
        if (!mask[index(lane)] || !(watch_.crossing(lane) <= to_[index(lane)])) continue;
        LaneState& state = lanes_[index(lane)];
        if (watch_.crossing(lane) < to_[index(lane)]) {
            state = before_[index(lane)];
            ++state.n_rejected;
            accepted_[index(lane)] = 0;
        }
        state.stop = watch_.crossing(lane);
        state.is_on_its_way_to_a_crossing = true;
    }
}

void LaneEngine::propose(int lane) {
    const LaneState& state = lanes_[index(lane)];
    const double room = state.stop - state.time;
    const bool is_last = room <= stretch * state.step;
    from_[index(lane)] = state.time;
    to_[index(lane)] = is_last ? state.stop : state.time + state.step;
    column(LeafKind::time, 0)[lane] = clock(state, state.time);
    column(LeafKind::step, 0)[lane] = is_last ? room : state.step;
}

/// Whether a step's end is a number in every state.
void LaneEngine::find_finite() {
    std::fill(finite_.begin(), finite_.end(), 1);
    for (int i = 0; i < n_states_; ++i) {
        const double* end = column(method_.layout.end(i));
        for (int lane = 0; lane < width_; ++lane)
            finite_[index(lane)] &=
                static_cast<char>(std::abs(end[lane]) <= std::numeric_limits<double>::max());
    }
}

void LaneEngine::judge(int lane) {
    LaneState& state = lanes_[index(lane)];
    accepted_[index(lane)] = 0;
    failure_[index(lane)] = SolverStatus::ok;
    const double error = column(method_.layout.error())[lane];
    const bool is_number = finite_[index(lane)] && std::isfinite(error);
    if (!(to_[index(lane)] > from_[index(lane)])) {
        // Faster than the clock can tell: neither this piece nor what is left of it would be right.
        failure_[index(lane)] = SolverStatus::step_too_small;
        ++state.n_rejected;
    } else if (!method_.layout.is_explicit && column(method_.layout.is_singular())[lane] != 0.0) {
        state.was_not_finite = false;
        if (++state.n_singular > max_singular_in_a_row)
            failure_[index(lane)] = SolverStatus::singular;
        reject(lane, singular_factor);
    } else if (is_number && error <= 1.0) {
        accept(lane);
    } else {
        state.was_not_finite = !is_number;
        reject(lane, is_number ? step_factor(column(method_.layout.factor())[lane]) : least_factor);
    }
    if (state.n_steps + state.n_rejected > method_.options.max_steps &&
        failure_[index(lane)] == SolverStatus::ok)
        failure_[index(lane)] = SolverStatus::step_limit;
}

void LaneEngine::accept(int lane) {
    LaneState& state = lanes_[index(lane)];
    double factor = step_factor(column(method_.layout.factor())[lane]);
    // After a rejection the step does not grow at once: it was too large a moment ago.
    if (state.was_rejected && factor > 1.0) factor = 1.0;
    state.step = column(LeafKind::step, 0)[lane] * factor;
    state.time = to_[index(lane)];
    state.was_rejected = false;
    state.n_singular = 0;
    ++state.n_steps;
    accepted_[index(lane)] = 1;
    if (method_.layout.is_explicit) watch_stability(lane);
}

/// From every 1000th step on it is watched: 15 steps at the edge of stability, with fewer than 6
/// others in between, are a stiff stretch.
///
/// Source: Hairer & Wanner, Solving ODEs II, section IV.2, and their code DOPRI5.
void LaneEngine::watch_stability(int lane) {
    LaneState& state = lanes_[index(lane)];
    if (state.n_at_the_edge == 0 && state.n_steps % stability_watch != 0) return;
    if (column(method_.layout.is_at_the_edge())[lane] != 0.0) {
        state.n_inside = 0;
        if (++state.n_at_the_edge == stiff_after) failure_[index(lane)] = SolverStatus::stiff;
    } else if (++state.n_inside == calm_after) {
        state.n_at_the_edge = 0;
    }
}

void LaneEngine::reject(int lane, double factor) {
    LaneState& state = lanes_[index(lane)];
    state.step = column(LeafKind::step, 0)[lane] * factor;
    state.was_rejected = true;
    ++state.n_rejected;
    if (state.step < least_step(state.time) && failure_[index(lane)] == SolverStatus::ok)
        failure_[index(lane)] =
            state.was_not_finite ? SolverStatus::not_finite : SolverStatus::step_too_small;
}

/// Accepted lanes move to the end of their step.
void LaneEngine::commit() {
    if (method_.layout.is_explicit)
        for (int i : method_.layout.stepped) {
            const double* end_rate = column(method_.layout.end_rate(i));
            double* rate = column(LeafKind::rate, i);
            for (int lane = 0; lane < width_; ++lane)
                rate[lane] = accepted_[index(lane)] != 0 ? end_rate[lane] : rate[lane];
        }
    for (int i : method_.layout.stepped) {
        const double* end = column(method_.layout.end(i));
        double* y = column(LeafKind::state, i);
        for (int lane = 0; lane < width_; ++lane)
            y[lane] = accepted_[index(lane)] != 0 ? end[lane] : y[lane];
    }
    for (int i = 0; i < n_controlled_; ++i) {
        const double* follows = follows_.data() + i * width_;
        const double* y = column(LeafKind::state, i);
        double* scale = column(LeafKind::scale, i);
        for (int lane = 0; lane < width_; ++lane) {
            const double size = std::abs(y[lane]);
            const bool grows = (follows[lane] != 0.0) & (size > scale[lane]);
            scale[lane] = grows ? size : scale[lane];
        }
    }
}

void LaneEngine::fail(int lane, SolverStatus status) {
    const LaneState& state = lanes_[index(lane)];
    if (is_carrying()) {
        passages_[index(state.subject)].status = status;
    } else {
        if (!result_->parked.empty()) result_->parked[index(state.subject)].status = status;
        write_counts(state);
        observer_.fail(lane, status, state.time);
    }
    refill(lane);
}

void LaneEngine::write_counts(const LaneState& lane) {
    result_->n_steps[index(lane.subject)] = static_cast<std::uint32_t>(lane.n_steps);
    result_->n_rejected[index(lane.subject)] = static_cast<std::uint32_t>(lane.n_rejected);
}

/// y(θ) = (1−θ) y0 + θ (y1 + (1−θ) (K1 + θ (K2 + θ K3))), for the states that outputs use.
void LaneEngine::interpolate(const DenseObserver::Points& points, double* states) {
    const StepLayout& layout = method_.layout;
    for (int k = 0; k < layout.n_dense(); ++k) {
        const int i = layout.dense_states[index(k)];
        const double* y0 = column(LeafKind::state, i);
        const double* y1 = column(layout.end(i));
        const double* k1 = column(layout.dense(0, k));
        const double* k2 = column(layout.dense(1, k));
        const double* k3 = column(layout.dense(2, k));
        double* y = states + i * width_;
        for (int p = 0; p < points.n_points; ++p) {
            const int lane = points.lanes[p];
            const double t = points.theta[p], s = 1.0 - t;
            const double inner = k1[lane] + t * (k2[lane] + t * k3[lane]);
            y[p] = s * y0[lane] + t * (y1[lane] + s * inner);
        }
    }
    if (!layout.exact_dense.empty()) evaluate_exact_part(points, states);
}

void LaneEngine::evaluate_exact_part(const DenseObserver::Points& points, double* states) {
    for (int p = 0; p < points.n_points; ++p) {
        const int lane = points.lanes[p];
        const double time =
            from_[index(lane)] + points.theta[p] * (to_[index(lane)] - from_[index(lane)]);
        since_event_[index(p)] = time - lanes_[index(lane)].event;
    }
    exact_points_.evaluate(points.n_points, points.lanes, since_event_.data(), workspace_.data());
    const StepLayout& layout = method_.layout;
    for (std::size_t k = 0; k < layout.exact_dense.size(); ++k) {
        const int i = layout.exact.states[index(layout.exact_dense[k])];
        std::copy_n(
            exact_points_.values(static_cast<int>(k)), points.n_points, states + i * width_);
    }
}

} // namespace gemel::sim
