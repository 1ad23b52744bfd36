#include "solve/rosenbrock_lu.hpp"

#include "base/index.hpp"

#include <algorithm>
#include <set>

namespace gemel::sim {
namespace {

/// The pattern of what is left to eliminate.
struct Pattern {
    std::vector<std::set<int>> rows, columns;

    explicit Pattern(std::size_t n) : rows(n), columns(n) {}
    void insert(int i, int j) {
        rows[index(i)].insert(j);
        columns[index(j)].insert(i);
    }
    std::size_t cost(int k) const {
        return (rows[index(k)].size() - 1) * (columns[index(k)].size() - 1);
    }

    void eliminate(int k) {
        const std::set<int> row = rows[index(k)], column = columns[index(k)];
        for (int i : column)
            if (i != k)
                for (int j : row)
                    if (j != k) insert(i, j);
        for (int j : row)
            columns[index(j)].erase(k);
        for (int i : column)
            rows[index(i)].erase(k);
    }
};

/// Pivots on the diagonal, the cheapest of what is left; ties by number.
class Pivots {
public:
    explicit Pivots(std::size_t n) {
        for (std::size_t i = 0; i < n; ++i)
            left_.insert(static_cast<int>(i));
    }
    bool is_done() const { return left_.empty(); }
    int next(const Pattern& pattern) {
        const int k = *std::min_element(left_.begin(), left_.end(), [&](int a, int b) {
            return pattern.cost(a) < pattern.cost(b);
        });
        left_.erase(k);
        return k;
    }

private:
    std::set<int> left_;
};

Expr largest(ExpressionGraph& graph, const std::vector<Expr>& entries) {
    Expr most = graph.unary(Op::absolute, entries[0]);
    for (std::size_t i = 1; i < entries.size(); ++i)
        most = graph.binary(Op::maximum, most, graph.unary(Op::absolute, entries[i]));
    return most;
}

} // namespace

std::vector<int> markowitz_order(const std::vector<SparseRow>& matrix) {
    Pattern pattern(matrix.size());
    for (std::size_t i = 0; i < matrix.size(); ++i)
        for (const auto& [j, entry] : matrix[i])
            pattern.insert(static_cast<int>(i), j);
    std::vector<int> order;
    for (Pivots pivots(matrix.size()); !pivots.is_done();) {
        order.push_back(pivots.next(pattern));
        pattern.eliminate(order.back());
    }
    return order;
}

EliminationCost elimination_cost(const std::vector<std::vector<int>>& rows, std::int64_t limit) {
    Pattern pattern(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (const int j : rows[i])
            pattern.insert(static_cast<int>(i), j);
    EliminationCost cost;
    for (Pivots pivots(rows.size());
         !pivots.is_done() && cost.eliminate <= limit && cost.solve <= limit;) {
        const int k = pivots.next(pattern);
        const auto below = static_cast<std::int64_t>(pattern.columns[index(k)].size() - 1);
        const auto right = static_cast<std::int64_t>(pattern.rows[index(k)].size() - 1);
        cost.eliminate += 1 + below * (1 + right);
        cost.solve += 1 + below + right;
        pattern.eliminate(k);
    }
    return cost;
}

SymbolicLu::SymbolicLu(ExpressionGraph& graph, const std::vector<SparseRow>& matrix)
    : graph_(graph),
      order_(markowitz_order(matrix)),
      position_(matrix.size()),
      rows_(matrix),
      reciprocal_(matrix.size()),
      is_changed_(matrix.size(), 0) {
    for (std::size_t p = 0; p < order_.size(); ++p)
        position_[index(order_[p])] = static_cast<int>(p);
    for (int pivot : order_)
        eliminate(pivot);
}

void SymbolicLu::eliminate(int k) {
    const SparseRow row = rows_[index(k)];
    reciprocal_[index(k)] = graph_.divide(graph_.constant(1.0), row.at(k));
    for (std::size_t p = index(position_[index(k)] + 1); p < order_.size(); ++p) {
        SparseRow& target = rows_[index(order_[p])];
        const auto entry = target.find(k);
        if (entry == target.end()) continue;
        entry->second = graph_.multiply(entry->second, reciprocal_[index(k)]);
        for (const auto& [j, u] : row) {
            if (position_[index(j)] <= position_[index(k)]) continue;
            const auto at = target.try_emplace(j, graph_.constant(0.0)).first;
            at->second = graph_.subtract(at->second, graph_.multiply(entry->second, u));
            is_changed_[index(order_[p])] = 1;
        }
    }
}

std::vector<Expr> SymbolicLu::solve(const std::vector<Expr>& rhs) const {
    std::vector<Expr> x = rhs;
    const auto subtract_row = [&](int i, bool before) {
        for (int k : order_) { // in order of elimination, so that the sum's order is the pattern's
            const auto entry = rows_[index(i)].find(k);
            if (k == i || entry == rows_[index(i)].end()) continue;
            if ((position_[index(k)] < position_[index(i)]) != before) continue;
            x[index(i)] = graph_.subtract(x[index(i)], graph_.multiply(entry->second, x[index(k)]));
        }
    };
    for (int i : order_)
        subtract_row(i, true);
    for (auto i = order_.rbegin(); i != order_.rend(); ++i) {
        subtract_row(*i, false);
        x[index(*i)] = graph_.multiply(x[index(*i)], reciprocal_[index(*i)]);
    }
    return x;
}

Expr SymbolicLu::has_grown(const std::vector<SparseRow>& matrix, double limit) const {
    Expr grown;
    for (std::size_t i = 0; i < matrix.size(); ++i) {
        if (!is_changed_[i]) continue;
        std::vector<Expr> before, after;
        for (const auto& [j, entry] : matrix[i])
            before.push_back(entry);
        for (const auto& [j, entry] : rows_[i])
            if (position_[index(j)] >= position_[i]) after.push_back(entry);
        const Expr bound = graph_.multiply(graph_.constant(limit), largest(graph_, before));
        const Expr here = graph_.binary(Op::less, bound, largest(graph_, after));
        grown = grown.is_set() ? graph_.binary(Op::logical_or, grown, here) : here;
    }
    return grown;
}

} // namespace gemel::sim
