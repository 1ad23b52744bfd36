#pragma once

#include "solve/lane_engine.hpp"

#include <gemel/sim/native_code.hpp>
#include <gemel/sim/solver.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gemel::sim {

/// When a method's programs become native code. With `native` it is there from the start, and with
/// `automatic` too where it is made at once, for all but a few subjects. Elsewhere workers begin
/// interpreting and report what they did; once what lies ahead would pay for the code twice over,
/// it is made beside them, and they take it up between two blocks: no bit changes. From any thread.
class NativeTier {
public:
    /// @throws std::runtime_error with `native`, if there can be no native code
    NativeTier(const LaneMethod& method, const SolverOptions& options);
    ~NativeTier();

    /// Runs the method's programs at width(), if it is there.
    std::shared_ptr<const Executor> executor() const;
    /// Lanes of native code: two registers of AVX-512 hide each other's latency where they fit.
    int width() const { return width_; }
    /// Subjects and the steps they took, interpreted.
    void note(std::int64_t n_subjects, std::int64_t n_steps);
    /// "interpreter", "native", or what came first.
    std::string describe() const;

private:
    std::vector<const LaneProgram*> programs() const;
    bool is_wanted_at_once() const;
    void begin_native(std::shared_ptr<const Executor> executor);
    void make();

    const LaneMethod& method_;
    ExecutorChoice choice_;
    const NativeCode* native_;
    std::int64_t expected_;
    int width_ = 8;
    std::atomic<std::int64_t> n_subjects_{0}, n_steps_{0};
    std::atomic<bool> is_asked_for_{false}; ///< made, being made, or not to be had
    mutable std::mutex mutex_;              ///< of executor_
    std::shared_ptr<const Executor> executor_;
    std::atomic<bool> is_there_{false};
    std::thread maker_;
};

/// Whether making code for programs of `n_operations` pays: what is left of a run, at the pace of
/// what was done, against the making. Counted, in additions: an interpreted operation costs one,
/// native code saves four fifths of it, and making takes as long as 170,000 per operation
/// (measured: 0.3 ns and 50 µs; docs/decisions/native_code.md). Never for fewer than 200 subjects.
///
/// @param expected   subjects of the whole run; 0: nobody knows, as many again are taken to come
/// @param step_cost  counted_cost() of a step
bool native_code_pays(std::int64_t expected,
                      std::int64_t n_subjects,
                      std::int64_t n_steps,
                      double step_cost,
                      std::int64_t n_operations);

} // namespace gemel::sim
