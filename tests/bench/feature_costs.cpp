#include "sim/solve/problems.hpp"

#include <gemel/io/resources.hpp>
#include <gemel/scenarios/run_study.hpp>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// What each feature of records, data and variability costs beside a plain run: names are
/// <feature>/<engine>, to be divided by plain/<engine> of the same run (tools/bench_table.py).
/// One item is one patient.
using namespace gemel;
using namespace gemel::sim;

namespace {

constexpr int n_patients = 256, n_days = 14;
constexpr double day = 24.0, end = n_days * day;

/// A plain way, and what a feature makes of it.
struct Case {
    Problem problem;
    Term depot, central;
    std::vector<double> inputs;
    std::vector<SubjectTimeline> own;
    double park_at = std::numeric_limits<double>::infinity();

    explicit Case(bool is_linear);
    SubjectTimeline& each() {
        own.resize(n_patients);
        return own[0];
    }
    void same_for_all() { std::fill(own.begin() + 1, own.end(), own[0]); }
    /// The same inputs in every row; further inputs 0.
    void repeat_rows(int n_rows);
};

/// Two compartments, oral, 100 mg a day for two weeks, C twice a day; unless it is to be linear C
/// inhibits the production of a response.
Case::Case(bool is_linear) : problem(is_linear ? "linear" : "turnover", end) {
    Problem& p = problem;
    const Term cl = p.input("CL", 5.0, 0.3), v = p.input("V", 50.0, 0.2),
               q = p.input("Q", 8.0, 0.2), v2 = p.input("V2", 80.0, 0.2),
               ka = p.input("ka", 1.2, 0.4), lag = p.input("lag", 0.0), f = p.input("F", 1.0),
               rate = p.input("R", 20.0);
    depot = p.dosed_state("depot");
    central = p.dosed_state("central");
    const Term peripheral = p.state("peripheral", p.number(0.0));
    p.rate(depot, -(ka * depot));
    p.rate(central, ka * depot - (cl + q) / v * central + q / v2 * peripheral);
    p.rate(peripheral, q / v * central - q / v2 * peripheral);
    p.output("C", central / v);
    if (!is_linear) {
        const Term kout = p.input("kout", 0.05, 0.2), ic50 = p.input("IC50", 0.5, 0.3);
        const Term response = p.state("response", p.number(100.0));
        p.rate(response,
               kout * p.number(100.0) * (1.0 - central / v / (central / v + ic50)) -
                   kout * response);
        p.output("response", response);
    }
    p.definition(central).modelled_rate = rate.expr;
    p.definition(depot).lag = lag.expr;
    p.definition(depot).bioavailability = f.expr;
    p.bolus(depot, 100.0, 0.0, day, n_days);
    p.sample(2 * n_days);
    inputs = p.patients(n_patients);
    for (int s = 0; s < n_patients; ++s)
        inputs[static_cast<std::size_t>(5 * n_patients + s)] =
            0.0; // a median of 0 has no logarithm
}

void Case::repeat_rows(int n_rows) {
    const std::size_t n_inputs = problem.system.inputs.size();
    std::vector<double> rows;
    for (std::size_t i = 0; i < n_inputs; ++i)
        for (int s = 0; s < n_patients; ++s)
            for (int row = 0; row < n_rows; ++row) {
                const std::size_t at = i * n_patients + static_cast<std::size_t>(s);
                rows.push_back(at < inputs.size()  ? inputs[at]
                               : i + 1 == n_inputs ? row * day
                                                   : 0.0);
            }
    inputs = rows;
}

struct Feature {
    const char* name;
    std::function<void(Case&)> add;
};

Record& only_record(Case& c) {
    return c.problem.timeline.records[0];
}

const Feature features[] = {
    {"plain", [](Case&) {}},
    {"auc_and_peaks",
     [](Case& c) {
         c.problem.functional(FunctionalKind::integral, 0, end - day, end);
         c.problem.functional(FunctionalKind::maximum, 0, end - day, end);
         c.problem.functional(FunctionalKind::minimum, 0, end - day, end);
     }},
    {"time_above",
     [](Case& c) { c.problem.functional(FunctionalKind::time_above, 0, 0.0, end, 1.0); }},
    {"lag",
     [](Case& c) {
         for (int s = 0; s < n_patients; ++s)
             c.inputs[static_cast<std::size_t>(5 * n_patients + s)] = 0.5;
     }},
    {"infusions",
     [](Case& c) {
         only_record(c).kind = RecordKind::infuse;
         only_record(c).state = 1;
         only_record(c).duration = 2.0;
     }},
    {"modelled_rate",
     [](Case& c) {
         only_record(c).kind = RecordKind::infuse;
         only_record(c).state = 1;
         only_record(c).rate = modelled_rate;
     }},
    {"steady_state", [](Case& c) { only_record(c).steady = SteadyState::replaces; }},
    {"reset_in_the_middle",
     [](Case& c) {
         c.problem.timeline.records.push_back({.time = 7.0 * day, .kind = RecordKind::reset});
     }},
    {"own_records",
     [](Case& c) {
         c.each().records = c.problem.timeline.records;
         c.same_for_all();
         c.problem.timeline.records.clear();
     }},
    {"own_samples",
     [](Case& c) {
         for (int i = 0; i <= 2 * n_days; ++i)
             c.each().samples.push_back({0.5 * day * i, 0});
         c.same_for_all();
         c.problem.observation = {};
         for (int k = 0; k < static_cast<int>(c.problem.system.outputs.size()); ++k)
             c.problem.observation.own_outputs.push_back(k);
     }},
    {"rows_every_day",
     [](Case& c) {
         for (int d = 1; d < n_days; ++d)
             c.each().switches.push_back({.time = d * day});
         c.same_for_all();
         c.repeat_rows(n_days);
     }},
    {"lines_every_day",
     [](Case& c) {
         c.problem.system = with_linear_inputs(c.problem.system, {0});
         for (int d = 1; d < n_days; ++d)
             c.each().switches.push_back({.time = d * day});
         c.same_for_all();
         c.repeat_rows(n_days);
     }},
    {"switchable_state", [](Case& c) { c.problem.system = with_switches(c.problem.system, {1}); }},
    {"time_since_dose",
     [](Case& c) {
         const int last = add_last_dose(c.problem.system);
         ExpressionGraph& graph = c.problem.system.graph;
         c.problem.system.outputs[0].value =
             graph.add(c.problem.system.outputs[0].value,
                       graph.multiply(graph.constant(0.0), graph.leaf(LeafKind::state, last)));
     }},
    {"trigger_that_sleeps",
     [](Case& c) {
         Trigger& t = c.problem.timeline.triggers.emplace_back();
         t.threshold = 1e6;
         t.is_above = true;
     }},
    {"trigger_that_acts_daily",
     [](Case& c) {
         Trigger& t = c.problem.timeline.triggers.emplace_back();
         t.threshold = 0.6;
         t.record.amount = 1.0;
     }},
    {"parked_once", [](Case& c) { c.park_at = 7.0 * day; }},
};

BlockProblem block(const Case& c, const std::vector<const SubjectTimeline*>& own) {
    return {n_patients, c.inputs, &c.problem.timeline, &c.problem.observation, own};
}

void solve_feature(benchmark::State& state, const Feature& feature, const char* engine) {
    const bool is_linear = std::string_view(engine).starts_with("exact");
    Case c(is_linear);
    feature.add(c);
    const CompiledSystem system = compile(c.problem.system);
    const Solver& solver = *find_solver(engine);
    if (!solver.applies(system)) return state.SkipWithError("no closed form");
    std::vector<const SubjectTimeline*> own;
    for (const SubjectTimeline& subject : c.own)
        own.push_back(&subject);
    const std::unique_ptr<PreparedSolver> prepared = prepare(solver, system, {});
    const std::unique_ptr<BlockSolver> worker = prepared->worker();
    BlockResult result, rest;
    std::uint64_t steps = 0;
    for (auto _ : state) {
        BlockProblem problem = block(c, own);
        problem.park_at = c.park_at;
        worker->solve(problem, result);
        if (c.park_at < end) {
            std::vector<const ParkedSubject*> parked;
            for (const ParkedSubject& subject : result.parked)
                parked.push_back(&subject);
            problem.park_at = std::numeric_limits<double>::infinity();
            problem.resume = parked;
            worker->solve(problem, rest);
        }
        for (const SolverStatus status : result.status)
            if (status != SolverStatus::ok) state.SkipWithError(std::string(name(status)).c_str());
    }
    for (const std::uint32_t n : (c.park_at < end ? rest : result).n_steps)
        steps += n;
    state.SetItemsProcessed(state.iterations() * n_patients);
    state.counters["steps"] = static_cast<double>(steps) / n_patients;
}

/// What a study of 5,000 patients says besides, in its model and in itself.
struct Words {
    const char* name;
    const char* cl;      ///< beside CL's value and unit
    const char* error;   ///< of the output
    const char* setting; ///< in [study]
    const char* more;
};
const Words words[] = {
    {"plain", "iiv = { sd = 0.3 }", "", "", ""},
    {"student_effects", "iiv = { sd = 0.3, law = \"student\", df = 5 }", "", "", ""},
    {"boxcox_effects", "iiv = { sd = 0.3, law = \"boxcox\", lambda = 0.5 }", "", "", ""},
    {"seven_occasions",
     "iiv = { sd = 0.3 }, iov = { sd = 0.1 }",
     "",
     "occasions = { every = \"1 d\" }",
     ""},
    {"ten_samples",
     "iiv = { sd = 0.3 }",
     "error = { law = \"proportional\", proportional = 0.1 }",
     "",
     "[samples]\nCp = { at = [\"1 h\", \"2 h\", \"4 h\", \"8 h\", \"12 h\", \"24 h\", \"48 h\", "
     "\"72 h\", \"96 h\", \"120 h\"] }\n"},
    {"uncertainty",
     "iiv = { sd = 0.3 }",
     "",
     "replicates = 1",
     "[uncertainty]\nrse = { CL = 0.1, V = 0.1 }\n"},
    {"uncertain_omega",
     "iiv = { sd = 0.3 }",
     "",
     "replicates = 1",
     "[uncertainty]\nrse = { CL = 0.1, iiv.CL.var = 0.2 }\n"},
    {"saved_hourly", "iiv = { sd = 0.3 }", "", "", "[save]\nCp = { every = \"1 h\" }\n"},
};

void write_study(const std::filesystem::path& folder, const Words& w) {
    std::ofstream(folder / "model.toml") << fmt::format(R"toml(gemel = "model/1"
[model]
name = "one compartment, oral"
source = "assumed: for a benchmark"
time = "h"
equations = '''
d/dt(depot)   = -ka * depot
d/dt(central) =  ka * depot - CL / V * central
Cp            =  central / V
'''
[routes.oral]
into = "depot"
default = true
[parameters]
ka = {{ value = 1.0, unit = "1/h", iiv = {{ sd = 0.3 }} }}
CL = {{ value = 5.0, unit = "L/h", {} }}
V  = {{ value = 50.0, unit = "L", iiv = {{ sd = 0.2 }} }}
[states]
depot = {{ unit = "mg" }}
central = {{ unit = "mg" }}
[outputs]
Cp = {{ unit = "mg/L"{}{} }}
)toml",
                                                        w.cl,
                                                        *w.error != 0 ? ", " : "",
                                                        w.error);
    std::ofstream(folder / "study.toml") << fmt::format(R"toml(gemel = "study/1"
[study]
model = "model.toml"
seed = 1
duration = "7 d"
{}
[population]
size = 5000
[regimens.daily]
doses = [ {{ dose = "100 mg", every = "24 h" }} ]
[arms.daily]
regimen = "daily"
[outcomes]
exposure = "auc(Cp, last_interval)"
peak = "cmax(Cp, last_interval)"
{})toml",
                                                        w.setting,
                                                        w.more);
}

void run_study(benchmark::State& state, const Words& w) {
    const auto folder = std::filesystem::temp_directory_path() / "gemel-feature-costs";
    std::filesystem::create_directories(folder);
    write_study(folder, w);
    const scenarios::Study study = scenarios::load_study(folder / "study.toml", {});
    scenarios::RunStudyOptions options;
    options.output = folder / "out.h5";
    options.n_threads = 1;
    for (auto _ : state)
        scenarios::run_study(study, options);
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(study.population.size));
    std::filesystem::remove_all(folder);
}

} // namespace

int main(int argc, char** argv) {
    for (const char* engine : {"exact-closed-form", "tsit5", "rodas5p"})
        for (const Feature& feature : features)
            benchmark::RegisterBenchmark(fmt::format("{}/{}", feature.name, engine).c_str(),
                                         [&feature, engine](benchmark::State& state) {
                                             solve_feature(state, feature, engine);
                                         })
                ->Unit(benchmark::kMillisecond);
    for (const Words& w : words)
        benchmark::RegisterBenchmark(fmt::format("{}/study", w.name).c_str(),
                                     [&w](benchmark::State& state) { run_study(state, w); })
            ->Unit(benchmark::kMillisecond);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
