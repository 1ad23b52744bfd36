#pragma once

#include "solve/observer.hpp"
#include "solve/scalar_program.hpp"

#include <gemel/sim/solver.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

/// What solvers that go subject by subject share: setting up a block, the march from event to
/// event, and the observer at width 1. A ScalarMethod only carries states over a stretch without
/// events.
namespace gemel::sim {

/// What is taken from a piece that is shown.
enum class Taken { all, samples, functionals };

/// A stretch of time between two events. `states` holds the values at `from` and receives those at
/// `to`; `infusion` is constant.
struct ScalarSegment {
    double from = 0.0;
    double to = 0.0;
    std::span<const double> infusion; ///< [n_states]
    std::span<double> states;         ///< [n_states]
    double reached = 0.0;             ///< set by the method: time of failure
    /// Set by a method whose pieces may be rough: the observer bisects them down to this length.
    double resolve_to = std::numeric_limits<double>::infinity();
    /// By triggers, which may act before its end: samples are not known before pieces are.
    bool is_watched = false;
    Taken taken = Taken::all; ///< set by a method that shows samples apart
    std::int64_t n_steps = 0; ///< of this subject so far, counted on by the method
    std::int64_t n_rejected = 0;
};

/// States at from + theta·(to − from) of the piece being shown.
using StatesAt = std::function<void(double theta, double* states)>;
/// @returns false where the way ends within the piece, or nobody looks further: then the method
///          shows no more
using ShowPiece = std::function<bool(double from, double to, const StatesAt& states)>;

class ScalarMethod {
public:
    virtual ~ScalarMethod() = default;
    /// Takes up a subject.
    virtual SolverStatus begin(const ScalarSubject& subject) = 0;
    /// From here on the subject has other inputs.
    virtual SolverStatus change(const ScalarSubject& subject) { return begin(subject); }
    /// What sizes have become to which errors are compared, after begin().
    virtual std::vector<double> sizes() const { return {}; }
    /// After begin(): the subject has come some way already, with these sizes.
    virtual void
    go_on(std::span<const double> sizes, std::int64_t n_steps, std::int64_t n_rejected);
    /// Of its results, where it is not the options' rtol.
    virtual std::optional<double> relative_error() const { return std::nullopt; }
    /// Carries the states over a segment, shown piece by piece.
    virtual SolverStatus advance(ScalarSegment& segment, const ShowPiece& show) = 0;
};

/// A worker that can also be asked for single subjects.
class SubjectSolver : public BlockSolver {
public:
    /// Both must outlive the solve; `result` is sized.
    virtual void begin(const BlockProblem& problem, BlockResult& result) = 0;
    /// A subject whose setup is ok.
    virtual void solve_subject(int subject) = 0;
};

/// Makes a method's workers: one method per thread.
class ScalarPrepared : public PreparedSolver {
public:
    using MakeMethod =
        std::function<std::unique_ptr<ScalarMethod>(const CompiledSystem&, const ProgramSet&)>;

    /// Lowers `own` programs together with the common ones: they stand at n_common_programs on.
    ScalarPrepared(CompiledSystem system,
                   const SolverOptions& options,
                   const std::function<std::vector<ProgramSpec>(CompiledSystem&)>& own,
                   MakeMethod make_method);

    std::unique_ptr<BlockSolver> worker() const override { return subject_worker(); }
    std::unique_ptr<SubjectSolver> subject_worker() const;

    const CompiledSystem& system() const { return system_; }
    const ProgramSet& programs() const { return programs_; }
    const SolverOptions& options() const { return options_; }

private:
    CompiledSystem system_;
    SolverOptions options_;
    ProgramSet programs_;
    MakeMethod make_method_;
};

} // namespace gemel::sim
