#include "expr/traverse.hpp"

#include <gemel/sim/lane_program.hpp>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

namespace gemel::sim {
namespace {

constexpr std::uint32_t no_value = UINT32_MAX;

bool is_fixed(const ExpressionGraph& graph, Expr e) {
    return graph.is_constant(e) || graph.is_of_inputs(e);
}

/// x/p with p of inputs alone, and x not, becomes x·(1/p).
Expr divided(ExpressionGraph& graph, Expr a, Expr b) {
    if (!is_fixed(graph, b) || is_fixed(graph, a)) return graph.divide(a, b);
    const Expr reciprocal = graph.divide(graph.constant(1.0), b);
    if (graph.is_constant(reciprocal) && !std::isnormal(graph.node(reciprocal).value))
        return graph.divide(a, b);
    return graph.multiply(a, reciprocal);
}

/// The targets of all specs with their divisions rewritten, in one list.
std::vector<Expr> without_divisions(ExpressionGraph& graph, std::span<const ProgramSpec> specs) {
    std::vector<Expr> values;
    for (const ProgramSpec& spec : specs)
        for (const ProgramSpec::Target& target : spec.targets)
            values.push_back(target.value);
    std::vector<Expr> rewritten(graph.size());
    const auto at = [&](Expr e) { return e.is_set() ? rewritten[e.id] : Expr{}; };
    for (const std::uint32_t id : parts_of(graph, values)) {
        const Node n = graph.node(Expr{id});
        const Expr a = at(n.a), b = at(n.b), c = at(n.c);
        if (n_operands(n.op) == 0 || graph.is_of_inputs(Expr{id}))
            rewritten[id] = Expr{id}; // of inputs: computed once, so divided exactly
        else if (n.op == Op::divide)
            rewritten[id] = divided(graph, a, b);
        else if (a == n.a && b == n.b && c == n.c)
            rewritten[id] = Expr{id};
        else
            rewritten[id] = graph.make(n.op, a, b, c);
    }
    for (Expr& value : values)
        value = at(value);
    return values;
}

/// What is computed once per subject: expressions of inputs alone that are no bare input.
class Hoisted {
public:
    explicit Hoisted(const ExpressionGraph& graph) : graph_(&graph) {}

    bool contains(Expr e) const {
        return graph_->is_of_inputs(e) && graph_->node(e).op != Op::leaf;
    }
    Leaf slot(Expr e) {
        const auto [found, is_new] = index_.try_emplace(e.id, static_cast<int>(values_.size()));
        if (is_new) values_.push_back(e);
        return {LeafKind::derived, found->second};
    }
    const std::vector<Expr>& values() const { return values_; }

private:
    const ExpressionGraph* graph_;
    std::unordered_map<std::uint32_t, int> index_;
    std::vector<Expr> values_;
};

/// Writes expressions as instructions, depth first from what is stored.
class Emitter {
public:
    /// Without `hoisted`, everything is computed in place.
    Emitter(ExpressionGraph& graph, Hoisted* hoisted) : graph_(graph), hoisted_(hoisted) {}

    void store(Leaf to, Expr e) {
        compute(e);
        program_.stores.push_back({to, value_[e.id]});
    }
    LaneProgram finish(std::string name) {
        program_.name = std::move(name);
        return std::move(program_);
    }

private:
    bool is_hoisted(Expr e) const { return hoisted_ != nullptr && hoisted_->contains(e); }
    bool is_product(Expr e) const { return graph_.node(e).op == Op::multiply && !is_hoisted(e); }

    Node fused(Op op, Expr product, Expr addend) const {
        const Node& factors = graph_.node(product);
        return {op, factors.a, factors.b, addend, 0.0, {}};
    }

    /// The node as it is executed. The choice looks at shapes only; where both operands are
    /// products the graph's order by content decides.
    Node executed(Expr e) {
        const Node n = graph_.node(e);
        if (is_hoisted(e)) return {Op::leaf, {}, {}, {}, 0.0, hoisted_->slot(e)};
        if (n.op == Op::add && is_product(n.a)) return fused(Op::fused_multiply_add, n.a, n.b);
        if (n.op == Op::add && is_product(n.b)) return fused(Op::fused_multiply_add, n.b, n.a);
        if (n.op == Op::subtract && is_product(n.b))
            return fused(Op::fused_negative_multiply_add, n.b, n.a);
        if (n.op == Op::negate && is_product(n.a)) // −0 − a·b is −(a·b), zeros included
            return fused(Op::fused_negative_multiply_add, n.a, graph_.constant(-0.0));
        return n;
    }

    bool has_value(Expr e) const { return e.id < value_.size() && value_[e.id] != no_value; }

    void compute(Expr e) {
        std::vector<Expr> stack{e};
        while (!stack.empty()) {
            const Expr top = stack.back();
            const std::size_t depth = stack.size();
            const Node n = executed(top);
            if (!has_value(top))
                for (const Expr operand : {n.c, n.b, n.a})
                    if (operand.is_set() && !has_value(operand)) stack.push_back(operand);
            if (stack.size() > depth) continue;
            stack.pop_back();
            if (!has_value(top)) append(top, n);
        }
    }

    void append(Expr e, const Node& n) {
        const auto at = [&](Expr x) { return x.is_set() ? value_[x.id] : 0; };
        value_.resize(graph_.size(), no_value);
        value_[e.id] = static_cast<std::uint32_t>(program_.instructions.size());
        program_.instructions.push_back({n.op, at(n.a), at(n.b), at(n.c), n.value, n.leaf});
    }

    ExpressionGraph& graph_;
    Hoisted* hoisted_;
    LaneProgram program_;
    std::vector<std::uint32_t> value_; ///< by node
};

void make_room_for(WorkspaceLayout& layout, const LaneProgram& program) {
    for (const LaneProgram::Instruction& instruction : program.instructions)
        if (instruction.op == Op::leaf)
            layout.make_room(instruction.leaf.kind, instruction.leaf.index + 1);
    for (const LaneProgram::Store& store : program.stores)
        layout.make_room(store.to.kind, store.to.index + 1);
}

} // namespace

ProgramSet lower(ExpressionGraph& graph, std::span<const ProgramSpec> specs) {
    const std::vector<Expr> values = without_divisions(graph, specs);
    Hoisted hoisted(graph);
    ProgramSet set;
    std::size_t next = 0;
    for (const ProgramSpec& spec : specs) {
        Emitter emitter(graph, &hoisted);
        for (const ProgramSpec::Target& target : spec.targets)
            emitter.store(target.to, values[next++]);
        set.programs.push_back(emitter.finish(spec.name));
    }
    Emitter emitter(graph, nullptr);
    for (const Expr value : hoisted.values())
        emitter.store(hoisted.slot(value), value);
    set.prepare = emitter.finish("prepare");

    for (const LeafKind kind : {LeafKind::time, LeafKind::step, LeafKind::tolerance})
        set.layout.make_room(kind, 1);
    make_room_for(set.layout, set.prepare);
    for (const LaneProgram& program : set.programs)
        make_room_for(set.layout, program);
    return set;
}

} // namespace gemel::sim
