#include "bench/executors.hpp"
#include "engine.hpp"

#include <gemel/io/resources.hpp>
#include <gemel/scenarios/run_study.hpp>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

/// What a run of a drawn population costs beside solving it, as <study>/<part>: `draw` alone;
/// `solve`, from drawn inputs to outputs in memory; `run`, from the loaded study to the result file
/// with all curves; `few`, the same with outcomes alone; `summary`, with curves summarised. Each
/// but `draw` on one thread and on two. `us` is real time per patient: with taskset and idle cores.
using namespace gemel;
using namespace gemel::bench;

namespace {

/// What a study keeps.
enum class Kept { curves, few, summary };

scenarios::Study load(const std::string& name, Kept kept) {
    const std::filesystem::path root(GEMEL_SOURCE_DIR);
    scenarios::Study study = scenarios::load_study(root / "tests/bench/studies" / (name + ".toml"),
                                                   io::Library{{root / "library"}});
    if (kept == Kept::curves) return study;
    for (scenarios::Save& save : study.saves) {
        save.n_subjects = 0;
        save.has_summary = kept == Kept::summary;
    }
    return study;
}

scenarios::Execution execution() {
    const bool has_native = native_code().why_not().empty();
    return {has_native ? sim::ExecutorChoice::native : sim::ExecutorChoice::interpreter,
            &native_code()};
}

void count_time(benchmark::State& state, const scenarios::Study& study) {
    using benchmark::Counter;
    state.counters["us"] = Counter(1e-6 * static_cast<double>(study.population.size),
                                   Counter::kIsIterationInvariantRate | Counter::kInvert);
}

void draw(benchmark::State& state, const std::string& name) {
    const scenarios::Study study = load(name, Kept::curves);
    const std::uint64_t block = scenarios::block_size_of(study);
    const std::size_t n_inputs = study.model->system.inputs.size();
    std::vector<double> inputs(n_inputs * block);
    for (auto _ : state)
        for (std::uint64_t first = 0; first < study.population.size; first += block) {
            const std::uint64_t n = std::min(block, study.population.size - first);
            scenarios::fill_inputs(
                study, study.population.draw({0, first, n}), std::span(inputs).first(n_inputs * n));
        }
    count_time(state, study);
}

/// Takes results and keeps nothing.
class NoSink : public sim::Sink {
public:
    void write(int, const sim::SubjectRange&, const sim::BlockResult& result) override {
        benchmark::DoNotOptimize(result.status.data());
    }
};

void solve(benchmark::State& state, const std::string& name, int n_threads) {
    const scenarios::Study study = load(name, Kept::curves);
    const scenarios::Engine engine = scenarios::make_engine(study, execution());
    sim::RunRequest request = scenarios::request_of(study, engine, n_threads);
    std::map<std::uint64_t, std::vector<double>> inputs;
    for (std::uint64_t first = 0; first < study.population.size; first += request.block_size) {
        const std::uint64_t n = std::min(request.block_size, study.population.size - first);
        std::vector<double>& own = inputs[first];
        own.resize(study.model->system.inputs.size() * n);
        scenarios::fill_inputs(study, study.population.draw({0, first, n}), own);
    }
    request.inputs = [&](const sim::SubjectRange& range, std::span<double> to) {
        std::ranges::copy(inputs.at(range.first), to.begin());
    };
    NoSink sink;
    for (auto _ : state)
        sim::run(request, sink);
    count_time(state, study);
}

void run(benchmark::State& state, const std::string& name, Kept kept, int n_threads) {
    const auto folder = std::filesystem::temp_directory_path() / "gemel-end-to-end";
    std::filesystem::create_directories(folder);
    const scenarios::Study study = load(name, kept);
    scenarios::RunStudyOptions options;
    options.output = folder / "out.h5";
    options.n_threads = n_threads;
    options.execution = execution();
    for (auto _ : state)
        scenarios::run_study(study, options);
    count_time(state, study);
    std::filesystem::remove_all(folder);
}

void add(const std::string& name, const std::function<void(benchmark::State&)>& body) {
    benchmark::RegisterBenchmark(name.c_str(), body)->Unit(benchmark::kMillisecond)->UseRealTime();
}

void add_study(const std::string& name) {
    const std::string shown = fmt::format("W{}", name[1]);
    add(shown + "/draw", [=](benchmark::State& state) { draw(state, name); });
    for (const int n_threads : {1, 2}) {
        const std::string threads = fmt::format("/{}", n_threads);
        add(shown + "/solve" + threads,
            [=](benchmark::State& state) { solve(state, name, n_threads); });
        const std::pair<const char*, Kept> kinds[] = {
            {"/run", Kept::curves}, {"/few", Kept::few}, {"/summary", Kept::summary}};
        for (const auto& [kind, kept] : kinds)
            add(shown + kind + threads,
                [=](benchmark::State& state) { run(state, name, kept, n_threads); });
    }
}

} // namespace

int main(int argc, char** argv) {
    for (const char* name : {"w1", "w2", "w3", "w4"})
        add_study(name);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
