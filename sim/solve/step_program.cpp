#include "solve/step_program.hpp"

#include "solve/error_scale.hpp"

#include <algorithm>
#include <unordered_map>

namespace gemel::sim {

namespace {

void find_dense_states(const CompiledSystem& compiled, StepLayout& layout) {
    const std::vector<int>& exact = layout.exact.states;
    for (int state : states_of_outputs(compiled))
        if (layout.place(state) >= 0)
            layout.dense_states.push_back(state);
        else
            layout.exact_dense.push_back(static_cast<int>(
                std::lower_bound(exact.begin(), exact.end(), state) - exact.begin()));
}

} // namespace

std::vector<int> states_of_outputs(const CompiledSystem& compiled) {
    std::vector<Expr> outputs;
    for (const NamedExpr& output : compiled.system.outputs)
        outputs.push_back(output.value);
    std::vector<int> states;
    for (const Leaf& leaf : compiled.system.graph.leaves(outputs))
        if (leaf.kind == LeafKind::state) states.push_back(leaf.index);
    return states;
}

int StepLayout::place(int state) const {
    const auto found = std::lower_bound(stepped.begin(), stepped.end(), state);
    return found != stepped.end() && *found == state ? static_cast<int>(found - stepped.begin())
                                                     : -1;
}

StepLayout step_layout(CompiledSystem& compiled, const StepMethod& method) {
    StepLayout layout;
    layout.n_states = static_cast<int>(compiled.system.states.size());
    layout.method = method;
    if (method.splits) layout.exact = exact_part(compiled);
    const std::vector<int>& exact = layout.exact.states;
    for (int i = 0; i < layout.n_states; ++i)
        if (!std::binary_search(exact.begin(), exact.end(), i)) layout.stepped.push_back(i);
    // Only systems without sensitivities are split: then all stepped states are own ones.
    const int n_exact = static_cast<int>(exact.size());
    layout.n_own = compiled.system.n_own_states() - n_exact;
    // Most kept states have rate 0 and are exact ones.
    const int first_kept = compiled.system.n_own_states() - compiled.system.n_kept_states;
    layout.n_kept =
        static_cast<int>(std::count_if(layout.stepped.begin(), layout.stepped.end(), [&](int i) {
            return i >= first_kept && i < compiled.system.n_own_states();
        }));
    layout.n_controlled = compiled.system.n_controlled_states() - n_exact;
    find_dense_states(compiled, layout);
    ExpressionGraph& graph = compiled.system.graph;
    layout.clock = {graph.leaf(LeafKind::time), graph.leaf(LeafKind::step)};
    return layout;
}

bool can_split(const CompiledSystem& system) {
    if (system.structure.uses_time || system.system.sensitivities.is_set()) return false;
    std::size_t n_exact = 0;
    for (const ExactBlock& block : exact_blocks(system))
        n_exact += block.states.size();
    return n_exact > 0 && n_exact < system.system.states.size();
}

SteppedRates::SteppedRates(CompiledSystem& compiled, const StepLayout& layout)
    : graph_(compiled.system.graph),
      layout_(layout) {
    const std::vector<Expr> all = rates_with_infusions(compiled);
    for (int i : layout.stepped)
        rates_.push_back(all[static_cast<std::size_t>(i)]);
    std::unordered_map<std::uint32_t, Expr> with;
    for (std::size_t k = 0; k < layout.exact.states.size(); ++k)
        with[graph_.leaf(LeafKind::state, layout.exact.states[k]).id] = layout.exact.values[k];
    if (!with.empty()) rates_ = graph_.substitute(rates_, with);
    uses_time_ = std::any_of(rates_.begin(), rates_.end(), [&](Expr rate) {
        return graph_.depends_on(rate, LeafKind::time);
    });
}

std::vector<Expr> SteppedRates::at_start(const std::vector<Expr>& formulas) const {
    const Expr time = graph_.leaf(LeafKind::time);
    if (!uses_time_ || layout_.clock.time == time) return formulas;
    return graph_.substitute(formulas, {{time.id, layout_.clock.time}});
}

std::vector<Expr> SteppedRates::at(const std::vector<Expr>& argument, double c) const {
    std::unordered_map<std::uint32_t, Expr> with;
    for (std::size_t i = 0; i < argument.size(); ++i)
        with[graph_.leaf(LeafKind::state, layout_.stepped[i]).id] = argument[i];
    if (uses_time_) {
        const Expr later = graph_.multiply(graph_.constant(c), layout_.clock.step);
        with[graph_.leaf(LeafKind::time).id] = graph_.add(layout_.clock.time, later);
    }
    return graph_.substitute(rates_, with);
}

void add_exact_targets(ProgramSpec& spec, ExpressionGraph& graph, const StepLayout& layout) {
    const std::unordered_map<std::uint32_t, Expr> at_end{
        {graph.leaf(LeafKind::time).id, graph.add(layout.clock.time, layout.clock.step)}};
    const std::vector<Expr> ends = graph.substitute(layout.exact.values, at_end);
    for (std::size_t k = 0; k < ends.size(); ++k)
        spec.targets.push_back({layout.end(layout.exact.states[k]), ends[k]});
}

std::vector<Expr> rates_with_infusions(CompiledSystem& compiled) {
    ExpressionGraph& graph = compiled.system.graph;
    std::vector<Expr> rates;
    for (std::size_t i = 0; i < compiled.system.states.size(); ++i)
        rates.push_back(graph.add(compiled.system.states[i].rate,
                                  graph.leaf(LeafKind::infusion, static_cast<int>(i))));
    return rates;
}

ProgramSpec rates_program(CompiledSystem& system) {
    ProgramSpec spec{"rates", {}};
    const std::vector<Expr> rates = rates_with_infusions(system);
    for (std::size_t i = 0; i < rates.size(); ++i)
        spec.targets.push_back({{LeafKind::result, static_cast<int>(i)}, rates[i]});
    return spec;
}

Expr error_size(ExpressionGraph& graph, int state, Expr start, Expr end) {
    const Expr larger =
        graph.binary(Op::maximum, graph.unary(Op::absolute, start), graph.unary(Op::absolute, end));
    const Expr floor =
        graph.multiply(graph.constant(absolute_part), graph.leaf(LeafKind::scale, state));
    return graph.binary(Op::maximum, graph.add(larger, floor), graph.constant(smallest_size));
}

void add_error_target(ProgramSpec& spec,
                      ExpressionGraph& graph,
                      const StepLayout& layout,
                      const std::vector<Expr>& parts,
                      double rtol) {
    const double tolerance = layout.method.step_part * rtol;
    const int n = std::max(layout.n_own, 1);
    const int n_moving = std::max(layout.n_own - layout.n_kept, 1);
    const Expr per_state = graph.constant(1.0 / (n_moving * tolerance * tolerance));
    Expr squared = graph.constant(0.0);
    for (std::size_t first = 0; first < parts.size(); first += static_cast<std::size_t>(n)) {
        Expr sum = graph.constant(0.0);
        for (std::size_t i = first; i < first + static_cast<std::size_t>(n_moving); ++i)
            sum = graph.add(sum, graph.multiply(parts[i], parts[i]));
        const Expr mean = graph.multiply(per_state, sum);
        squared = first == 0 ? mean : graph.binary(Op::maximum, squared, mean);
    }
    spec.targets.push_back({layout.error(), squared});
}

} // namespace gemel::sim
