#include "solve/runge_kutta_step.hpp"

#include "base/index.hpp"

namespace gemel::sim {
namespace {

constexpr int n_stages = RungeKuttaTableau::n_stages;
/// Longest stable h·|λ| of the method along the negative axis is 3.5; a little less is the edge.
constexpr double edge_of_stability = 3.0;

class RungeKuttaStepBuilder {
public:
    RungeKuttaStepBuilder(CompiledSystem& compiled,
                          const RungeKuttaTableau& tableau,
                          const StepLayout& layout)
        : graph_(compiled.system.graph),
          tableau_(tableau),
          layout_(layout),
          n_(static_cast<int>(layout.stepped.size())),
          rates_(compiled, layout),
          step_(layout.clock.step) {
        std::vector<Expr> first;
        for (int i : layout.stepped) {
            start_.push_back(graph_.leaf(LeafKind::state, i));
            first.push_back(graph_.leaf(LeafKind::rate, i));
        }
        arguments_.push_back(start_);
        slopes_.push_back(first);
    }

    ProgramSpec build(double rtol);

private:
    Expr combined(const double* weights, int n, int state);
    std::vector<Expr> argument(int stage);
    std::vector<Expr> reciprocal_sizes();
    std::vector<Expr> error_parts(const std::vector<Expr>& reciprocals);
    Expr is_at_the_edge(const std::vector<Expr>& reciprocals);
    void add_dense_targets(ProgramSpec& spec);

    ExpressionGraph& graph_;
    const RungeKuttaTableau& tableau_;
    const StepLayout& layout_;
    int n_; ///< stepped states
    SteppedRates rates_;
    std::vector<Expr> start_;
    Expr step_;
    std::vector<std::vector<Expr>> arguments_; ///< [stage] u_i
    std::vector<std::vector<Expr>> slopes_;    ///< [stage] k_i
};

/// Σ_{j<n} weight_j k_j of a state.
Expr RungeKuttaStepBuilder::combined(const double* weights, int n, int state) {
    Expr sum = graph_.constant(0.0);
    for (int j = 0; j < n; ++j)
        sum = graph_.add(
            sum, graph_.multiply(graph_.constant(weights[j]), slopes_[index(j)][index(state)]));
    return sum;
}

std::vector<Expr> RungeKuttaStepBuilder::argument(int stage) {
    std::vector<Expr> u;
    for (int i = 0; i < n_; ++i)
        u.push_back(graph_.add(start_[index(i)],
                               graph_.multiply(step_, combined(tableau_.a[stage], stage, i))));
    return u;
}

std::vector<Expr> RungeKuttaStepBuilder::reciprocal_sizes() {
    std::vector<Expr> reciprocals;
    const Expr one = graph_.constant(1.0);
    for (int i = 0; i < layout_.n_controlled; ++i)
        reciprocals.push_back(graph_.divide(
            one,
            error_size(
                graph_, layout_.stepped[index(i)], start_[index(i)], arguments_.back()[index(i)])));
    return reciprocals;
}

std::vector<Expr> RungeKuttaStepBuilder::error_parts(const std::vector<Expr>& reciprocals) {
    std::vector<Expr> parts;
    for (int i = 0; i < layout_.n_controlled; ++i)
        parts.push_back(graph_.multiply(graph_.multiply(step_, combined(tableau_.e, n_stages, i)),
                                        reciprocals[index(i)]));
    return parts;
}

/// h·‖k_7 − k_6‖ > edge·‖u_7 − u_6‖: both stages are at the same time, so the quotient of the norms
/// is how strongly the rates answer to a change of the states.
///
/// Source: Hairer & Wanner, Solving ODEs II, section IV.2, "stiffness detection".
Expr RungeKuttaStepBuilder::is_at_the_edge(const std::vector<Expr>& reciprocals) {
    Expr slopes = graph_.constant(0.0), states = slopes;
    for (int i = 0; i < layout_.n_controlled; ++i) {
        const auto square = [&](const std::vector<std::vector<Expr>>& stages) {
            const Expr difference = graph_.multiply(
                graph_.subtract(stages[n_stages - 1][index(i)], stages[n_stages - 2][index(i)]),
                reciprocals[index(i)]);
            return graph_.multiply(difference, difference);
        };
        slopes = graph_.add(slopes, square(slopes_));
        states = graph_.add(states, square(arguments_));
    }
    const Expr edge = graph_.constant(edge_of_stability * edge_of_stability);
    return graph_.binary(Op::less,
                         graph_.multiply(edge, states),
                         graph_.multiply(graph_.multiply(step_, step_), slopes));
}

void RungeKuttaStepBuilder::add_dense_targets(ProgramSpec& spec) {
    for (int r = 0; r < n_stage_terms; ++r)
        for (int k = 0; k < layout_.n_dense(); ++k) {
            const int i = layout_.place(layout_.dense_states[index(k)]);
            const Expr sum = combined(tableau_.h[r], n_stages, i);
            spec.targets.push_back({layout_.dense(r, k), graph_.multiply(step_, sum)});
        }
}

ProgramSpec RungeKuttaStepBuilder::build(double rtol) {
    for (int stage = 1; stage < n_stages; ++stage) {
        arguments_.push_back(argument(stage));
        slopes_.push_back(rates_.at(arguments_.back(), tableau_.c[stage]));
    }
    ProgramSpec spec{"step", {}};
    for (int i = 0; i < n_; ++i) {
        const int state = layout_.stepped[index(i)];
        spec.targets.push_back({layout_.end(state), arguments_.back()[index(i)]});
        spec.targets.push_back({layout_.end_rate(state), slopes_.back()[index(i)]});
    }
    add_exact_targets(spec, graph_, layout_);
    add_dense_targets(spec);
    const std::vector<Expr> reciprocals = reciprocal_sizes();
    add_error_target(spec, graph_, layout_, error_parts(reciprocals), rtol);
    spec.targets.push_back({layout_.is_at_the_edge(), is_at_the_edge(reciprocals)});
    return spec;
}

} // namespace

ProgramSpec runge_kutta_step(CompiledSystem& system,
                             const RungeKuttaTableau& tableau,
                             const StepLayout& layout,
                             double rtol) {
    return RungeKuttaStepBuilder(system, tableau, layout).build(rtol);
}

} // namespace gemel::sim
