#include <gemel/learners/fit_file.hpp>
#include <gemel/sim/native_code.hpp>

#include <benchmark/benchmark.h>

#include <ctime>
#include <map>
#include <string>

/// What fits cost on one thread: CPU seconds in all, the share that was spent on solving, and the
/// milliseconds of each phase.
namespace gemel::learners {
namespace {

double cpu_milliseconds() {
    return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// Gives the time between two reports to the phase of the first.
class PhaseTimes final : public FitMonitor {
public:
    void advance(const FitProgress& progress) override { enter(progress.phase); }
    void enter(const std::string& phase) {
        const double now = cpu_milliseconds();
        if (!phase_.empty()) sum_[phase_] += now - since_;
        phase_ = phase;
        since_ = now;
    }
    const std::map<std::string, double>& sum() const { return sum_; }

private:
    std::string phase_;
    double since_ = 0.0;
    std::map<std::string, double> sum_;
};

void run_fit(benchmark::State& state, FitSetup setup, Method method, int n_draws) {
    setup.options.method = method;
    setup.options.n_draws = n_draws;
    double solver = 0.0, total = 0.0, solves = 0.0;
    PhaseTimes phases;
    const sim::NativeCode code({}); // as `gemel fit` runs: native where it pays
    const FitExecution execution{1, sim::ExecutorChoice::automatic, &code};
    for (auto _ : state) {
        phases.enter("start");
        const FitResult result = fit(setup, execution, &phases);
        phases.enter("");
        benchmark::DoNotOptimize(result.values.data());
        solver += result.solver_seconds;
        total += result.total_seconds;
        solves += static_cast<double>(result.n_solves);
    }
    state.counters["solver share"] = solver / total;
    state.counters["us per solve"] = 1e6 * solver / solves;
    state.counters["solves"] = solves / static_cast<double>(state.iterations());
    for (const auto& [phase, milliseconds] : phases.sum())
        state.counters["ms " + phase] = milliseconds / static_cast<double>(state.iterations());
}

/// A fit of the examples, by another method where one is said.
void add(const std::string& file, Method method, int n_draws) {
    const std::filesystem::path source = GEMEL_SOURCE_DIR;
    const FitSetup setup =
        load_fit(source / "examples" / (file + ".toml"), io::Library{{source / "library"}});
    benchmark::RegisterBenchmark((file + " " + std::string(name(method))).c_str(),
                                 [=](benchmark::State& s) { run_fit(s, setup, method, n_draws); })
        ->Unit(benchmark::kMillisecond)
        ->MeasureProcessCPUTime();
}

} // namespace
} // namespace gemel::learners

int main(int argc, char** argv) {
    using namespace gemel::learners;
    benchmark::Initialize(&argc, argv);
    const int draws = FitOptions{}.n_draws;
    add("theophylline/fit", Method::saem, draws);
    add("theophylline/focei", Method::focei, 0);
    add("phenobarbital/fit", Method::focei, 0);
    add("phenobarbital/fit", Method::saem, draws);
    add("warfarin_pkpd/pk", Method::saem, draws);
    add("warfarin_pkpd/fit", Method::saem, draws);
    benchmark::RunSpecifiedBenchmarks();
}
