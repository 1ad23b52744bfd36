#include "bench/cases/case.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <numeric>
#include <string_view>

/// What the cases may cost, counted: nothing here is timed.
using namespace gemel;
using namespace gemel::bench;

namespace {

std::atomic<std::int64_t> n_allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
    n_allocations.fetch_add(1, std::memory_order_relaxed);
    void* memory =
        alignment > alignof(std::max_align_t)
            ? std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
            : std::malloc(size > 0 ? size : 1);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

} // namespace

void* operator new(std::size_t size) {
    return allocate(size, 1);
}
void* operator new[](std::size_t size) {
    return allocate(size, 1);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

namespace {

constexpr int n_patients = 128;

/// Per patient, but for the operations of one step.
struct Costs {
    double n_steps = 0.0, n_rejected = 0.0, n_allocations = 0.0;
    int n_operations = 0;
};

double mean(const std::vector<std::uint32_t>& counts) {
    return std::accumulate(counts.begin(), counts.end(), 0.0) / n_patients;
}

/// At the default tolerance, by a worker that has solved a block before.
Costs costs_of(const Case& what, std::string_view solver) {
    const sim::Problem problem = what.problem();
    const std::vector<double> inputs = problem.patients(n_patients);
    const sim::CompiledSystem system = sim::compile(problem.system);
    const auto prepared = sim::find_solver(solver)->prepare(system, {});
    const auto worker = prepared->worker();
    const sim::BlockProblem block{n_patients, inputs, &problem.timeline, &problem.observation};
    sim::BlockResult result;
    worker->solve(block, result);
    const std::int64_t before = n_allocations;
    worker->solve(block, result);
    Costs costs;
    costs.n_allocations = static_cast<double>(n_allocations - before) / n_patients;
    costs.n_steps = mean(result.n_steps);
    costs.n_rejected = mean(result.n_rejected);
    for (const sim::SolverStatus status : result.status)
        CHECK(status == sim::SolverStatus::ok);
    costs.n_operations = step_operations(system, solver);
    return costs;
}

/// Measured, and a little more: a change that costs must say so here.
struct Limit {
    Case (*what)();
    const char* solver;
    Costs most;
};
const Limit limits[] = {
    {w1, "taylor9", {240, 1, 6, 140}},
    {w1, "tsit5", {1810, 1, 6, 200}},
    {w1, "rodas5p", {925, 1, 6, 260}},
    {w2, "taylor9", {34, 1, 2, 270}},
    {w2, "rodas5p", {102, 1, 2, 430}},
    {w2h, "taylor9", {38, 1, 2, 365}},
    {w2h, "rodas5p", {107, 2, 2, 440}},
    {wg, "taylor9", {54, 1, 2, 515}},
    {wg, "rodas5p", {165, 2, 2, 980}},
    {w3, "rodas5p", {2120, 28, 6, 850}},
    {w4, "rodas5p", {965, 3, 4, 2250}},
    {s30, "rodas5p", {75, 2, 2, 7900}},
    {s200, "rodas5p", {80, 2, 2, 56500}},
};

} // namespace

TEST_CASE("steps, operations and allocations of the speed cases stay within their limits") {
    for (const Limit& limit : limits) {
        const Case what = limit.what();
        INFO(what.name, " by ", limit.solver);
        const Costs costs = costs_of(what, limit.solver);
        CHECK(costs.n_steps <= limit.most.n_steps);
        CHECK(costs.n_rejected <= limit.most.n_rejected);
        CHECK(costs.n_operations <= limit.most.n_operations);
        CHECK(costs.n_allocations <= limit.most.n_allocations);
    }
}

TEST_CASE("the baselines of the speed cases solve the engine's equations") {
    // Oracle: Fehlberg 8(7) at 1e-13, and the hand-written models against the engine's own. At
    // rtol 1e-8 multistep methods end at up to 100 times that, the engine within it.
    constexpr int n = 4;
    for (const Case& what : all_cases()) {
        INFO(what.name);
        const sim::Problem problem = what.problem();
        const std::vector<double> inputs = problem.patients(n);
        const Task task = task_of(problem, inputs, n, n);
        std::vector<double> reference(task.n_values()), values(task.n_values());
        what.reference(task, 1e-13, reference);
        for (const Baseline baseline : {what.odeint, what.cvode, what.cvode_klu}) {
            if (baseline == nullptr) continue;
            baseline(task, 1e-8, values);
            CHECK(errors(task, values, reference).largest < 1e-6);
        }
        const sim::CompiledSystem system = sim::compile(problem.system);
        const auto prepared = sim::find_solver("rodas5p")->prepare(system, {.rtol = 1e-8});
        sim::BlockResult result;
        prepared->worker()->solve({n, inputs, &problem.timeline, &problem.observation}, result);
        values.clear();
        for (const std::vector<double>& output : result.sampled)
            values.insert(values.end(), output.begin(), output.end());
        CHECK(errors(task, values, reference).largest < 1e-8);
    }
}

TEST_CASE("print the counts of the speed cases" * doctest::skip()) {
    for (const Limit& limit : limits) {
        const Costs costs = costs_of(limit.what(), limit.solver);
        std::printf("%s %s {%.1f, %.2f, %.2f, %d}\n",
                    limit.what().name,
                    limit.solver,
                    costs.n_steps,
                    costs.n_rejected,
                    costs.n_allocations,
                    costs.n_operations);
    }
}
