#include "solve/observer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace gemel::sim {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

int count(const WorkspaceLayout& layout, LeafKind kind) {
    return layout.counts[static_cast<std::size_t>(kind)];
}

std::size_t index(int i) {
    return static_cast<std::size_t>(i);
}

} // namespace

DenseObserver::DenseObserver(const CompiledSystem& system, const ProgramSet& set, int width)
    : width_(width),
      n_states_(static_cast<int>(system.system.states.size())),
      n_inputs_(std::min(static_cast<int>(system.system.inputs.size()),
                         count(set.layout, LeafKind::input))),
      n_derived_(count(set.layout, LeafKind::derived)),
      n_outputs_(static_cast<int>(system.system.outputs.size())),
      layout_(set.layout),
      outputs_(interpreter().compile(set.programs[1], set.layout, width)),
      workspace_(index(outputs_->n_slots()) * index(width)) {
    const auto lanes = index(width);
    for (auto* column : {&theta_, &time_, &begin_, &end_, &part_begin_, &part_end_})
        column->assign(lanes, 0.0);
    next_time_.assign(lanes, infinity);
    for (auto* column : {&subject_, &cursor_, &crossing_})
        column->assign(lanes, 0);
    for (auto* column : {&is_bad_, &mask_, &active_, &rises_, &kept_})
        column->assign(lanes, 0);
    bracket_time_.assign(3 * lanes, 0.0);
    bracket_value_.assign(3 * lanes, 0.0);
}

void DenseObserver::begin(const BlockProblem& problem,
                          const BlockSetup& setup,
                          BlockResult& result) {
    problem_ = &problem;
    setup_ = &setup;
    result_ = &result;
    result.parameters = setup.parameters;
    for (int s = 0; s < setup.n_subjects; ++s)
        result.status[index(s)] = setup.status[index(s)];
    collect_samples();
    collect_functionals();
    std::fill(next_time_.begin(), next_time_.end(), infinity);
}

void DenseObserver::collect_samples() {
    std::map<double, std::vector<Target>> points;
    const auto& sampled = problem_->observation->sampled;
    for (std::size_t k = 0; k < sampled.size(); ++k)
        for (std::size_t i = 0; i < sampled[k].times.size(); ++i)
            points[sampled[k].times[i]].push_back({static_cast<int>(k), static_cast<int>(i)});
    point_times_.clear();
    targets_.clear();
    point_targets_.assign(1, 0);
    for (const auto& [time, targets] : points) {
        point_times_.push_back(time);
        targets_.insert(targets_.end(), targets.begin(), targets.end());
        point_targets_.push_back(static_cast<int>(targets_.size()));
    }
    point_times_.push_back(infinity);
}

void DenseObserver::load(int lane, int subject) {
    subject_[index(lane)] = subject;
    cursor_[index(lane)] = 0;
    next_time_[index(lane)] = point_times_[0];
    is_bad_[index(lane)] = 0;
    double* w = workspace_.data();
    const int n = setup_->n_subjects;
    for (int i = 0; i < n_inputs_; ++i)
        w[layout_.slot({LeafKind::input, i}) * width_ + lane] =
            problem_->inputs[index(i * n + subject)];
    for (int i = 0; i < n_derived_; ++i)
        w[layout_.slot({LeafKind::derived, i}) * width_ + lane] =
            setup_->derived[index(i * n + subject)];
    for (std::size_t i = index(lane); i < total_.size(); i += index(width_))
        total_[i] = 0.0;
    for (std::size_t i = index(lane); i < best_value_.size(); i += index(width_)) {
        best_value_[i] = -infinity;
        best_time_[i] = nan;
    }
    // A left limit at the very start is the initial state, before any dose.
    for (const LeftLimit& limit : left_limits_) {
        if (limit.time > 0.0) break;
        for (int i = 0; i < n_states_; ++i)
            w[layout_.slot({LeafKind::state, i}) * width_ + lane] =
                setup_->initial[index(i * n + subject)];
        w[layout_.slot({LeafKind::time, 0}) * width_ + lane] = 0.0;
        outputs_->run(w);
        for (int f : limit.functionals)
            total_[index(f * width_ + lane)] = output(functional(f).output)[lane];
    }
}

