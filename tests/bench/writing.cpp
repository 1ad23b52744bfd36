#include "result/digest.hpp"

#include <gemel/io/result_file.hpp>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

/// What it costs to write results, beside write(2) of the same bytes: 10,000 subjects × 337 times ×
/// 3 outputs of doubles, block after block as a worker hands them over, still in its cache. CPU of
/// the process, system included; the file goes to the page cache.
namespace gemel::bench {

namespace {

constexpr std::uint64_t n_subjects = 10000;
constexpr std::size_t n_times = 337;
const char* const outputs[] = {"A", "B", "C"};

std::filesystem::path scratch() {
    return std::filesystem::current_path() / "gemel-writing.h5";
}

std::vector<double> block_of_numbers() {
    std::vector<double> values(io::chunk_subjects(n_times) * n_times);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = 0.37 * static_cast<double>(i);
    return values;
}

/// Calls `write(output, first subject, values)` for all blocks.
template <class Write>
void for_each_block(const std::vector<double>& block, const Write& write) {
    const std::uint64_t size = io::chunk_subjects(n_times);
    for (std::uint64_t first = 0; first < n_subjects; first += size) {
        const std::uint64_t count = std::min(size, n_subjects - first);
        for (const char* output : outputs)
            write(output, first, std::span(block).first(count * n_times));
    }
}

void count_bytes(benchmark::State& state) {
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(3 * n_subjects * n_times * sizeof(double)));
}

void raw(benchmark::State& state, bool syncs) {
    const std::vector<double> block = block_of_numbers();
    for (auto _ : state) {
        const int file = ::open(scratch().c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        for_each_block(block, [&](const char*, std::uint64_t, std::span<const double> values) {
            if (::write(file, values.data(), values.size_bytes()) < 0)
                state.SkipWithError("write(2) failed");
        });
        if (syncs) ::fsync(file);
        ::close(file);
        state.PauseTiming();
        std::filesystem::remove(scratch());
        state.ResumeTiming();
    }
    count_bytes(state);
}

void digests(benchmark::State& state) {
    const std::vector<double> block = block_of_numbers();
    for (auto _ : state)
        for_each_block(block, [&](const char*, std::uint64_t, std::span<const double> values) {
            for (std::size_t at = 0; at < values.size(); at += io::leaf_subjects * n_times)
                benchmark::DoNotOptimize(io::leaf_digest(
                    values.subspan(at, std::min(io::leaf_subjects * n_times, values.size() - at))));
        });
    count_bytes(state);
}

void search_for_missing(benchmark::State& state) {
    const std::vector<double> block = block_of_numbers();
    for (auto _ : state)
        for_each_block(block, [&](const char*, std::uint64_t, std::span<const double> values) {
            benchmark::DoNotOptimize(io::has_missing(values));
        });
    count_bytes(state);
}

/// @param n_checkpoints  at equal distances
void result_file(benchmark::State& state, const std::string& key, std::uint64_t n_checkpoints) {
    const std::vector<double> block = block_of_numbers();
    const std::vector<double> times = [] {
        std::vector<double> all;
        for (std::size_t i = 0; i < n_times; ++i)
            all.push_back(static_cast<double>(i));
        return all;
    }();
    for (auto _ : state) {
        {
            io::ResultFile file(scratch(), {.key = key});
            file.add(io::Axis{.name = "arm", .labels = {"a"}});
            file.add(io::Axis{.name = "subject", .count = n_subjects});
            file.add(io::Axis{.name = "time", .units = "h", .numbers = times});
            for (const char* output : outputs)
                file.add({.path = output, .axes = {"arm", "subject", "time"}, .units = "mg/L"});
            std::uint64_t n_written = 0;
            for_each_block(block, [&](const char* output, std::uint64_t first, const auto& values) {
                file.write(output, 0, first, values);
                if (n_checkpoints > 0 && ++n_written % (237 / n_checkpoints) == 0)
                    file.checkpoint([](const auto& add) { add("state"); });
            });
            file.finish();
        }
        state.PauseTiming();
        std::filesystem::remove(scratch());
        state.ResumeTiming();
    }
    count_bytes(state);
}

void measure(const char* name, void (*run)(benchmark::State&)) {
    benchmark::RegisterBenchmark(name, run)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
}

} // namespace

} // namespace gemel::bench

int main(int argc, char** argv) {
    using namespace gemel::bench;
    measure("writing/write(2)", [](benchmark::State& s) { raw(s, false); });
    measure("writing/write(2)+fsync", [](benchmark::State& s) { raw(s, true); });
    measure("writing/result_file", [](benchmark::State& s) { result_file(s, "", 0); });
    measure("writing/result_file_5_checkpoints",
            [](benchmark::State& s) { result_file(s, "key", 5); });
    measure("writing/digests_alone", digests);
    measure("writing/search_for_missing_alone", search_for_missing);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
