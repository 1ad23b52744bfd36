#include "bench/executors.hpp"
#include "engine.hpp"

#include <gemel/io/resources.hpp>
#include <gemel/scenarios/run_study.hpp>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

/// The populations on which mrgsolve and rxode2 were measured, as <study>/<engine>/<method>/<rtol>:
/// solving from drawn inputs to outputs in memory; <study>/draw; <study>/run: all from loading to
/// the result file, with drawing and writing. `us` is the process's CPU time per patient; `peak`
/// the largest error of the first 100 patients over each one's peak. Tables: tools/bench_table.py.
using namespace gemel;
using namespace gemel::bench;

namespace {

constexpr std::uint64_t n_compared = 100;
constexpr double rtols[] = {1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8};

const std::filesystem::path folder =
    std::filesystem::path(GEMEL_SOURCE_DIR) / "tests/bench/studies";

scenarios::Study load(const std::string& name, std::string_view solver, double rtol) {
    std::vector<std::string> overrides{fmt::format("study.rtol={}", rtol)};
    if (!solver.empty()) overrides.push_back(fmt::format("study.solver={}", solver));
    const io::Library library{{std::filesystem::path(GEMEL_SOURCE_DIR) / "library"}};
    return scenarios::load_study(folder / (name + ".toml"), library, {overrides, std::nullopt});
}

/// A study made ready to solve, with all its inputs.
class Solved {
public:
    Solved(const std::string& name,
           const sim::Solver& solver,
           const LaneExecutor& executor,
           double rtol)
        : study_(load(name, solver.name, rtol)),
          engine_(scenarios::make_engine(study_, {}, 0)),
          prepared_(solver.prepare(*engine_.system, lane_options(executor, rtol))),
          block_size_(scenarios::block_size_of(study_)),
          worker_(prepared_->worker()) {
        const std::size_t n_inputs = engine_.system->system.inputs.size();
        for (std::uint64_t first = 0; first < study_.population.size; first += block_size_) {
            const std::uint64_t n = std::min(block_size_, study_.population.size - first);
            inputs_.emplace_back(n_inputs * n);
            scenarios::fill_inputs(study_, study_.population.draw({0, first, n}), inputs_.back());
        }
    }

    std::uint64_t n_subjects() const { return study_.population.size; }

    const sim::BlockResult& solve(std::size_t block) {
        const std::uint64_t first = block * block_size_;
        const int n = static_cast<int>(std::min(block_size_, n_subjects() - first));
        const sim::ArmProblem& arm = engine_.arms.front();
        worker_->solve({n, inputs_[block], &arm.timeline, &arm.observation}, result_);
        return result_;
    }
    std::size_t n_blocks() const { return inputs_.size(); }

