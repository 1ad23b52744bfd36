#include "solve/observer.hpp"

#include "base/finite.hpp"
#include "base/index.hpp"
#include "solve/step_control.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace gemel::sim {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// From one lane in so many on, all are evaluated where they lie rather than gathered.
constexpr int many_of = 16;

/// What a program loads that stays fixed during a solve.
std::vector<Leaf> fixed_leaves(const LaneProgram& program) {
    std::vector<Leaf> leaves;
    for (const auto& instruction : program.instructions)
        if (instruction.op == Op::leaf && (instruction.leaf.kind == LeafKind::input ||
                                           instruction.leaf.kind == LeafKind::derived))
            leaves.push_back(instruction.leaf);
    return leaves;
}

/// What a piece must go beyond to take a sample.
double due(double time) {
    return time + least_step(time);
}

} // namespace

DenseObserver::DenseObserver(const CompiledSystem& system,
                             const ProgramSet& set,
                             int width,
                             const Executor& executor)
    : width_(width),
      n_states_(static_cast<int>(system.system.states.size())),
      n_outputs_(static_cast<int>(system.system.outputs.size())),
      time_slot_(set.layout.slot({LeafKind::time, 0})),
      state_slot_(set.layout.slot({LeafKind::state, 0})),
      result_slot_(set.layout.slot({LeafKind::result, 0})),
      fixed_(fixed_leaves(set.programs[1])),
      outputs_(executor.compile(set.programs[1], set.layout, width)),
      workspace_(index(outputs_->n_slots()) * index(width)),
      own_(index(width)) {
    for (const Leaf& leaf : fixed_)
        fixed_slots_.push_back(set.layout.slot(leaf));
    const auto lanes = index(width);
    for (auto* column : {&theta_, &point_time_, &time_, &begin_, &end_, &part_begin_, &part_end_})
        column->assign(lanes, 0.0);
    own_next_time_.assign(lanes, infinity);
    own_next_due_.assign(lanes, infinity);
    next_time_ = own_next_time_.data();
    next_due_ = own_next_due_.data();
    next_own_.assign(lanes, infinity);
    for (auto* column : {&subject_,
                         &cursor_,
                         &n_checked_,
                         &crossing_,
                         &point_lane_,
                         &point_index_,
                         &gathered_lane_,
                         &gathered_point_})
        column->assign(lanes, 0);
    row_.assign(lanes, 0);
    gathered_at_.assign(lanes, 0);
    for (auto* column : {&is_bad_, &mask_, &active_, &rises_, &kept_})
        column->assign(lanes, 0);
    for (const NamedExpr& output : system.system.outputs)
        uses_time_.push_back(system.system.graph.depends_on(output.value, LeafKind::time));
    pending_.resize(lanes);
    fixed_values_.assign(fixed_.size() * lanes, 0.0);
    results_.assign(index(n_outputs_) * lanes, 0.0);
    bracket_time_.assign(3 * lanes, 0.0);
    bracket_value_.assign(3 * lanes, 0.0);
}

void DenseObserver::begin(const BlockProblem& problem,
                          const BlockSetup& setup,
                          BlockResult& result) {
    problem_ = &problem;
    setup_ = &setup;
    result_ = &result;
    for (int s = 0; s < setup.n_subjects; ++s)
        result.status[index(s)] = setup.status[index(s)];
    for (std::size_t i = 0; i < result.parameters.size(); ++i)
        result.parameters[i] =
            setup.parameters[i / index(setup.n_subjects) * index(setup.n_rows) +
                             index(setup.first_row[i % index(setup.n_subjects)])];
    collect_samples();
    collect_functionals();
    n_gathered_ = 0;
    for (int lane = 0; lane < width_; ++lane)
        take_no_more(lane);
}

