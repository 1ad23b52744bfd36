#include "solve/controlled_step.hpp"

#include "base/index.hpp"
#include "base/lane_math.hpp"
#include "solve/step_control.hpp"

#include <limits>
#include <unordered_map>

namespace gemel::sim {
namespace {

Expr control_leaf(ExpressionGraph& g, Control which) {
    return g.leaf(LeafKind::control, static_cast<int>(which));
}

Expr room_to_stop(ExpressionGraph& g) {
    return g.subtract(control_leaf(g, Control::stop), control_leaf(g, Control::time));
}

/// The step that is proposed would end at the stop or nearly so.
Expr is_last_before_stop(ExpressionGraph& g) {
    const Expr reach = g.multiply(g.constant(stretch), control_leaf(g, Control::step));
    return g.binary(Op::less_equal, room_to_stop(g), reach);
}

class StepController {
public:
    StepController(CompiledSystem& system, const ProgramSpec& bare, const StepLayout& layout)
        : g_(system.system.graph),
          layout_(layout),
          now_(at(Control::time)),
          used_(layout.clock.step),
          to_(g_.select(
              is_last_before_stop(g_), at(Control::stop), g_.add(now_, at(Control::step)))) {
        for (const ProgramSpec::Target& target : bare.targets)
            bare_[target.to.index] = target.value;
    }

    ProgramSpec build() {
        judge();
        add_states();
        add_passage();
        return std::move(spec_);
    }

    ProgramSpec build_edge() {
        spec_.name = "edge";
        if (layout_.method.is_explicit)
            store(layout_.is_at_the_edge(), bare(layout_.is_at_the_edge()));
        return std::move(spec_);
    }

private:
    Expr number(double value) { return g_.constant(value); }
    Expr at(Control which) { return control_leaf(g_, which); }
    Expr leaf(Leaf leaf) { return g_.leaf(leaf.kind, leaf.index); }
    Expr bare(Leaf place) { return bare_.at(place.index); }
    void store(Leaf to, Expr value) { spec_.targets.push_back({to, value}); }
    void keep_or(Leaf place, Expr end) { store(place, g_.select(is_good_, end, leaf(place))); }
    Expr is_below(Expr a, Expr b) { return g_.binary(Op::less, a, b); }

    Expr are_finite();
    Expr factor(Expr error);
    void judge();
    void add_states();
    void add_passage();
    Expr attention(Expr left);

