#include <gemel/sim/parallel.hpp>
#include <gemel/sim/run.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

namespace gemel::sim {
namespace {

/// What one worker number keeps between blocks.
struct Worker {
    std::vector<std::unique_ptr<BlockSolver>> solvers; ///< per arm
    std::vector<double> inputs;
    BlockResult result;
    std::vector<std::vector<std::uint64_t>> status_counts; ///< [arm][status]
    std::uint64_t n_fell_back = 0;
};

void check_switches(std::span<const Record> records, const OdeSystem& system) {
    for (const Record& record : records)
        if ((record.kind == RecordKind::switch_off || record.kind == RecordKind::switch_on) &&
            system.states[static_cast<std::size_t>(record.state)].switch_state < 0)
            throw std::invalid_argument(
                fmt::format("run: a record switches state {}, which has no switch", record.state));
}

void validate(const RunRequest& request) {
    if (!request.system) throw std::invalid_argument("run: system is not set");
    if (!request.inputs) throw std::invalid_argument("run: inputs is not set");
    if (request.block_size == 0) throw std::invalid_argument("run: block_size is 0");
    const OdeSystem& system = request.system->system;
    if (!request.own.empty() &&
        request.own.size() < request.subjects.first + request.subjects.count)
        throw std::invalid_argument(
            fmt::format("run: {} subjects have something of their own", request.own.size()));
    for (std::size_t arm = 0; arm < request.arms.size(); ++arm) {
        const ArmProblem& problem = request.arms[arm];
        if (!problem.solver)
            throw std::invalid_argument(fmt::format("run: arm {} has no solver", arm));
        validate(problem.timeline, system.n_own_states(), static_cast<int>(system.inputs.size()));
        validate(problem.observation, *request.system, problem.timeline);
        check_switches(problem.timeline.records, system);
        for (const Trigger& trigger : problem.timeline.triggers)
            check_switches({&trigger.record, 1}, system);
        const auto check = [&](const SubjectTimeline& own) {
            validate(own,
                     problem.timeline,
                     system.n_own_states(),
                     static_cast<int>(system.inputs.size()));
            check_switches(own.records, system);
        };
        for (const SubjectTimeline* own : request.own)
            check(*own);
        if (request.everyone) check(*request.everyone);
    }
}

class Runner {
public:
    Runner(const RunRequest& request, Sink& sink, Monitor* monitor)
        : request_(request),
          sink_(sink),
          monitor_(monitor),
          workers_(static_cast<std::size_t>(workers(request.n_threads))),
          alike_(request.everyone ? std::min(request.block_size, request.subjects.count) : 0,
                 request.everyone) {}

    RunReport run() {
        const std::uint64_t n_blocks =
            (request_.subjects.count + request_.block_size - 1) / request_.block_size;
        parallel_for(n_blocks, request_.n_threads, [this](std::size_t block, int worker) {
            solve_block(block, workers_[static_cast<std::size_t>(worker)]);
        });
        return report();
    }

private:
    bool is_cancelled() {
        if (monitor_ && monitor_->is_cancelled()) was_cancelled_ = true;
        return was_cancelled_;
    }

    void start(Worker& worker) const {
        for (const ArmProblem& arm : request_.arms)
            worker.solvers.push_back(arm.solver->worker());
        worker.status_counts.assign(request_.arms.size(),
                                    std::vector<std::uint64_t>(n_solver_statuses, 0));
    }

    std::span<const SubjectTimeline* const> own(const SubjectRange& range) const {
        if (request_.everyone)
            return std::span<const SubjectTimeline* const>(alike_).first(range.count);
        return request_.own.empty() ? request_.own : request_.own.subspan(range.first, range.count);
    }

    std::size_t n_rows(const SubjectRange& range) const {
        std::size_t n = range.count;
        for (const SubjectTimeline* subject : own(range))
            n += subject->switches.size();
        return n;
    }

    /// A block is drawn once and solved in every arm, or not at all.
    void solve_block(std::size_t block, Worker& worker) {
        if (is_cancelled()) return;
        const std::uint64_t offset = block * request_.block_size;
        const SubjectRange range{request_.subjects.replicate,
                                 request_.subjects.first + offset,
                                 std::min(request_.block_size, request_.subjects.count - offset)};
        const std::vector<std::size_t> arms = arms_to_solve(range);
        if (arms.empty()) return;
        if (worker.status_counts.empty()) start(worker);
        worker.inputs.resize(request_.system->system.inputs.size() * n_rows(range));
        request_.inputs(range, worker.inputs);
        for (const std::size_t arm : arms)
            solve_arm(arm, range, worker);
    }

    std::vector<std::size_t> arms_to_solve(const SubjectRange& range) const {
        std::vector<std::size_t> arms;
        for (std::size_t arm = 0; arm < request_.arms.size(); ++arm)
            if (!request_.is_done || !request_.is_done(arm, range)) arms.push_back(arm);
        return arms;
    }

    void solve_arm(std::size_t arm, const SubjectRange& range, Worker& worker) {
        const ArmProblem& problem = request_.arms[arm];
        worker.solvers[arm]->solve({static_cast<int>(range.count),
                                    worker.inputs,
                                    &problem.timeline,
                                    &problem.observation,
                                    own(range)},
                                   worker.result);
        std::uint64_t n_failed = 0;
        for (SolverStatus status : worker.result.status) {
            ++worker.status_counts[arm][static_cast<std::size_t>(status)];
            n_failed += status != SolverStatus::ok;
        }
        for (const std::uint8_t fell_back : worker.result.fell_back)
            worker.n_fell_back += fell_back;
        sink_.write(static_cast<int>(arm), range, worker.result);
        if (monitor_) monitor_->advance(range.count, n_failed);
    }

    RunReport report() const {
        RunReport report;
        report.was_cancelled = was_cancelled_;
        report.status_counts.assign(request_.arms.size(),
                                    std::vector<std::uint64_t>(n_solver_statuses, 0));
        for (const Worker& worker : workers_) {
            report.n_fell_back += worker.n_fell_back;
            for (std::size_t arm = 0; arm < worker.status_counts.size(); ++arm)
                for (std::size_t status = 0; status < n_solver_statuses; ++status) {
                    report.status_counts[arm][status] += worker.status_counts[arm][status];
                    report.n_solves += worker.status_counts[arm][status];
                }
        }
        return report;
    }

    const RunRequest& request_;
    Sink& sink_;
    Monitor* monitor_;
    std::vector<Worker> workers_;
    std::vector<const SubjectTimeline*> alike_; ///< [block_size] where all have the same
    std::atomic<bool> was_cancelled_ = false;
};

} // namespace

RunReport run(const RunRequest& request, Sink& sink, Monitor* monitor) {
    validate(request);
    return Runner(request, sink, monitor).run();
}

} // namespace gemel::sim