void DenseObserver::collect_samples() {
    const auto& sampled = problem_->observation->sampled;
    columns_.clear();
    for (std::size_t k = 0; k < sampled.size(); ++k)
        columns_.push_back({sampled[k].output,
                            result_->sampled[k].data(),
                            sampled[k].times.size(),
                            std::ptrdiff_t{sampled[k].output} * width_});
    timed_targets_.clear();
    for (std::size_t k = 0; k < sampled.size(); ++k)
        for (std::size_t i = 0; i < sampled[k].times.size(); ++i)
            timed_targets_.push_back(
                {sampled[k].times[i], {static_cast<int>(k), static_cast<int>(i)}});
    std::ranges::sort(timed_targets_, {}, [](const TimedTarget& t) {
        return std::tuple(t.time, t.target.sampled, t.target.index);
    });
    point_times_.clear();
    targets_.clear();
    point_targets_.clear();
    for (const TimedTarget& timed : timed_targets_) {
        if (point_times_.empty() || timed.time != point_times_.back()) {
            point_times_.push_back(timed.time);
            point_targets_.push_back(static_cast<int>(targets_.size()));
        }
        targets_.push_back(timed.target);
    }
    point_targets_.push_back(static_cast<int>(targets_.size()));
    point_times_.push_back(infinity);
    point_due_.clear();
    for (const double time : point_times_)
        point_due_.push_back(due(time));
    is_simple_ = problem_->own.empty();
    for (const SampledOutput& output : sampled)
        is_simple_ = is_simple_ && output.times == sampled.front().times;
}

void DenseObserver::load(int lane, int subject, std::span<const int> lone_samples) {
    subject_[index(lane)] = subject;
    cursor_[index(lane)] = n_checked_[index(lane)] = 0;
    row_[index(lane)] = index(subject) * (point_times_.size() - 1);
    own_[index(lane)] = lone_samples;
    find_next(lane);
    is_bad_[index(lane)] = 0;
    load_row(lane, setup_->first_row[index(subject)]);
    for (std::size_t i = index(lane); i < total_.size(); i += index(width_))
        total_[i] = 0.0;
    for (std::size_t i = index(lane); i < best_value_.size(); i += index(width_)) {
        best_value_[i] = -infinity;
        best_time_[i] = nan;
    }
    for (std::size_t i = index(lane); i < largest_.size(); i += index(width_)) {
        largest_[i] = 0.0;
        n_parts_[i] = 0;
    }
    take_initial_limits(lane, subject);
}

void DenseObserver::load_row(int lane, int row) {
    const int n = setup_->n_rows;
    for (std::size_t f = 0; f < fixed_.size(); ++f) {
        const std::size_t at = index(fixed_[f].index * n + row);
        fixed_values_[f * index(width_) + index(lane)] =
            fixed_[f].kind == LeafKind::input ? problem_->inputs[at] : setup_->derived[at];
    }
}

/// A left limit at the very start is the initial state, before any dose.
void DenseObserver::take_initial_limits(int lane, int subject) {
    const double start = problem_->timeline->start;
    if (left_limits_.empty() || left_limits_[0].time > start) return;
    evaluate_alone(
        lane, start, setup_->initial.data() + setup_->first_row[index(subject)], setup_->n_rows);
    for (int f : left_limits_[0].functionals)
        total_[index(f * width_ + lane)] = point_output(functional(f).output)[0];
}

void DenseObserver::piece(const double* from,
                          const double* to,
                          const char* mask,
                          const Interpolate& interpolate,
                          double resolve_to) {
    sample(from, to, mask, interpolate);
    take_functionals(mask, resolve_to);
}

void DenseObserver::sample(const double* from,
                           const double* to,
                           const char* mask,
                           const Interpolate& interpolate) {
    look_at(from, to, interpolate);
    take_due_points(mask);
}

