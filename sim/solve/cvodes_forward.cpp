#include "base/finite.hpp"
#include "base/index.hpp"
#include "solve/cvodes_subject.hpp"
#include "solve/error_scale.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::sim {
namespace {

/// Columns of sensitivities as CVODES wants them.
class SunVectors {
public:
    SunVectors(const SunContext& context, int count, int size) {
        for (int k = 0; k < count; ++k) {
            owners_.push_back(sun_vector(context, size));
            raw_.push_back(owners_.back().get());
        }
    }
    N_Vector* data() { return raw_.data(); }

    void set(std::span<const double> columns, std::size_t n) {
        for (std::size_t k = 0; k < raw_.size(); ++k)
            std::copy_n(
                columns.begin() + static_cast<std::ptrdiff_t>(k * n), n, values(raw_[k]).begin());
    }
    void get(std::span<double> columns, std::size_t n) const {
        for (std::size_t k = 0; k < raw_.size(); ++k)
            std::copy_n(
                values(raw_[k]).begin(), n, columns.begin() + static_cast<std::ptrdiff_t>(k * n));
    }

private:
    std::vector<SunVector> owners_;
    std::vector<N_Vector> raw_;
};

class Forward {
public:
    Forward(const CvodesModel& model, CvodesSubject& subject, const SubjectProblem& problem)
        : model_(model),
          subject_(subject),
          own_(model.pattern, model.programs, CvodesModel::rates),
          sensitivity_rates_(model.programs.programs[CvodesModel::sensitivity_rates],
                             model.programs.layout),
          outputs_(model.programs.programs[1], model.programs.layout),
          y_(sun_vector(context_, model.n)),
          s_(context_, model.n_wrt, model.n),
          both_(subject.states().size()),
          matrix_(sun_matrix(context_, model.pattern)),
          linear_solver_(sun_linear_solver(context_, y_.get(), matrix_.get())),
          memory_(cvode_bdf(context_)) {
        for (const SampledOutput& sampled : problem.sampled)
            result_.values.emplace_back(sampled.times.size(), nan);
        result_.derivatives.assign(index(model.n_wrt), result_.values);
    }

    SubjectSensitivities run(const SubjectProblem& problem) {
        SubjectSensitivities failed = result_;
        failed.status = march(problem);
        return failed.status == SolverStatus::ok ? std::move(result_) : failed;
    }

private:
    static constexpr double nan = std::numeric_limits<double>::quiet_NaN();

    SolverStatus march(const SubjectProblem& problem) {
        if (const SolverStatus status = subject_.load(problem); status != SolverStatus::ok)
            return status;
        for (ScalarProgram* program : {&sensitivity_rates_, &outputs_})
            program->load(subject_.data());
        own_.load(subject_.data());
        steps_left_ = model_.options.max_steps;
        double time = 0.0;
        set_states();
        initialise();
        while (true) {
            subject_.apply_due(time);
            take_samples(time);
            if (time >= subject_.end())
                return is_finite_ ? SolverStatus::ok : SolverStatus::not_finite;
            const double stop = subject_.next_stop();
            if (const SolverStatus status = advance(time, stop); status != SolverStatus::ok)
                return status;
            time = stop;
        }
    }

    void initialise() {
        void* memory = memory_.get();
        require(CVodeInit(memory, rates, 0.0, y_.get()), "CVodeInit");
        require(CVodeSetUserData(memory, this), "CVodeSetUserData");
        require(CVodeSetLinearSolver(memory, linear_solver_.get(), matrix_.get()),
                "CVodeSetLinearSolver");
        require(CVodeSetJacFn(memory, jacobian), "CVodeSetJacFn");
        require(CVodeSensInit(memory, model_.n_wrt, CV_STAGGERED, sensitivity_rates, s_.data()),
                "CVodeSensInit");
        require(CVodeSetSensErrCon(memory, true), "CVodeSetSensErrCon");
        set_tolerances();
    }

    void set_tolerances() {
        const double rtol = cvode_part * model_.options.rtol;
        const auto n = index(model_.n);
        const SunVector absolute = sun_vector(context_, model_.n);
        SunVectors of_sensitivities(context_, model_.n_wrt, model_.n);
        std::vector<double> all(subject_.scale().begin(), subject_.scale().end());
        for (double& tolerance : all)
            tolerance *= rtol * absolute_part;
        std::copy_n(all.begin(), n, values(absolute.get()).begin());
        of_sensitivities.set(std::span(all).subspan(n), n);
        require(CVodeSVtolerances(memory_.get(), rtol, absolute.get()), "CVodeSVtolerances");
        require(CVodeSensSVtolerances(memory_.get(), rtol, of_sensitivities.data()),
                "CVodeSensSVtolerances");
    }

    void set_states() {
        std::copy_n(subject_.own_states().begin(), model_.n, values(y_.get()).begin());
        s_.set(subject_.sensitivities(), index(model_.n));
    }
    void get_states() {
        std::copy_n(values(y_.get()).begin(), model_.n, subject_.own_states().begin());
        s_.get(subject_.sensitivities(), index(model_.n));
    }

