#include "solve/cvodes_outward.hpp"

#include "base/finite.hpp"
#include "base/index.hpp"
#include "solve/error_scale.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::sim {
void prepare_cvodes(void* memory,
                    const CvodesModel& model,
                    CvodeSystem& own,
                    N_Vector y,
                    SUNLinearSolver linear_solver,
                    SUNMatrix matrix,
                    const std::vector<double>& tolerance,
                    const SunContext& context,
                    double time) {
    require(CVodeInit(memory, CvodeSystem::rates_callback, time, y), "CVodeInit");
    require(CVodeSetUserData(memory, &own), "CVodeSetUserData");
    require(CVodeSetLinearSolver(memory, linear_solver, matrix), "CVodeSetLinearSolver");
    require(CVodeSetJacFn(memory, CvodeSystem::jacobian_callback), "CVodeSetJacFn");
    const SunVector absolute = sun_vector(context, model.n);
    std::copy(tolerance.begin(), tolerance.end(), values(absolute.get()).begin());
    require(CVodeSVtolerances(memory, cvode_part * model.options.rtol, absolute.get()),
            "CVodeSVtolerances");
}

SolverStatus Outward::march(const SubjectProblem& problem) {
    if (const SolverStatus status = subject_.load(problem); status != SolverStatus::ok)
        return status;
    own_.load(subject_.data());
    outputs_.load(subject_.data());
    slopes_.load(subject_.data());
    steps_left_ = model_.options.max_steps;
    gradient.assign(index(model_.n_wrt), 0.0);
    initial.assign(subject_.sensitivities().begin(), subject_.sensitivities().end());
    for (const double scale : subject_.scale().first(index(model_.n)))
        tolerance.push_back(cvode_part * model_.options.rtol * absolute_part * scale);
    prepare_cvodes(memory_.get(),
                   model_,
                   own_,
                   y_.get(),
                   linear_solver_.get(),
                   matrix_.get(),
                   tolerance,
                   context_,
                   0.0);
    double time = 0.0;
    while (true) {
        arrive(time);
        if (time >= subject_.end())
            return std::isfinite(value) ? SolverStatus::ok : SolverStatus::not_finite;
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
}

void Outward::arrive(double time) {
    const std::span<double> s = subject_.sensitivities();
    std::fill(s.begin(), s.end(), 0.0);
    subject_.apply_due(time);
    stations.push_back({time, {s.begin(), s.end()}});
    take_samples(time);
}

SolverStatus Outward::advance(Segment segment) {
    std::copy(segment.states.begin(), segment.states.end(), values(y_.get()).begin());
    own_.set_infusion(subject_.own_infusion());
    require(CVodeReInit(memory_.get(), segment.from, y_.get()), "CVodeReInit");
    const double to = segment.to;
    segments.push_back(std::move(segment));
    const std::vector<SamplePoint>& points = subject_.points();
    while (next_point_ < points.size() && points[next_point_].time < to) {
        const double time = points[next_point_].time;
        if (const SolverStatus status = go(time, to); status != SolverStatus::ok) return status;
        take_samples(time);
    }
    return go(to, to);
}

SolverStatus Outward::go(double time, double stop) {
    require(CVodeSetStopTime(memory_.get(), stop), "CVodeSetStopTime");
    const int code = go_to(memory_.get(), time, y_.get(), steps_left_);
    // As near to the start as that: nothing moves.
    if (code == CV_TOO_CLOSE) return SolverStatus::ok;
    if (code < 0) return status_of_code(code);
    std::copy_n(values(y_.get()).begin(), model_.n, subject_.own_states().begin());
    return all_finite(subject_.own_states()) ? SolverStatus::ok : SolverStatus::not_finite;
}

/// Those up to `time`.
void Outward::take_samples(double time) {
    const std::vector<SamplePoint>& points = subject_.points();
    if (next_point_ == points.size() || points[next_point_].time > time) return;
    for (ScalarProgram* program : {&outputs_, &slopes_}) {
        program->set_states(subject_.states());
        program->set_time(time);
        program->run();
    }
    for (; next_point_ < points.size() && points[next_point_].time <= time; ++next_point_)
        pull(points[next_point_], slopes_.results());
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