    /// Of the first patients, [n_outputs][n_compared × n_times].
    std::vector<std::vector<double>> first_patients() {
        std::vector<std::vector<double>> values;
        for (std::uint64_t first = 0; first < n_compared; first += block_size_) {
            const sim::BlockResult& result = solve(first / block_size_);
            values.resize(result.sampled.size());
            for (std::size_t k = 0; k < values.size(); ++k)
                values[k].insert(
                    values[k].end(), result.sampled[k].begin(), result.sampled[k].end());
        }
        for (std::size_t k = 0; k < values.size(); ++k)
            values[k].resize(n_compared * times(k).size());
        return values;
    }
    const std::vector<double>& times(std::size_t output) const {
        return engine_.arms.front().observation.sampled[output].times;
    }

private:
    scenarios::Study study_;
    scenarios::Engine engine_;
    std::unique_ptr<const sim::PreparedSolver> prepared_;
    std::uint64_t block_size_;
    std::unique_ptr<sim::BlockSolver> worker_;
    std::vector<std::vector<double>> inputs_; ///< [block]
    sim::BlockResult result_;
};

/// Rodas5P a thousand times sharper than it need be: check_studies.py holds it to the references.
const std::vector<std::vector<double>>& reference(const std::string& name) {
    static std::map<std::string, std::vector<std::vector<double>>> known;
    auto& values = known[name];
    if (values.empty())
        values =
            Solved(name, *sim::find_solver("rodas5p"), lane_executors()[0], 1e-11).first_patients();
    return values;
}

/// Largest error over each patient's peak, and the root mean square over all values.
struct PeakErrors {
    double largest = 0.0, rms = 0.0;
};
PeakErrors peak_errors(const std::vector<std::vector<double>>& values,
                       const std::vector<std::vector<double>>& exact) {
    PeakErrors errors;
    std::size_t n_values = 0;
    for (std::size_t k = 0; k < values.size(); ++k) {
        const std::size_t n_times = values[k].size() / n_compared;
        for (std::size_t first = 0; first < values[k].size(); first += n_times) {
            double peak = 0.0;
            for (std::size_t i = first; i < first + n_times; ++i)
                peak = std::max(peak, std::abs(exact[k][i]));
            for (std::size_t i = first; i < first + n_times; ++i) {
                const double error = std::abs(values[k][i] - exact[k][i]) / peak;
                errors.largest = std::max(errors.largest, error);
                errors.rms += error * error;
            }
        }
        n_values += values[k].size();
    }
    errors.rms = std::sqrt(errors.rms / static_cast<double>(n_values));
    return errors;
}

void count_time(benchmark::State& state, std::uint64_t n) {
    using benchmark::Counter;
    state.counters["us"] = Counter(1e-6 * static_cast<double>(n),
                                   Counter::kIsIterationInvariantRate | Counter::kInvert);
}

void solve(benchmark::State& state,
           const std::string& name,
           const sim::Solver& solver,
           const LaneExecutor& executor,
           double rtol) {
    Solved solved(name, solver, executor, rtol);
    std::uint64_t n_steps = 0, n_rejected = 0;
    for (auto _ : state) {
        n_steps = n_rejected = 0;
        for (std::size_t block = 0; block < solved.n_blocks(); ++block) {
            const sim::BlockResult& result = solved.solve(block);
            n_steps += std::accumulate(result.n_steps.begin(), result.n_steps.end(), 0ull);
            n_rejected += std::accumulate(result.n_rejected.begin(), result.n_rejected.end(), 0ull);
        }
    }
    const PeakErrors errors = peak_errors(solved.first_patients(), reference(name));
    const auto n = static_cast<double>(solved.n_subjects());
    count_time(state, solved.n_subjects());
    state.counters["steps"] = static_cast<double>(n_steps) / n;
    state.counters["rejected"] = static_cast<double>(n_rejected) / n;
    state.counters["rms"] = errors.rms;
    state.counters["max"] = errors.largest;
    state.counters["peak"] = errors.largest;
}

void draw(benchmark::State& state, const std::string& name) {
    const scenarios::Study study = load(name, "", 1e-6);
    const std::uint64_t block = scenarios::block_size_of(study);
    std::vector<double> inputs(study.model->system.inputs.size() * block);
    for (auto _ : state)
        for (std::uint64_t first = 0; first < study.population.size; first += block) {
            const std::uint64_t n = std::min(block, study.population.size - first);
            scenarios::fill_inputs(study,
                                   study.population.draw({0, first, n}),
                                   std::span(inputs).first(study.model->system.inputs.size() * n));
        }
    count_time(state, study.population.size);
}

void run(benchmark::State& state, const std::string& name, int n_threads) {
    const auto out = std::filesystem::temp_directory_path() / "gemel-studies-bench";
    std::filesystem::create_directories(out);
    std::uint64_t n = 0;
    for (auto _ : state) {
        const scenarios::Study study = load(name, "", 1e-6);
        scenarios::RunStudyOptions options;
        options.output = out / "out.h5";
        options.n_threads = n_threads;
        scenarios::run_study(study, options);
        n = study.population.size;
    }
    count_time(state, n);
    std::filesystem::remove_all(out);
}

template <class Run>
void add(const std::string& name, Run run) {
    benchmark::RegisterBenchmark(name.c_str(), run)
        ->Unit(benchmark::kMillisecond)
        ->MeasureProcessCPUTime();
}

void add_study(const std::string& name, const std::string& shown) {
    const scenarios::Study study = load(name, "", 1e-6);
    const sim::CompiledSystem system = sim::compile(study.model->system);
    for (const sim::Solver& solver : sim::solvers()) {
        if (!solver.applies(system)) continue;
        if (solver.order == 0)
            add(fmt::format("{}/exact/{}", shown, solver.name),
                [name, &solver](benchmark::State& state) {
                    solve(state, name, solver, lane_executors()[0], 1e-6);
                });
        const bool is_fit = solver.is_stiff || name < "p3";
        if (!solver.is_counted || !is_fit) continue;
        for (const LaneExecutor& executor : lane_executors())
            for (const double rtol : rtols)
                add(fmt::format("{}/{}/{}/{:.0e}", shown, executor.engine, solver.name, rtol),
                    [name, &solver, executor, rtol](benchmark::State& state) {
                        solve(state, name, solver, executor, rtol);
                    });
    }
    add(shown + "/draw", [=](benchmark::State& state) { draw(state, name); });
    add(shown + "/run/one-thread", [=](benchmark::State& state) { run(state, name, 1); });
    add(shown + "/run/two-threads", [=](benchmark::State& state) { run(state, name, 2); });
}

} // namespace

int main(int argc, char** argv) {
    for (const char* name : {"p1", "p2", "p3", "p4"})
        add_study(name, fmt::format("P{}", name[1]));
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
