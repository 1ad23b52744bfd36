#pragma once

#include <gemel/sim/solver.hpp>

#include <map>
#include <optional>
#include <span>
#include <vector>

/// What a block's subjects have in common: when something happens to them, and where on that way
/// their samples lie. Made once for a timeline and an observation. Theory manual: exact.md.
namespace gemel::sim::exact {

/// A dose that comes to all subjects at one time, of amounts that may differ.
struct SharedDose {
    enum class Kind { add, rate_on, rate_off };
    Kind kind = Kind::add;
    int state = 0;
    int record = 0;
    double rate = 0.0; ///< where it is the same for all; else 0: by amount and duration
};

/// From one event to the next.
struct Segment {
    double from = 0.0, to = 0.0;
    std::vector<SharedDose> doses; ///< at `from`
    int flow = -1;                 ///< over all of it; −1: it has no length
};

/// Points of one segment, the first `offset` after its start, the others one step apart.
struct Run {
    int segment = 0;
    int offset = -1; ///< flow; −1: none
    int n_points = 0;
};

/// Sampled outputs that share their times.
struct Grid {
    std::vector<int> sampled; ///< of the observation
    std::vector<double> times;
    int step = -1;         ///< flow from point to point; −1: the grid is not regular
    std::vector<Run> runs; ///< in order of time
};

/// All lengths of time that are needed. Those needed more than once, per pack of subjects, come
/// first and are kept.
struct Plan {
    std::vector<Segment> segments; ///< the last has no length: the end
    std::vector<Grid> grids;
    std::vector<double> flows; ///< lengths of time
    int n_kept = 0;            ///< of them
    bool has_infusions = false;
};

/// Points from one exact value to the next on a regular grid: so many steps' roundings add up.
inline constexpr int longest_run = 32;

/// The step of a regular grid: times that differ from equal steps by rounding alone.
std::optional<double> regular_step(std::span<const double> times);

/// Whether what happens to subjects, and when, is the same for all, except for amounts.
bool is_shared(const CompiledSystem& system, const BlockProblem& problem);

Plan make_plan(const CompiledSystem& system,
               const Timeline& timeline,
               std::span<const SampledOutput> sampled);

} // namespace gemel::sim::exact
