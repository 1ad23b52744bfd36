#include "solve/cvode.hpp"

#include "solve/cvode_system.hpp"
#include "solve/error_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gemel::sim {
namespace {

/// Failed attempts within one step, each shortening it at least fourfold: from the largest step to
/// one that the clock cannot tell. CVODE's own limits, 7 and 10, give up before that.
constexpr int max_failures_in_a_row = 60;

/// The tolerances of the subject in hand, as the weights CVODE asks for. States whose errors decide
/// no steps have none.
class Weights {
public:
    /// CVODE takes the mean square over all states; it is meant over the controlled ones.
    Weights(double tolerance, const OdeSystem& system)
        : scale_(static_cast<std::size_t>(system.n_controlled_states())),
          follows_(scale_.size()),
          weight_(std::sqrt(static_cast<double>(std::max<std::size_t>(system.states.size(), 1)) /
                            static_cast<double>(std::max<std::size_t>(scale_.size(), 1))) /
                  tolerance) {}

    std::size_t n_controlled() const { return scale_.size(); }
    void load(std::span<const double> scale) {
        std::copy_n(scale.begin(), scale_.size(), scale_.begin());
        for (std::size_t i = 0; i < scale_.size(); ++i)
            follows_[i] = !(scale_[i] > 0.0);
    }
    void follow(std::span<const double> y) {
        for (std::size_t i = 0; i < scale_.size(); ++i)
            if (follows_[i]) scale_[i] = std::max(scale_[i], std::fabs(y[i]));
    }
    double size(std::size_t i, double y) const { return absolute_part * scale_[i] + std::fabs(y); }

    /// A state that is 0 and has no scale does not count until it has moved.
    void write(std::span<const double> y, std::span<double> weights) const {
        std::fill(weights.begin(), weights.end(), 0.0);
        for (std::size_t i = 0; i < scale_.size(); ++i)
            if (const double s = size(i, y[i]); s > smallest_size) weights[i] = weight_ / s;
    }

private:
    std::vector<double> scale_;
    std::vector<bool> follows_;
    double weight_ = 0.0; ///< of a state of size 1
};

class CvodeMethod : public ScalarMethod {
public:
    CvodeMethod(const CompiledSystem& system,
                const ProgramSet& programs,
                const SolverOptions& options);

    SolverStatus begin(const ScalarSubject& subject) override {
        system_.load(subject);
        weights_.load(subject.scale);
        return SolverStatus::ok;
    }
    SolverStatus advance(ScalarSegment& segment, const ShowPiece& show) override;

private:
    static int rates(double time, N_Vector y, N_Vector dydt, void* self) {
        return of(self).system_.rates(time, y, dydt);
    }
    static int jacobian(double time,
                        N_Vector y,
                        N_Vector,
                        SUNMatrix matrix,
                        void* self,
                        N_Vector,
                        N_Vector,
                        N_Vector) {
        return of(self).system_.jacobian(time, y, matrix);
    }
    static int weigh(N_Vector y, N_Vector weights, void* self) {
        of(self).weights_.write(values(y), values(weights));
        return 0;
    }
    static CvodeMethod& of(void* self) { return *static_cast<CvodeMethod*>(self); }

    SolverStatus restart(const ScalarSegment& segment);
    SolverStatus march(ScalarSegment& segment, const ShowPiece& show);
    double first_step(double room);
    SolverStatus status_of(int code) const;
    void count(ScalarSegment& segment) const;
    void show_step(double from, double to, const ShowPiece& show);

