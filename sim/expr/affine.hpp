#pragma once

#include <gemel/sim/expression.hpp>

#include <vector>

namespace gemel::sim {

/// [graph.size()] 1 where a node is Σ a_j·state_j + b with a_j and b free of states and time.
/// Derivatives alone would not do: a step in a state has none.
std::vector<char> affine_nodes(const ExpressionGraph& graph);

} // namespace gemel::sim
