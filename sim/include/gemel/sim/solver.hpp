#pragma once

#include <gemel/sim/ode_system.hpp>
#include <gemel/sim/timeline.hpp>

#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Solvers: from a block of subjects and an arm's timeline to sampled outputs and functionals.
namespace gemel::sim {

/// How a subject's solve ended. Anything but ok: all its results in that arm are NaN.
enum class SolverStatus : std::uint8_t {
    ok,
    invalid_parameter, ///< a parameter, initial value, lag or bioavailability is not a finite
                       ///< number
    not_finite,        ///< a state or output became infinite or NaN
    step_limit,        ///< more steps than SolverOptions::max_steps, or triggers that acted
                       ///< 100,000 times
    step_too_small,    ///< step size below 16 ulp of the time
    singular,          ///< the linear systems of the solver could not be solved
    stiff,             ///< an explicit solver met a stretch where stability alone sets its steps
    no_steady_state    ///< doses for ever lead to none, or it was not found
};
inline constexpr std::string_view solver_status_names[] = {"ok",
                                                           "invalid_parameter",
                                                           "not_finite",
                                                           "step_limit",
                                                           "step_too_small",
                                                           "singular",
                                                           "stiff",
                                                           "no_steady_state"};
inline constexpr int n_solver_statuses = static_cast<int>(std::size(solver_status_names));
static_assert(n_solver_statuses == static_cast<int>(SolverStatus::no_steady_state) + 1);
std::string_view name(SolverStatus status); ///< "ok", "invalid_parameter", …

class NativeCode;

/// Who runs lane programs. The choice changes no bit of any result.
enum class ExecutorChoice : std::uint8_t {
    interpreter, ///< nothing is compiled
    native,      ///< compiled before the first subject
    automatic    ///< native once that pays, and is there; interpreted until then
};
inline constexpr std::string_view executor_choice_names[] = {"interpreter", "native", "automatic"};

struct SolverOptions {
    double rtol = 1e-6;
    std::int64_t max_steps = 1'000'000; ///< accepted and rejected, per subject and arm
    int width = 0; ///< lanes of the interpreter; 0: lanes_for(). Changes no bit of any result
    bool falls_back = true; ///< subjects that a lane solver gives up are solved by CVODE
    /// Of lane solvers; others have no native code.
    ExecutorChoice executor = ExecutorChoice::interpreter;
    const NativeCode* native_code = nullptr; ///< who makes it; outlives the solver
    std::int64_t expected_subjects = 0;      ///< that will come, of all arms; 0: nobody knows
};

/// The lanes for a block where nothing else is asked for: those whose values fit in registers
/// (best_width), 8 for very few subjects.
int lanes_for(int n_subjects);

/// One number per subject, taken from an output while it is solved: exact in time, not from a grid.
enum class FunctionalKind : std::uint8_t {
    integral,        ///< ∫ output dt over [from, to], output unit × time unit
    maximum,         ///< largest value on [from, to]
    time_of_maximum, ///< when, the first time it is reached
    value_before,    ///< left limit at `to`: before anything that happens at that time
    time_above,      ///< time in [from, to] during which output > threshold
    minimum,         ///< smallest value on [from, to]
    time_of_minimum, ///< when, the first time it is reached
    times_acted      ///< how often the trigger of number `output` came in [from, to]
};
struct Functional {
    FunctionalKind kind = FunctionalKind::integral;
    int output = 0; ///< of times_acted: the timeline's trigger, or −1 for none, which never comes
    double from = 0.0;
    double to = 0.0;
    double threshold = 0.0;

    bool operator==(const Functional&) const = default;
};

struct SampledOutput {
    int output = 0;
    std::vector<double> times; ///< strictly increasing, within [timeline.start, timeline.end]

    bool operator==(const SampledOutput&) const = default;
};

/// What to take from a solve.
struct Observation {
    std::vector<SampledOutput> sampled;
    std::vector<Functional> functionals;
    std::vector<int> own_outputs = {}; ///< taken at each subject's own samples
};

/// @throws std::invalid_argument naming what is wrong: no such output, times that do not increase
///         or leave [start, end], a window that is empty or leaves [start, end], a trigger that
///         means nothing
void validate(const Observation& observation,
              const CompiledSystem& system,
              const Timeline& timeline);

/// A subject that stopped on its way, with all that it takes to go on with the same bits as if it
/// had not (closed forms: of subjects with something of their own, else to rounding): to be kept,
/// copied, or handed to another solver made ready in the same way. Plain numbers.
struct ParkedSubject {
    std::vector<double> numbers;            ///< empty: it did not get there
    SolverStatus status = SolverStatus::ok; ///< otherwise why it did not
    bool fell_back = false;                 ///< to CVODE
    std::size_t n_records = 0;              ///< that the timeline had
};

/// Subjects that are solved together. Column-major: one column of n_subjects values per input.
struct BlockProblem {
    int n_subjects = 0;
    /// [n_inputs × n_rows]; a subject's rows stand together, in order of time
    std::span<const double> inputs;
    const Timeline* timeline = nullptr;
    const Observation* observation = nullptr;
    /// [n_subjects] what subjects have for themselves; empty: nothing, and a row of inputs each
    std::span<const SubjectTimeline* const> own = {};
    /// Subjects stop here, before what happens at this time, and are parked: steps end here.
    double park_at = std::numeric_limits<double>::infinity();
    /// [n_subjects] they go on from there, with inputs, subjects' own timelines, observation and
    /// the records of before; the timeline may have further records, of no steady state and not
    /// into transit compartments, that come from then on. nullptr, or empty: from the start.
    std::span<const ParkedSubject* const> resume = {};