    SunContext context_;
    CvodeSystem system_;
    Weights weights_;
    std::int64_t max_steps_ = 0;
    double first_step_tolerance_ = 0.0;                       ///< ½·(cvode_part·rtol)^½
    std::int64_t n_steps_before_ = 0, n_rejected_before_ = 0; ///< of the segments before
    SunVector y_, dense_;
    SunMatrix matrix_;
    SunLinearSolver linear_solver_;
    CvodeMemory memory_;
};

CvodeMethod::CvodeMethod(const CompiledSystem& system,
                         const ProgramSet& programs,
                         const SolverOptions& options)
    : system_(jacobian_pattern(system.structure), programs, n_common_programs),
      weights_(cvode_part * options.rtol, system.system),
      max_steps_(options.max_steps),
      first_step_tolerance_(0.5 * std::sqrt(cvode_part * options.rtol)),
      y_(sun_vector(context_, system_.n_states())),
      dense_(sun_vector(context_, system_.n_states())),
      matrix_(sun_matrix(context_, system_.pattern())),
      linear_solver_(sun_linear_solver(context_, y_.get(), matrix_.get())),
      memory_(cvode_bdf(context_)) {
    void* cvode = memory_.get();
    require(CVodeInit(cvode, rates, 0.0, y_.get()), "CVodeInit");
    require(CVodeSetUserData(cvode, this), "CVodeSetUserData");
    require(CVodeWFtolerances(cvode, weigh), "CVodeWFtolerances");
    require(CVodeSetLinearSolver(cvode, linear_solver_.get(), matrix_.get()),
            "CVodeSetLinearSolver");
    require(CVodeSetJacFn(cvode, jacobian), "CVodeSetJacFn");
    require(CVodeSetMaxErrTestFails(cvode, max_failures_in_a_row), "CVodeSetMaxErrTestFails");
    require(CVodeSetMaxConvFails(cvode, max_failures_in_a_row), "CVodeSetMaxConvFails");
}

SolverStatus CvodeMethod::advance(ScalarSegment& segment, const ShowPiece& show) {
    std::copy(segment.states.begin(), segment.states.end(), values(y_.get()).begin());
    weights_.follow(segment.states);
    system_.set_infusion(segment.infusion);
    segment.reached = segment.from;
    n_steps_before_ = segment.n_steps;
    n_rejected_before_ = segment.n_rejected;
    SolverStatus status = restart(segment);
    if (status == SolverStatus::ok) status = march(segment, show);
    std::copy_n(values(y_.get()).begin(), segment.states.size(), segment.states.begin());
    return status;
}

/// Forgets everything before this segment, the pivots of the last factorisation included: what a
/// subject gets depends on the subject alone.
SolverStatus CvodeMethod::restart(const ScalarSegment& segment) {
    void* cvode = memory_.get();
    require(CVodeReInit(cvode, segment.from, y_.get()), "CVodeReInit");
    if (system_.rates(segment.from, y_.get(), dense_.get()) != 0) return SolverStatus::not_finite;
    const double room = segment.to - segment.from, step = first_step(room);
    if (step < room && segment.from + step == segment.from) return SolverStatus::step_too_small;
    require(CVodeSetInitStep(cvode, step), "CVodeSetInitStep");
    require(CVodeSetStopTime(cvode, segment.to), "CVodeSetStopTime");
    return SolverStatus::ok;
}

/// ½·√tolerance / max_i(|f_i| / (|y_i| + scale_i)) for a method that starts at order 1: a free
/// number, whatever the units. dense_ holds the rates.
double CvodeMethod::first_step(double room) {
    double fastest = 0.0;
    for (std::size_t i = 0; i < weights_.n_controlled(); ++i) {
        const double size = weights_.size(i, values(y_.get())[i]);
        const double rate = std::fabs(values(dense_.get())[i]);
        if (size > smallest_size)
            fastest = std::max(fastest, rate / size);
        else if (rate > 0.0) // from nothing to nobody knows what: no error test until it has moved
            fastest = std::max(fastest, 1.0 / room);
    }
    const double step = first_step_tolerance_ / fastest;
    return step < room ? step : room;
}

SolverStatus CvodeMethod::march(ScalarSegment& segment, const ShowPiece& show) {
    while (segment.reached < segment.to) {
        if (segment.n_steps + segment.n_rejected >= max_steps_) return SolverStatus::step_limit;
        double to = segment.reached;
        const int code = CVode(memory_.get(), segment.to, y_.get(), &to, CV_ONE_STEP);
        count(segment);
        if (code < 0) return status_of(code);
        if (!(to > segment.reached)) return SolverStatus::step_too_small;
        show_step(segment.reached, to, show);
        weights_.follow(values(y_.get()));
        segment.reached = to;
    }
    return SolverStatus::ok;
}

void CvodeMethod::show_step(double from, double to, const ShowPiece& show) {
    double now = to; // CVODE's own clock may stand a rounding before a stop
    CVodeGetCurrentTime(memory_.get(), &now);
    show(from, to, [&](double theta, double* states) {
        const double time = std::min(from + theta * (to - from), now);
        if (CVodeGetDky(memory_.get(), time, 0, dense_.get()) < 0)
            std::copy_n(values(y_.get()).begin(), system_.n_states(), states);
        else
            std::copy_n(values(dense_.get()).begin(), system_.n_states(), states);
    });
}

void CvodeMethod::count(ScalarSegment& segment) const {
    long n_steps = 0, n_error_failures = 0, n_newton_failures = 0;
    CVodeGetNumSteps(memory_.get(), &n_steps);
    CVodeGetNumErrTestFails(memory_.get(), &n_error_failures);
    CVodeGetNumNonlinSolvConvFails(memory_.get(), &n_newton_failures);
    segment.n_steps = n_steps_before_ + n_steps;
    segment.n_rejected = n_rejected_before_ + n_error_failures + n_newton_failures;
}

SolverStatus CvodeMethod::status_of(int code) const {
    switch (code) {
    case CV_FIRST_RHSFUNC_ERR:
    case CV_REPTD_RHSFUNC_ERR:
    case CV_UNREC_RHSFUNC_ERR:
    case CV_RHSFUNC_FAIL:
        return SolverStatus::not_finite;
    case CV_LSETUP_FAIL:
    case CV_LSOLVE_FAIL:
        return SolverStatus::singular;
    case CV_CONV_FAILURE: {
        long flag = 0; // of the last Jacobian and its factorisation
        CVodeGetLastLinFlag(memory_.get(), &flag);
        return flag != 0 ? SolverStatus::singular : SolverStatus::step_too_small;
    }
    default: // the error test failed however short the step, or asks for more than doubles hold
        return SolverStatus::step_too_small;
    }
}

std::vector<ProgramSpec> cvode_programs(CompiledSystem& system) {
    return {scalar_rates_program(system),
            jacobian_program(system, jacobian_pattern(system.structure))};
}

} // namespace

bool cvode_applies(const CompiledSystem&) {
    return true;
}

std::unique_ptr<PreparedSolver> prepare_cvode(const CompiledSystem& system,
                                              const SolverOptions& options) {
    if (!(options.rtol > 0.0 && options.rtol < 1.0))
        throw std::invalid_argument(
            fmt::format("cvode: rtol must lie in (0, 1), got {}", options.rtol));
    return std::make_unique<ScalarPrepared>(
        system, options, cvode_programs, [options](const CompiledSystem& s, const ProgramSet& set) {
            return std::make_unique<CvodeMethod>(s, set, options);
        });
}

} // namespace gemel::sim
