#pragma once

#include <gemel/sim/expression.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace gemel::sim {

/// The nodes that expressions are made of, each once, operands before users.
std::vector<std::uint32_t> parts_of(const ExpressionGraph& graph,
                                    std::span<const Expr> expressions);

} // namespace gemel::sim
