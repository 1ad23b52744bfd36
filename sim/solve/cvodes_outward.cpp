#include "solve/cvodes_outward.hpp"

#include "base/finite.hpp"
#include "base/index.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::sim {

SolverStatus Outward::march(const SubjectProblem& problem) {
    if (const SolverStatus status = subject_.load(problem); status != SolverStatus::ok)
        return status;
    own_.load(subject_.data());
    outputs_.load(subject_.data());
    slopes_.load(subject_.data());
    integrator_.begin();
    gradient.assign(index(model_.n_wrt), 0.0);
    initial.assign(subject_.sensitivities().begin(), subject_.sensitivities().end());
    double time = 0.0;
    while (true) {
        arrive(time);
        if (time >= subject_.end()) break;
        const auto copy = [](auto span) { return std::vector<double>(span.begin(), span.end()); };
        const double stop = subject_.next_stop();
        const SolverStatus status = advance({time,
                                             stop,
                                             copy(subject_.own_states()),
                                             copy(subject_.own_infusion()),
                                             copy(subject_.sensitivity_infusion())});
        if (status != SolverStatus::ok) return status;
        time = stop;
    }
    scale = own_.weights().scale();
    return std::isfinite(value) ? SolverStatus::ok : SolverStatus::not_finite;
}

void Outward::arrive(double time) {
    const std::span<double> s = subject_.sensitivities();
    std::fill(s.begin(), s.end(), 0.0);
    subject_.apply_due(time);
    stations.push_back({time, {s.begin(), s.end()}});
    take_samples(time);
}

SolverStatus Outward::advance(Segment segment) {
    const std::span<double> y = values(integrator_.y());
    std::copy(segment.states.begin(), segment.states.end(), y.begin());
    own_.set_infusion(subject_.own_infusion());
    const double to = segment.to;
    SolverStatus status = integrator_.restart(segment.from, to);
    segments.push_back(std::move(segment));
    if (status == SolverStatus::ok)
        status = subject_.cross(integrator_, to, [&](double time) {
            integrator_.states_at(time, subject_.own_states().data());
            take_samples(time);
        });
    std::copy_n(y.begin(), model_.n, subject_.own_states().begin());
    return status == SolverStatus::ok && !all_finite(subject_.own_states())
               ? SolverStatus::not_finite
               : status;
}

/// Those up to `time`.
void Outward::take_samples(double time) {
    const std::span<const SamplePoint> points = subject_.take_points(time);
    if (points.empty()) return;
    for (ScalarProgram* program : {&outputs_, &slopes_}) {
        program->set_states(subject_.states());
        program->set_time(time);
        program->run();
    }
    for (const SamplePoint& point : points)
        pull(point, slopes_.results());
}

void Outward::pull(const SamplePoint& point, const double* slopes) {
    const double y = outputs_.results()[point.output];
    const double weight = objective_.weights[index(point.sampled)][index(point.index)];
    double by_output = weight;
    if (objective_.law == Objective::Law::weighted_sum) {
        value += weight * y;
    } else {
        const double gap = y - objective_.observed[index(point.sampled)][index(point.index)];
        value += weight * gap * gap;
        by_output = 2.0 * weight * gap;
    }
    slopes += point.output * (model_.n + model_.n_wrt);
    if (pulls.empty() || pulls.back().time < point.time)
        pulls.push_back({point.time, std::vector<double>(index(model_.n), 0.0)});
    for (int i = 0; i < model_.n; ++i)
        pulls.back().on_states[index(i)] += by_output * slopes[i];
    for (int k = 0; k < model_.n_wrt; ++k)
        gradient[index(k)] += by_output * slopes[model_.n + k];
}

} // namespace gemel::sim