void DenseObserver::piece(const double* from,
                          const double* to,
                          const char* mask,
                          const Interpolate& interpolate) {
    from_ = from;
    to_ = to;
    interpolate_ = &interpolate;
    take_samples(to, mask);
    take_left_limits(from, to, mask);
    for (const Window& w : windows_)
        take_window(w, from, to, mask);
}

void DenseObserver::evaluate(const double* times, const char* mask) {
    double* w = workspace_.data();
    double* time = w + layout_.slot({LeafKind::time, 0}) * width_;
    for (int lane = 0; lane < width_; ++lane) {
        theta_[index(lane)] =
            mask[lane] ? (times[lane] - from_[lane]) / (to_[lane] - from_[lane]) : 0.0;
        time[lane] = times[lane];
    }
    (*interpolate_)(theta_.data(), mask, w + layout_.slot({LeafKind::state, 0}) * width_);
    outputs_->run(w);
}

const double* DenseObserver::output(int k) const {
    return workspace_.data() + layout_.slot({LeafKind::result, k}) * width_;
}

const Functional& DenseObserver::functional(int k) const {
    return problem_->observation->functionals[index(k)];
}

void DenseObserver::take_samples(const double* to, const char* mask) {
    for (;;) {
        int any = 0;
        for (int lane = 0; lane < width_; ++lane) {
            mask_[index(lane)] =
                static_cast<char>((mask[lane] != 0) & (next_time_[index(lane)] < to[lane]));
            any |= mask_[index(lane)];
        }
        if (!any) return;
        evaluate(next_time_.data(), mask_.data());
        for (int lane = 0; lane < width_; ++lane)
            if (mask_[index(lane)]) store_samples(lane);
    }
}

void DenseObserver::store_samples(int lane) {
    const int point = cursor_[index(lane)];
    for (int k = point_targets_[index(point)]; k < point_targets_[index(point + 1)]; ++k) {
        const Target target = targets_[index(k)];
        const SampledOutput& sampled = problem_->observation->sampled[index(target.sampled)];
        const double value = output(sampled.output)[lane];
        const std::size_t row = index(subject_[index(lane)]) * sampled.times.size();
        result_->sampled[index(target.sampled)][row + index(target.index)] = value;
        if (!std::isfinite(value)) is_bad_[index(lane)] = 1;
    }
    cursor_[index(lane)] = point + 1;
    next_time_[index(lane)] = point_times_[index(point + 1)];
}

SolverStatus
DenseObserver::finish(int lane, double time, const double* states, std::ptrdiff_t stride) {
    if (next_time_[index(lane)] <= time) {
        double* w = workspace_.data();
        for (int i = 0; i < n_states_; ++i)
            w[layout_.slot({LeafKind::state, i}) * width_ + lane] = states[i * stride];
        w[layout_.slot({LeafKind::time, 0}) * width_ + lane] = time;
        outputs_->run(w);
        while (next_time_[index(lane)] <= time)
            store_samples(lane);
    }
    const auto n = problem_->observation->functionals.size();
    for (std::size_t f = 0; f < n; ++f)
        keep(static_cast<int>(f), lane, total_[f * index(width_) + index(lane)]);
    for (const Window& w : windows_)
        for (const Peak& peak : w.peaks) {
            const std::size_t slot = index(peak.slot * width_ + lane);
            for (int f : peak.values)
                keep(f, lane, best_value_[slot]);
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

void DenseObserver::keep(int f, int lane, double value) {
    const std::size_t subject = index(subject_[index(lane)]);
    result_->functionals[index(f) * index(setup_->n_subjects) + subject] = value;
    if (!std::isfinite(value)) is_bad_[index(lane)] = 1;
}

void DenseObserver::fail(int lane, SolverStatus status, double time) {
    const std::size_t subject = index(subject_[index(lane)]);
    const Observation& observation = *problem_->observation;
    for (std::size_t k = 0; k < observation.sampled.size(); ++k) {
        const std::size_t n = observation.sampled[k].times.size();
        std::fill_n(result_->sampled[k].begin() + static_cast<std::ptrdiff_t>(subject * n), n, nan);
    }
    for (std::size_t f = 0; f < observation.functionals.size(); ++f)
        result_->functionals[f * index(setup_->n_subjects) + subject] = nan;
    result_->status[subject] = status;
    result_->stopped_at[subject] = time;
    next_time_[index(lane)] = infinity;
}

} // namespace gemel::sim