void DenseObserver::take_functionals(const char* mask, double resolve_to) {
    if (!has_functionals()) return;
    take_left_limits(from_, to_, mask);
    const bool is_rough = resolve_to < infinity;
    if (!is_rough)
        for (const Window& w : windows_)
            for (int part = 0; part < n_parts_of_piece_; ++part)
                if (overlap(w, mask, part, n_parts_of_piece_)) take(w);
    for (const Window& w : lone_windows_) {
        const bool uses_time = uses_time_[index(w.output)] != 0;
        if ((is_rough || uses_time) && overlap(w, mask))
            take_resolved(w, uses_time ? 0.0 : resolve_to);
    }
}

double DenseObserver::next_functional(double now) const {
    double next = infinity;
    for (const Window& w : lone_windows_)
        if (w.to > now) next = std::min(next, std::max(w.from, now));
    for (const LeftLimit& limit : left_limits_)
        if (limit.time > now) return std::min(next, limit.time);
    return next;
}

void DenseObserver::look_at(const double* from, const double* to, const Interpolate& interpolate) {
    from_ = from;
    to_ = to;
    interpolate_ = &interpolate;
    curves_ = nullptr;
}

void DenseObserver::look_at(const double* from, const double* to, LaneCurves& curves) {
    from_ = from;
    to_ = to;
    interpolate_ = nullptr;
    curves_ = &curves;
}

double DenseObserver::output_at(int lane, double time, int output) {
    point_lane_[0] = lane;
    theta_[0] = (time - from_[lane]) / (to_[lane] - from_[lane]);
    point_time_[0] = time;
    evaluate_points(1);
    return point_output(output)[0];
}

void DenseObserver::note_action(int lane, int trigger, double time) {
    const auto& functionals = problem_->observation->functionals;
    for (std::size_t f = 0; f < functionals.size(); ++f)
        if (functionals[f].kind == FunctionalKind::times_acted &&
            functionals[f].output == trigger && functionals[f].from <= time &&
            time <= functionals[f].to)
            total_[f * index(width_) + index(lane)] += 1.0;
}

void DenseObserver::evaluate(const double* times, const char* mask) {
    int n = 0;
    for (int lane = 0; lane < width_; ++lane) {
        if (!mask[lane]) continue;
        point_lane_[index(n)] = lane;
        theta_[index(n)] = (times[lane] - from_[lane]) / (to_[lane] - from_[lane]);
        point_time_[index(n++)] = times[lane];
    }
    if (curves_ != nullptr && many_of * n >= width_) {
        std::copy_n(curves_->at_lanes(times), results_.size(), results_.begin());
        return;
    }
    evaluate_points(n);
    for (int k = 0; k < n_outputs_; ++k)
        for (int p = 0; p < n; ++p)
            results_[index(k * width_ + point_lane_[index(p)])] = point_output(k)[p];
}

/// Outputs of points whose lane, theta and time are set: afterwards point_output(k)[p].
void DenseObserver::evaluate_points(int n_points) {
    if (curves_ != nullptr) {
        outputs_of_points_ = curves_->at_points(n_points, point_lane_.data(), point_time_.data());
        return;
    }
    double* w = workspace_.data();
    for (std::size_t f = 0; f < fixed_.size(); ++f) {
        double* to = w + fixed_slots_[f] * width_;
        const double* from = fixed_values_.data() + f * index(width_);
        for (int p = 0; p < n_points; ++p)
            to[p] = from[point_lane_[index(p)]];
    }
    std::copy_n(point_time_.begin(), n_points, w + time_slot_ * width_);
    (*interpolate_)({n_points, point_lane_.data(), theta_.data()}, w + state_slot_ * width_);
    run_outputs();
}

void DenseObserver::run_outputs() {
    outputs_->run(workspace_.data());
    outputs_of_points_ = workspace_.data() + result_slot_ * width_;
}

void DenseObserver::evaluate_alone(int lane,
                                   double time,
                                   const double* states,
                                   std::ptrdiff_t stride) {
    double* w = workspace_.data();
    for (std::size_t f = 0; f < fixed_.size(); ++f)
        w[fixed_slots_[f] * width_] = fixed_values_[f * index(width_) + index(lane)];
    for (int i = 0; i < n_states_; ++i)
        w[(state_slot_ + i) * width_] = states[i * stride];
    w[time_slot_ * width_] = time;
    run_outputs();
}

