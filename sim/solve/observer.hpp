#pragma once

#include <gemel/sim/lane_program.hpp>
#include <gemel/sim/solver.hpp>

#include <functional>
#include <vector>

/// What all solvers share: preparing a block's subjects, and observing a solution piece by piece.
/// A solver only steps; after each accepted step it shows the observer the piece of time it covered.
namespace gemel::sim {

/// Columns computed from a block's inputs before any solve, by lane programs: [… × n_subjects].
struct BlockSetup {
    int n_subjects = 0;
    std::vector<double> derived;    ///< [n_derived × n_subjects], for the solver's own programs
    std::vector<double> initial;    ///< [n_states × n_subjects]
    std::vector<double> bioavailability, lag, modelled_rate, modelled_duration; ///< [n_states × …]
    std::vector<double> parameters; ///< [n_parameters × n_subjects]
    std::vector<SolverStatus> status; ///< invalid_parameter where a number is not finite
};

/// The programs every solver needs beside its own, lowered together with them so that they share
/// `derived` slots: [0] initial values and dose modifiers, [1] outputs (result slots, from state and
/// time). A solver's own programs follow at index `n_common_programs`.
inline constexpr int n_common_programs = 2;
ProgramSet lower_with_common(CompiledSystem& system, std::span<const ProgramSpec> own);

class SetupPrograms {
  public:
    SetupPrograms(const CompiledSystem& system, const ProgramSet& set, int width);
    void run(const BlockProblem& problem, BlockSetup& setup);
  // details beside the source
  private:
    int width_ = 0;
    int n_inputs_ = 0, n_states_ = 0, n_derived_ = 0, n_parameters_ = 0;
    WorkspaceLayout layout_;
    std::unique_ptr<Kernel> prepare_, initial_;
    std::vector<double> workspace_;
};

/// Samples outputs and accumulates functionals for `width` lanes that each move in their own time.
class DenseObserver {
  public:
    DenseObserver(const CompiledSystem& system, const ProgramSet& set, int width);

    /// Starts a problem; results go to `result` (already reset).
    void begin(const BlockProblem& problem, const BlockSetup& setup, BlockResult& result);
    /// Lane `lane` now carries subject `subject` of the block, at time 0.
    void load(int lane, int subject);

    /// Fills state columns: states[i·width + lane] at time from[lane] + theta[lane]·(to − from).
    /// Lanes outside the mask may be left as they are.
    using Interpolate = std::function<void(const double* theta, const char* mask, double* states)>;

    /// A piece of each masked lane's solution: [from, to), the right end being the left limit there.
    /// Takes samples with from ≤ time < to and adds to functionals over the overlap.
    void piece(const double* from, const double* to, const char* mask, const Interpolate& interpolate);

    /// The lane reached the end: the last samples, from `states` (column of this lane) after the
    /// events at the end; checks finiteness. @returns not_finite if any result is not finite
    SolverStatus finish(int lane, double time, const double* states, std::ptrdiff_t stride);
    /// The lane failed: its results become NaN.
    void fail(int lane, SolverStatus status, double time);
};

} // namespace gemel::sim
