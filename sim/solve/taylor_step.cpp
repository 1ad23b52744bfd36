#include "solve/taylor_step.hpp"

#include "base/index.hpp"
#include "expr/taylor_series.hpp"
#include "expr/traverse.hpp"

#include <algorithm>
#include <limits>

namespace gemel::sim {
namespace {

/// Longest stable h·|λ| of the polynomial of order 9 along the negative axis is 4.70; a little less
/// is the edge.
constexpr double edge_of_stability_of_taylor = 4.0;

using States = std::vector<Expr>;

class TaylorStepBuilder {
public:
    TaylorStepBuilder(CompiledSystem& compiled, const StepLayout& layout)
        : graph_(compiled.system.graph),
          layout_(layout),
          rates_(compiled, layout),
          formulas_(rates_with_infusions(compiled)),
          n_states_(layout.n_states) {
        for (int i = 0; i < n_states_; ++i)
            decays_.push_back(decay(compiled.system.states[index(i)].rate, i));
    }

    ProgramSpec build(double rtol);

private:
    Expr number(double value) { return graph_.constant(value); }
    Expr scaled(Expr slope, int k);
    Expr decay(Expr rate, int state);
    bool is_exact(int state) const { return decays_[index(state)].is_set(); }
    void expand();
    Expr end(int state);
    Expr decayed(int state);
    Expr polynomial_end(int state);
    Expr polynomial_slope(int state);
    Expr reciprocal_size(int state);
    std::vector<Expr> error_parts();
    Expr is_at_the_edge();

