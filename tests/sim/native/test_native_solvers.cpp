#include "sim/native/plug_in_for_tests.hpp"
#include "sim/solve/agreement.hpp"
#include "sim/solve/problems.hpp"
#include "solve/native_tier.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <map>
#include <stdexcept>
#include <thread>

using namespace gemel::sim;

namespace {

bool equal_bits(const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
        return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
    });
}

/// All that a solve gives, bit for bit; what failed is the same NaN everywhere.
void check_equal(const BlockResult& a, const BlockResult& b) {
    for (std::size_t k = 0; k < a.sampled.size(); ++k)
        CHECK(equal_bits(a.sampled[k], b.sampled[k]));
    CHECK(equal_bits(a.functionals, b.functionals));
    CHECK(equal_bits(a.parameters, b.parameters));
    CHECK(equal_bits(a.stopped_at, b.stopped_at));
    CHECK(a.status == b.status);
    CHECK(a.n_steps == b.n_steps);
    CHECK(a.n_rejected == b.n_rejected);
}

/// Solvers in lanes: those whose results are the same everywhere and that take steps.
std::vector<const Solver*> lane_solvers() {
    std::vector<const Solver*> found;
    for (const Solver& solver : solvers())
        if (solver.is_counted) found.push_back(&solver);
    return found;
}

void check_on_all_executors(const Problem& problem, const Solver& solver) {
    const CompiledSystem system = compile(problem.system);
    if (!solver.applies(system)) return;
    CAPTURE(problem.name);
    CAPTURE(solver.name);
    const std::vector<double> patients = problem.patients(19);
    const BlockResult interpreted = solve(solver, system, problem, patients, {});
    for (const NativeOptions& native : testing::native_options()) {
        CAPTURE(native.target->cpu);
        CAPTURE(static_cast<int>(native.maker));
        const NativeCode code(native);
        SolverOptions options;
        options.executor = ExecutorChoice::native;
        options.native_code = &code;
        check_equal(solve(solver, system, problem, patients, options), interpreted);
    }
}

/// Blocks of a problem, solved by one worker, until `is_enough` of the solver.
template <class IsEnough>
void check_blocks(const Problem& problem, const SolverOptions& options, const IsEnough& is_enough) {
    const CompiledSystem system = compile(problem.system);
    const std::vector<double> patients = problem.patients(64);
    const Solver& solver = *find_solver("rodas5p");
    const BlockResult expected = solve(solver, system, problem, patients, {});
    const auto prepared = prepare(solver, system, options);
    const auto worker = prepared->worker();
    BlockResult result;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    do {
        worker->solve({64, patients, &problem.timeline, &problem.observation, {}}, result);
        check_equal(result, expected);
    } while (!is_enough(*prepared) && std::chrono::steady_clock::now() < deadline);
    CHECK(is_enough(*prepared));
    worker->solve({64, patients, &problem.timeline, &problem.observation, {}}, result);
    check_equal(result, expected);
}

/// A store in memory that counts.
struct MemoryStore : ByteStore {
    std::map<std::vector<unsigned char>, std::vector<unsigned char>> entries;
    int n_gets = 0, n_puts = 0;

    std::optional<std::vector<unsigned char>> get(std::span<const unsigned char> key) override {
        ++n_gets;
        const auto found = entries.find({key.begin(), key.end()});
        if (found == entries.end()) return std::nullopt;
        return found->second;
    }
    void put(std::span<const unsigned char> key, std::span<const unsigned char> value) override {
        ++n_puts;
        entries[{key.begin(), key.end()}] = {value.begin(), value.end()};
    }
};

} // namespace

TEST_CASE("solvers in lanes give the interpreter's bits in native code") {
    for (const Problem& problem : {oral_one_compartment(), turnover_hill(), target_mediated()})
        for (const Solver* solver : lane_solvers())
            check_on_all_executors(problem, *solver);
}

TEST_SUITE("slow") {
    TEST_CASE("solvers in lanes give the interpreter's bits in native code, all problems") {
        for (const Problem& problem : all_problems())
            for (const Solver* solver : lane_solvers())
                check_on_all_executors(problem, *solver);
    }
}

