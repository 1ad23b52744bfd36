#include "solve/scalar_driver.hpp"

#include "base/finite.hpp"
#include "solve/dose_events.hpp"
#include "solve/error_scale.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::sim {

namespace {

class ScalarDriver : public BlockSolver {
public:
    ScalarDriver(const CompiledSystem& system,
                 const ProgramSet& programs,
                 const SolverOptions& options,
                 std::unique_ptr<ScalarMethod> method)
        : system_(system),
          n_states_(static_cast<int>(system.system.states.size())),
          setup_programs_(system, programs, options.width),
          observer_(system, programs, 1),
          doses_(system, programs),
          method_(std::move(method)),
          infusion_(static_cast<std::size_t>(n_states_)),
          running_(static_cast<std::size_t>(n_states_)) {}

    void solve(const BlockProblem& problem, BlockResult& result) override {
        problem_ = &problem;
        result_ = &result;
        result.reset(system_, problem);
        setup_programs_.run(problem, setup_);
        observer_.begin(problem, setup_, result);
        doses_.begin(problem, setup_);
        for (int subject = 0; subject < problem.n_subjects; ++subject)
            if (setup_.status[subject] == SolverStatus::ok) solve_subject(subject);
    }

private:
    void solve_subject(int subject) {
        observer_.load(0, subject);
        segment_ = {};
        const SolverStatus status = march(subject);
        if (status != SolverStatus::ok)
            observer_.fail(0, status, segment_.reached);
        else
            observer_.finish(0, problem_->timeline->end, states_.data(), 1);
        result_->n_steps[subject] = static_cast<std::uint32_t>(segment_.n_steps);
        result_->n_rejected[subject] = static_cast<std::uint32_t>(segment_.n_rejected);
    }

    SolverStatus march(int subject) {
        if (!load(subject)) return SolverStatus::invalid_parameter;
        if (const SolverStatus status = method_->begin({inputs_, derived_, scale_});
            status != SolverStatus::ok)
            return status;
        const double end = problem_->timeline->end;
        double time = 0.0;
        std::size_t next = 0;
        while (true) {
            for (; next < events_.all.size() && events_.all[next].time <= time; ++next)
                doses_.apply(events_, next, columns());
            if (time >= end) return SolverStatus::ok;
            const double stop =
                next < events_.all.size() ? std::fmin(events_.all[next].time, end) : end;
            if (const SolverStatus status = advance(time, stop); status != SolverStatus::ok)
                return status;
            time = stop;
        }
    }

    bool load(int subject) {
        const int n = problem_->n_subjects;
        gather(problem_->inputs, n, subject, inputs_);
        gather(setup_.derived, n, subject, derived_);
        gather(setup_.initial, n, subject, states_);
        std::fill(infusion_.begin(), infusion_.end(), 0.0);
        std::fill(running_.begin(), running_.end(), 0);
        if (!doses_.expand(subject, events_)) return false;
        scale_.assign(static_cast<std::size_t>(n_states_), 0.0);
        error_scales(system_.system,
                     events_.all,
                     states_.data(),
                     1,
                     problem_->timeline->end,
                     scale_.data(),
                     1,
                     inputs_.data(),
                     1);
        return true;
    }

    SubjectColumns columns() { return {states_.data(), infusion_.data(), running_.data(), 1}; }

    SolverStatus advance(double from, double to) {
        segment_.from = from;
        segment_.to = to;
        segment_.infusion = infusion_;
        segment_.states = states_;
        segment_.reached = from;
        const auto show = [this](double piece_from, double piece_to, const StatesAt& states) {
            const char mask = 1;
            observer_.piece(
                &piece_from,
                &piece_to,
                &mask,
                [&](const DenseObserver::Points& points, double* y) { states(*points.theta, y); },
                segment_.resolve_to);
        };
        const SolverStatus status = method_->advance(segment_, show);
        if (status == SolverStatus::ok && !all_finite(states_)) {
            segment_.reached = to;
            return SolverStatus::not_finite;
        }
        return status;
    }

    const CompiledSystem& system_;
    int n_states_ = 0;
    SetupPrograms setup_programs_;
    DenseObserver observer_;
    DoseEvents doses_;
    std::unique_ptr<ScalarMethod> method_;

    const BlockProblem* problem_ = nullptr;
    BlockResult* result_ = nullptr;
    BlockSetup setup_;
    ScalarSegment segment_;
    SubjectEvents events_;
    std::vector<double> inputs_, derived_, states_, scale_;
    std::vector<double> infusion_; ///< [n_states]
    std::vector<int> running_;     ///< [n_states] infusions
};

} // namespace

ScalarPrepared::ScalarPrepared(CompiledSystem system,
                               const SolverOptions& options,
                               const std::function<std::vector<ProgramSpec>(CompiledSystem&)>& own,
                               MakeMethod make_method)
    : system_(std::move(system)),
      options_(options),
      make_method_(std::move(make_method)) {
    programs_ = lower_with_common(system_, own(system_));
}

std::unique_ptr<BlockSolver> ScalarPrepared::worker() const {
    return std::make_unique<ScalarDriver>(
        system_, programs_, options_, make_method_(system_, programs_));
}

} // namespace gemel::sim
