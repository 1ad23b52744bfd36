#pragma once

#include "solve/exact/kernels.hpp"

#include <gemel/sim/solver.hpp>

#include <optional>
#include <span>
#include <vector>

/// What a block's subjects have in common: the way from event to event that a pack goes in one
/// piece, and where its samples lie. Made once for a timeline and an observation. Theory manual:
/// exact.md.
namespace gemel::sim::exact {

/// A dose that comes to all subjects at one time, of amounts that may differ.
struct SharedDose {
    enum class Kind { add, rate_on, rate_off };
    Kind kind = Kind::add;
    int state = 0;
    int record = 0;
    double rate = 0.0; ///< where it is the same for all; else 0: by amount and duration
};

/// What enters at constant rates, from one change to the next.
struct Source {
    std::vector<SharedDose> changes; ///< infusions that begin and end, in order
};

/// Sampled outputs that share their times.
struct Grid {
    std::vector<int> sampled; ///< of the observation
    std::vector<double> times;
    int step = -1;       ///< flow from point to point; −1: the grid is not regular
    int longest_run = 0; ///< points
};

/// Between two events functionals look.
struct Look {
    double from = 0.0, to = 0.0;
    int start = 0, source = -1; ///< −1: none
};

/// A piece of the way: some hundred starts of runs at most.
struct Stretch {
    std::vector<WayStep> steps;
    std::vector<double> flows;             ///< lengths of time, numbered after those kept
    std::vector<std::vector<RowRun>> runs; ///< of each grid
    std::vector<Look> looks;
};

struct Plan {
    std::vector<SharedDose> doses; ///< boluses, each record and state once
    std::vector<Source> sources;
    std::vector<Grid> grids;
    std::vector<double> flows; ///< lengths of time that are needed more than once
    int most_flows = 0;        ///< kept and of one stretch
    int most_starts = 0;       ///< of one stretch
    std::vector<Stretch> stretches;
    bool has_infusions = false;
};

/// The step of a regular grid: times that differ from equal steps by rounding alone.
std::optional<double> regular_step(std::span<const double> times);

/// Whether what happens to subjects, and when, is the same for all, except for amounts.
bool is_shared(const CompiledSystem& system, const BlockProblem& problem);

/// @param has_constants  something enters even where nobody is given anything
Plan make_plan(const CompiledSystem& system,
               const Timeline& timeline,
               const Observation& observation,
               bool has_constants);

} // namespace gemel::sim::exact