const double* DenseObserver::point_output(int k) const {
    return outputs_of_points_ + k * width_;
}

const double* DenseObserver::output(int k) const {
    return results_.data() + index(k * width_);
}

const Functional& DenseObserver::functional(int k) const {
    return problem_->observation->functionals[index(k)];
}

/// While many lanes have a sample due, each takes one where it lies; what is left is gathered until
/// there is as much of it as there are lanes: a lane with many does not make the others wait.
void DenseObserver::take_samples(LaneSet& lanes) {
    if (!is_simple_) return lanes.for_each([this](int lane) { gather_any(lane); });
    while (lanes.has_at_least(many_lanes_))
        take_next_of_lanes(lanes);
    lanes.for_each([this](int lane) { gather_shared(lane); });
}

/// Those that have another due stay.
void DenseObserver::take_next_of_lanes(LaneSet& lanes) {
    const double* outputs = curves_->at_samples();
    const double *times = point_times_.data(), *dues = point_due_.data(), *to = to_;
    const std::span<const Column> columns = columns_;
    const std::size_t* row = row_.data();
    int* cursor = cursor_.data();
    double *next_time = next_time_, *next_due = next_due_;
    lanes.keep_if([=](int lane) {
        const int point = cursor[lane], next = point + 1;
        const std::size_t at = row[lane] + index(point);
        for (const Column& column : columns)
            column.values[at] = outputs[column.first + lane];
        cursor[lane] = next;
        next_time[lane] = times[next];
        next_due[lane] = dues[next];
        return dues[next] < to[lane];
    });
}

/// Number of the next point to be gathered. Those gathered are taken as late as that: vectors that
/// were stored number by number a moment ago are slow to load.
int DenseObserver::next_gathered() {
    if (n_gathered_ == width_) take_gathered();
    return n_gathered_;
}

void DenseObserver::gather_shared(int lane) {
    int cursor = cursor_[index(lane)];
    const double *dues = point_due_.data(), *times = point_times_.data(), to = to_[lane];
    const std::size_t row = row_[index(lane)];
    double* gathered_times = gathered_times_;
    std::size_t* at = gathered_at_.data();
    do {
        const int first = next_gathered();
        int p = first;
        do {
            gathered_times[p] = times[cursor];
            at[p++] = row + index(cursor++);
        } while (p < width_ && dues[cursor] < to);
        n_gathered_ = p;
        curves_->gather(first, p - first, lane);
    } while (dues[cursor] < to);
    cursor_[index(lane)] = cursor;
    next_time_[lane] = times[cursor];
    next_due_[lane] = dues[cursor];
}

void DenseObserver::gather_any(int lane) {
    while (is_due(lane)) {
        const int p = next_gathered();
        gathered_times_[p] = next_time_[lane];
        curves_->gather(p, 1, lane);
        gathered_lane_[index(p)] = lane;
        gathered_point_[index(p)] = take_next(lane);
        ++n_gathered_;
    }
}

void DenseObserver::take_gathered() {
    if (n_gathered_ == 0) return;
    outputs_of_points_ = curves_->at_gathered();
    if (is_simple_) {
        for (const Column& to : columns_) {
            const double* values = point_output(to.output);
            for (int p = 0; p < n_gathered_; ++p)
                to.values[gathered_at_[index(p)]] = values[p];
        }
    } else {
        for (int p = 0; p < n_gathered_; ++p)
            store(gathered_lane_[index(p)], gathered_point_[index(p)], p);
    }
    n_gathered_ = 0;
}

