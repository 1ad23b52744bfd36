#pragma once

#include <gemel/sim/expression.hpp>

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace gemel::sim {

/// Taylor coefficients of expressions, as expressions, from those of the leaves that vary: with
/// leaf(θ) = Σ_k c_k θ^k an expression is Σ_k e_k θ^k, and e_k follows from coefficients up to k of
/// its operands, one multiply-add for each pair of a product. Minimum, maximum, absolute value and
/// select follow the branch at θ = 0; what is not smooth there (a fractional power of 0) counts as
/// ExpressionGraph::differentiate has it. Exponents must not vary.
///
/// Source: Griewank & Walther, Evaluating Derivatives, 2nd edition, chapter 13. Theory manual:
/// solvers.md.
class TaylorSeries {
public:
    /// @param varying  leaves; all others are constant
    TaylorSeries(ExpressionGraph& graph,
                 std::span<const Expr> expressions,
                 std::span<const Expr> varying);

    /// Coefficients of the leaves that vary, of the next order, in their order: then at() knows
    /// that order of every expression.
    void extend(std::span<const Expr> leaves);
    /// Coefficient of order k of an expression, or a part of one.
    Expr at(Expr e, int k) const;

private:
    Expr companion(Expr e);
    void add_companions(std::vector<Expr> expressions);
    bool varies(Expr e) const { return e.is_set() && series_.contains(e.id); }
    Expr number(double value) { return graph_.constant(value); }
    Expr leading(Expr e);
    Expr following(Expr e, int k);
    Expr product(const Node& n, int k);
    Expr quotient(Expr e, const Node& n, int k);
    Expr power(Expr e, Expr base, Expr exponent, int k);
    Expr integral(Expr of, Expr factor, int k);
    Expr logarithm(Expr e, Expr of, Expr start, int k);
    Expr slope(Expr e, int j);
    Expr reciprocal(Expr e) { return graph_.divide(number(1.0), e); }

    ExpressionGraph& graph_;
    std::vector<Expr> varying_; ///< leaves
    std::vector<Expr> nodes_;   ///< that vary, operands before users
    std::unordered_map<std::uint32_t, std::vector<Expr>> series_; ///< of what varies
    std::unordered_map<std::uint32_t, Expr> companion_; ///< what a node's series is made with
    int n_known_ = 0;
};

} // namespace gemel::sim
