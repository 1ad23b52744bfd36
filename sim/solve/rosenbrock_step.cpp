#include "solve/rosenbrock_step.hpp"

#include "base/index.hpp"
#include "solve/error_scale.hpp"
#include "solve/rosenbrock_lu.hpp"

namespace gemel::sim {
namespace {

constexpr double growth_limit = 1e6;
/// Of the first stage's residual, per row, against the sizes of what cancels in it: growth_limit
/// times the rounding of doubles, and a little.
constexpr double residual_limit = 1e-9;

/// Builds a step, multiplied through with γh: (I − γhJ) U_i = γh f + Σ γC_ij U_j + γ d_i h² f_t, in
/// which states without feedback on themselves have the pivot 1.
class RosenbrockStepBuilder {
public:
    RosenbrockStepBuilder(CompiledSystem& compiled,
                          const RosenbrockTableau& tableau,
                          const StepLayout& layout)
        : compiled_(compiled),
          graph_(compiled.system.graph),
          tableau_(tableau),
          layout_(layout),
          n_(static_cast<int>(layout.stepped.size())),
          n_own_(layout.n_own),
          rates_(compiled, layout),
          step_(layout.clock.step),
          gamma_step_(scaled(tableau.gamma, step_)) {
        for (int i : layout.stepped)
            start_.push_back(graph_.leaf(LeafKind::state, i));
    }

    ProgramSpec build(double rtol);

private:
    Expr scaled(double factor, Expr e) { return graph_.multiply(graph_.constant(factor), e); }
    std::vector<std::pair<int, Expr>> slopes(int i);
    std::vector<SparseRow> matrix(int first, int end);
    std::vector<Expr> time_slopes();
    std::vector<Expr> solve(const SymbolicLu& lu, const std::vector<Expr>& side);
    std::vector<Expr> argument(int stage) const;
    std::vector<Expr> right_side(int stage);
    std::vector<Expr> error_parts();
    Expr bad_solve(const std::vector<SparseRow>& matrix, Expr grown);
    Expr dense(int r, int i);