/// Whether a lane's samples are finite; where all are shared they are looked at as rows, not as
/// they come.
void DenseObserver::check_rows(int lane) {
    take_gathered();
    int& n = n_checked_[index(lane)];
    const int cursor = cursor_[index(lane)];
    if (is_simple_)
        for (const Column& column : columns_) {
            const double* row = column.values + index(subject_[index(lane)]) * column.n_times;
            if (!all_finite({row + n, row + cursor})) is_bad_[index(lane)] = 1;
        }
    n = cursor;
}

void DenseObserver::take_due_points(const char* mask) {
    while (const int n = next_due_points(mask)) {
        evaluate_points(n);
        if (is_simple_)
            store_in_rows(n);
        else
            for (int p = 0; p < n; ++p)
                store(point_lane_[index(p)], point_index_[index(p)], p);
    }
}

/// As many as there are lanes: one of each, where lanes have one, then the next of each.
int DenseObserver::next_due_points(const char* mask) {
    int n = 0;
    for (int before = -1; before < n && n < width_;) {
        before = n;
        for (int lane = 0; lane < width_ && n < width_; ++lane) {
            if (!mask[lane] || !is_due(lane)) continue;
            const double time = next_time_[lane];
            point_lane_[index(n)] = lane;
            theta_[index(n)] = std::max(0.0, (time - from_[lane]) / (to_[lane] - from_[lane]));
            point_time_[index(n)] = time;
            point_index_[index(n++)] = is_simple_ ? take_next_shared(lane) : take_next(lane);
        }
    }
    return n;
}

int DenseObserver::take_next_shared(int lane) {
    const int point = cursor_[index(lane)]++;
    next_time_[lane] = point_times_[index(point + 1)];
    next_due_[lane] = point_due_[index(point + 1)];
    return point;
}

/// Whether they are finite is seen by check_rows().
void DenseObserver::store_in_rows(int n_points) {
    for (const Column& to : columns_) {
        const double* values = point_output(to.output);
        for (int p = 0; p < n_points; ++p)
            to.values[row_[index(point_lane_[index(p)])] + index(point_index_[index(p)])] =
                values[p];
    }
}

void DenseObserver::find_next(int lane) {
    const std::span<const int> own = own_[index(lane)];
    next_own_[index(lane)] =
        own.empty() ? infinity
                    : problem_->own[index(subject_[index(lane)])]->samples[index(own.front())].time;
    next_time_[lane] = std::min(next_own_[index(lane)], point_times_[index(cursor_[index(lane)])]);
    next_due_[lane] = due(next_time_[lane]);
}

void DenseObserver::take_no_more(int lane) {
    next_time_[lane] = next_due_[lane] = infinity;
}

/// The sample due next: a shared point, or −1 − number of an own sample; then on to the one after.
int DenseObserver::take_next(int lane) {
    int& cursor = cursor_[index(lane)];
    std::span<const int>& own = own_[index(lane)];
    int point = cursor;
    if (point_times_[index(cursor)] <= next_own_[index(lane)]) {
        ++cursor;
    } else {
        point = -1 - own.front();
        own = own.subspan(1);
    }
    find_next(lane);
    return point;
}

void DenseObserver::store(int lane, int point, int column) {
    if (point >= 0)
        store_shared(lane, point, column);
    else
        store_own(lane, -1 - point, column);
}

void DenseObserver::store_own(int lane, int sample, int column) {
    const std::size_t at = result_->own_first[index(subject_[index(lane)])] + index(sample);
    const std::vector<int>& outputs = problem_->observation->own_outputs;
    for (std::size_t k = 0; k < outputs.size(); ++k) {
        const double value = point_output(outputs[k])[column];
        result_->own[k][at] = value;
        if (!std::isfinite(value)) is_bad_[index(lane)] = 1;
    }
}

void DenseObserver::take_own(
    int lane, int sample, double time, const double* states, std::ptrdiff_t stride) {
    evaluate_alone(lane, time, states, stride);
    store_own(lane, sample, 0);
}

