#include "bench/cases/case.hpp"
#include "bench/executors.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

/// The cases against hand-written baselines, as <case>/<engine>/<method>/<rtol>; the time of one
/// patient is the counter `us` (CPU time of the thread), errors are those of the first patients
/// against Fehlberg 8(7) at 1e-13. Tables: tools/bench_table.py.
using namespace gemel;
using namespace gemel::bench;

namespace {

constexpr int n_patients = 1024;     ///< that the engine solves as one block
constexpr int n_compared = 64;       ///< at most, with the reference
constexpr int n_block = 128;         ///< of a file of that many values a patient
constexpr int n_population = 10'000; ///< of the closed form and its limit
constexpr double baseline_rtols[] = {1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9};
constexpr double lane_rtols[] = {1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7};
constexpr double compared_rtols[] = {1e-6}; ///< of the engine's own code and LLVM's

/// A case with its patients and, once it is asked for, its reference.
class Prepared {
public:
    explicit Prepared(const Case& what)
        : case_(what),
          problem_(what.problem()),
          inputs_(problem_.patients(n_patients)),
          compared_(task_of(problem_, inputs_, n_patients, std::min(n_compared, what.n_timed))) {}

    const Case& definition() const { return case_; }
    const sim::Problem& problem() const { return problem_; }
    const std::vector<double>& inputs() const { return inputs_; }
    Task timed() const { return task_of(problem_, inputs_, n_patients, case_.n_timed); }
    const sim::CompiledSystem& system() {
        if (!system_)
            system_ = std::make_unique<sim::CompiledSystem>(sim::compile(problem_.system));
        return *system_;
    }
    /// @param values  of a task of n patients
    Errors errors_of(std::span<const double> values, int n) {
        if (reference_.empty()) {
            reference_.resize(compared_.n_values());
            case_.reference(compared_, 1e-13, reference_);
        }
        return errors(compared_, first_patients(compared_, values, n), reference_);
    }

private:
    Case case_;
    sim::Problem problem_;
    std::vector<double> inputs_;
    Task compared_;
    std::vector<double> reference_;
    std::unique_ptr<sim::CompiledSystem> system_;
};

void report(benchmark::State& state, int n, double n_steps, double n_rejected, const Errors& e) {
    using benchmark::Counter;
    state.counters["us"] = Counter(1e-6 * n, Counter::kIsIterationInvariantRate | Counter::kInvert);
    state.counters["steps"] = n_steps / n;
    state.counters["rejected"] = n_rejected / n;
    state.counters["rms"] = e.rms;
    state.counters["max"] = e.largest;
}

void solve_baseline(benchmark::State& state, Prepared& prepared, Baseline baseline, double rtol) {
    const Task task = prepared.timed();
    std::vector<double> values(task.n_values());
    Counts counts;
    for (auto _ : state)
        counts = baseline(task, rtol, values);
    report(state,
           task.n_patients,
           static_cast<double>(counts.n_steps),
           static_cast<double>(counts.n_rejected),
           prepared.errors_of(values, task.n_patients));
}

/// All outputs of a block, one after the other.
std::vector<double> values_of(const sim::BlockResult& result) {
    std::vector<double> values;
    for (const std::vector<double>& output : result.sampled)
        values.insert(values.end(), output.begin(), output.end());
    return values;
}

template <class T>
double sum(const std::vector<T>& values) {
    double total = 0.0;
    for (const T value : values)
        total += static_cast<double>(value);
    return total;
}

void solve_block(benchmark::State& state,
                 Prepared& prepared,
                 const sim::Solver& solver,
                 const sim::SolverOptions& options) {
    const auto solvers = solver.prepare(prepared.system(), options);
    const auto worker = solvers->worker();
    const sim::BlockProblem problem{n_patients,
                                    prepared.inputs(),
                                    &prepared.problem().timeline,
                                    &prepared.problem().observation};
    sim::BlockResult result;
    for (auto _ : state)
        worker->solve(problem, result);
    for (const sim::SolverStatus status : result.status)
        if (status != sim::SolverStatus::ok)
            return state.SkipWithError(std::string(name(status)).c_str());
    report(state,
           n_patients,
           sum(result.n_steps),
           sum(result.n_rejected),
           prepared.errors_of(values_of(result), n_patients));
    if (solver.is_counted)
        state.counters["operations"] = step_operations(prepared.system(), solver.name);
}

/// From equations to the first steps of a patient: derivatives, lowering, code.
void make_ready(benchmark::State& state,
                const Prepared& prepared,
                const sim::Solver& solver,
                const sim::SolverOptions& options) {
    const std::vector<double> inputs = prepared.problem().patients(1);
    const sim::Timeline moment{.records = {}, .end = 1e-6};
    const sim::Observation nothing;
    const auto start = [&] {
        const sim::CompiledSystem system = sim::compile(prepared.problem().system);
        const auto solvers = solver.prepare(system, options);
        sim::BlockResult result;
        solvers->worker()->solve({1, inputs, &moment, &nothing}, result);
    };
    start(); // what is kept is kept
    for (auto _ : state)
        start();
}

/// A whole population in blocks, each written over the one before, as files are written; in one
/// block, beyond the caches.
void solve_population(benchmark::State& state,
                      Prepared& prepared,
                      const sim::Solver& solver,
                      int block_size) {
    const auto solvers = solver.prepare(prepared.system(), {});
    const auto worker = solvers->worker();
    const std::vector<double> all = prepared.problem().patients(n_population);
    const std::size_t n_inputs = prepared.problem().medians.size();
    sim::BlockResult result;
    std::vector<double> inputs(n_inputs * std::size_t(block_size));
    for (auto _ : state)
        for (int first = 0; first < n_population; first += block_size) {
            const int n = std::min(block_size, n_population - first);
            for (std::size_t i = 0; i < n_inputs; ++i)
                std::copy_n(
                    all.data() + i * n_population + first, n, inputs.data() + i * std::size_t(n));
            worker->solve({n,
                           std::span(inputs).first(n_inputs * std::size_t(n)),
                           &prepared.problem().timeline,
                           &prepared.problem().observation},
                          result);
        }
    report(state, n_population, 0.0, 0.0, {});
}

/// What writing the output alone takes: a whole population's, or the same block again and again.
void fill_output(benchmark::State& state, const Prepared& prepared, int n_filled) {
    const Task task = prepared.timed();
    std::vector<double> output(std::size_t(n_filled) * task.times.size() *
                               std::size_t(task.n_outputs));
    const int n_rounds = n_population / n_filled;
    for (auto _ : state)
        for (int round = 0; round < n_rounds; ++round) {
            std::memset(output.data(), round & 1, output.size() * sizeof(double));
            benchmark::DoNotOptimize(output.data());
            benchmark::ClobberMemory();
        }
    report(state, n_rounds * n_filled, 0.0, 0.0, {});
}

template <class Run>
void add(const std::string& name, Run run) {
    benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMillisecond);
}

