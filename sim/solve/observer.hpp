#pragma once

#include "solve/lane_set.hpp"
#include "solve/parking.hpp"
#include "solve/workspace.hpp"

#include <gemel/sim/lane_program.hpp>
#include <gemel/sim/solver.hpp>

#include <functional>
#include <limits>
#include <memory>
#include <vector>

/// What all solvers share: preparing a block's subjects, and observing a solution piece by piece.
/// A solver only steps; after each accepted step it shows the observer the piece of time it
/// covered.
namespace gemel::sim {

/// Columns computed from a block's inputs before any solve, by lane programs: [… × n_rows].
struct BlockSetup {
    int n_subjects = 0;
    int n_rows = 0;              ///< of inputs: one for each subject, more where they change
    std::vector<int> first_row;  ///< [n_subjects + 1]
    std::vector<double> derived; ///< [n_derived × n_rows], for the solver's own programs
    std::vector<double> initial; ///< [n_states × n_rows]
    /// [n_own_states × …]
    std::vector<double> bioavailability, lag, modelled_rate, modelled_duration;
    /// [n_wrt × 4 × n_own_states × …], the four in this order
    std::vector<double> modifier_derivatives;
    std::vector<double> parameters;             ///< [n_parameters × n_rows]
    std::vector<double> model_times;            ///< [n_model_times × n_rows]
    std::vector<double> model_time_derivatives; ///< [n_wrt × n_model_times × n_rows]
    std::vector<SolverStatus> status; ///< [n_subjects] invalid_parameter: a number is not finite
};

/// The programs every solver needs beside its own, lowered together with them so that they share
/// `derived` slots. [0] `initial`: result slots hold initial values, then bioavailability, lag,
/// modelled rate, modelled duration (0 where a state has none) of the own states, then the
/// parameters, then the modifiers' derivatives, then the model times and their derivatives. [1]
/// `outputs`: result slot k is output k, from inputs, states and time. [2] the rates of own states
/// where the time of a dose or of a corner has a derivative; otherwise empty. A solver's own
/// programs follow at index `n_common_programs`.
inline constexpr int outputs_program = 1;
inline constexpr int rates_at_doses = 2;
inline constexpr int n_common_programs = 3;
ProgramSet lower_with_common(CompiledSystem& system, std::span<const ProgramSpec> own);

class SetupPrograms {
public:
    SetupPrograms(const CompiledSystem& system,
                  const ProgramSet& set,
                  int width,
                  const Executor& executor = interpreter());
    void run(const BlockProblem& problem, BlockSetup& setup);

private:
    void size(BlockSetup& setup, const BlockProblem& problem) const;
    void store(BlockSetup& setup, int first, int count) const;
    void check(BlockSetup& setup) const;

    int width_ = 0;
    int n_inputs_ = 0, n_states_ = 0, n_own_ = 0, n_derived_ = 0, n_parameters_ = 0, n_wrt_ = 0;
    int n_model_times_ = 0;
    std::vector<int> not_negative_; ///< parameters whose law has no negative values
    WorkspaceLayout layout_;
    std::unique_ptr<Kernel> prepare_, initial_;
    Workspace workspace_;
};

class LaneCurves;

/// Samples outputs and accumulates functionals for `width` lanes that each move in their own time.
/// Every result of a subject depends on its own solution and on its own definition alone: not on
/// the width, the other lanes, or what else is observed.
class DenseObserver {
public:
    DenseObserver(const CompiledSystem& system,
                  const ProgramSet& set,
                  int width,
                  const Executor& executor = interpreter());

