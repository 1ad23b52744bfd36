#include "engine.hpp"

#include "data_samples.hpp"
#include "policies/policy_doses.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/pkpd/pilot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <span>

namespace gemel::scenarios {

namespace {

constexpr int n_pilots = 16;

sim::SolverOptions options_of(const Study& study) {
    sim::SolverOptions options;
    options.rtol = study.rtol;
    options.max_steps = study.max_steps;
    return options;
}

sim::Timeline timeline_of(const Study& study, const Arm& arm) {
    const pkpd::Regimen& regimen = regimen_of(study, arm);
    return {regimen.records,
            study.duration,
            study.start,
            regimen.pending.value_or(study.pending),
            regimen.triggers};
}

/// Pilots receive what the subject with the most records does.
void add_doses_of_data(const Study& study, sim::Timeline& timeline) {
    if (study.data == nullptr || study.data->ignores_doses) return;
    const auto most = std::max_element(
        study.data->subjects.begin(), study.data->subjects.end(), [](const auto& a, const auto& b) {
            return a.records.size() < b.records.size();
        });
    timeline.records.insert(timeline.records.end(), most->records.begin(), most->records.end());
}

/// States that any arm or any subject of the data switches.
std::vector<int> switched_states(const Study& study) {
    std::set<int> states;
    const auto add = [&](const std::vector<int>& switched) {
        states.insert(switched.begin(), switched.end());
    };
    for (const Arm& arm : study.arms)
        add(pkpd::switched_states(regimen_of(study, arm)));
    if (study.population.data != nullptr)
        for (const sim::SubjectTimeline& own : study.population.data->timelines)
            add(pkpd::switched_states(own.records));
    return {states.begin(), states.end()};
}

/// Inputs of the covariates that go along straight lines.
std::vector<int> linear_inputs(const Study& study) {
    std::vector<int> inputs;
    for (const std::size_t covariate : study.population.data->linear)
        for (std::size_t i = 0; i < study.model->inputs.size(); ++i)
            if (study.model->inputs[i].kind == pkpd::InputSource::Kind::covariate &&
                study.model->inputs[i].index == static_cast<int>(covariate))
                inputs.push_back(static_cast<int>(i));
    return inputs;
}

/// Whether covariates go along straight lines.
bool has_lines(const Study& study) {
    return study.population.data != nullptr && !study.population.data->linear.empty();
}

} // namespace

sim::OdeSystem system_of(const Study& study) {
    sim::OdeSystem system = study.model->system;
    for (const PolicyUse& use : study.policy_uses)
        system.inputs.push_back({"policy/" + use.name, use.unit});
    if (const std::vector<int> switched = switched_states(study); !switched.empty())
        system = sim::with_switches(std::move(system), switched);
    return has_lines(study) ? sim::with_linear_inputs(std::move(system), linear_inputs(study))
                            : system;
}

void fill_inputs(const Study& study, const pkpd::CohortBlock& cohort, std::span<double> inputs) {
    const std::size_t n_rows = study.population.n_rows(cohort.range);
    auto next =
        n_rows == cohort.range.count
            ? std::ranges::copy(cohort.inputs, inputs.begin()).out
            : std::ranges::copy(study.population.draw_rows(cohort.range), inputs.begin()).out;
    next = fill_policies(study, cohort, next);
    if (!has_lines(study)) return;
    const pkpd::DataCohort& data = *study.population.data;
    const std::size_t first = data.first_row[cohort.range.first];
    for (std::size_t k = 0; k < data.linear.size(); ++k)
        next = std::copy_n(data.slopes.data() + k * data.n_rows() + first, n_rows, next);
    std::copy_n(data.starts.data() + first, n_rows, next);
}

std::vector<sim::SolverChoice> solvers_of(const Study& study, const sim::CompiledSystem& system) {
    if (!study.solver.empty())
        return {study.arms.size(), {sim::find_solver(study.solver), "named by the study"}};
    sim::Pilot pilot{n_pilots, pkpd::pilot_inputs(*study.model, n_pilots), {}};
    if (!pilot.inputs.empty()) {
        for (const PolicyUse& use : study.policy_uses)
            pilot.inputs.insert(pilot.inputs.end(), n_pilots, use.typical);
        pilot.inputs.resize(system.system.inputs.size() * n_pilots, 0.0);
    }
    const bool has_pilots = pilot.inputs.size() == system.system.inputs.size() * n_pilots;
    std::map<std::string, sim::SolverChoice> by_regimen;
    std::vector<sim::SolverChoice> choices;
    for (const Arm& arm : study.arms) {
        const auto [known, is_new] = by_regimen.try_emplace(arm.regimen);
        if (is_new) {
            pilot.timeline = timeline_of(study, arm);
            add_doses_of_data(study, pilot.timeline);
            known->second =
                sim::choose_solver(system, options_of(study), has_pilots ? &pilot : nullptr);
        }
        choices.push_back(known->second);
    }
    return choices;
}

std::vector<SolverRow> solver_rows(const Study& study,
                                   const std::vector<sim::SolverChoice>& choices) {
    std::vector<SolverRow> rows;
    for (std::size_t arm = 0; arm < choices.size(); ++arm) {
        auto row = std::find_if(rows.begin(), rows.end(), [&](const SolverRow& r) {
            return r.solver == choices[arm].solver;
        });
        if (row == rows.end()) row = rows.insert(row, {"", choices[arm].solver, choices[arm].why});
        row->arms += (row->arms.empty() ? "" : ", ") + study.arms[arm].name;
    }
    if (rows.size() == 1) rows[0].arms.clear();
    return rows;
}

std::string solver_names(const std::vector<SolverRow>& rows) {
    std::string text;
    for (const SolverRow& row : rows)
        text += fmt::format("{}{}{}",
                            text.empty() ? "" : ", ",
                            row.solver->name,
                            row.arms.empty() ? "" : fmt::format(" ({})", row.arms));
    return text;
}

std::string solver_reasons(const std::vector<SolverRow>& rows) {
    std::string text;
    for (const SolverRow& row : rows)
        text += (text.empty() ? "" : "; ") + row.why;
    return text;
}

std::uint64_t n_failed(const sim::RunReport& run) {
    std::uint64_t n = 0;
    for (const auto& counts : run.status_counts)
        n = std::accumulate(counts.begin() + 1, counts.end(), n);
    return n;
}

std::string why_not_applicable(const Study& study) {
    if (study.solver.empty()) return {};
    const sim::CompiledSystem system = sim::compile(system_of(study));
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
    for (const Samples& samples : study.samples)
        observation.sampled.push_back({study.model->find_output(samples.output), samples.times});
    observation.own_outputs = data_outputs(study);
    for (const BoundOutcome& outcome : study.bound_outcomes[arm])
        observation.functionals.push_back(outcome.functional);
    return observation;
}

/// Every occasion after the first is a row of inputs that holds from its start on.
std::unique_ptr<const sim::SubjectTimeline> occasions_of(const Study& study) {
    if (study.occasions.size() < 2) return nullptr;
    sim::SubjectTimeline occasions;
    for (std::size_t q = 1; q < study.occasions.size(); ++q)
        occasions.switches.push_back({study.occasions[q]});
    return std::make_unique<const sim::SubjectTimeline>(std::move(occasions));
}

Engine make_engine(const Study& study, const Execution& execution, int width) {
    Engine engine;
    engine.everyone = occasions_of(study);
    engine.system = std::make_unique<sim::CompiledSystem>(sim::compile(system_of(study)));
    engine.choices = solvers_of(study, *engine.system);
    sim::SolverOptions options = options_of(study);
    if (width > 0) options.width = width;
    options.executor = execution.executor;
    options.native_code = execution.native_code;
    if (study.population.data != nullptr)
        for (const sim::SubjectTimeline& own : study.population.data->timelines)
            engine.own.push_back(&own);
    std::map<const sim::Solver*, const sim::PreparedSolver*> prepared;
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
        const sim::Solver* solver = engine.choices[arm].solver;
        const auto [known, is_new] = prepared.try_emplace(solver);
        if (is_new) {
            const auto n_arms = std::count_if(
                engine.choices.begin(), engine.choices.end(), [&](const sim::SolverChoice& choice) {
                    return choice.solver == solver;
                });
            options.expected_subjects = static_cast<std::int64_t>(n_solves(study)) * n_arms /
                                        static_cast<std::int64_t>(study.arms.size());
            engine.prepared.push_back(sim::prepare(*solver, *engine.system, options));
            known->second = engine.prepared.back().get();
        }
        engine.arms.push_back(
            {timeline_of(study, study.arms[arm]), observation_of(study, arm), known->second});
    }
    return engine;
}