    ExpressionGraph& g_;
    const StepLayout& layout_;
    Expr now_, used_, to_, is_finite_, is_good_, verdict_;
    std::unordered_map<int, Expr> bare_; ///< by result slot
    ProgramSpec spec_{"step", {}};
};

/// Of all states at the end: a sum of small parts, which cannot overflow.
Expr StepController::are_finite() {
    Expr sum = number(0.0);
    for (int i = 0; i < layout_.n_states; ++i)
        sum = g_.add(g_.multiply(number(1e-300), bare(layout_.end(i))), sum);
    return g_.binary(
        Op::less_equal, g_.unary(Op::absolute, sum), number(std::numeric_limits<double>::max()));
}

void StepController::judge() {
    const auto both = [&](Expr a, Expr b) { return g_.binary(Op::logical_and, a, b); };
    const auto code = [&](Verdict verdict) { return number(static_cast<double>(verdict)); };
    const Expr error = bare(layout_.error());
    const Expr has_moved = is_below(now_, to_);
    is_finite_ = both(are_finite(), is_below(error, number(lane::infinity)));
    is_good_ = both(both(has_moved, is_finite_), g_.binary(Op::less_equal, error, number(1.0)));
    verdict_ = g_.select(is_finite_, code(Verdict::inaccurate), code(Verdict::not_finite));
    if (!layout_.method.is_explicit) {
        const Expr is_singular = bare(layout_.is_singular());
        is_good_ = both(is_good_, g_.unary(Op::logical_not, is_singular));
        verdict_ = g_.select(is_singular, code(Verdict::singular), verdict_);
    }
    verdict_ = g_.select(has_moved, verdict_, code(Verdict::no_progress));
    verdict_ = g_.select(is_good_, code(Verdict::accepted), verdict_);
}

/// Of the next step's length.
Expr StepController::factor(Expr error) {
    const Expr above_zero = g_.binary(Op::maximum, error, number(1e-20));
    Expr root = g_.unary(Op::rough_inverse_tenth_root, above_zero); // the error is squared
    if (layout_.method.error_order == 10) root = g_.unary(Op::square_root, root);
    const Expr wanted = g_.multiply(number(safety), root);
    const Expr least = number(least_factor);
    const Expr by_error =
        g_.binary(Op::maximum, g_.binary(Op::minimum, wanted, at(Control::growth)), least);
    const Expr factor = g_.select(is_finite_, by_error, least);
    return layout_.method.is_explicit
               ? factor
               : g_.select(bare(layout_.is_singular()), number(singular_factor), factor);
}

void StepController::add_states() {
    for (int i : layout_.stepped) {
        keep_or({LeafKind::state, i}, bare(layout_.end(i)));
        if (layout_.method.is_explicit) keep_or({LeafKind::rate, i}, bare(layout_.end_rate(i)));
    }
    for (int i : layout_.exact.states)
        store(layout_.end(i), bare(layout_.end(i)));
    for (int k = 0; k < layout_.n_dense(); ++k) {
        store(layout_.begin(k), g_.leaf(LeafKind::state, layout_.dense_states[index(k)]));
        for (int r = 0; r < layout_.method.n_dense_terms; ++r)
            store(layout_.dense(r, k), bare(layout_.dense(r, k)));
    }
}

/// After a rejection the next step does not grow at once: it was too large a moment ago.
void StepController::add_passage() {
    keep_or(control(Control::time), to_);
    store(control(Control::step), g_.multiply(used_, factor(bare(layout_.error()))));
    store(control(Control::growth), g_.select(is_good_, number(largest_factor), number(1.0)));
    const Expr left = g_.subtract(at(Control::left), number(1.0));
    store(control(Control::left), left);
    store(layout_.from(), now_);
    store(layout_.verdict(), verdict_);
    store(layout_.attention(), attention(left));
}

Expr StepController::attention(Expr left) {
    const auto both = [&](Expr a, Expr b) { return g_.binary(Op::logical_and, a, b); };
    const Expr is_due = both(is_good_, is_below(at(Control::due), to_));
    const Expr may_go_on =
        both(both(is_good_, is_below(to_, at(Control::alarm))), is_below(at(Control::watch), left));
    const Expr code = g_.add(g_.select(is_due, number(sample_is_due), number(0.0)),
                             g_.select(may_go_on, number(0.0), number(is_called)));
    return g_.multiply(code, at(Control::live));
}

/// The part of the step just taken.
Expr theta(ExpressionGraph& g, const StepLayout& layout) {
    const auto leaf = [&](Leaf at) { return g.leaf(at.kind, at.index); };
    const Expr from = leaf(layout.from());
    const Expr part = g.divide(g.subtract(leaf(control(Control::look_time)), from),
                               g.subtract(leaf(control(Control::time)), from));
    return g.binary(Op::maximum, part, g.constant(0.0));
}

/// Dense state k within the step (StepMethod::is_series).
Expr dense_value(ExpressionGraph& g, const StepLayout& layout, int k) {
    const auto leaf = [&](Leaf at) { return g.leaf(at.kind, at.index); };
    const Expr part = theta(g, layout), rest = g.subtract(g.constant(1.0), part);
    const int n_terms = layout.method.n_dense_terms;
    Expr inner = leaf(layout.dense(n_terms - 1, k));
    for (int r = n_terms - 2; r >= 0; --r)
        inner = g.add(leaf(layout.dense(r, k)), g.multiply(part, inner));
    if (layout.method.is_series) return g.add(leaf(layout.begin(k)), g.multiply(part, inner));
    const Expr end = g.leaf(LeafKind::state, layout.dense_states[index(k)]);
    inner = g.add(end, g.multiply(rest, inner));
    // Fused by name: of two products, which one is fused must not depend on numbers of slots.
    const Expr start = g.multiply(rest, leaf(layout.begin(k)));
    return g.fused(Op::fused_multiply_add, part, inner, start);
}

} // namespace

StepLayout controlled_layout(CompiledSystem& system, const StepMethod& method) {
    StepLayout layout = step_layout(system, method);
    ExpressionGraph& g = system.system.graph;
    const Expr now = control_leaf(g, Control::time);
    layout.clock.time =
        layout.exact.states.empty() ? now : g.subtract(now, control_leaf(g, Control::event));
    layout.clock.step =
        g.select(is_last_before_stop(g), room_to_stop(g), control_leaf(g, Control::step));
    return layout;
}

ProgramSpec
controlled_step(CompiledSystem& system, const ProgramSpec& bare, const StepLayout& layout) {
    return StepController(system, bare, layout).build();
}

ProgramSpec
edge_program(CompiledSystem& system, const ProgramSpec& bare, const StepLayout& layout) {
    return StepController(system, bare, layout).build_edge();
}

ProgramSpec look_program(CompiledSystem& system, const StepLayout& layout) {
    ExpressionGraph& g = system.system.graph;
    const Expr time = g.leaf(LeafKind::control, static_cast<int>(Control::look_time));
    const Expr event = g.leaf(LeafKind::control, static_cast<int>(Control::event));
    const std::uint32_t clock = g.leaf(LeafKind::time).id;
    std::unordered_map<std::uint32_t, Expr> with{{clock, time}};
    for (int k = 0; k < layout.n_dense(); ++k)
        with[g.leaf(LeafKind::state, layout.dense_states[index(k)]).id] = dense_value(g, layout, k);
    const std::vector<Expr> exact =
        g.substitute(layout.exact.values, {{clock, g.subtract(time, event)}});
    for (int k : layout.exact_dense)
        with[g.leaf(LeafKind::state, layout.exact.states[index(k)]).id] = exact[index(k)];
    std::vector<Expr> outputs;
    for (const NamedExpr& output : system.system.outputs)
        outputs.push_back(output.value);
    outputs = g.substitute(outputs, with);
    ProgramSpec spec{"look", {}};
    for (std::size_t k = 0; k < outputs.size(); ++k)
        spec.targets.push_back({layout.output(static_cast<int>(k)), outputs[k]});
    return spec;
}

LaneProgram samples_program(LaneProgram look) {
    look.name = "samples";
    for (LaneProgram::Instruction& instruction : look.instructions)
        if (instruction.op == Op::leaf && instruction.leaf == control(Control::look_time))
            instruction.leaf = control(Control::sample);
    return look;
}

} // namespace gemel::sim