    /// A solver's own columns, [width].
    struct SampleColumns {
        double* next = nullptr;     ///< times of next samples
        double* due = nullptr;      ///< beyond which time a piece must go to take them
        double* gathered = nullptr; ///< times of samples gathered
        int many_lanes = 1;         ///< so many take a sample each where they lie
    };
    /// Times closer than a step can be are one, and what happens then comes first.
    void keep_samples_in(const SampleColumns& columns) {
        next_time_ = columns.next;
        next_due_ = columns.due;
        gathered_times_ = columns.gathered;
        many_lanes_ = columns.many_lanes;
    }
    /// Functionals take every piece in so many equal parts. Pieces of high order are long.
    void take_pieces_in(int n_parts) { n_parts_of_piece_ = n_parts; }
    /// Starts a problem; results go to `result` (already reset). Writes the parameters, and the
    /// status of subjects whose setup failed: a solver skips those. All three must outlive the
    /// solve.
    void begin(const BlockProblem& problem, const BlockSetup& setup, BlockResult& result);
    /// Lane `lane` now carries subject `subject` of the block, at the start. `lone_samples`: of the
    /// subject's own, those to be taken within pieces.
    void load(int lane, int subject, std::span<const int> lone_samples = {});
    /// Another row of the block's inputs holds from now on. Samples that are due by `time` still
    /// see the row before, if `is_after`: their states are given, as in finish().
    void load_row(int lane, int row);
    void take_due(int lane, double time, const double* states, std::ptrdiff_t stride);
    /// One of the subject's own samples, from states as in finish().
    void take_own(int lane, int sample, double time, const double* states, std::ptrdiff_t stride);

    /// Fills columns of states at points of the piece: states[i·width + p] for p < n_points is
    /// state i of lane lanes[p] at time from + theta[p]·(to − from) of that lane, with 0 ≤ theta
    /// ≤ 1. A lane may come several times; only states that outputs use are needed.
    struct Points {
        int n_points = 0;
        const int* lanes = nullptr;
        const double* theta = nullptr;
    };
    using Interpolate = std::function<void(const Points& points, double* states)>;

    /// A piece of each masked lane's solution: [from, to), the right end being the left limit
    /// there. Takes samples with from ≤ time < to and adds to functionals over the overlap. On a
    /// piece, outputs must be smooth enough for five Gauss points: solvers that could take longer
    /// steps (the exact ones) cut theirs, or have the observer bisect until each output is resolved
    /// or parts are no longer than `resolve_to`. Outputs that mention time are always bisected: no
    /// step knows of them. Pieces of a lane follow each other without gaps from time 0.
    void piece(const double* from,
               const double* to,
               const char* mask,
               const Interpolate& interpolate,
               double resolve_to = std::numeric_limits<double>::infinity());
    /// Only the samples of a piece, or of several at once: those need no smoothness. Functionals
    /// follow, after look_at(), from take_functionals().
    void
    sample(const double* from, const double* to, const char* mask, const Interpolate& interpolate);
    bool has_functionals() const { return !left_limits_.empty() || !lone_windows_.empty(); }
    /// The same in two parts, after look_at(): samples of lanes that have one due, from curves
    /// whose values come later, and functionals.
    void take_samples(LaneSet& lanes);
    void take_functionals(const char* mask,
                          double resolve_to = std::numeric_limits<double>::infinity());
    /// The first time from `now` on that a piece must reach for functionals to take note.
    double next_functional(double now) const;

    /// The lane reached the end: the last samples, from `states` (column of this lane: state i at
    /// states[i·stride]) after the events at the end; writes functionals, status and stopped_at.
    /// @returns not_finite if any result is not finite (all are NaN then), otherwise ok
    SolverStatus finish(int lane, double time, const double* states, std::ptrdiff_t stride);
    /// The lane failed: its results become NaN, status and stopped_at are written.
    void fail(int lane, SolverStatus status, double time);
    /// The lane stops on its way, before what happens at `time`; its results so far stay.
    void park(int lane, double time);
    /// What there is of a lane, after load(): to be kept, or taken back.
    void keep(int lane, Parking& parking);
    /// A trigger came.
    void note_action(int lane, int trigger, double time);

