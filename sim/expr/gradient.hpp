#pragma once

#include <gemel/sim/expression.hpp>

#include <map>

namespace gemel::sim {

/// ∂e/∂state for every state in e that it is not 0 for, by state number. From the result backwards
/// through e, so that a row of a Jacobian costs a few times what its rate costs, whatever the
/// number of its columns. The same derivatives as ExpressionGraph::differentiate, in other words.
std::map<int, Expr> state_gradient(ExpressionGraph& graph, Expr e);

} // namespace gemel::sim