void add_baselines(const std::shared_ptr<Prepared>& prepared) {
    const Case& c = prepared->definition();
    const struct {
        const char* name;
        Baseline baseline;
    } rows[] = {
        {"odeint/dopri5", c.odeint}, {"cvode/bdf", c.cvode}, {"cvode-klu/bdf", c.cvode_klu}};
    for (const auto& row : rows)
        for (const double rtol : baseline_rtols)
            if (row.baseline != nullptr)
                add(fmt::format("{}/{}/{:.0e}", c.name, row.name, rtol),
                    [prepared, baseline = row.baseline, rtol](benchmark::State& state) {
                        solve_baseline(state, *prepared, baseline, rtol);
                    });
}

void add_lanes(const std::shared_ptr<Prepared>& prepared,
               const LaneExecutor& executor,
               std::span<const double> rtols) {
    const char* const engine = executor.engine;
    for (const sim::Solver& solver : sim::solvers()) {
        const bool is_fit = solver.is_stiff || !prepared->problem().is_stiff;
        if (!solver.is_counted || !is_fit || !solver.applies(prepared->system())) continue;
        const auto add_latency = [&](const char* kind, const sim::SolverOptions& options) {
            add(fmt::format("{}/{}{}-latency/{}",
                            prepared->definition().name,
                            executor.engine,
                            kind,
                            solver.name),
                [prepared, options, &solver](benchmark::State& state) {
                    make_ready(state, *prepared, solver, options);
                });
        };
        sim::SolverOptions options = lane_options(executor);
        add_latency("", options);
        if (executor.code == &llvm_code()) {
            options.native_code = &kept_code();
            add_latency("-kept", options);
        }
        for (const double rtol : rtols)
            add(fmt::format(
                    "{}/{}/{}/{:.0e}", prepared->definition().name, engine, solver.name, rtol),
                [prepared, executor, &solver, rtol](benchmark::State& state) {
                    solve_block(state, *prepared, solver, lane_options(executor, rtol));
                });
    }
}

void add_exact(const std::shared_ptr<Prepared>& prepared) {
    const std::string case_name = prepared->definition().name;
    for (const sim::Solver& solver : sim::solvers()) {
        if (solver.order != 0 || !solver.applies(prepared->system())) continue;
        add(fmt::format("{}/exact/{}", case_name, solver.name),
            [prepared, &solver](benchmark::State& state) {
                solve_block(state, *prepared, solver, {});
            });
        for (const int block_size : {n_block, n_population})
            add(fmt::format("{}/exact-{}/{}",
                            case_name,
                            block_size == n_block ? "blocks" : "population",
                            solver.name),
                [prepared, block_size, &solver](benchmark::State& state) {
                    solve_population(state, *prepared, solver, block_size);
                });
    }
    add(case_name + "/memset/population",
        [prepared](benchmark::State& state) { fill_output(state, *prepared, n_population); });
    add(case_name + "/memset/blocks",
        [prepared](benchmark::State& state) { fill_output(state, *prepared, n_block); });
}

} // namespace

int main(int argc, char** argv) {
    for (const Case& c : all_cases()) {
        const auto prepared = std::make_shared<Prepared>(c);
        add_baselines(prepared);
        for (const LaneExecutor& executor : lane_executors())
            add_lanes(prepared, executor, lane_rtols);
        if (const auto llvm = llvm_executor()) add_lanes(prepared, *llvm, compared_rtols);
        if (prepared->system().structure.is_linear) add_exact(prepared);
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
