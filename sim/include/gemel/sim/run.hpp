#pragma once

#include <gemel/sim/solver.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

/// Runs arms × subjects over threads; blocks of results leave through a Sink.
namespace gemel::sim {

/// Subjects [first, first + count) of one replicate.
struct SubjectRange {
    std::uint32_t replicate = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};

/// Where results go. `write` is called from many threads at once, in any order of blocks; the arms
/// of one block come one after the other, from one thread.
class Sink {
public:
    virtual ~Sink() = default;
    virtual void write(int arm, const SubjectRange& range, const BlockResult& result) = 0;
};

/// Progress and cancel. Called from many threads.
class Monitor {
public:
    virtual ~Monitor() = default;
    virtual void advance(std::uint64_t n_solves, std::uint64_t n_failed) = 0; ///< since last call
    virtual bool is_cancelled() const { return false; }
    /// Once, before the first call of `advance`: what a run before this one has done.
    virtual void resume(std::uint64_t /*n_solves*/, std::uint64_t /*n_failed*/) {}
};

struct ArmProblem {
    Timeline timeline;
    Observation observation;
    const PreparedSolver* solver = nullptr;
};

struct RunRequest {
    const CompiledSystem* system = nullptr;
    std::vector<ArmProblem> arms;
    SubjectRange subjects;
    std::uint64_t block_size = 256; ///< also the files' chunk; from the layout, never from threads
    int n_threads = 0;              ///< 0: all cores
    /// Fills the input columns [n_inputs × n_rows] of a range, n_rows being its subjects' rows of
    /// inputs, one each unless `own` says otherwise; pure, called from many threads, once per
    /// block.
    std::function<void(const SubjectRange& range, std::span<double> inputs)> inputs;
    /// What subjects have for themselves in every arm, by subject number, as far as the last one of
    /// `subjects`; empty: nothing.
    std::span<const SubjectTimeline* const> own = {};
    /// The same of all subjects, in place of `own`; nullptr: nothing.
    const SubjectTimeline* everyone = nullptr;
    /// Whether an arm of a block is there already, from a run before: it is then neither solved nor
    /// written. Pure, called from many threads; empty: none is.
    std::function<bool(std::size_t arm, const SubjectRange& range)> is_done = {};
};

struct RunReport {
    std::uint64_t n_solves = 0;
    std::vector<std::vector<std::uint64_t>> status_counts; ///< [arm][SolverStatus]
    std::uint64_t n_fell_back = 0; ///< solves that CVODE did for a solver that gave up
    bool was_cancelled = false;
};

/// Blocks in which all arms of a subject range are solved from one draw. Results of a subject
/// depend on nothing but its inputs and the arm.
RunReport run(const RunRequest& request, Sink& sink, Monitor* monitor = nullptr);

/// Keeps everything in memory: tests and library users. Pointer, shape and strides in bytes.
class MemorySink : public Sink {
public:
    MemorySink(const RunRequest& request);
    void write(int arm, const SubjectRange& range, const BlockResult& result) override;

    /// An array owned by the sink, [rows × columns] of doubles.
    struct View {
        const double* data = nullptr;
        std::int64_t shape[2] = {0, 0};
        std::int64_t strides[2] = {0, 0};
    };
    View sampled(int arm, int sampled_output) const; ///< [n_subjects × n_times]
    View functionals(int arm) const;                 ///< [n_functionals × n_subjects]
    View parameters() const;                         ///< [n_parameters × n_subjects]
    std::span<const SolverStatus> status(int arm) const;

private:
    struct Arm {
        std::vector<std::vector<double>> sampled;
        std::vector<std::int64_t> n_times;
        std::vector<double> functionals;
        std::vector<SolverStatus> status;
    };
    std::uint64_t first_ = 0;
    std::int64_t n_subjects_ = 0;
    std::vector<Arm> arms_;
    std::vector<double> parameters_;
};

} // namespace gemel::sim