    /// Outputs on a piece, for others to look at. It stays the piece in hand until the next.
    void look_at(const double* from, const double* to, const Interpolate& interpolate);
    void look_at(const double* from, const double* to, LaneCurves& curves);
    /// Of masked lanes at their times: afterwards output(k)[lane].
    void evaluate(const double* times, const char* mask);
    const double* output(int index) const;
    double output_at(int lane, double time, int output);
    /// Of one lane from given states as in finish(): afterwards point_output(k)[0].
    void evaluate_alone(int lane, double time, const double* states, std::ptrdiff_t stride);
    const double* point_output(int index) const;
    bool uses_time(int output) const { return uses_time_[static_cast<std::size_t>(output)] != 0; }
    /// Whether the quartic through five points is near the output between them. `largest`: |output|
    /// so far, kept by the caller.
    bool is_resolved(int output, int lane, double begin, double end, double& largest);

private:
    struct Target {
        int sampled = 0;
        int index = 0;
    };
    struct TimedTarget {
        double time = 0.0;
        Target target;
    };
    /// The largest value of one output over one window, or of its negative: the smallest.
    struct Peak {
        int output = 0;
        double sign = 1.0;
        int slot = 0;                   ///< of best_value_ and best_time_
        std::vector<int> values, times; ///< functionals that want it
    };
    /// Functionals that share their window, so that nodes are evaluated once.
    struct Window {
        double from = 0.0, to = 0.0;
        int output = -1;                   ///< the only one here; −1: several
        int slot = 0;                      ///< of largest_ and n_parts_, if there is only one
        std::vector<int> integrals, above; ///< functionals
        std::vector<Peak> peaks;
    };
    struct LeftLimit {
        double time = 0.0;
        std::vector<int> functionals;
    };

    /// Where the values of a sampled output go, [n_subjects × n_times].
    struct Column {
        int output = 0;
        double* values = nullptr;
        std::size_t n_times = 0;
        std::ptrdiff_t first = 0; ///< of the output's values among those of points
    };

    void collect_samples();
    void collect_functionals();
    static Window& window(std::vector<Window>& windows, double from, double to, int output);
    static void add(Window& window, const Functional& functional, int id, int peak_slot);
    void take_due_points(const char* mask);
    int next_due_points(const char* mask);
    int take_next_shared(int lane);
    void store_in_rows(int n_points);
    void store(int lane, int point, int column);
    void store_shared(int lane, int point, int column);
    void take_next_of_lanes(LaneSet& lanes);
    void gather_shared(int lane);
    void gather_any(int lane);
    int next_gathered();
    void take_gathered();
    void check_rows(int lane);
    void store_own(int lane, int sample, int column);
    void find_next(int lane);
    void take_no_more(int lane);
    bool is_due(int lane) const { return next_due_[lane] < to_[lane]; }
    int take_next(int lane);
    void take_left_limits(const double* from, const double* to, const char* mask);
    bool overlap(const Window& window, const char* mask, int part = 0, int n_parts = 1);
    void take(const Window& window);
    void take_resolved(const Window& window, double shortest);
    bool next_part(const Window& window, int lane, double shortest);
    void integrate(const Window& window);
    void find_peaks(const Window& window);
    bool open_bracket(const Peak& peak, int peak_index, int lane);
    void refine_peak(const Peak& peak);
    void probe_peak(int lane, double value);
    void measure_above(const Window& window);
    void add_above(int which, const Window& window);
    bool next_crossing(const double* g);
    void locate_crossing(const Functional& above, double* total);
    void evaluate_points(int n_points);
    void run_outputs();
    void take_initial_limits(int lane, int subject);
    void keep(int functional, int lane, double value);
    const Functional& functional(int index) const;

    int width_ = 0;
    int n_states_ = 0, n_outputs_ = 0;
    int time_slot_ = 0, state_slot_ = 0, result_slot_ = 0; ///< the first of each kind
    std::vector<Leaf> fixed_; ///< inputs and derived values that outputs use
    std::vector<int> fixed_slots_;
    std::unique_ptr<Kernel> outputs_;
    Workspace workspace_;

    const BlockProblem* problem_ = nullptr;
    const BlockSetup* setup_ = nullptr;
    BlockResult* result_ = nullptr;

