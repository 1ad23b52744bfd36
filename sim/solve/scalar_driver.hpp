#pragma once

#include "solve/observer.hpp"
#include "solve/workspace.hpp"

#include <gemel/sim/lane_program.hpp>
#include <gemel/sim/solver.hpp>

#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <vector>

/// What solvers that go subject by subject share: setting up a block, the march from event to
/// event, and the observer at width 1. A ScalarMethod only carries states over a stretch without
/// events.
namespace gemel::sim {

/// What one subject brings.
struct ScalarSubject {
    std::span<const double> inputs;  ///< [n_inputs]
    std::span<const double> derived; ///< [n_derived]
    std::span<const double> scale;   ///< [n_states] for error control; 0: the largest value so far
};

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
    std::int64_t n_steps = 0; ///< of this subject so far, counted on by the method
    std::int64_t n_rejected = 0;
};

/// States at from + theta·(to − from) of the piece being shown.
using StatesAt = std::function<void(double theta, double* states)>;
using ShowPiece = std::function<void(double from, double to, const StatesAt& states)>;

class ScalarMethod {
public:
    virtual ~ScalarMethod() = default;
    /// Takes up a subject.
    virtual SolverStatus begin(const ScalarSubject& subject) = 0;
    /// Carries the states over a segment, shown piece by piece.
    virtual SolverStatus advance(ScalarSegment& segment, const ShowPiece& show) = 0;
};

/// A program at width 1 with a workspace of its own. A workspace has slots only for the leaves that
/// some program mentions: what it has no slot for is left out.
class ScalarProgram {
public:
    ScalarProgram(const LaneProgram& program, const WorkspaceLayout& layout);

    void load(const ScalarSubject& subject); ///< inputs and derived values
    void set_time(double time) { set(LeafKind::time, {&time, 1}); }
    void set_states(std::span<const double> states) { set(LeafKind::state, states); }
    const double* results() const {
        return workspace_.data() + layout_.slot({LeafKind::result, 0});
    }
    void run() { kernel_->run(workspace_.data()); }

private:
    void set(LeafKind kind, std::span<const double> values);

    WorkspaceLayout layout_;
    std::unique_ptr<Kernel> kernel_;
    Workspace workspace_;
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

    std::unique_ptr<BlockSolver> worker() const override;

private:
    CompiledSystem system_;
    SolverOptions options_;
    ProgramSet programs_;
    MakeMethod make_method_;
};

} // namespace gemel::sim