std::string executors_of(const Engine& engine) {
    std::set<std::string> names;
    for (const auto& prepared : engine.prepared)
        names.insert(prepared->executor());
    return fmt::format("{}", fmt::join(names, "; "));
}

std::uint64_t block_size_of(const Study& study) {
    std::size_t longest = 0;
    for (const Save& save : written_saves(study))
        longest = std::max(longest, save.times.size());
    for (const Samples& samples : study.samples)
        longest = std::max(longest, samples.times.size());
    return io::chunk_subjects(longest);
}

sim::RunRequest request_of(const Study& study, const Engine& engine, int n_threads) {
    sim::RunRequest request;
    request.system = engine.system.get();
    request.arms = engine.arms;
    request.subjects = {0, 0, study.population.size};
    request.block_size = block_size_of(study);
    request.n_threads = n_threads;
    request.own = engine.own;
    request.everyone = engine.everyone.get();
    return request;
}

std::uint64_t n_solves(const Study& study) {
    return study.population.size * study.arms.size() *
           std::max<std::uint64_t>(1, study.n_replicates);
}

std::vector<sim::RunRequest>
requests_of(const Study& study, const Engine& engine, int n_threads, std::uint32_t replicate) {
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
        request.subjects = {replicate, first, end - first};
        for (sim::ArmProblem& arm : request.arms)
            for (std::size_t i = 0; i < saves.size(); ++i)
                if (!saves[i].has_summary && first >= saves[i].n_subjects)
                    arm.observation.sampled[i].times.clear(); // keeps its place
        first = end;
    }
    return requests;
}

} // namespace gemel::scenarios
