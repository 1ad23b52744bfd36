#pragma once

#include <gemel/sim/expression.hpp>

#include <cstdint>
#include <map>
#include <vector>

/// Sparse LU in symbols: which products and sums, decided once from the pattern, for every subject.
namespace gemel::sim {

/// A row of a sparse matrix of expressions: column → entry.
using SparseRow = std::map<int, Expr>;

/// The order of pivots on the diagonal by Markowitz' rule, greedily least (row − 1)(column − 1) of
/// what is left; ties by number. Depends on the pattern only.
std::vector<int> markowitz_order(const std::vector<SparseRow>& matrix);

/// Operations (a multiply-add is one) of eliminating a pattern in that order, and of a solve.
/// Counting stops when either is above `limit`.
struct EliminationCost {
    std::int64_t eliminate = 0, solve = 0;
};
EliminationCost elimination_cost(const std::vector<std::vector<int>>& rows, std::int64_t limit);

/// LU without pivoting in Markowitz order; reciprocal pivots, so that solving only multiplies.
class SymbolicLu {
public:
    SymbolicLu(ExpressionGraph& graph, const std::vector<SparseRow>& matrix);

    /// The solution of matrix · x = rhs.
    std::vector<Expr> solve(const std::vector<Expr>& rhs) const;

    /// 1 where elimination made some row's largest entry grow by more than `limit`; unset if no
    /// elimination changes any entry (a triangular pattern), so that nothing can grow.
    Expr has_grown(const std::vector<SparseRow>& matrix, double limit) const;

private:
    void eliminate(int pivot);

    ExpressionGraph& graph_;
    std::vector<int> order_;
    std::vector<int> position_;    ///< of a row in order_
    std::vector<SparseRow> rows_;  ///< multipliers before the pivot in order, U from it on
    std::vector<Expr> reciprocal_; ///< of pivots
    std::vector<char> is_changed_; ///< rows that elimination changed
};

} // namespace gemel::sim
