#pragma once

#include "solve/cvode_system.hpp"

#include <gemel/sim/solver.hpp>

#include <cstdint>
#include <limits>

/// CVODE over stretches of time without events, step by step: its vectors, matrix, linear solver
/// and memory, with tolerances and limits set.
namespace gemel::sim {

class CvodeIntegrator {
public:
    /// @param system     must outlive it; SUNDIALS' callbacks get it as a CvodeSystem*
    /// @param max_steps  of a subject, failed attempts included
    CvodeIntegrator(CvodeSystem& system, std::int64_t max_steps);

    const SunContext& context() const { return context_; }
    void* memory() { return memory_.get(); }
    /// Of restart(), to be set before it; then of time().
    N_Vector y() { return y_.get(); }
    double time() const { return time_; }

    /// Takes up a subject, of which so much is counted already.
    void begin(std::int64_t n_steps = 0, std::int64_t n_rejected = 0);
    /// Forgets everything before this stretch, the pivots of the last factorisation included: what
    /// a subject gets depends on the subject alone.
    SolverStatus restart(double from,
                         double to,
                         double longest_first_step = std::numeric_limits<double>::infinity());
    SolverStatus step();

    /// CVODE's own clock may stand a rounding before a stop: a time it knows in the last step.
    double known(double time) const;
    /// The states at a time in the last step.
    void states_at(double time, double* states);

    std::int64_t n_steps() const { return n_steps_before_ + n_steps_; }
    std::int64_t n_rejected() const { return n_rejected_before_ + n_rejected_; }

private:
    double first_step(double from, double room);
    void count();

    SunContext context_;
    CvodeSystem& system_;
    std::int64_t max_steps_ = 0;
    double to_ = 0.0, time_ = 0.0;
    std::int64_t n_steps_ = 0, n_rejected_ = 0;               ///< of this stretch
    std::int64_t n_steps_before_ = 0, n_rejected_before_ = 0; ///< of the subject's before
    SunVector y_, dense_, rates_, scratch_;
    SunMatrix matrix_;
    SunLinearSolver linear_solver_;
    CvodeMemory memory_;
};

/// How often a step may fail in a row, in every integrator.
void set_failure_limits(void* memory);

/// What a return code of CVODE(S) means for a subject.
/// @param memory  of the integrator that gave it
SolverStatus status_of(int code, void* memory);

} // namespace gemel::sim
