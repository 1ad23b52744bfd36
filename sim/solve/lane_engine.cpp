#include "solve/lane_engine.hpp"

#include "base/index.hpp"
#include "base/lane_math.hpp"
#include "lanes/counted_cost.hpp"
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
    const ProgramSpec bare = method.build(system, layout, rtol);
    const ProgramSpec own[] = {controlled_step(system, bare, layout),
                               rates_program(system),
                               look_program(system, layout),
                               edge_program(system, bare, layout)};
    ProgramSet set = lower_with_common(system, own);
    set.programs.push_back(samples_program(set.programs[look_program_number]));
    set.layout.make_room(LeafKind::scale, system.system.n_controlled_states());
    set.layout.make_room(LeafKind::control, n_controls);
    return set;
}

/// What each point of `look` has for itself.
constexpr Leaf look_points[] = {control(Control::look_time)};

std::unique_ptr<Kernel>
compile(const LaneMethod& method, const Executor& executor, int program, int width) {
    return executor.compile(
        method.programs.programs[index(program)], method.programs.layout, width);
}

/// From so many lanes with a sample due on, `samples` for all costs less than gathering these.
int many_lanes(const LaneMethod& method, int width) {
    constexpr double to_gather = 100.0; // a lane, in additions of all lanes: measured
    const double to_look = counted_cost(method.programs.programs[look_program_number]);
    return std::max(1, static_cast<int>(std::ceil(width * to_look / (to_look + to_gather))));
}

PointsOfLanes points_to_look_at(const LaneMethod& method, const Kernel& look, int width) {
    const ProgramSet& set = method.programs;
    return {set.programs[look_program_number], set.layout, look_points, look, width};
}

} // namespace

LaneMethod::LaneMethod(const CompiledSystem& compiled,
                       const StepMethod& method,
                       const SolverOptions& solver_options)
    : system(compiled),
      options(solver_options),
      layout(controlled_layout(system, method)),
      programs(lower_method(system, method, layout, options.rtol)) {}

LaneEngine::LaneEngine(const LaneMethod& method, const Executor& executor, int width)
    : method_(method),
      width_(width),
      n_states_(method.layout.n_states),
      n_own_(method.system.system.n_own_states()),
      n_controlled_(method.system.system.n_controlled_states()),
      n_inputs_(static_cast<int>(method.system.system.inputs.size())),
      n_derived_(method.programs.layout.count(LeafKind::derived)),
      start_tolerance_(0.5 * lane_pow(method.options.rtol, 1.0 / method.layout.method.error_order)),
      setup_programs_(method.system, method.programs, width_, executor),
      observer_(method.system, method.programs, width_, executor),
      step_(compile(method, executor, step_program, width)),
      rates_(compile(method, executor, rates_program_number, width)),
      look_(compile(method, executor, look_program_number, width)),
      edge_(compile(method, interpreter(), edge_program_number, width)),
      samples_(compile(method, executor, samples_program_number, width)),
      points_(points_to_look_at(method, *look_, width)),
      gathered_(points_to_look_at(method, *look_, width)),
      workspace_(index(std::max({step_->n_slots(),
                                 rates_->n_slots(),
                                 look_->n_slots(),
                                 edge_->n_slots(),
                                 samples_->n_slots()})) *
                 index(width_)),
      doses_(method.system, method.programs),
      watch_(observer_, width_),
      scales_(method.system.system),
      lanes_(index(width_)),
      events_(index(width_)),
      running_(index(n_states_ * width_)),
      follows_(index(n_controlled_ * width_)),
      fresh_(width_),
      called_(width_),
      due_(width_),
      accepted_(index(width_)),
      shown_(index(width_)),
      failure_(index(width_)) {
    for (int kind = 0; kind < n_leaf_kinds; ++kind)
        first_slot_[index(kind)] = method.programs.layout.slot({static_cast<LeafKind>(kind), 0});
    if (method.layout.method.is_series) observer_.take_pieces_in(2);
    observer_.keep_samples_in({column(Control::sample),
                               column(Control::due),
                               gathered_.own(control(Control::look_time)),
                               many_lanes(method, width_)});
}

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
    n_following_ = n_watched_ = 0;
    fresh_.clear();
    std::fill(follows_.begin(), follows_.end(), 0.0);
    for (int lane = 0; lane < width_; ++lane)
        refill(lane);
    while (n_live_ > 0) {
        if (!fresh_.is_empty()) start_fresh_lanes();
        take_step();
    }
}