void DenseObserver::take_due(int lane, double time, const double* states, std::ptrdiff_t stride) {
    if (next_time_[lane] > time) return;
    evaluate_alone(lane, time, states, stride);
    while (next_time_[lane] <= time)
        store(lane, take_next(lane), 0);
}

void DenseObserver::store_shared(int lane, int point, int column) {
    for (int k = point_targets_[index(point)]; k < point_targets_[index(point + 1)]; ++k) {
        const Target target = targets_[index(k)];
        const Column& to = columns_[index(target.sampled)];
        const double value = point_output(to.output)[column];
        to.values[index(subject_[index(lane)]) * to.n_times + index(target.index)] = value;
        if (!std::isfinite(value)) is_bad_[index(lane)] = 1;
    }
}

SolverStatus
DenseObserver::finish(int lane, double time, const double* states, std::ptrdiff_t stride) {
    take_due(lane, time, states, stride);
    check_rows(lane);
    const auto n = problem_->observation->functionals.size();
    for (std::size_t f = 0; f < n; ++f)
        keep(static_cast<int>(f), lane, total_[f * index(width_) + index(lane)]);
    for (const Window& w : lone_windows_)
        for (const Peak& peak : w.peaks) {
            const std::size_t slot = index(peak.slot * width_ + lane);
            for (int f : peak.values)
                keep(f, lane, peak.sign * best_value_[slot]);
            for (int f : peak.times)
                keep(f, lane, best_time_[slot]);
        }
    if (is_bad_[index(lane)]) {
        fail(lane, SolverStatus::not_finite, time);
        return SolverStatus::not_finite;
    }
    result_->status[index(subject_[index(lane)])] = SolverStatus::ok;
    result_->stopped_at[index(subject_[index(lane)])] = time;
    return SolverStatus::ok;
}

void DenseObserver::park(int lane, double time) {
    result_->status[index(subject_[index(lane)])] = SolverStatus::ok;
    result_->stopped_at[index(subject_[index(lane)])] = time;
    take_no_more(lane);
}

void DenseObserver::keep(int lane, Parking& parking) {
    check_rows(lane);
    parking(cursor_[index(lane)]);
    n_checked_[index(lane)] = cursor_[index(lane)];
    std::size_t n_own = own_[index(lane)].size();
    parking(n_own);
    own_[index(lane)] = own_[index(lane)].last(std::min(n_own, own_[index(lane)].size()));
    parking(is_bad_[index(lane)]);
    for (auto* columns : {&total_, &best_value_, &best_time_, &largest_})
        parking.lane(*columns, lane, width_);
    parking.lane(n_parts_, lane, width_);
    find_next(lane);
}

void DenseObserver::keep(int f, int lane, double value) {
    const std::size_t subject = index(subject_[index(lane)]);
    result_->functionals[index(f) * index(setup_->n_subjects) + subject] = value;
    if (!std::isfinite(value)) is_bad_[index(lane)] = 1;
}

void DenseObserver::fail(int lane, SolverStatus status, double time) {
    take_gathered();
    const std::size_t subject = index(subject_[index(lane)]);
    const Observation& observation = *problem_->observation;
    for (std::size_t k = 0; k < observation.sampled.size(); ++k) {
        const std::size_t n = observation.sampled[k].times.size();
        std::fill_n(result_->sampled[k].begin() + static_cast<std::ptrdiff_t>(subject * n), n, nan);
    }
    for (std::size_t f = 0; f < observation.functionals.size(); ++f)
        result_->functionals[f * index(setup_->n_subjects) + subject] = nan;
    if (!result_->own_first.empty())
        for (std::vector<double>& column : result_->own)
            std::fill(column.begin() + static_cast<std::ptrdiff_t>(result_->own_first[subject]),
                      column.begin() + static_cast<std::ptrdiff_t>(result_->own_first[subject + 1]),
                      nan);
    result_->status[subject] = status;
    result_->stopped_at[subject] = time;
    take_no_more(lane);
}

} // namespace gemel::sim
