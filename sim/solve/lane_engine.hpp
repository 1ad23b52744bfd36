#pragma once

#include "solve/dose_events.hpp"
#include "solve/exact_points.hpp"
#include "solve/observer.hpp"
#include "solve/step_program.hpp"
#include "solve/triggers.hpp"

#include <gemel/sim/solver.hpp>

#include <cstdint>
#include <vector>

/// Advances a block's subjects side by side, each lane in its own time with its own step; a lane
/// that is done takes the next subject. Nothing a lane computes depends on another lane.
namespace gemel::sim {

/// Places of the method's programs in LaneMethod::programs.
inline constexpr int step_program = n_common_programs, rates_program_number = n_common_programs + 1,
                     exact_program_number = n_common_programs + 2;

/// What the engine itself does per step and lane (control, samples, bookkeeping), in additions of
/// the interpreter. Measured once, fixed since: a weight, not a promise.
inline constexpr double engine_cost = 200.0;

/// A system made ready for the engine. Immutable, shared by workers; keeps its own copy of the
/// system.
struct LaneMethod {
    LaneMethod(const CompiledSystem& system,
               const StepMethod& method,
               const SolverOptions& options);

    CompiledSystem system;
    SolverOptions options;
    StepLayout layout;
    ProgramSet programs; ///< the common ones, then `step`, `rates`, `exact`
};

/// One lane at a step end. States of the exact part are those of the last event until the next.
/// With the lane's columns (states, rates, infusions, scales, doses running), its events, and what
/// its observer and triggers know of it this is everything: put into any lane of any engine of the
/// same method it goes on with the same bits (LaneEngine::keep).
struct LaneState {
    int subject = -1; ///< of the block; −1: the lane is idle
    double time = 0.0;
    double step = 0.0;  ///< proposed next
    double event = 0.0; ///< time of the last event, or the start
    double stop = 0.0;  ///< the next event, or the end
    double end = 0.0;   ///< of the subject's way
    std::int64_t n_steps = 0, n_rejected = 0;
    std::uint32_t next_event = 0;
    int n_singular = 0;                       ///< halvings in a row for bad linear algebra
    int n_at_the_edge = 0;                    ///< steps as long as stability allows …
    int n_inside = 0;                         ///< … and well shorter ones since the last of them
    bool is_fresh = false;                    ///< needs a first step: at the start and after events
    bool was_rejected = false;                ///< the last step
    bool was_not_finite = false;              ///< the last rejected step
    bool is_on_its_way_to_a_crossing = false; ///< `stop` is where a trigger acts
};

class LaneEngine : public BlockSolver, private StateCarrier {
public:
    /// @param executor  runs the method's programs at this width; no longer needed afterwards
    LaneEngine(const LaneMethod& method, const Executor& executor, int width);
    void solve(const BlockProblem& problem, BlockResult& result) override;

private:
    void carry(std::span<Passage> passages) override;
    double relative_error() const override { return method_.options.rtol; }
    void run_lanes();
    bool is_carrying() const { return !passages_.empty(); }
    bool is_watching() const { return watch_.is_watching() && !is_carrying(); }

    double* column(LeafKind kind, int index) {
        return workspace_.data() + method_.programs.layout.slot({kind, index}) * width_;
    }
    const double* column(LeafKind kind, int index) const {
        return workspace_.data() + method_.programs.layout.slot({kind, index}) * width_;
    }
    double* column(Leaf leaf) { return column(leaf.kind, leaf.index); }

    double clock(const LaneState& lane, double time) const;
    void refill(int lane);
    bool load_next(int lane);
    SolverStatus load_subject(int lane, int subject);
    SolverStatus resume(int lane, const ParkedSubject& parked);
    void park(int lane);
    SolverStatus keep(int lane, Parking& parking);
    void load_passage(int lane, int number);
    void load_row(int lane, int row);
    void start(int lane, double time, double end);
    SolverStatus happen_until_now(int lane);
    void happen(int lane, const Event& event);
    void look_for_crossings();
    double shortest_part() const;
    void finish(int lane);
    void set_scales(int lane, double end);
    void idle(int lane);
    void arrive(int lane);
    void settle_exact_part(int lane);
    SubjectColumns columns(int lane);
    void start_fresh_lanes();
    double first_step(int lane) const;
    double rms_of_relative_rates(int lane) const;
    void take_step();
    void propose(int lane);
    void judge(int lane);
    void accept(int lane);
    void watch_stability(int lane);
    void reject(int lane, double factor);
    void find_finite();
    void commit();
    void fail(int lane, SolverStatus status);
    void write_counts(const LaneState& lane);
    void interpolate(const DenseObserver::Points& points, double* states);
    void evaluate_exact_part(const DenseObserver::Points& points, double* states);

    const LaneMethod& method_;
    int width_ = 0, n_states_ = 0, n_own_ = 0, n_controlled_ = 0, n_inputs_ = 0, n_derived_ = 0;
    double start_tolerance_ = 0.0; ///< ½·rtol^(1/5)
    SetupPrograms setup_programs_;
    DenseObserver observer_;
    DenseObserver::Interpolate interpolate_;
    std::unique_ptr<Kernel> step_, rates_;
    ExactPoints exact_points_;
    Workspace workspace_;

    const BlockProblem* problem_ = nullptr;
    BlockResult* result_ = nullptr;
    BlockSetup setup_;
    DoseEvents doses_;
    TriggerWatch watch_;
    std::span<Passage> passages_; ///< lanes carry these instead of subjects
    int next_ = 0;                ///< subject or passage
    int n_live_ = 0, n_fresh_ = 0;

    std::vector<LaneState> lanes_, before_; ///< before_: where triggers are watched, the step
    std::vector<SubjectEvents> events_;     ///< per lane
    std::vector<int> running_;              ///< [n_states × width] infusions running
    std::vector<double> follows_; ///< [n_controlled × width] 1: scale is the largest value so far
    std::vector<double> since_event_;     ///< [width] of points
    std::vector<double> from_, to_;       ///< [width] the piece just covered
    std::vector<char> accepted_, finite_; ///< [width]
    std::vector<SolverStatus> failure_;   ///< [width] of the step just taken
};

} // namespace gemel::sim