    SolverStatus advance(double from, double to) {
        void* memory = memory_.get();
        set_states();
        own_.set_infusion(subject_.own_infusion());
        require(CVodeReInit(memory, from, y_.get()), "CVodeReInit");
        require(CVodeSensReInit(memory, CV_STAGGERED, s_.data()), "CVodeSensReInit");
        while (next_point_ < subject_.points().size() && subject_.points()[next_point_].time < to) {
            const double time = subject_.points()[next_point_].time;
            if (const SolverStatus status = go(time, to); status != SolverStatus::ok) return status;
            take_samples(time);
        }
        return go(to, to);
    }

    SolverStatus go(double time, double stop) {
        void* memory = memory_.get();
        require(CVodeSetStopTime(memory, stop), "CVodeSetStopTime");
        const int code = go_to(memory, time, y_.get(), steps_left_);
        // As near to the start as that: nothing moves.
        if (code == CV_TOO_CLOSE) return SolverStatus::ok;
        if (code < 0) return status_of_code(code);
        double reached = 0.0;
        require(CVodeGetSens(memory, &reached, s_.data()), "CVodeGetSens");
        get_states();
        return all_finite(subject_.states()) ? SolverStatus::ok : SolverStatus::not_finite;
    }

    /// Those up to `time`.
    void take_samples(double time) {
        const std::vector<SamplePoint>& points = subject_.points();
        if (next_point_ == points.size() || points[next_point_].time > time) return;
        outputs_.set_states(subject_.states());
        outputs_.set_time(time);
        outputs_.run();
        const SensitivityLayout& layout = model_.system.system.sensitivities;
        for (; next_point_ < points.size() && points[next_point_].time <= time; ++next_point_) {
            const SamplePoint& point = points[next_point_];
            store(result_.values[index(point.sampled)][index(point.index)], point.output);
            for (int k = 0; k < model_.n_wrt; ++k)
                store(result_.derivatives[index(k)][index(point.sampled)][index(point.index)],
                      layout.output(point.output, k));
        }
    }
    void store(double& to, int output) {
        to = outputs_.results()[output];
        is_finite_ = is_finite_ && std::isfinite(to);
    }

    int rates_of_sensitivities(double time, N_Vector y, N_Vector* s, N_Vector* dsdt) {
        const auto n = index(model_.n);
        std::copy_n(values(y).begin(), n, both_.begin());
        for (std::size_t k = 0; k < index(model_.n_wrt); ++k)
            std::copy_n(
                values(s[k]).begin(), n, both_.begin() + static_cast<std::ptrdiff_t>((k + 1) * n));
        sensitivity_rates_.set_states(both_);
        sensitivity_rates_.set_time(time);
        sensitivity_rates_.run();
        const double* rate = sensitivity_rates_.results();
        bool finite = true;
        for (std::size_t k = 0; k < index(model_.n_wrt); ++k)
            for (std::size_t i = 0; i < n; ++i) {
                const double value = rate[k * n + i] + subject_.sensitivity_infusion()[k * n + i];
                values(dsdt[k])[i] = value;
                finite = finite && std::isfinite(value);
            }
        return finite ? 0 : 1;
    }

    static Forward& self(void* data) { return *static_cast<Forward*>(data); }
    static int rates(double time, N_Vector y, N_Vector dydt, void* data) {
        return self(data).own_.rates(time, y, dydt);
    }
    static int jacobian(double time,
                        N_Vector y,
                        N_Vector,
                        SUNMatrix matrix,
                        void* data,
                        N_Vector,
                        N_Vector,
                        N_Vector) {
        return self(data).own_.jacobian(time, y, matrix);
    }
    static int sensitivity_rates(int,
                                 double time,
                                 N_Vector y,
                                 N_Vector,
                                 N_Vector* s,
                                 N_Vector* dsdt,
                                 void* data,
                                 N_Vector,
                                 N_Vector) {
        return self(data).rates_of_sensitivities(time, y, s, dsdt);
    }

    const CvodesModel& model_;
    CvodesSubject& subject_;
    SunContext context_;
    CvodeSystem own_;
    ScalarProgram sensitivity_rates_, outputs_;
    SunVector y_;
    SunVectors s_;
    std::vector<double> both_;
    SunMatrix matrix_;
    SunLinearSolver linear_solver_;
    CvodeMemory memory_;
    SubjectSensitivities result_;
    std::size_t next_point_ = 0;
    std::int64_t steps_left_ = 0;
    bool is_finite_ = true;
};

} // namespace

SubjectSensitivities forward_sensitivities(const CvodesModel& model,
                                           CvodesSubject& subject,
                                           const SubjectProblem& problem) {
    return Forward(model, subject, problem).run(problem);
}

} // namespace gemel::sim