/// What programs take for the time: with an exact part, the time since the last event. Then no rate
/// asks for another.
double LaneEngine::clock(int lane) const {
    return method_.layout.exact.states.empty() ? at(Control::time, lane)
                                               : at(Control::time, lane) - at(Control::event, lane);
}

std::int64_t LaneEngine::n_steps(int lane) const {
    return method_.options.max_steps - static_cast<std::int64_t>(at(Control::left, lane)) -
           lanes_[index(lane)].n_rejected;
}

/// Of the way so far; the subject's rejected ones are known.
void LaneEngine::set_steps(int lane, std::int64_t accepted) {
    at(Control::left, lane) =
        static_cast<double>(method_.options.max_steps - accepted - lanes_[index(lane)].n_rejected);
    set_watch(lane);
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
    write_counts(lane);
    observer_.park(lane, at(Control::time, lane));
    refill(lane);
}

/// What there is of a lane at a stop, to be parked or taken back. Rates and the step are found anew
/// at every stop.
SolverStatus LaneEngine::keep(int lane, Parking& parking) {
    LaneState& state = lanes_[index(lane)];
    std::int64_t n_accepted = n_steps(lane);
    parking(at(Control::time, lane));
    parking(n_accepted);
    parking(state.n_rejected);
    parking(state.n_singular);
    parking(state.n_at_the_edge);
    parking(state.n_inside);
    parking(state.is_watched);
    parking(state.was_not_finite);
    set_steps(lane, n_accepted);
    at(Control::event, lane) = at(Control::time, lane);
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
    n_following_ = static_cast<int>(std::count(follows_.begin(), follows_.end(), 1.0));
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
    at(Control::time, lane) = at(Control::event, lane) = time;
    lanes_[index(lane)].end = end;
    set_steps(lane, 0);
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
    scales_.find(events_[index(lane)].all(),
                 column(LeafKind::state, 0) + lane,
                 width_,
                 end,
                 column(LeafKind::scale, 0) + lane,
                 width_,
                 problem_->inputs.data() + events_[index(lane)].row,
                 setup_.n_rows);
    for (int i = 0; i < n_controlled_; ++i)
        follow(i, lane, !(column(LeafKind::scale, i)[lane] > 0.0));
}

/// Whether a state's scale is the largest value it has had.
void LaneEngine::follow(int state, int lane, bool follows) {
    double& flag = follows_[index(state * width_ + lane)];
    n_following_ += static_cast<int>(follows) - static_cast<int>(flag);
    flag = follows ? 1.0 : 0.0;
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
    if (method_.layout.method.is_explicit)
        for (int i : method_.layout.stepped)
            column(LeafKind::rate, i)[lane] = 0.0;
    for (int i = 0; i < n_controlled_; ++i) {
        column(LeafKind::scale, i)[lane] = 1.0;
        follow(i, lane, false);
    }
    at(Control::time, lane) = at(Control::stop, lane) = at(Control::event, lane) = 1.0;
    at(Control::step, lane) = 1.0;
    at(Control::live, lane) = 0.0;
    set_watch(lane);
}

/// At a stop (or the start): what happens now happens, then on to the next stop.
void LaneEngine::arrive(int lane) {
    LaneState& state = lanes_[index(lane)];
    settle_exact_part(lane);
    if (at(Control::time, lane) >= problem_->park_at && !is_carrying()) return park(lane);
    const bool is_over = at(Control::time, lane) >= state.end;
    if (!(is_over && is_carrying()))
        if (const SolverStatus status = happen_until_now(lane); status != SolverStatus::ok)
            return fail(lane, status);
    if (is_over) {
        finish(lane);
        refill(lane);
        return;
    }
    const std::vector<Event>& events = events_[index(lane)].all();
    at(Control::stop, lane) =
        state.next_event < events.size() ? events[state.next_event].time : state.end;
    at(Control::growth, lane) = largest_factor;
    at(Control::live, lane) = 1.0;
    fresh_.insert(lane);
    state.is_on_its_way_to_a_crossing = false;
    set_alarm(lane);
}