    const ParkedSubject* parked(int subject) const {
        return resume.empty() ? nullptr : resume[static_cast<std::size_t>(subject)];
    }
    int n_rows_of(int subject) const {
        return own.empty()
                   ? 1
                   : 1 + static_cast<int>(own[static_cast<std::size_t>(subject)]->switches.size());
    }
};

struct BlockResult {
    std::vector<std::vector<double>> sampled; ///< per sampled output: [n_subjects × n_times]
    std::vector<double> functionals;          ///< [n_functionals × n_subjects]
    /// Per own output: the subjects' own samples, subject after subject, from own_first[subject]
    /// on.
    std::vector<std::vector<double>> own;
    std::vector<std::size_t> own_first; ///< [n_subjects + 1]; empty where there are none
    std::vector<double> parameters;     ///< individual parameters [n_parameters × n_subjects],
                                        ///< of a subject's first row
    std::vector<SolverStatus> status;   ///< [n_subjects]
    std::vector<double> stopped_at;     ///< [n_subjects] time reached; timeline.end when ok and not
                                        ///< parked
    std::vector<std::uint32_t> n_steps; ///< [n_subjects] accepted steps; 0 for exact solvers
    std::vector<std::uint32_t> n_rejected; ///< [n_subjects]
    std::vector<std::uint8_t> fell_back;   ///< [n_subjects] 1: solved by CVODE after a failure
    /// [n_subjects] where the problem parks them; else empty. Their samples up to then are here,
    /// the others NaN; functionals come where they end, and samples from then on.
    std::vector<ParkedSubject> parked;

    /// Sizes everything for a problem, values NaN.
    void reset(const CompiledSystem& system, const BlockProblem& problem);
    /// The same, but shared samples keep what values they had: for solvers that write all of them.
    void resize(const CompiledSystem& system, const BlockProblem& problem);
};

/// Solves blocks, one after the other; has its own workspace, so one per thread.
class BlockSolver {
public:
    virtual ~BlockSolver() = default;
    virtual void solve(const BlockProblem& problem, BlockResult& result) = 0;
};

/// A solver made ready for a system: immutable, shared by threads.
class PreparedSolver {
public:
    virtual ~PreparedSolver() = default;
    virtual std::unique_ptr<BlockSolver> worker() const = 0;
    /// What a step of one subject costs, counted in additions; 0: nobody counts.
    virtual double step_cost() const { return 0.0; }
    /// Who runs its programs, so far: "interpreter", "native", "interpreter, then native".
    virtual std::string executor() const { return "interpreter"; }
};

/// A row of the one list of solvers.
struct Solver {
    std::string_view name;
    std::string_view about;
    int order = 0;             ///< of convergence in the step size; 0: exact up to rounding
    bool is_stiff = false;     ///< fit for stiff systems
    bool is_reference = false; ///< for checking, not chosen by structure
    bool (*applies)(const CompiledSystem&) = nullptr;
    std::unique_ptr<PreparedSolver> (*prepare)(const CompiledSystem&,
                                               const SolverOptions&) = nullptr;
    bool is_portable = false; ///< the same bits on every machine: tier "everywhere"
    /// In words, where it does not apply to a system that its kind could solve.
    std::string (*why_not)(const CompiledSystem&) = nullptr;
    bool falls_back = false; ///< CVODE solves what it gives up as singular, step_too_small or stiff
    bool has_variable_order = false; ///< `order` is the largest
    bool is_counted = false; ///< its steps have a counted cost: weighed against others on pilots
};

std::span<const Solver> solvers();                ///< the registry, in order of preference
const Solver* find_solver(std::string_view name); ///< nullptr if there is none of that name

/// A solver made ready, with CVODE behind it where both its row and the options say so.
std::unique_ptr<PreparedSolver>
prepare(const Solver& solver, const CompiledSystem& system, const SolverOptions& options);

/// Patients on whom solvers are weighed by counts, never by times: synthetic and fixed, so that the
/// choice rests on the model and the arm alone, not on seed, size or machine.
struct Pilot {
    int n_subjects = 0;
    std::vector<double> inputs; ///< [n_inputs × n_subjects]
    Timeline timeline;
};

/// The solver for a structure: the first that applies and is no reference. If its steps have a
/// counted cost and there is a pilot, the cheapest of that kind: steps on the pilot, rejected ones
/// included, times what a step costs; one that fails a pilot patient is out. `why` in words.
struct SolverChoice {
    const Solver* solver = nullptr;
    std::string why;
};
SolverChoice choose_solver(const CompiledSystem& system,
                           const SolverOptions& options = {},
                           const Pilot* pilot = nullptr);

} // namespace gemel::sim
