#pragma once

#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <memory>
#include <string>
#include <vector>

/// A study made ready to run: the model compiled, its solver chosen and prepared, arms planned.
namespace gemel::scenarios {

struct Engine {
    std::unique_ptr<const sim::CompiledSystem> system;
    const sim::Solver* solver = nullptr;
    std::string why; ///< this solver
    std::unique_ptr<const sim::PreparedSolver> prepared;
    std::vector<sim::ArmProblem> arms;
};

/// @param width  lanes; 0: the solver's default
Engine make_engine(const Study& study, int width);

/// The solver the study names, or the one its model's structure asks for.
sim::SolverChoice solver_of(const Study& study, const sim::CompiledSystem& system);

/// What is wrong with the solver the study names for its model; "" if nothing.
std::string why_not_applicable(const Study& study);

/// What is taken from every solve of an arm: saved curves, then outcomes in their order. Curves
/// of which neither subjects nor a summary are written are not computed.
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
requests_of(const Study& study, const Engine& engine, int n_threads);

} // namespace gemel::scenarios
