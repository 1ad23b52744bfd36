#pragma once

#include "solve/controlled_step.hpp"
#include "solve/dose_events.hpp"
#include "solve/error_scale.hpp"
#include "solve/lane_set.hpp"
#include "solve/observer.hpp"
#include "solve/points_of_lanes.hpp"
#include "solve/triggers.hpp"

#include <gemel/sim/solver.hpp>

#include <cstdint>
#include <vector>

/// Advances a block's subjects side by side, each lane in its own time with its own step; a lane
/// that is done takes the next subject. Nothing a lane computes depends on another lane.
namespace gemel::sim {

/// Places of the method's programs in LaneMethod::programs.
inline constexpr int step_program = n_common_programs, rates_program_number = n_common_programs + 1,
                     look_program_number = n_common_programs + 2,
                     edge_program_number = n_common_programs + 3,
                     samples_program_number = n_common_programs + 4;

/// What the engine itself does per step and lane (control, samples, bookkeeping), in additions of
/// the interpreter. Measured once, fixed since: a weight, not a promise.
inline constexpr double engine_cost = 50.0;

/// A system made ready for the engine. Immutable, shared by workers; keeps its own copy of the
/// system.
struct LaneMethod {
    LaneMethod(const CompiledSystem& system,
               const StepMethod& method,
               const SolverOptions& options);

    CompiledSystem system;
    SolverOptions options;
    StepLayout layout;
    ProgramSet programs; ///< the common ones, then `step`, `rates`, `look`, `edge`, `samples`
};

/// One lane at a step end, besides its columns: states, rates, infusions, scales, doses running and
/// controls (controlled_step.hpp). States of the exact part are those of the last event until the
/// next. With its events, and what its observer and triggers know of it this is everything: put
/// into any lane of any engine of the same method it goes on with the same bits (LaneEngine::keep).
struct LaneState {
    int subject = -1; ///< of the block; −1: the lane is idle
    double end = 0.0; ///< of the subject's way
    std::int64_t n_rejected = 0;
    std::uint32_t next_event = 0;
    int n_singular = 0;                       ///< halvings in a row for bad linear algebra
    int n_at_the_edge = 0;                    ///< steps as long as stability allows …
    int n_inside = 0;                         ///< … and well shorter ones since the last of them
    bool is_watched = false;                  ///< its next step is looked at for stability
    bool was_not_finite = false;              ///< the last rejected step
    bool is_on_its_way_to_a_crossing = false; ///< it stops where a trigger acts
};

class LaneEngine : public BlockSolver, private StateCarrier, private LaneCurves {
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
        return workspace_.data() + (first_slot_[static_cast<std::size_t>(kind)] + index) * width_;
    }
    const double* column(LeafKind kind, int index) const {
        return workspace_.data() + (first_slot_[static_cast<std::size_t>(kind)] + index) * width_;
    }
    double* column(Leaf leaf) { return column(leaf.kind, leaf.index); }
    double* column(Control which) { return column(control(which)); }
    double& at(Control which, int lane) { return column(which)[lane]; }
    double at(Control which, int lane) const {
        return column(LeafKind::control, static_cast<int>(which))[lane];
    }
    std::int64_t n_steps(int lane) const;
    void set_steps(int lane, std::int64_t accepted);

    double clock(int lane) const;
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
    void follow(int state, int lane, bool follows);
    void idle(int lane);
    void arrive(int lane);
    void settle_exact_part(int lane);
    SubjectColumns columns(int lane);
    void start_fresh_lanes();
    double first_step(int lane) const;
    double rms_of_relative_rates(int lane) const;
    void take_step();
    void find_called();
    void keep_before();
    void take_back(int lane);
    void judge(int lane);
    void judge_rejected(int lane, Verdict verdict);
    void watch_stability(int lane);
    void set_watch(int lane);
    double watch(int lane) const;
    void set_alarm(int lane);
    void follow_scales();
    void show();
    void go_on(int lane);
    void fail(int lane, SolverStatus status);
    void write_counts(int lane);
    const double* at_points(int n_points, const int* lanes, const double* times) override;
    const double* at_lanes(const double* times) override;
    const double* at_samples() override;
    void gather(int first, int n, int lane) override;
    const double* at_gathered() override;

    const LaneMethod& method_;
    int width_ = 0, n_states_ = 0, n_own_ = 0, n_controlled_ = 0, n_inputs_ = 0, n_derived_ = 0;
    std::array<int, n_leaf_kinds> first_slot_{}; ///< of each kind
    double start_tolerance_ = 0.0;               ///< ½·rtol^(1/5)
    SetupPrograms setup_programs_;
    DenseObserver observer_;
    std::unique_ptr<Kernel> step_, rates_, look_, edge_, samples_;
    PointsOfLanes points_, gathered_; ///< for `look`: points asked for, and samples
    Workspace workspace_;

    const BlockProblem* problem_ = nullptr;
    BlockResult* result_ = nullptr;
    BlockSetup setup_;
    DoseEvents doses_;
    TriggerWatch watch_;
    ErrorScales scales_;
    std::span<Passage> passages_; ///< lanes carry these instead of subjects
    int next_ = 0;                ///< subject or passage
    int n_live_ = 0;
    int n_watched_ = 0;   ///< lanes that are watched
    int n_following_ = 0; ///< scales that follow the largest value so far

    std::vector<LaneState> lanes_, before_; ///< before_: where triggers are watched, the step
    std::vector<double> columns_before_;    ///< [kept slots × width] likewise
    std::vector<SubjectEvents> events_;     ///< per lane
    std::vector<int> running_;              ///< [n_states × width] infusions running
    std::vector<double> follows_; ///< [n_controlled × width] 1: scale is the largest value so far
    LaneSet fresh_;               ///< lanes that need a first step: at the start and after events
    LaneSet called_;              ///< lanes that ask for attention
    LaneSet due_;                 ///< lanes with a sample to take
    std::vector<char> accepted_;  ///< [width] of called lanes
    std::vector<char> shown_;     ///< [width] 0 of lanes that are not
    std::vector<SolverStatus> failure_; ///< [width] of the step just taken
};

} // namespace gemel::sim
