#include "solve/lowering_budget.hpp"

#include "expr/traverse.hpp"
#include "solve/rosenbrock_lu.hpp"
#include "solve/rosenbrock_step.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gemel::sim {
namespace {

/// Operations of all rates, shared ones once; what depends on inputs alone is computed elsewhere.
std::int64_t operations_of_rates(const CompiledSystem& compiled) {
    const ExpressionGraph& graph = compiled.system.graph;
    std::vector<Expr> rates;
    for (const State& state : compiled.system.states)
        rates.push_back(state.rate);
    const std::vector<std::uint32_t> parts = parts_of(graph, rates);
    return std::count_if(parts.begin(), parts.end(), [&](std::uint32_t id) {
        return n_operands(graph.node(Expr{id}).op) > 0 && !graph.is_of_inputs(Expr{id});
    });
}

/// The pattern of I − γhJ.
std::vector<std::vector<int>> newton_pattern(const SystemStructure& structure) {
    std::vector<std::vector<int>> rows = structure.jacobian;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const int diagonal = static_cast<int>(i);
        if (!std::binary_search(rows[i].begin(), rows[i].end(), diagonal))
            rows[i].insert(std::lower_bound(rows[i].begin(), rows[i].end(), diagonal), diagonal);
    }
    return rows;
}

/// All that is proportional to the number of states: the stages' arguments and right sides (one
/// multiply-add per entry of the tableau), the error norm, and dense output.
std::int64_t operations_per_state(const CompiledSystem& compiled) {
    constexpr std::int64_t n_stages = RosenbrockTableau::n_stages;
    constexpr std::int64_t arguments =
        RosenbrockTableau::n_tabulated * (RosenbrockTableau::n_tabulated - 1) / 2 + n_stages -
        RosenbrockTableau::n_tabulated + 1;
    constexpr std::int64_t sides = n_stages * (n_stages - 1) / 2 + 2 * n_stages, error = 9;
    const auto n = static_cast<std::int64_t>(compiled.system.states.size());
    return n * (arguments + sides + error) +
           n_stages * n_stage_terms * static_cast<int>(states_of_outputs(compiled).size());
}

} // namespace

std::int64_t rosenbrock_operations(const CompiledSystem& compiled, std::int64_t limit) {
    constexpr std::int64_t n_stages = RosenbrockTableau::n_stages;
    const std::vector<std::vector<int>> rows = newton_pattern(compiled.structure);
    std::int64_t n_entries = 0;
    for (const std::vector<int>& row : rows)
        n_entries += static_cast<std::int64_t>(row.size());
    const std::int64_t rates = operations_of_rates(compiled);
    // A Jacobian costs about two sweeps over the rates; each entry is scaled once and guarded
    // twice.
    const std::int64_t known =
        (n_stages + 2) * rates + 3 * n_entries + operations_per_state(compiled);
    if (known + n_stages * n_entries > limit) return known + n_stages * n_entries;
    const EliminationCost lu = elimination_cost(rows, limit);
    return known + lu.eliminate + n_stages * lu.solve;
}

std::string over_lowering_budget(const CompiledSystem& system) {
    const std::int64_t operations = rosenbrock_operations(system);
    if (operations <= lowering_budget) return {};
    return fmt::format("a step in lanes would take {} operations or more, over the lowering budget "
                       "of {}",
                       operations,
                       lowering_budget);
}

} // namespace gemel::sim