SolverStatus LaneEngine::happen_until_now(int lane) {
    LaneState& state = lanes_[index(lane)];
    SubjectEvents& events = events_[index(lane)];
    const double& now = at(Control::time, lane); // a leap changes it
    while (true) {
        while (state.next_event < events.all().size() && events.all()[state.next_event].time <= now)
            happen(lane, Event(events.all()[state.next_event++]));
        if (!is_watching()) return SolverStatus::ok;
        const Trigger* trigger = watch_.due(
            lane, now, n_states_ > 0 ? column(LeafKind::state, 0) + lane : nullptr, width_);
        if (trigger == nullptr) return SolverStatus::ok;
        if (watch_.is_chattering(lane)) return SolverStatus::step_limit;
        const SolverStatus status = doses_.give(events, *trigger, now, state.next_event);
        if (status != SolverStatus::ok) return status;
    }
}

void LaneEngine::happen(int lane, const Event& event) {
    SubjectEvents& events = events_[index(lane)];
    const double* states = n_states_ > 0 ? column(LeafKind::state, 0) + lane : nullptr;
    if (event.kind == EventKind::observe)
        return observer_.take_own(lane, event.which, event.time, states, width_);
    if (event.kind == EventKind::leap) {
        double& now = at(Control::time, lane);
        now = at(Control::event, lane) = std::max(now, event.value);
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
    write_counts(lane);
    observer_.finish(
        lane, state.end, n_states_ > 0 ? column(LeafKind::state, 0) + lane : nullptr, width_);
}

/// The exact part's states become those of now.
void LaneEngine::settle_exact_part(int lane) {
    if (at(Control::time, lane) > at(Control::event, lane))
        for (int i : method_.layout.exact.states)
            column(LeafKind::state, i)[lane] = column(method_.layout.end(i))[lane];
    at(Control::event, lane) = at(Control::time, lane);
}

SubjectColumns LaneEngine::columns(int lane) {
    return {column(LeafKind::state, 0) + lane,
            column(LeafKind::infusion, 0) + lane,
            running_.data() + lane,
            width_};
}

void LaneEngine::start_fresh_lanes() {
    fresh_.for_each([this](int lane) { column(LeafKind::time, 0)[lane] = clock(lane); });
    rates_->run(workspace_.data());
    fresh_.for_each([this](int lane) {
        at(Control::step, lane) = first_step(lane);
        if (method_.layout.method.is_explicit)
            for (int i : method_.layout.stepped)
                column(LeafKind::rate, i)[lane] = column(LeafKind::result, i)[lane];
    });
    fresh_.clear();
}

/// ½·rtol^(1/error_order) / rms_i(f_i / (|y_i| + scale_i)): a free number, so that units do not
/// matter. States without a scale that are 0, or as good as that, do not count.
double LaneEngine::first_step(int lane) const {
    const double room = at(Control::stop, lane) - at(Control::time, lane);
    const double step = start_tolerance_ / rms_of_relative_rates(lane);
    return step < room ? step : room;
}

/// 0 if nothing moves.
double LaneEngine::rms_of_relative_rates(int lane) const {
    const double moment = hardly_a_moment(at(Control::time, lane));
    const double* states = column(LeafKind::state, 0) + lane;
    const double* scales = column(LeafKind::scale, 0) + lane;
    const double* rates = column(LeafKind::result, 0) + lane;
    double sum = 0.0, largest = 0.0;
    for (int i = 0; i < n_own_; ++i) {
        const int k = i * width_;
        const double size = std::abs(states[k]) + scales[k], rate = std::abs(rates[k]);
        const double least = follows_[index(k + lane)] != 0.0 ? rate * moment : 0.0;
        const double part = size > least ? rate / size : 0.0;
        largest = std::max(largest, part);
        sum += part * part;
    }
    // 1e300 per hour has no square, and 1e-300 neither: then the largest stands for all.
    const bool is_regular = sum > 1e-280 && sum < 1e280;
    return is_regular ? std::sqrt(sum / n_own_) : largest;
}

void LaneEngine::take_step() {
    if (is_watching()) keep_before();
    if (n_watched_ > 0) edge_->run(workspace_.data());
    step_->run(workspace_.data());
    find_called();
    called_.for_each([this](int lane) { judge(lane); });
    if (is_watching()) look_for_crossings();
    if (n_following_ > 0) follow_scales();
    if (!is_carrying()) show();
    called_.for_each([this](int lane) { go_on(lane); });
}

/// Where triggers are watched, every step of every lane is looked at.
void LaneEngine::find_called() {
    find_lanes(column(method_.layout.attention()), width_, due_, called_);
    if (!is_watching()) return;
    for (int lane = 0; lane < width_; ++lane)
        if (at(Control::live, lane) != 0.0) called_.insert(lane);
}

void LaneEngine::judge(int lane) {
    const auto verdict = static_cast<Verdict>(column(method_.layout.verdict())[lane]);
    accepted_[index(lane)] = verdict == Verdict::accepted;
    failure_[index(lane)] = SolverStatus::ok;
    if (verdict == Verdict::accepted) {
        lanes_[index(lane)].n_singular = 0;
        if (at(Control::left, lane) <= at(Control::watch, lane) &&
            method_.layout.method.is_explicit)
            watch_stability(lane);
    } else {
        judge_rejected(lane, verdict);
    }
    if (at(Control::left, lane) < 0.0 && failure_[index(lane)] == SolverStatus::ok)
        failure_[index(lane)] = SolverStatus::step_limit;
}

void LaneEngine::judge_rejected(int lane, Verdict verdict) {
    LaneState& state = lanes_[index(lane)];
    SolverStatus& failure = failure_[index(lane)];
    ++state.n_rejected;
    set_watch(lane);
    // Faster than the clock can tell: neither this piece nor what is left of it would be right.
    if (verdict == Verdict::no_progress) {
        failure = SolverStatus::step_too_small;
        return;
    }
    state.was_not_finite = verdict == Verdict::not_finite;
    if (verdict == Verdict::singular && ++state.n_singular > max_singular_in_a_row)
        failure = SolverStatus::singular;
    if (at(Control::step, lane) < least_step(at(Control::time, lane)) &&
        failure == SolverStatus::ok)
        failure = state.was_not_finite ? SolverStatus::not_finite : SolverStatus::step_too_small;
}

/// From every 1000th step on it is watched: 15 steps at the edge of stability, with fewer than 6
/// others in between, are a stiff stretch.
///
/// Source: Hairer & Wanner, Solving ODEs II, section IV.2, and their code DOPRI5.
void LaneEngine::watch_stability(int lane) {
    LaneState& state = lanes_[index(lane)];
    if (!state.is_watched) {
        state.is_watched = true;
    } else if (column(method_.layout.is_at_the_edge())[lane] != 0.0) {
        state.n_inside = 0;
        if (++state.n_at_the_edge == stiff_after) failure_[index(lane)] = SolverStatus::stiff;
    } else {
        if (++state.n_inside == calm_after) state.n_at_the_edge = 0;
        state.is_watched = state.n_at_the_edge > 0;
    }
    set_watch(lane);
}

/// When to look at a lane for the steps it has taken.
void LaneEngine::set_watch(int lane) {
    double& now = at(Control::watch, lane);
    const auto is_infinite = [](double watch) { return static_cast<int>(watch == lane::infinity); };
    n_watched_ -= is_infinite(now);
    now = watch(lane);
    n_watched_ += is_infinite(now);
}

/// So many steps left, or fewer; −1: one too many.
double LaneEngine::watch(int lane) const {
    const LaneState& state = lanes_[index(lane)];
    if (!method_.layout.method.is_explicit || state.subject < 0) return -1.0;
    if (state.is_watched) return lane::infinity;
    const std::int64_t next = (n_steps(lane) / stability_watch + 1) * stability_watch;
    const std::int64_t left = method_.options.max_steps - state.n_rejected - next;
    return std::max(-1.0, static_cast<double>(left));
}

/// When to look at a lane for its stop and for functionals.
void LaneEngine::set_alarm(int lane) {
    double& alarm = at(Control::alarm, lane);
    alarm = at(Control::stop, lane);
    if (!is_carrying()) alarm = std::min(alarm, observer_.next_functional(at(Control::time, lane)));
}

/// Columns as they were before the step: where a trigger acts it is taken again.
void LaneEngine::keep_before() {
    before_ = lanes_;
    columns_before_.clear();
    for (const LeafKind kind : {LeafKind::state, LeafKind::rate, LeafKind::control}) {
        const int n = method_.programs.layout.count(kind) * width_;
        columns_before_.insert(columns_before_.end(), column(kind, 0), column(kind, 0) + n);
    }
}

/// The step did not happen, but counts.
void LaneEngine::take_back(int lane) {
    const double left = at(Control::left, lane), watch = at(Control::watch, lane);
    const double* from = columns_before_.data() + lane;
    for (const LeafKind kind : {LeafKind::state, LeafKind::rate, LeafKind::control})
        for (int i = 0; i < method_.programs.layout.count(kind); ++i, from += width_)
            column(kind, i)[lane] = *from;
    lanes_[index(lane)] = before_[index(lane)];
    ++lanes_[index(lane)].n_rejected;
    at(Control::left, lane) = left;
    at(Control::watch, lane) = watch; // set_watch() counts
    set_watch(lane);
    accepted_[index(lane)] = 0;
}

/// A step over a crossing is taken again, to the crossing.
void LaneEngine::look_for_crossings() {
    std::vector<char> mask(index(width_));
    called_.for_each([&](int lane) {
        mask[index(lane)] = accepted_[index(lane)] && failure_[index(lane)] == SolverStatus::ok &&
                            !lanes_[index(lane)].is_on_its_way_to_a_crossing;
    });
    const double* from = column(method_.layout.from());
    const double* to = column(Control::time);
    observer_.look_at(from, to, *this);
    const bool is_series = method_.layout.method.is_series; // crossings need closer looks
    watch_.scan(from, to, mask.data(), is_series ? 0.0 : shortest_part());
    called_.for_each([&](int lane) {
        if (!mask[index(lane)] || !(watch_.crossing(lane) <= to[lane])) return;
        if (watch_.crossing(lane) < to[lane]) take_back(lane);
        at(Control::stop, lane) = watch_.crossing(lane);
        set_alarm(lane);
        lanes_[index(lane)].is_on_its_way_to_a_crossing = true;
    });
}

/// Steps know nothing of the exact part's curves: there the observer looks for itself.
double LaneEngine::shortest_part() const {
    return method_.layout.exact_dense.empty() ? std::numeric_limits<double>::infinity() : 0.0;
}

/// What there is to see of the steps.
void LaneEngine::show() {
    observer_.look_at(column(method_.layout.from()), column(Control::time), *this);
    if (is_watching()) due_.keep_if([this](int lane) { return accepted_[index(lane)] != 0; });
    if (!due_.is_empty()) observer_.take_samples(due_);
    bool any = false;
    called_.for_each([&](int lane) {
        shown_[index(lane)] =
            accepted_[index(lane)] && at(Control::alarm, lane) <= at(Control::time, lane);
        any |= shown_[index(lane)] != 0;
    });
    if (!any) return;
    observer_.take_functionals(shown_.data(), shortest_part());
    called_.for_each([this](int lane) { shown_[index(lane)] = 0; });
}

void LaneEngine::go_on(int lane) {
    if (failure_[index(lane)] != SolverStatus::ok) return fail(lane, failure_[index(lane)]);
    if (accepted_[index(lane)] && at(Control::time, lane) >= at(Control::stop, lane))
        return arrive(lane);
    if (accepted_[index(lane)]) set_alarm(lane);
}

void LaneEngine::follow_scales() {
    const double* verdict = column(method_.layout.verdict());
    for (int i = 0; i < n_controlled_; ++i) {
        const double* follows = follows_.data() + i * width_;
        const double* y = column(LeafKind::state, i);
        double* scale = column(LeafKind::scale, i);
        for (int lane = 0; lane < width_; ++lane) {
            const double size = std::abs(y[lane]);
            const bool grows =
                (follows[lane] != 0.0) & (size > scale[lane]) & (verdict[lane] == 0.0);
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
        write_counts(lane);
        observer_.fail(lane, status, at(Control::time, lane));
    }
    refill(lane);
}

void LaneEngine::write_counts(int lane) {
    const LaneState& state = lanes_[index(lane)];
    result_->n_steps[index(state.subject)] = static_cast<std::uint32_t>(n_steps(lane));
    result_->n_rejected[index(state.subject)] = static_cast<std::uint32_t>(state.n_rejected);
}

const double* LaneEngine::at_points(int n_points, const int* lanes, const double* times) {
    std::copy_n(times, n_points, points_.own(control(Control::look_time)));
    for (int p = 0; p < n_points; ++p)
        points_.gather(p, 1, lanes[p], workspace_.data());
    points_.run();
    return points_.result(method_.layout.output(0));
}

const double* LaneEngine::at_lanes(const double* times) {
    std::copy_n(times, width_, column(Control::look_time));
    look_->run(workspace_.data());
    return column(method_.layout.output(0));
}

const double* LaneEngine::at_samples() {
    samples_->run(workspace_.data());
    return column(method_.layout.output(0));
}

void LaneEngine::gather(int first, int n, int lane) {
    gathered_.gather(first, n, lane, workspace_.data());
}

const double* LaneEngine::at_gathered() {
    gathered_.run();
    return gathered_.result(method_.layout.output(0));
}

} // namespace gemel::sim
