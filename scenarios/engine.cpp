#include "engine.hpp"

#include <gemel/io/result_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace gemel::scenarios {

sim::SolverChoice solver_of(const Study& study, const sim::CompiledSystem& system) {
    if (study.solver.empty()) return sim::choose_solver(system);
    return {sim::find_solver(study.solver), "named by the study"};
}

std::string why_not_applicable(const Study& study) {
    if (study.solver.empty()) return {};
    const sim::CompiledSystem system = sim::compile(study.model->system);
    const sim::Solver* solver = sim::find_solver(study.solver);
    if (solver == nullptr || solver->applies == nullptr || solver->applies(system)) return {};
    if (solver->why_not != nullptr)
        return fmt::format(
            "solver '{}' does not apply to this model: {}", study.solver, solver->why_not(system));
    return fmt::format(
        "solver '{}' does not apply to this model ({})", study.solver, solver->about);
}

std::vector<Save> written_saves(const Study& study) {
    std::vector<Save> written;
    for (const Save& save : study.saves)
        if ((save.n_subjects > 0 || save.has_summary) && !save.times.empty())
            written.push_back(save);
    return written;
}

std::string time_axis(const std::vector<Save>& written, std::size_t index) {
    for (std::size_t i = 0; i <= index; ++i)
        if (written[i].times == written[index].times)
            return i == 0 ? "time" : "time_" + written[i].output;
    return {};
}

sim::Observation observation_of(const Study& study, std::size_t arm) {
    sim::Observation observation;
    for (const Save& save : written_saves(study))
        observation.sampled.push_back({study.model->find_output(save.output), save.times});
    for (const BoundOutcome& outcome : study.bound_outcomes[arm])
        observation.functionals.push_back(outcome.functional);
    return observation;
}

Engine make_engine(const Study& study, int width) {
    Engine engine;
    engine.system = std::make_unique<sim::CompiledSystem>(sim::compile(study.model->system));
    const sim::SolverChoice choice = solver_of(study, *engine.system);
    engine.solver = choice.solver;
    engine.why = choice.why;
    sim::SolverOptions options;
    options.rtol = study.rtol;
    options.max_steps = study.max_steps;
    if (width > 0) options.width = width;
    engine.prepared = sim::prepare(*engine.solver, *engine.system, options);
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm)
        engine.arms.push_back({{regimen_of(study, study.arms[arm]).records, study.duration},
                               observation_of(study, arm),
                               engine.prepared.get()});
    return engine;
}

std::uint64_t block_size_of(const Study& study) {
    std::size_t longest = 0;
    for (const Save& save : written_saves(study))
        longest = std::max(longest, save.times.size());
    return io::chunk_subjects(longest);
}

sim::RunRequest request_of(const Study& study, const Engine& engine, int n_threads) {
    sim::RunRequest request;
    request.system = engine.system.get();
    request.arms = engine.arms;
    request.subjects = {0, 0, study.population.size};
    request.block_size = block_size_of(study);
    request.n_threads = n_threads;
    return request;
}

std::vector<sim::RunRequest>
requests_of(const Study& study, const Engine& engine, int n_threads) {
    const std::vector<Save> saves = written_saves(study);
    const sim::RunRequest whole = request_of(study, engine, n_threads);
    const std::uint64_t block = whole.block_size;
    std::set<std::uint64_t> ends{whole.subjects.count};
    for (const Save& save : saves)
        if (!save.has_summary && save.n_subjects < whole.subjects.count)
            ends.insert(
                std::min((save.n_subjects + block - 1) / block * block, whole.subjects.count));
    std::vector<sim::RunRequest> requests;
    std::uint64_t first = 0;
    for (const std::uint64_t end : ends) {
        sim::RunRequest& request = requests.emplace_back(whole);
        request.subjects = {0, first, end - first};
        for (sim::ArmProblem& arm : request.arms)
            for (std::size_t i = 0; i < saves.size(); ++i)
                if (!saves[i].has_summary && first >= saves[i].n_subjects)
                    arm.observation.sampled[i].times.clear(); // keeps its place
        first = end;
    }
    return requests;
}

} // namespace gemel::scenarios