    ExpressionGraph& graph_;
    const StepLayout& layout_;
    SteppedRates rates_;
    std::vector<Expr> formulas_;
    int n_states_;
    std::vector<Expr>
        decays_; ///< rate constants of states that are solved exactly, unset of others
    std::vector<States> terms_;  ///< [k][state] of y(θ) = Σ_k y_k θ^k
    std::vector<States> slopes_; ///< [k][state] of the rates
    std::vector<Expr> ends_, end_rates_;
};

/// y_{k+1} = h·f_k/(k + 1).
Expr TaylorStepBuilder::scaled(Expr slope, int k) {
    return graph_.multiply(slope, graph_.multiply(number(1.0 / (k + 1)), layout_.clock.step));
}

/// Of a depot: k where the rate is −k·y, k of inputs alone, and no output looks into the step.
Expr TaylorStepBuilder::decay(Expr rate, int state) {
    const std::vector<int>& seen = layout_.dense_states;
    if (std::find(seen.begin(), seen.end(), state) != seen.end()) return {};
    const Expr y = graph_.leaf(LeafKind::state, state);
    const Expr slope = graph_.differentiate(rate, graph_.node(y).leaf);
    const bool is_fixed =
        graph_.is_constant(slope) ? !graph_.is_constant(slope, 0.0) : graph_.is_of_inputs(slope);
    if (!is_fixed) return {};
    const Expr at_zero = graph_.substitute(std::vector{rate}, {{y.id, number(0.0)}})[0];
    return graph_.is_constant(at_zero, 0.0) ? graph_.negate(slope) : Expr{};
}

void TaylorStepBuilder::expand() {
    std::vector<Expr> varying;
    for (int i = 0; i < n_states_; ++i)
        varying.push_back(graph_.leaf(LeafKind::state, i));
    TaylorSeries series(graph_, formulas_, varying);
    terms_.push_back(varying);
    for (int k = 0; k < taylor_order; ++k) {
        series.extend(terms_.back());
        States slopes, next;
        for (int i = 0; i < n_states_; ++i) {
            slopes.push_back(k == 0 ? graph_.leaf(LeafKind::rate, i)
                                    : series.at(formulas_[index(i)], k));
            next.push_back(scaled(slopes.back(), k));
        }
        slopes_.push_back(slopes);
        terms_.push_back(next);
    }
}

Expr TaylorStepBuilder::end(int state) {
    return is_exact(state) ? decayed(state) : polynomial_end(state);
}

/// y·e^{−kh} + u·(1 − e^{−kh})/k, u an infusion.
Expr TaylorStepBuilder::decayed(int state) {
    const Expr k = decays_[index(state)], h = layout_.clock.step;
    const Expr y = graph_.leaf(LeafKind::state, state);
    const Expr x = graph_.multiply(k, h);
    const Expr lost = graph_.unary(Op::expm1, graph_.negate(x));
    const Expr mean = graph_.select(
        graph_.binary(Op::equal, x, number(0.0)), h, graph_.negate(graph_.divide(lost, k)));
    const Expr kept = graph_.add(y, graph_.multiply(y, lost));
    return graph_.add(kept, graph_.multiply(graph_.leaf(LeafKind::infusion, state), mean));
}

/// Small terms first.
Expr TaylorStepBuilder::polynomial_end(int state) {
    Expr sum = terms_.back()[index(state)];
    for (int k = taylor_order - 1; k >= 0; --k)
        sum = graph_.add(terms_[index(k)][index(state)], sum);
    return sum;
}

Expr TaylorStepBuilder::polynomial_slope(int state) {
    Expr sum = slopes_.back()[index(state)];
    for (int k = taylor_order - 2; k >= 0; --k)
        sum = graph_.add(slopes_[index(k)][index(state)], sum);
    return sum;
}

Expr TaylorStepBuilder::reciprocal_size(int state) {
    return graph_.divide(
        number(1.0), error_size(graph_, state, terms_.front()[index(state)], ends_[index(state)]));
}

/// The first term left out is h·(f(y1) − p'(1))/(order + 1), to leading order.
std::vector<Expr> TaylorStepBuilder::error_parts() {
    std::vector<Expr> parts;
    const Expr part = graph_.multiply(number(1.0 / (taylor_order + 1)), layout_.clock.step);
    for (int i = 0; i < layout_.n_controlled; ++i) {
        const Expr defect = graph_.subtract(end_rates_[index(i)], polynomial_slope(i));
        const Expr error = graph_.multiply(graph_.multiply(part, defect), reciprocal_size(i));
        parts.push_back(is_exact(i) ? number(0.0) : error);
    }
    return parts;
}

/// Where the fastest decay rules, a term is −h·λ/k times the one before: order·‖y_order‖ >
/// edge·‖y_{order−1}‖.
Expr TaylorStepBuilder::is_at_the_edge() {
    Expr last = number(0.0), before = last;
    for (int i = 0; i < layout_.n_controlled; ++i) {
        if (is_exact(i)) continue;
        const auto square = [&](int k) {
            const Expr part = graph_.multiply(terms_[index(k)][index(i)], reciprocal_size(i));
            return graph_.multiply(part, part);
        };
        last = graph_.add(last, square(taylor_order));
        before = graph_.add(before, square(taylor_order - 1));
    }
    const double ratio = edge_of_stability_of_taylor / taylor_order;
    return graph_.binary(Op::less, graph_.multiply(number(ratio * ratio), before), last);
}

ProgramSpec TaylorStepBuilder::build(double rtol) {
    expand();
    for (int i = 0; i < n_states_; ++i)
        ends_.push_back(end(i));
    end_rates_ = rates_.at(ends_, 1.0);
    ProgramSpec spec{"step", {}};
    for (int i = 0; i < n_states_; ++i) {
        spec.targets.push_back({layout_.end(i), ends_[index(i)]});
        spec.targets.push_back({layout_.end_rate(i), end_rates_[index(i)]});
    }
    for (int r = 0; r < taylor_order; ++r)
        for (int k = 0; k < layout_.n_dense(); ++k)
            spec.targets.push_back(
                {layout_.dense(r, k), terms_[index(r + 1)][index(layout_.dense_states[index(k)])]});
    add_error_target(spec, graph_, layout_, error_parts(), rtol);
    spec.targets.push_back({layout_.is_at_the_edge(), is_at_the_edge()});
    return spec;
}

} // namespace

/// A product of two things that vary takes one multiply-add for each pair of orders, a power two.
std::int64_t taylor_operations(const CompiledSystem& compiled) {
    const ExpressionGraph& graph = compiled.system.graph;
    constexpr std::int64_t pairs = taylor_order * (taylor_order + 1) / 2;
    const auto varies = [&](Expr e) { return e.is_set() && graph.depends_on(e, LeafKind::state); };
    std::vector<Expr> rates;
    for (const State& state : compiled.system.states)
        rates.push_back(state.rate);
    std::int64_t sum = 0;
    for (const std::uint32_t id : parts_of(graph, rates)) {
        const Node& n = graph.node(Expr{id});
        if (n.op == Op::leaf || !varies(Expr{id})) continue;
        const bool is_linear = n.op == Op::add || n.op == Op::subtract || n.op == Op::negate ||
                               n.op == Op::select ||
                               (n.op == Op::multiply && !(varies(n.a) && varies(n.b))) ||
                               (n.op == Op::divide && !varies(n.b));
        if (n.op == Op::power && varies(n.b)) return std::numeric_limits<std::int64_t>::max();
        sum += is_linear ? taylor_order : n.op == Op::power ? 2 * pairs : pairs;
    }
    return sum;
}

ProgramSpec taylor_step(CompiledSystem& system, const StepLayout& layout, double rtol) {
    return TaylorStepBuilder(system, layout).build(rtol);
}

} // namespace gemel::sim