    std::vector<double> point_times_; ///< all sampled times, merged, then +inf
    std::vector<double> point_due_;   ///< which a piece must go beyond
    std::vector<int> point_targets_;  ///< offsets into targets_
    std::vector<Target> targets_;
    std::vector<TimedTarget> timed_targets_; ///< in order of time, then as they are given
    std::vector<Column> columns_;            ///< per sampled output
    int n_parts_of_piece_ = 1;
    bool is_simple_ = false;           ///< nobody has own samples, and outputs share their times
    std::vector<char> uses_time_;      ///< [n_outputs] an output mentions time itself
    std::vector<Window> windows_;      ///< of outputs that do not
    std::vector<Window> lone_windows_; ///< of all outputs, one output each
    std::vector<LeftLimit> left_limits_;
    int n_peaks_ = 0;

    std::vector<int> subject_, cursor_;     ///< [width]
    std::vector<std::size_t> row_;          ///< [width] places in columns of shared samples
    std::vector<std::span<const int>> own_; ///< [width] lone samples still to be taken
    std::vector<double> next_own_;          ///< [width] time of the first of them
    std::vector<double> fixed_values_;      ///< [fixed_ × width], of lanes
    std::vector<double> own_next_time_, own_next_due_; ///< [width], or room given by the solver:
    double* next_time_ = nullptr;                      ///< [width]
    double* next_due_ = nullptr;                       ///< [width]
    std::vector<char> is_bad_;                         ///< [width] a result is not finite
    std::vector<int> n_checked_;                 ///< [width] shared points that were looked at
    std::vector<double> total_;                  ///< [n_functionals × width]
    std::vector<double> best_value_, best_time_; ///< [n_peaks × width]
    std::vector<double> largest_;                ///< [lone_windows_ × width] |output| so far
    std::vector<int> n_parts_;                   ///< [lone_windows_ × width] so far
    /// A part of a piece still to be looked at, halved `depth` times.
    struct Part {
        double begin = 0.0, end = 0.0;
        int depth = 0;
    };
    std::vector<std::vector<Part>> pending_; ///< [width] stacks, earliest on top

    // Samples of any pieces and lanes, gathered until there are as many as lanes: [width].
    int n_gathered_ = 0;
    std::vector<int> gathered_lane_, gathered_point_; ///< or, where all samples are shared:
    std::vector<std::size_t> gathered_at_;            ///< places in a column
    double* gathered_times_ = nullptr;                ///< given by the solver
    int many_lanes_ = 1;

    // The piece in hand, and room for work on it.
    const double* from_ = nullptr;
    const double* to_ = nullptr;
    const Interpolate* interpolate_ = nullptr;  ///< this or
    LaneCurves* curves_ = nullptr;              ///< this
    const double* outputs_of_points_ = nullptr; ///< [n_outputs × width] of the points in hand
    std::vector<int> point_lane_, point_index_; ///< [width] of points
    std::vector<double> theta_, point_time_;    ///< [width] of points
    std::vector<double> results_;               ///< [n_outputs × width], of lanes
    std::vector<double> time_, begin_, end_;    ///< [width]
    std::vector<char> mask_, active_;           ///< [width]
    std::vector<double> nodes_;                 ///< [outputs in use × nodes × width]
    std::vector<double> bracket_time_, bracket_value_; ///< [3 × width]
    std::vector<double> part_begin_, part_end_;        ///< [width] a subinterval with a crossing
    std::vector<int> crossing_;                        ///< [width] next subinterval to look at
    std::vector<char> rises_, kept_;                   ///< [width] sign after; end that was kept
};

/// Solvers that have programs for their outputs between steps.
class LaneCurves {
public:
    virtual ~LaneCurves() = default;
    /// Outputs of points at their times: value k of point p at [k·width + p].
    virtual const double* at_points(int n_points, const int* lanes, const double* times) = 0;
    /// Outputs of every lane at its time, [width]: value k of lane l at [k·width + l].
    virtual const double* at_lanes(const double* times) = 0;
    /// The same at the lanes' next samples.
    virtual const double* at_samples() = 0;
    /// Points first … first + n − 1, of `width`, lie on this lane as it is now.
    virtual void gather(int first, int n, int lane) = 0;
    /// Outputs of all points gathered: value k of point p at [k·width + p].
    virtual const double* at_gathered() = 0;
};

} // namespace gemel::sim
