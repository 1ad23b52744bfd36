#pragma once

#include <gemel/scenarios/execution.hpp>
#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

/// What a run will take, told before it is done.
namespace gemel::scenarios {

struct PlanOptions {
    std::filesystem::path output;   ///< whose disk is asked for room
    int n_threads = 0;              ///< 0: all cores
    double memory_of_machine = 0.0; ///< 0: asked of the machine
    Execution execution = {};       ///< of the run
};

struct Plan {
    /// How the first subjects went in an arm: counts, the same on every machine.
    struct Arm {
        double mean_steps = 0.0; ///< accepted and rejected, per subject; 0: exact solvers
        std::uint64_t most_steps = 0;
        std::uint64_t n_failed = 0;
    };
    std::vector<Arm> arms;
    std::uint64_t n_pilots = 0; ///< subjects these counts are of: the first of the population

    int n_threads = 1;         ///< asked for
    int n_working = 1;         ///< those that have a core and a block of subjects
    std::uint64_t n_timed = 0; ///< subjects that were drawn, solved and summarised to time it
    double seconds = 0.0;      ///< for the whole, on n_working; writing not counted

    double memory_bytes = 0.0;      ///< estimate of the largest resident size
    double memory_of_machine = 0.0; ///< 0: not known
    double disk_bytes = 0.0;        ///< of the file, from its layout
    double disk_free = 0.0;         ///< where it will be written; 0: not known
    std::vector<std::pair<std::string, double>> disk_parts; ///< by group, largest first
    bool has_room() const;                                  ///< on disk
    bool has_memory() const;                                ///< in the machine
};

/// Solves a few subjects of every arm in this process, for half a second or so, and writes nothing.
Plan make_plan(const Study& study, const PlanOptions& options, sim::Monitor* monitor = nullptr);
std::string render(const Plan& plan, const Study& study);

/// Model, arms, solvers and what is saved, as `check` tells it: nothing is solved.
std::string describe_plan(const Study& study);

/// What the model lets stand for something better known, and what was derived from the data file,
/// ignored in it or assumed.
std::vector<std::string> notes_on(const Study& study);

/// @throws std::runtime_error if the disk of `output` or the memory of the machine is clearly too
/// small for the run, saying what takes the room
void require_room(const Study& study, const PlanOptions& options);

} // namespace gemel::scenarios
