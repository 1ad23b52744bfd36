#include "solve/taylor_step.hpp"

#include "base/index.hpp"
#include "expr/taylor_series.hpp"
#include "expr/traverse.hpp"

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
          all_rates_(rates_with_infusions(compiled)),
          n_states_(layout.n_states) {}

    ProgramSpec build(double rtol);

private:
    Expr number(double value) { return graph_.constant(value); }
    Expr scaled(Expr slope, int k);
    States start();
    void expand();
    Expr end(int state);
    Expr polynomial_slope(int state);
    Expr reciprocal_size(int state);
    std::vector<Expr> error_parts();
    Expr is_at_the_edge();

    ExpressionGraph& graph_;
    const StepLayout& layout_;
    SteppedRates rates_;
    std::vector<Expr> all_rates_;
    int n_states_;
    std::vector<States> terms_;          ///< [k][state] of y(θ) = Σ_k y_k θ^k
    std::vector<States> slopes_;         ///< [k][state] of the rates
    std::vector<Expr> ends_, end_rates_; ///< of stepped states
};

/// y_{k+1} = h·f_k/(k + 1).
Expr TaylorStepBuilder::scaled(Expr slope, int k) {
    return graph_.multiply(slope, graph_.multiply(number(1.0 / (k + 1)), layout_.clock.step));
}

/// Exact states begin where their closed form is, and go on by their rates.
States TaylorStepBuilder::start() {
    States y;
    for (int i = 0; i < n_states_; ++i)
        y.push_back(graph_.leaf(LeafKind::state, i));
    const std::unordered_map<std::uint32_t, Expr> now{
        {graph_.leaf(LeafKind::time).id, layout_.clock.time}};
    const std::vector<Expr> exact = graph_.substitute(layout_.exact.values, now);
    for (std::size_t k = 0; k < exact.size(); ++k)
        y[index(layout_.exact.states[k])] = exact[k];
    return y;
}

void TaylorStepBuilder::expand() {
    std::vector<Expr> varying;
    for (int i = 0; i < n_states_; ++i)
        varying.push_back(graph_.leaf(LeafKind::state, i));
    TaylorSeries series(graph_, all_rates_, varying);
    terms_.push_back(start());
    for (int k = 0; k < taylor_order; ++k) {
        series.extend(terms_.back());
        States slopes, next;
        for (int i = 0; i < n_states_; ++i) {
            const bool is_known = k == 0 && layout_.place(i) >= 0;
            slopes.push_back(is_known ? graph_.leaf(LeafKind::rate, i)
                                      : series.at(all_rates_[index(i)], k));
            next.push_back(scaled(slopes.back(), k));
        }
        slopes_.push_back(slopes);
        terms_.push_back(next);
    }
}

/// Small terms first.
Expr TaylorStepBuilder::end(int state) {
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

Expr TaylorStepBuilder::reciprocal_size(int place) {
    const int state = layout_.stepped[index(place)];
    return graph_.divide(
        number(1.0), error_size(graph_, state, terms_.front()[index(state)], ends_[index(place)]));
}

/// The first term left out is h·(f(y1) − p'(1))/(order + 1), to leading order.
std::vector<Expr> TaylorStepBuilder::error_parts() {
    std::vector<Expr> parts;
    const Expr part = graph_.multiply(number(1.0 / (taylor_order + 1)), layout_.clock.step);
    for (int place = 0; place < layout_.n_controlled; ++place) {
        const Expr defect = graph_.subtract(end_rates_[index(place)],
                                            polynomial_slope(layout_.stepped[index(place)]));
        parts.push_back(graph_.multiply(graph_.multiply(part, defect), reciprocal_size(place)));
    }
    return parts;
}

/// Where the fastest decay rules, a term is −h·λ/k times the one before: order·‖y_order‖ >
/// edge·‖y_{order−1}‖.
Expr TaylorStepBuilder::is_at_the_edge() {
    Expr last = number(0.0), before = last;
    for (int place = 0; place < layout_.n_controlled; ++place) {
        const int state = layout_.stepped[index(place)];
        const auto square = [&](int k) {
            const Expr part =
                graph_.multiply(terms_[index(k)][index(state)], reciprocal_size(place));
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
    for (int state : layout_.stepped)
        ends_.push_back(end(state));
    end_rates_ = rates_.at(ends_, 1.0);
    ProgramSpec spec{"step", {}};
    for (std::size_t i = 0; i < ends_.size(); ++i) {
        spec.targets.push_back({layout_.end(layout_.stepped[i]), ends_[i]});
        spec.targets.push_back({layout_.end_rate(layout_.stepped[i]), end_rates_[i]});
    }
    add_exact_targets(spec, graph_, layout_);
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
