#include "bench/executors.hpp"
#include "sim/solve/networks.hpp"
#include "sim/solve/problems.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

/// How the cost of a run grows with its size, one size at a time, as <size>:<n>/<engine>. `us` is
/// CPU time per patient.
using namespace gemel;
using namespace gemel::bench;
using namespace gemel::sim;

namespace {

constexpr double duration = 168.0;

struct Sizes {
    int patients = 256, states = 4, outputs = 1, doses = 7, times = 29;
};

/// Absorption, disposition and a response that the drug inhibits by way of a chain of effects.
Problem problem_of(const Sizes& sizes) {
    Problem p("scaling", duration);
    const Term cl = p.input("CL", 5.0, 0.3), v = p.input("V", 50.0, 0.2),
               ka = p.input("ka", 1.2, 0.4), kout = p.input("kout", 0.1, 0.2),
               ic50 = p.input("IC50", 0.5, 0.3);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    p.rate(depot, -(ka * depot));
    p.rate(central, ka * depot - cl / v * central);
    const Term c = central / v;
    std::vector<Term> chain;
    for (int i = 0; i + 2 < sizes.states; ++i) {
        chain.push_back(p.state("response" + std::to_string(i), p.number(1.0)));
        const Term driver = i == 0 ? ic50 / (ic50 + c) : chain[static_cast<std::size_t>(i) - 1];
        p.rate(chain.back(), kout * driver - kout * chain.back());
    }
    for (int k = 0; k < sizes.outputs; ++k)
        p.output("y" + std::to_string(k), k == 0 ? c : static_cast<double>(k) * chain[0] / v);
    p.bolus(depot, 100.0, 0.0, duration / sizes.doses, sizes.doses);
    p.sample(sizes.times - 1);
    return p;
}

void solve(benchmark::State& state,
           const Problem& problem,
           int n_patients,
           const char* name,
           const LaneExecutor& executor) {
    const CompiledSystem system = compile(problem.system);
    const std::vector<double> inputs = problem.patients(n_patients);
    const auto prepared = find_solver(name)->prepare(system, lane_options(executor));
    const auto worker = prepared->worker();
    BlockResult result;
    for (auto _ : state)
        worker->solve({n_patients, inputs, &problem.timeline, &problem.observation}, result);
    double steps = 0.0;
    for (const std::uint32_t n : result.n_steps)
        steps += n;
    state.counters["us"] = benchmark::Counter(1e-6 * n_patients,
                                              benchmark::Counter::kIsIterationInvariantRate |
                                                  benchmark::Counter::kInvert);
    state.counters["steps"] = steps / n_patients;
}

void add(const std::string& size, int n, const Problem& problem, int n_patients) {
    const auto kept = std::make_shared<Problem>(problem);
    for (const LaneExecutor& executor : lane_executors())
        for (const char* name : {"rodas5p", "tsit5"})
            benchmark::RegisterBenchmark(
                fmt::format("{}:{}/{}/{}", size, n, executor.engine, name).c_str(),
                [kept, n_patients, name, executor](benchmark::State& state) {
                    solve(state, *kept, n_patients, name, executor);
                })
                ->Unit(benchmark::kMillisecond);
}

void add_sizes(const std::string& size, int Sizes::*which, std::initializer_list<int> values) {
    for (const int n : values) {
        Sizes sizes;
        sizes.*which = n;
        add(size, n, problem_of(sizes), sizes.patients);
    }
}

} // namespace

int main(int argc, char** argv) {
    add_sizes("patients", &Sizes::patients, {16, 32, 64, 128, 256, 512, 1024, 4096});
    add_sizes("states", &Sizes::states, {3, 4, 8, 16, 32, 64, 128});
    add_sizes("outputs", &Sizes::outputs, {1, 2, 4, 8, 16, 32});
    add_sizes("doses", &Sizes::doses, {1, 7, 28, 84, 336});
    add_sizes("times", &Sizes::times, {2, 29, 169, 673, 2689});
    for (const int n : {10, 30, 100, 200})
        add("network", n, organ_network(n, 24.0), 64);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
