#include "base/finite.hpp"
#include "base/index.hpp"
#include "solve/cvodes_subject.hpp"

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

/// The system with the rates of its sensitivities.
class SensitiveSystem : public CvodeSystem {
public:
    explicit SensitiveSystem(const CvodesModel& model)
        : CvodeSystem(model.own()),
          program_(model.programs.programs[CvodesModel::sensitivity_rates], model.programs.layout),
          both_(index(model.n * (1 + model.n_wrt))) {}

    void load(const ScalarSubject& subject) {
        CvodeSystem::load(subject);
        program_.load(subject);
    }
    void set_infusion(std::span<const double> own, std::span<const double> of_sensitivities) {
        CvodeSystem::set_infusion(own);
        infusion_ = of_sensitivities;
    }

    /// @returns as rates()
    int sensitivity_rates(double time, N_Vector y, N_Vector* s, N_Vector* dsdt) {
        const std::size_t n = index(n_states()), n_wrt = n > 0 ? both_.size() / n - 1 : 0;
        std::copy_n(values(y).begin(), n, both_.begin());
        for (std::size_t k = 0; k < n_wrt; ++k)
            std::copy_n(
                values(s[k]).begin(), n, both_.begin() + static_cast<std::ptrdiff_t>((k + 1) * n));
        program_.set_states(both_);
        program_.set_time(time);
        program_.run();
        bool is_finite = true;
        for (std::size_t k = 0; k < n_wrt; ++k) {
            for (std::size_t i = 0; i < n; ++i)
                values(dsdt[k])[i] = program_.results()[k * n + i] + infusion_[k * n + i];
            is_finite = is_finite && all_finite(values(dsdt[k]));
        }
        return is_finite ? 0 : 1;
    }
    static int sensitivity_rates_callback(int,
                                          double time,
                                          N_Vector y,
                                          N_Vector,
                                          N_Vector* s,
                                          N_Vector* dsdt,
                                          void* self,
                                          N_Vector,
                                          N_Vector) {
        return static_cast<SensitiveSystem*>(static_cast<CvodeSystem*>(self))
            ->sensitivity_rates(time, y, s, dsdt);
    }

private:
    ScalarProgram program_;
    std::vector<double> both_;
    std::span<const double> infusion_;
};

class Forward {
public:
    Forward(const CvodesModel& model, CvodesSubject& subject, const SubjectProblem& problem)
        : model_(model),
          subject_(subject),
          system_(model),
          integrator_(system_, model.options.max_steps),
          outputs_(model.programs.programs[1], model.programs.layout),
          s_(integrator_.context(), model.n_wrt, model.n),
          dsdt_(integrator_.context(), model.n_wrt, model.n) {
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
        system_.load(subject_.data());
        outputs_.load(subject_.data());
        integrator_.begin();
        initialise();
        double time = 0.0;
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

    /// An error of ∂x/∂θ is judged as one of x that is |θ| times as large.
    void initialise() {
        void* memory = integrator_.memory();
        require(CVodeSensInit(memory,
                              model_.n_wrt,
                              CV_STAGGERED,
                              SensitiveSystem::sensitivity_rates_callback,
                              s_.data()),
                "CVodeSensInit");
        std::vector<double> theta(subject_.theta().begin(), subject_.theta().end());
        require(CVodeSetSensParams(memory, nullptr, theta.data(), nullptr), "CVodeSetSensParams");
        require(CVodeSensEEtolerances(memory), "CVodeSensEEtolerances");
        require(CVodeSetSensErrCon(memory, true), "CVodeSetSensErrCon");
    }

    SolverStatus advance(double from, double to) {
        const std::span<double> y = values(integrator_.y());
        std::copy_n(subject_.own_states().begin(), model_.n, y.begin());
        s_.set(subject_.sensitivities(), index(model_.n));
        system_.set_infusion(subject_.own_infusion(), subject_.sensitivity_infusion());
        system_.weights().follow(y);
        if (system_.sensitivity_rates(from, integrator_.y(), s_.data(), dsdt_.data()) != 0)
            return SolverStatus::not_finite;
        SolverStatus status = integrator_.restart(from, to, longest_first_step(to - from));
        require(CVodeSensReInit(integrator_.memory(), CV_STAGGERED, s_.data()), "CVodeSensReInit");
        if (status == SolverStatus::ok)
            status = subject_.cross(integrator_, to, [&](double time) {
                integrator_.states_at(time, subject_.own_states().data());
                get_sensitivities(time);
                take_samples(time);
            });
        if (status != SolverStatus::ok) return status;
        std::copy_n(y.begin(), model_.n, subject_.own_states().begin());
        get_sensitivities(to);
        return all_finite(subject_.states()) ? SolverStatus::ok : SolverStatus::not_finite;
    }

    /// By the sizes of derivatives and their rates, dsdt_.
    double longest_first_step(double room) {
        double step = room;
        for (int k = 0; k < model_.n_wrt; ++k) {
            const N_Vector s = s_.data()[k], rates = dsdt_.data()[k];
            const double theta = subject_.theta()[index(k)];
            std::vector<double> as_state, as_rate;
            for (int i = 0; i < model_.n; ++i) {
                as_state.push_back(theta * values(s)[index(i)]);
                as_rate.push_back(theta * values(rates)[index(i)]);
            }
            step = std::min(step, system_.weights().first_step(as_state, as_rate, room));
        }
        return step;
    }

    void get_sensitivities(double time) {
        require(CVodeGetSensDky(integrator_.memory(), integrator_.known(time), 0, s_.data()),
                "CVodeGetSensDky");
        s_.get(subject_.sensitivities(), index(model_.n));
    }

    /// Those up to `time`.
    void take_samples(double time) {
        const std::span<const SamplePoint> points = subject_.take_points(time);
        if (points.empty()) return;
        outputs_.set_states(subject_.states());
        outputs_.set_time(time);
        outputs_.run();
        const SensitivityLayout& layout = model_.system.system.sensitivities;
        for (const SamplePoint& point : points) {
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

    const CvodesModel& model_;
    CvodesSubject& subject_;
    SensitiveSystem system_;
    CvodeIntegrator integrator_;
    ScalarProgram outputs_;
    SunVectors s_, dsdt_;
    SubjectSensitivities result_;
    bool is_finite_ = true;
};

} // namespace

SubjectSensitivities forward_sensitivities(const CvodesModel& model,
                                           CvodesSubject& subject,
                                           const SubjectProblem& problem) {
    return Forward(model, subject, problem).run(problem);
}

} // namespace gemel::sim