    CompiledSystem& compiled_;
    ExpressionGraph& graph_;
    const RosenbrockTableau& tableau_;
    const StepLayout& layout_;
    int n_, n_own_; ///< stepped states, and those among them that are no derivatives
    SteppedRates rates_;
    std::vector<Expr> start_, end_;
    Expr step_, gamma_step_;
    std::vector<std::vector<Expr>> arguments_; ///< [stage] u_i
    std::vector<std::vector<Expr>> stages_;    ///< [stage] U_i
    std::vector<Expr> first_side_;             ///< right side of the first stage
    std::vector<Expr> time_slopes_;            ///< of the rates, if they ask for it
    std::vector<SparseRow> couplings_; ///< rows of I − γhJ for derivatives of states, if any
};

/// Of row i of the Jacobian.
std::vector<std::pair<int, Expr>> RosenbrockStepBuilder::slopes(int i) {
    std::vector<std::pair<int, Expr>> slopes;
    for (const int state : compiled_.structure.jacobian[index(layout_.stepped[index(i)])])
        if (const int j = layout_.place(state); j >= 0)
            slopes.emplace_back(
                j, graph_.differentiate(rates_.formulas()[index(i)], {LeafKind::state, state}));
    return slopes;
}

/// Rows [first, end) of I − γhJ.
std::vector<SparseRow> RosenbrockStepBuilder::matrix(int first, int end) {
    std::vector<Expr> formulas;
    for (int i = first; i < end; ++i)
        for (const auto& [j, slope] : slopes(i))
            formulas.push_back(slope);
    const std::vector<Expr> at_start = rates_.at_start(formulas);
    std::vector<SparseRow> rows(index(end - first));
    const Expr one = graph_.constant(1.0);
    auto next = at_start.begin();
    for (int i = first; i < end; ++i) {
        SparseRow& row = rows[index(i - first)];
        row[i] = one;
        for (const auto& [j, formula] : slopes(i)) {
            const Expr entry = graph_.multiply(gamma_step_, *next++);
            row[j] = i == j ? graph_.subtract(one, entry) : graph_.negate(entry);
        }
    }
    return rows;
}

/// By time, where rates ask for it.
std::vector<Expr> RosenbrockStepBuilder::time_slopes() {
    std::vector<Expr> slopes;
    if (rates_.use_time())
        for (const Expr rate : rates_.formulas())
            slopes.push_back(graph_.differentiate(rate, {LeafKind::time, 0}));
    return rates_.at_start(slopes);
}

/// Own states first; then, input by input, their derivatives, whose equations have the same matrix
/// and besides look at own states only.
std::vector<Expr> RosenbrockStepBuilder::solve(const SymbolicLu& lu,
                                               const std::vector<Expr>& side) {
    const auto part = [&](int first) {
        return std::vector<Expr>(side.begin() + first, side.begin() + first + n_own_);
    };
    std::vector<Expr> x = lu.solve(part(0));
    for (int first = n_own_; first < n_; first += n_own_) {
        std::vector<Expr> own_side = part(first);
        for (int i = 0; i < n_own_; ++i)
            for (const auto& [j, entry] : couplings_[index(first - n_own_ + i)])
                if (j < n_own_)
                    own_side[index(i)] =
                        graph_.subtract(own_side[index(i)], graph_.multiply(entry, x[index(j)]));
        const std::vector<Expr> solved = lu.solve(own_side);
        x.insert(x.end(), solved.begin(), solved.end());
    }
    return x;
}

/// u_i = y + Σ a_ij U_j; from stage 7 on the argument before plus the stage before.
std::vector<Expr> RosenbrockStepBuilder::argument(int stage) const {
    std::vector<Expr> u = stage < RosenbrockTableau::n_tabulated ? start_ : arguments_.back();
    for (int i = 0; i < n_; ++i) {
        if (stage >= RosenbrockTableau::n_tabulated) {
            u[index(i)] = graph_.add(u[index(i)], stages_.back()[index(i)]);
            continue;
        }
        for (int j = 0; j < stage; ++j)
            u[index(i)] = graph_.add(u[index(i)],
                                     graph_.multiply(graph_.constant(tableau_.a[stage][j]),
                                                     stages_[index(j)][index(i)]));
    }
    return u;
}

std::vector<Expr> RosenbrockStepBuilder::right_side(int stage) {
    arguments_.push_back(argument(stage));
    std::vector<Expr> side = stage == 0 ? rates_.at_start(rates_.formulas())
                                        : rates_.at(arguments_.back(), tableau_.c[stage]);
    for (int i = 0; i < n_; ++i) {
        Expr sum = graph_.multiply(gamma_step_, side[index(i)]);
        for (int j = 0; j < stage; ++j)
            sum = graph_.add(
                sum, scaled(tableau_.gamma * tableau_.C[stage][j], stages_[index(j)][index(i)]));
        if (rates_.use_time() && tableau_.d[stage] != 0.0)
            sum = graph_.add(
                sum,
                graph_.multiply(scaled(tableau_.d[stage], graph_.multiply(gamma_step_, step_)),
                                time_slopes_[index(i)]));
        side[index(i)] = sum;
    }
    return side;
}

/// The last stage is the error.
std::vector<Expr> RosenbrockStepBuilder::error_parts() {
    std::vector<Expr> parts;
    for (int i = 0; i < layout_.n_controlled; ++i)
        parts.push_back(graph_.divide(
            stages_.back()[index(i)],
            error_size(graph_, layout_.stepped[index(i)], start_[index(i)], end_[index(i)])));
    return parts;
}

/// Growth in the LU, or a first stage that does not solve its equations: some row's residual is
/// not small against Σ|W_ij U_j| + |rhs_i|.
Expr RosenbrockStepBuilder::bad_solve(const std::vector<SparseRow>& matrix, Expr grown) {
    Expr is_bad = grown;
    for (int i = 0; i < n_own_; ++i) {
        Expr residual = graph_.negate(first_side_[index(i)]);
        Expr size = graph_.unary(Op::absolute, first_side_[index(i)]);
        for (const auto& [j, entry] : matrix[index(i)]) {
            const Expr part = graph_.multiply(entry, stages_[0][index(j)]);
            residual = graph_.add(residual, part);
            size = graph_.add(size, graph_.unary(Op::absolute, part));
        }
        // Amounts without full precision, below 1e-308, leave no small residual and do no harm.
        const Expr bound = graph_.add(scaled(residual_limit, size), graph_.constant(smallest_size));
        const Expr here = graph_.binary(Op::less, bound, graph_.unary(Op::absolute, residual));
        is_bad = graph_.binary(Op::logical_or, is_bad, here);
    }
    return is_bad;
}

Expr RosenbrockStepBuilder::dense(int r, int i) {
    Expr sum = scaled(tableau_.h[r][0], stages_[0][index(i)]);
    for (int j = 1; j < RosenbrockTableau::n_stages; ++j)
        sum = graph_.add(sum, scaled(tableau_.h[r][j], stages_[index(j)][index(i)]));
    return sum;
}

ProgramSpec RosenbrockStepBuilder::build(double rtol) {
    const std::vector<SparseRow> w = matrix(0, n_own_);
    const SymbolicLu lu(graph_, w);
    couplings_ = matrix(n_own_, n_);
    time_slopes_ = time_slopes();
    for (int stage = 0; stage < RosenbrockTableau::n_stages; ++stage) {
        const std::vector<Expr> side = right_side(stage);
        if (stage == 0) first_side_ = side;
        stages_.push_back(solve(lu, side));
    }
    end_ = argument(RosenbrockTableau::n_stages);

    ProgramSpec spec{"step", {}};
    for (int i = 0; i < n_; ++i)
        spec.targets.push_back({layout_.end(layout_.stepped[index(i)]), end_[index(i)]});
    add_exact_targets(spec, graph_, layout_);
    for (int r = 0; r < n_stage_terms; ++r)
        for (int k = 0; k < layout_.n_dense(); ++k)
            spec.targets.push_back(
                {layout_.dense(r, k), dense(r, layout_.place(layout_.dense_states[index(k)]))});
    add_error_target(spec, graph_, layout_, error_parts(), rtol);
    const Expr grown = lu.has_grown(w, growth_limit);
    spec.targets.push_back(
        {layout_.is_singular(), grown.is_set() ? bad_solve(w, grown) : graph_.constant(0.0)});
    return spec;
}

} // namespace

ProgramSpec rosenbrock_step(CompiledSystem& system,
                            const RosenbrockTableau& tableau,
                            const StepLayout& layout,
                            double rtol) {
    return RosenbrockStepBuilder(system, tableau, layout).build(rtol);
}

} // namespace gemel::sim