TEST_CASE("a long run changes to native code between two blocks, and no bit changes") {
    for (const NativeOptions& native : testing::native_options(CodeMaker::llvm)) {
        const NativeCode code(native);
        SolverOptions options;
        options.executor = ExecutorChoice::automatic;
        options.native_code = &code;
        options.expected_subjects = 10'000'000;
        check_blocks(turnover_emax(), options, [](const PreparedSolver& solver) {
            return solver.executor() == "interpreter, then native";
        });
    }
}

TEST_CASE("an automatic run is native from its start where code is made at once") {
    for (const NativeOptions& native : testing::native_options(CodeMaker::built_in)) {
        const NativeCode code(native);
        if (!code.is_at_once()) continue;
        SolverOptions options;
        options.executor = ExecutorChoice::automatic;
        options.native_code = &code;
        const CompiledSystem system = compile(turnover_emax().system);
        for (const auto& [n_subjects, executor] :
             {std::pair(0, "native"), {16, "native"}, {15, "interpreter"}}) {
            options.expected_subjects = n_subjects;
            CHECK(prepare(*find_solver("rodas5p"), system, options)->executor() == executor);
        }
    }
}

TEST_CASE("code of LLVM is made once and then taken from the store") {
    for (NativeOptions native : testing::native_options(CodeMaker::llvm)) {
        MemoryStore store;
        native.store = &store;
        const Problem problem = turnover_emax();
        const CompiledSystem system = compile(problem.system);
        SolverOptions options;
        options.executor = ExecutorChoice::native;
        for (int i = 0; i < 3; ++i) {
            const NativeCode code(native);
            options.native_code = &code;
            prepare(*find_solver("rodas5p"), system, options);
            CHECK(store.n_puts == 1);
        }
        // It needs no plug-in then, and an automatic run begins with it …
        native.plug_ins.clear();
        const NativeCode code(native);
        options.native_code = &code;
        options.executor = ExecutorChoice::automatic;
        options.expected_subjects = 200;
        CHECK(prepare(*find_solver("rodas5p"), system, options)->executor() == "native");
        check_blocks(problem, options, [](const PreparedSolver&) { return true; });
        // … but not a small one, nor one of another accuracy, whose programs differ.
        options.rtol = 1e-7;
        CHECK(prepare(*find_solver("rodas5p"), system, options)->executor() == "interpreter");
        options.rtol = 1e-6;
        options.expected_subjects = 199;
        const int n_gets = store.n_gets;
        CHECK(prepare(*find_solver("rodas5p"), system, options)->executor() == "interpreter");
        CHECK(store.n_gets == n_gets);
    }
}

TEST_CASE("an automatic run goes on interpreting where there is no native code") {
    const NativeCode code({.plug_ins = {"/nowhere/libgemel_llvm.so"}, .maker = CodeMaker::llvm});
    SolverOptions options;
    options.executor = ExecutorChoice::automatic;
    options.native_code = &code;
    options.expected_subjects = 10'000'000;
    int n_blocks = 0;
    check_blocks(turnover_emax(), options, [&](const PreparedSolver& solver) {
        return ++n_blocks >= 20 && solver.executor() == "interpreter";
    });
    options.executor = ExecutorChoice::native;
    const CompiledSystem system = compile(turnover_emax().system);
    CHECK_THROWS_AS(prepare(*find_solver("rodas5p"), system, options), std::runtime_error);
    options.native_code = nullptr;
    CHECK_THROWS_AS(prepare(*find_solver("rodas5p"), system, options), std::runtime_error);
}

TEST_CASE("native code pays for what is still to come, not for what was done") {
    // 1000 operations take as long as 170 million additions; a subject of 100 steps of 1000
    // additions is a hundred thousand, of which native code saves four fifths.
    CHECK(native_code_pays(100'000, 100, 10'000, 1000.0, 1000));
    CHECK(!native_code_pays(4'000, 100, 10'000, 1000.0, 1000));   // 3,900 × 80,000 < 340 million
    CHECK(native_code_pays(4'400, 100, 10'000, 1000.0, 1000));    // 4,300 × 80,000 > 340 million
    CHECK(!native_code_pays(4'400, 1000, 100'000, 1000.0, 1000)); // too late
    CHECK(!native_code_pays(199, 100, 1'000'000'000, 1000.0, 1000));
    CHECK(!native_code_pays(0, 4'000, 400'000, 1000.0, 1000)); // as many again
    CHECK(native_code_pays(0, 4'400, 440'000, 1000.0, 1000));
}
