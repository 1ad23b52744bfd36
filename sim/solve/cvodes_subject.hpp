#pragma once

#include "solve/cvode_integrator.hpp"
#include "solve/dose_events.hpp"
#include "solve/error_scale.hpp"

#include <gemel/sim/sensitivity.hpp>

#include <vector>

/// What forward and adjoint sensitivities share: the system with its programs, and one subject.
namespace gemel::sim {

/// The system with sensitivities, lowered. `own` programs of the set, in order:
struct CvodesModel {
    CvodesModel(const OdeSystem& system, const std::vector<int>& wrt, const SolverOptions& options);

    /// @throws std::invalid_argument for records, outputs or times that mean nothing
    void check(const SubjectProblem& problem) const;

    enum Program {
        rates = n_common_programs, ///< of own states
        jacobian,                  ///< of own states
        sensitivity_rates,         ///< dS/dt without infusions: slot which·n + i
        input_slopes,              ///< ∂f_i/∂θ: slot which·n + i
        output_slopes              ///< of each own output: by the n states, then by the inputs
    };
    /// Rates, Jacobian and error weights of own states.
    CvodeSystem own() const { return {pattern, system.system, programs, rates, options.rtol}; }

    SolverOptions options;
    CompiledSystem system;
    JacobianPattern pattern; ///< of own states
    ProgramSet programs;
    int n = 0, n_wrt = 0, n_outputs = 0;
};

/// A sampled value: output and where it goes.
struct SamplePoint {
    double time = 0.0;
    int sampled = 0;
    int index = 0;
    int output = 0;
};

/// One subject at a time: own states, then derivatives, as with_sensitivities() orders them.
class CvodesSubject {
public:
    explicit CvodesSubject(const CvodesModel& model);

    /// At time 0, before any dose.
    SolverStatus load(const SubjectProblem& problem);
    /// Lets everything happen that is due.
    void apply_due(double time);
    /// The next event, or the end.
    double next_stop() const;
    double end() const { return problem_->timeline->end; }

    std::span<double> states() { return columns_; }
    std::span<double> own_states() { return std::span(columns_).first(n()); }
    std::span<double> sensitivities() { return std::span(columns_).subspan(n()); }
    std::span<const double> infusion() const { return infusion_; }
    std::span<const double> own_infusion() const { return std::span(infusion_).first(n()); }
    std::span<const double> sensitivity_infusion() const {
        return std::span(infusion_).subspan(n());
    }
    /// |θ|, or 1 where θ is 0, [n_wrt]: derivatives are judged by their states' scales over it.
    std::span<const double> theta() const { return theta_; }
    ScalarSubject data() const { return {inputs_, setup_.derived, scale_}; }
    /// Sampled values in order of time: those up to `time` that were not taken yet.
    std::span<const SamplePoint> take_points(double time);
    /// Steps on to an event. sample(time) is called for sampled times before it, once passed; those
    /// at the event come after it.
    template <class Sample>
    SolverStatus cross(CvodeIntegrator& integrator, double to, const Sample& sample) {
        SolverStatus status = SolverStatus::ok;
        while (status == SolverStatus::ok && integrator.time() < to) {
            status = integrator.step();
            while (status == SolverStatus::ok && next_point_time() < to &&
                   next_point_time() <= integrator.time())
                sample(next_point_time());
        }
        return status;
    }

private:
    double next_point_time() const;
    std::size_t n() const { return static_cast<std::size_t>(model_.n); }
    void sort_points();

    /// Records with steady states are refused before.
    struct NoCarrier : StateCarrier {
        void carry(std::span<Passage>) override {}
        double relative_error() const override { return 0.0; }
    };

    const CvodesModel& model_;
    SetupPrograms setup_programs_;
    NoCarrier no_carrier_;
    DoseEvents doses_;
    ErrorScales scales_;
    const SubjectProblem* problem_ = nullptr;
    BlockProblem block_;
    BlockSetup setup_;
    SubjectEvents events_;
    std::size_t next_ = 0, next_point_ = 0;
    std::vector<double> inputs_, columns_, infusion_, scale_, theta_;
    std::vector<int> running_;
    std::vector<SamplePoint> points_;
};

SubjectSensitivities forward_sensitivities(const CvodesModel& model,
                                           CvodesSubject& subject,
                                           const SubjectProblem& problem);
SubjectGradient adjoint_gradient(const CvodesModel& model,
                                 CvodesSubject& subject,
                                 const SubjectProblem& problem,
                                 const Objective& objective);

} // namespace gemel::sim
