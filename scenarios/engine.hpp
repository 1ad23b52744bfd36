#pragma once

#include <gemel/scenarios/execution.hpp>
#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <memory>
#include <string>
#include <vector>

/// A study made ready to run: the model compiled, its solver chosen and prepared, arms planned.
namespace gemel::scenarios {

struct Engine {
    std::vector<const sim::SubjectTimeline*> own;         ///< of the subjects of a data file
    std::unique_ptr<const sim::SubjectTimeline> everyone; ///< occasions, if there are several
    std::unique_ptr<const sim::CompiledSystem> system;
    std::vector<sim::SolverChoice> choices;                           ///< [n_arms]
    std::vector<std::unique_ptr<const sim::PreparedSolver>> prepared; ///< one per solver in use
    std::vector<sim::ArmProblem> arms;
};

/// @param width  lanes, interpreted; 0: the solver's default
Engine make_engine(const Study& study, const Execution& execution = {}, int width = 0);
/// Who ran the lane programs of its solvers so far: "native", "interpreter, then native", …
std::string executors_of(const Engine& engine);

/// The model's system, with covariates along straight lines where the data have such.
sim::OdeSystem system_of(const Study& study);

/// The rows of inputs of a drawn block, [n_inputs × n_rows]: its own where each subject has one.
void fill_inputs(const Study& study, const pkpd::CohortBlock& cohort, std::span<double> inputs);

/// The solver of each arm, [n_arms]: the one the study names; else what the model's structure asks
/// for and, where solvers are weighed, counts on pilot patients under the arm's own regimen.
std::vector<sim::SolverChoice> solvers_of(const Study& study, const sim::CompiledSystem& system);

/// What is said of solvers: one row per solver in use, in the order of arms.
struct SolverRow {
    std::string arms; ///< "" if all arms have this solver; else "a, b"
    const sim::Solver* solver = nullptr;
    std::string why; ///< in the first of these arms
};
std::vector<SolverRow> solver_rows(const Study& study,
                                   const std::vector<sim::SolverChoice>& choices);
/// "tsit5", or "rodas5p (a, b), tsit5 (c)".
std::string solver_names(const std::vector<SolverRow>& rows);
/// Why, in the order of solver_names, joined by "; ".
std::string solver_reasons(const std::vector<SolverRow>& rows);

/// Solves that failed, of all arms.
std::uint64_t n_failed(const sim::RunReport& run);

/// What is wrong with the solver the study names for its model; "" if nothing.
std::string why_not_applicable(const Study& study);

/// What is taken from every solve of an arm: saved curves, then samples, and outcomes in their
/// order. Curves of which neither subjects nor a summary are written are not computed.
sim::Observation observation_of(const Study& study, std::size_t arm);

/// Saves that are written at all, as curves, as a summary or both, in the order of
/// Observation::sampled.
std::vector<Save> written_saves(const Study& study);

/// The time axis of a written save. Those on one grid share it: the first grid is `time`, others
/// are named for their output.
std::string time_axis(const std::vector<Save>& written, std::size_t index);

/// The solver's block, which is the file's chunk or a part of it: from the layout alone.
std::uint64_t block_size_of(const Study& study);

/// Study, model and arms as `request` of the engine, whose `inputs` are still to be set; lives as
/// long as the engine and the study.
sim::RunRequest request_of(const Study& study, const Engine& engine, int n_threads);

/// The same in stretches of subjects that follow each other: a curve of the first N subjects
/// without a summary is not computed after the block that holds the N-th.
std::vector<sim::RunRequest>
requests_of(const Study& study, const Engine& engine, int n_threads, std::uint32_t replicate = 0);

} // namespace gemel::scenarios
