#pragma once

#include <gemel/sim/expression.hpp>

namespace gemel::sim {

/// log Γ(z) of z ≥ 1, from the operations of the lanes: differentiable like anything else, and the
/// same bits everywhere. Absolute error below 2e-14 up to z = 30, relative below 1e-15 beyond.
///
/// Source: Stirling's series at z + 8, Abramowitz & Stegun 6.1.41, and Γ(z + 1) = z·Γ(z).
Expr log_gamma(ExpressionGraph& graph, Expr z);

} // namespace gemel::sim
