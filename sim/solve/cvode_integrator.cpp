#include "solve/cvode_integrator.hpp"

#include <algorithm>

namespace gemel::sim {

/// Each failed attempt shortens a step at least fourfold: from the largest step to one that the
/// clock cannot tell. CVODE's own limits, 7 and 10, give up before that.
void set_failure_limits(void* memory) {
    constexpr int max_failures_in_a_row = 60;
    require(CVodeSetMaxErrTestFails(memory, max_failures_in_a_row), "CVodeSetMaxErrTestFails");
    require(CVodeSetMaxConvFails(memory, max_failures_in_a_row), "CVodeSetMaxConvFails");
}
CvodeIntegrator::CvodeIntegrator(CvodeSystem& system, std::int64_t max_steps)
    : system_(system),
      max_steps_(max_steps),
      y_(sun_vector(context_, system.n_states())),
      dense_(sun_vector(context_, system.n_states())),
      rates_(sun_vector(context_, system.n_states())),
      scratch_(sun_vector(context_, system.n_states())),
      matrix_(sun_matrix(context_, system.pattern())),
      linear_solver_(sun_linear_solver(context_, y_.get(), matrix_.get())),
      memory_(cvode_bdf(context_)) {
    void* cvode = memory_.get();
    require(CVodeInit(cvode, CvodeSystem::rates_callback, 0.0, y_.get()), "CVodeInit");
    require(CVodeSetUserData(cvode, &system_), "CVodeSetUserData");
    require(CVodeWFtolerances(cvode, CvodeSystem::weights_callback), "CVodeWFtolerances");
    require(CVodeSetLinearSolver(cvode, linear_solver_.get(), matrix_.get()),
            "CVodeSetLinearSolver");
    require(CVodeSetJacFn(cvode, CvodeSystem::jacobian_callback), "CVodeSetJacFn");
    set_failure_limits(cvode);
}

void CvodeIntegrator::begin(std::int64_t n_steps, std::int64_t n_rejected) {
    n_steps_ = n_rejected_ = 0;
    n_steps_before_ = n_steps;
    n_rejected_before_ = n_rejected;
}

SolverStatus CvodeIntegrator::restart(double from, double to, double longest_first_step) {
    void* cvode = memory_.get();
    n_steps_before_ = n_steps();
    n_rejected_before_ = n_rejected();
    n_steps_ = n_rejected_ = 0;
    time_ = from;
    to_ = to;
    system_.weights().follow(values(y_.get()));
    require(CVodeReInit(cvode, from, y_.get()), "CVodeReInit");
    if (system_.rates(from, y_.get(), rates_.get()) != 0) return SolverStatus::not_finite;
    system_.weights().start(values(rates_.get()), from);
    const double room = to - from, step = std::min(first_step(from, room), longest_first_step);
    if (step < room && from + step == from) return SolverStatus::step_too_small;
    require(CVodeSetInitStep(cvode, step), "CVodeSetInitStep");
    require(CVodeSetStopTime(cvode, to), "CVodeSetStopTime");
    return SolverStatus::ok;
}

/// By the sizes of the states; then, for those that have none yet, as short as it takes for their
/// rates to be next to constant in it.
double CvodeIntegrator::first_step(double from, double room) {
    constexpr int max_attempts = 20;
    const CvodeWeights& weights = system_.weights();
    const auto y = values(y_.get()), rates = values(rates_.get()), after = values(dense_.get());
    double step = weights.first_step(y, rates, room);
    if (!weights.leaves_zero(y, rates)) return step;
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        N_VLinearSum(1.0, y_.get(), step, rates_.get(), scratch_.get());
        const bool is_finite = system_.rates(from + step, scratch_.get(), dense_.get()) == 0;
        const double change = is_finite ? weights.change(y, rates, after) : 1.0;
        if (change <= weights.largest_change()) break;
        step *= 0.5 * weights.largest_change() / std::min(change, 1.0);
    }
    return step;
}

SolverStatus CvodeIntegrator::step() {
    if (n_steps() + n_rejected() >= max_steps_) return SolverStatus::step_limit;
    double reached = time_;
    const int code = CVode(memory_.get(), to_, y_.get(), &reached, CV_ONE_STEP);
    count();
    if (code < 0) return status_of(code, memory_.get());
    if (!(reached > time_)) return SolverStatus::step_too_small;
    time_ = reached;
    system_.weights().follow(values(y_.get()));
    return SolverStatus::ok;
}

void CvodeIntegrator::count() {
    long n_steps = 0, n_error_failures = 0, n_newton_failures = 0;
    CVodeGetNumSteps(memory_.get(), &n_steps);
    CVodeGetNumErrTestFails(memory_.get(), &n_error_failures);
    CVodeGetNumNonlinSolvConvFails(memory_.get(), &n_newton_failures);
    n_steps_ = n_steps;
    n_rejected_ = n_error_failures + n_newton_failures;
}

double CvodeIntegrator::known(double time) const {
    double now = time_;
    CVodeGetCurrentTime(memory_.get(), &now);
    return std::min(time, now);
}

void CvodeIntegrator::states_at(double time, double* states) {
    require(CVodeGetDky(memory_.get(), known(time), 0, dense_.get()), "CVodeGetDky");
    std::copy_n(values(dense_.get()).begin(), system_.n_states(), states);
}

SolverStatus status_of(int code, void* memory) {
    switch (code) {
    case CV_TOO_MUCH_WORK:
        return SolverStatus::step_limit;
    case CV_RHSFUNC_FAIL:
    case CV_FIRST_RHSFUNC_ERR:
    case CV_REPTD_RHSFUNC_ERR:
    case CV_UNREC_RHSFUNC_ERR:
    case CV_SRHSFUNC_FAIL:
    case CV_FIRST_SRHSFUNC_ERR:
    case CV_REPTD_SRHSFUNC_ERR:
    case CV_UNREC_SRHSFUNC_ERR:
    case CV_QRHSFUNC_FAIL:
    case CV_FIRST_QRHSFUNC_ERR:
    case CV_REPTD_QRHSFUNC_ERR:
    case CV_UNREC_QRHSFUNC_ERR:
        return SolverStatus::not_finite;
    case CV_LSETUP_FAIL:
    case CV_LSOLVE_FAIL:
        return SolverStatus::singular;
    case CV_CONV_FAILURE: {
        long flag = 0; // of the last Jacobian and its factorisation
        CVodeGetLastLinFlag(memory, &flag);
        if (flag == CVLS_JACFUNC_RECVR) return SolverStatus::not_finite;
        return flag != 0 ? SolverStatus::singular : SolverStatus::step_too_small;
    }
    default: // the error test failed however short the step, or asks for more than doubles hold
        return code < 0 ? SolverStatus::step_too_small : SolverStatus::ok;
    }
}

} // namespace gemel::sim
