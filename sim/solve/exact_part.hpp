#pragma once

#include <gemel/sim/ode_system.hpp>

#include <vector>

/// The part of a system that drives the rest and has a closed form: pharmacokinetics that know
/// nothing of the effect. Theory manual: solvers.md.
namespace gemel::sim {

/// One or two states, linear with constant coefficients, fed by nothing but depots: single states
/// of the same kind that nothing feeds.
struct ExactBlock {
    std::vector<int> states, depots;
};

/// All such blocks, in order of flow; depots are blocks themselves.
std::vector<ExactBlock> exact_blocks(const CompiledSystem& system);

struct ExactPart {
    std::vector<int> states; ///< sorted
    /// [states.size()] the value at `time` since the last event, of states and infusions right
    /// after that event and of inputs. No number where two states turn around each other (a_ij·a_ji
    /// < 0).
    std::vector<Expr> values;
};
ExactPart exact_part(CompiledSystem& system);

} // namespace gemel::sim
