#include "solve/exact_part.hpp"

#include "base/index.hpp"
#include "expr/affine.hpp"

#include <algorithm>
#include <unordered_map>

namespace gemel::sim {
namespace {

/// Σ a_j·state_j + b with a_j and b of inputs alone.
bool is_plain(const CompiledSystem& system, const std::vector<char>& is_affine, int state) {
    const Expr rate = system.system.states[index(state)].rate;
    if (is_affine[rate.id] == 0) return false;
    const std::vector<Leaf> leaves = system.system.graph.leaves(std::vector{rate});
    return std::all_of(leaves.begin(), leaves.end(), [](const Leaf& leaf) {
        return leaf.kind == LeafKind::state || leaf.kind == LeafKind::input;
    });
}

/// What feeds a block from outside.
std::vector<int> sources(const CompiledSystem& system, const std::vector<int>& block) {
    std::vector<int> found;
    for (int i : block)
        for (int j : system.structure.jacobian[index(i)])
            if (std::find(block.begin(), block.end(), j) == block.end()) found.push_back(j);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

using Vector = std::vector<Expr>; ///< one entry per state of a block

/// y' = A y + s of one block and its depots, as expressions of the time since the last event.
class BlockSolution {
public:
    BlockSolution(CompiledSystem& system, const ExactBlock& block)
        : system_(system),
          g_(system.system.graph),
          block_(block),
          time_(g_.leaf(LeafKind::time)) {
        for (std::size_t j = 0; j < system.system.states.size(); ++j)
            at_zero_[g_.leaf(LeafKind::state, static_cast<int>(j)).id] = g_.constant(0.0);
    }

    Vector values() {
        Vector y, s, sum;
        for (int i : block_.states) {
            y.push_back(g_.leaf(LeafKind::state, i));
            s.push_back(source(i));
            sum.push_back(g_.constant(0.0));
        }
        for (const Mode& mode : modes()) {
            add(sum, decay(mode.rate), project(mode, y));
            add(sum, area(mode.rate), project(mode, s));
            for (int depot : block_.depots)
                add(sum, fed(mode.rate, depot), project(mode, feed(depot)));
        }
        return sum;
    }

private:
    /// e^{Aτ} = Σ_modes e^{rate·τ}·projector
    struct Mode {
        Expr rate;
        std::vector<Vector> projector; ///< rows
    };

    Expr number(double value) { return g_.constant(value); }
    Expr entry(int i, int j) {
        return g_.differentiate(system_.system.states[index(i)].rate, {LeafKind::state, j});
    }
    /// What enters at a constant rate: the rate without states, and infusions.
    Expr source(int i) {
        const Expr rate = system_.system.states[index(i)].rate;
        return g_.add(g_.substitute(std::vector{rate}, at_zero_)[0],
                      g_.leaf(LeafKind::infusion, i));
    }
    Vector feed(int depot) {
        Vector f;
        for (int i : block_.states)
            f.push_back(entry(i, depot));
        return f;
    }
    Vector project(const Mode& mode, const Vector& v) {
        Vector out;
        for (const Vector& row : mode.projector) {
            Expr sum = number(0.0);
            for (std::size_t j = 0; j < v.size(); ++j)
                sum = g_.add(sum, g_.multiply(row[j], v[j]));
            out.push_back(sum);
        }
        return out;
    }
    void add(Vector& sum, Expr factor, const Vector& v) {
        for (std::size_t i = 0; i < sum.size(); ++i)
            sum[i] = g_.add(sum[i], g_.multiply(factor, v[i]));
    }

    std::vector<Mode> modes();
    Expr series(Expr x);
    Expr decay(Expr rate) { return g_.unary(Op::exponential, g_.multiply(rate, time_)); }
    Expr area(Expr rate);
    Expr difference(Expr a, Expr b);
    Expr fed_area(Expr a, Expr b);
    Expr fed(Expr rate, int depot) {
        const Expr depot_rate = entry(depot, depot);
        return g_.add(g_.multiply(difference(rate, depot_rate), g_.leaf(LeafKind::state, depot)),
                      g_.multiply(fed_area(rate, depot_rate), source(depot)));
    }
    Expr is_small(Expr x, double limit) {
        return g_.binary(Op::less, g_.unary(Op::absolute, x), number(limit));
    }

    CompiledSystem& system_;
    ExpressionGraph& g_;
    const ExactBlock& block_;
    Expr time_;
    std::unordered_map<std::uint32_t, Expr> at_zero_;
};

/// Of two states: rates μ ± δ with δ² = ((a − d)/2)² + b·c; projectors (A − λ₋)/2δ, (λ₊ − A)/2δ. A
/// δ that is nothing beside the entries is held at ε = 1e-6 of them: equal rates without exchange,
/// or with exchange one way only, where there are no two modes. The difference of the modes then
/// loses as much as 1e-16/ε, and e^{μτ}·sinh(δτ)/δ is off by (δτ)²/6 of itself: 1e-10 and 1e-12 of
/// the states.
std::vector<BlockSolution::Mode> BlockSolution::modes() {
    const int first = block_.states[0];
    const Expr a = entry(first, first);
    if (block_.states.size() == 1) return {{a, {{number(1.0)}}}};
    const int second = block_.states[1];
    const Expr b = entry(first, second), c = entry(second, first), d = entry(second, second);
    const Expr half = g_.multiply(number(0.5), g_.subtract(a, d));
    const Expr mean = g_.multiply(number(0.5), g_.add(a, d));
    const Expr root = g_.unary(Op::square_root, g_.add(g_.multiply(half, half), g_.multiply(b, c)));
    const Expr size = g_.add(g_.unary(Op::absolute, a), g_.unary(Op::absolute, d));
    const Expr least = g_.binary(Op::maximum, g_.multiply(number(1e-6), size), number(1e-150));
    // In this order a root that is no number stays one.
    const Expr delta = g_.select(g_.binary(Op::less, root, least), least, root);
    const Expr slow = g_.add(mean, delta), fast = g_.subtract(mean, delta);
    const Expr by = g_.divide(number(0.5), delta);
    const auto scaled = [&](Expr e) { return g_.multiply(by, e); };
    const Expr up = scaled(b), down = scaled(c);
    return {{slow, {{scaled(g_.subtract(a, fast)), up}, {down, scaled(g_.subtract(d, fast))}}},
            {fast,
             {{scaled(g_.subtract(slow, a)), g_.negate(up)},
              {g_.negate(down), scaled(g_.subtract(slow, d))}}}};
}

/// (e^x − 1)/x for |x| < 0.03: the next term is below 1e-17.
Expr BlockSolution::series(Expr x) {
    Expr sum = number(0.0);
    for (const double factorial : {40320.0, 5040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0})
        sum = g_.add(g_.multiply(x, sum), number(1.0 / factorial));
    return sum;
}

constexpr double small = 0.03; ///< where differences would lose more than two digits

/// ∫₀^τ e^{rate·u} du
Expr BlockSolution::area(Expr rate) {
    const Expr x = g_.multiply(rate, time_);
    const Expr quotient = g_.divide(g_.subtract(decay(rate), number(1.0)), rate);
    return g_.select(is_small(x, small), g_.multiply(time_, series(x)), quotient);
}

/// ∫₀^τ e^{a(τ−u)} e^{bu} du
Expr BlockSolution::difference(Expr a, Expr b) {
    const Expr gap = g_.subtract(a, b);
    const Expr x = g_.multiply(gap, time_);
    const Expr quotient = g_.divide(g_.subtract(decay(a), decay(b)), gap);
    const Expr close = g_.multiply(g_.multiply(time_, decay(b)), series(x));
    return g_.select(is_small(x, small), close, quotient);
}

/// ∫₀^τ e^{a(τ−u)} ∫₀^u e^{bv} dv du: the divided difference of e^{·τ} at a, b and 0, which is
/// (difference(a, b) − area(a))/b and (difference(a, b) − area(b))/a; by the larger of the two, and
/// where both are small τ²·Σ_k h_k(aτ, bτ)/(k + 2)!, h_k = aτ·h_{k−1} + (bτ)^k. The first term left
/// out is below 1e-17.
Expr BlockSolution::fed_area(Expr a, Expr b) {
    const Expr x = g_.multiply(a, time_), y = g_.multiply(b, time_);
    Expr h = number(1.0), power = number(1.0), sum = number(0.5);
    double factorial = 2.0;
    for (int k = 1; k <= 8; ++k) {
        power = g_.multiply(power, y);
        h = g_.add(g_.multiply(x, h), power);
        factorial *= k + 2;
        sum = g_.add(sum, g_.multiply(number(1.0 / factorial), h));
    }
    const Expr close = g_.multiply(g_.multiply(time_, time_), sum);
    const Expr together = difference(a, b);
    const Expr by_a = g_.divide(g_.subtract(together, area(b)), a);
    const Expr by_b = g_.divide(g_.subtract(together, area(a)), b);
    const Expr size_x = g_.unary(Op::absolute, x), size_y = g_.unary(Op::absolute, y);
    const Expr quotient = g_.select(g_.binary(Op::less, size_y, size_x), by_a, by_b);
    return g_.select(is_small(g_.binary(Op::maximum, size_x, size_y), small), close, quotient);
}

} // namespace

std::vector<ExactBlock> exact_blocks(const CompiledSystem& system) {
    const std::vector<char> is_affine = affine_nodes(system.system.graph);
    std::vector<char> is_depot(system.system.states.size(), 0);
    std::vector<ExactBlock> found;
    for (const std::vector<int>& block : system.structure.blocks) {
        if (block.size() > 2) continue;
        const bool plain = std::all_of(block.begin(), block.end(), [&](int state) {
            return is_plain(system, is_affine, state);
        });
        const std::vector<int> depots = sources(system, block);
        const bool is_fed_by_depots = std::all_of(
            depots.begin(), depots.end(), [&](int j) { return is_depot[index(j)] != 0; });
        if (!plain || !is_fed_by_depots) continue;
        if (block.size() == 1 && depots.empty()) is_depot[index(block[0])] = 1;
        found.push_back({block, depots});
    }
    return found;
}

ExactPart exact_part(CompiledSystem& system) {
    std::vector<std::pair<int, Expr>> solved;
    for (const ExactBlock& block : exact_blocks(system)) {
        const Vector values = BlockSolution(system, block).values();
        for (std::size_t i = 0; i < values.size(); ++i)
            solved.emplace_back(block.states[i], values[i]);
    }
    std::sort(solved.begin(), solved.end(), [](const auto& a, const auto& b) {
        return a.first < b.first;
    });
    ExactPart part;
    for (const auto& [state, value] : solved) {
        part.states.push_back(state);
        part.values.push_back(value);
    }
    return part;
}

} // namespace gemel::sim
