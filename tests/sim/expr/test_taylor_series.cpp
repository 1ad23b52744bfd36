#include "expr/taylor_series.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>

using namespace gemel::sim;

namespace {

constexpr int taylor_order = 9;

/// x(θ) = 0.7 + 0.9 θ − 0.6 θ² and z(θ) = 1.1 − 0.8 θ.
constexpr double x_terms[] = {0.7, 0.9, -0.6}, z_terms[] = {1.1, -0.8};

double polynomial(std::span<const double> terms, double theta) {
    double value = 0.0;
    for (std::size_t k = terms.size(); k-- > 0;)
        value = value * theta + terms[k];
    return value;
}

struct Leaves {
    ExpressionGraph graph;
    Expr x = graph.leaf(LeafKind::state, 0), z = graph.leaf(LeafKind::state, 1),
         c = graph.leaf(LeafKind::input, 0);
    static constexpr double c_value = 1.7;

    double value(Expr e, double theta) const {
        return graph.evaluate(e, [&](Leaf leaf) {
            if (leaf.kind == LeafKind::input) return c_value;
            return leaf.index == 0 ? polynomial(x_terms, theta) : polynomial(z_terms, theta);
        });
    }
    std::vector<double> coefficients(Expr e) {
        const Expr expressions[] = {e}, varying[] = {x, z};
        TaylorSeries series(graph, expressions, varying);
        const auto term = [&](std::span<const double> terms, int k) {
            const auto i = static_cast<std::size_t>(k);
            return graph.constant(i < terms.size() ? terms[i] : 0.0);
        };
        std::vector<double> values;
        for (int k = 0; k <= taylor_order; ++k) {
            series.extend(std::vector{term(x_terms, k), term(z_terms, k)});
            values.push_back(value(series.at(e, k), 0.0));
        }
        return values;
    }
};

} // namespace

/// What is left out of a polynomial of order 9 shrinks by 2^10 when θ is halved; a wrong
/// coefficient k leaves 2^k. Within 2, as the next term adds its part.
TEST_CASE("Taylor coefficients of every operation leave errors of order 10") {
    Leaves l;
    ExpressionGraph& g = l.graph;
    const Expr one = g.constant(1.0), zero = g.constant(0.0);
    const auto unary = [&](Op op) { return g.unary(op, l.x); };
    const auto shifted = [&](Expr e) { return g.add(e, unary(Op::sine)); };
    const struct {
        std::string name;
        Expr e;
    } rows[] = {
        {"exp", unary(Op::exponential)},
        {"log", unary(Op::logarithm)},
        {"expm1", unary(Op::expm1)},
        {"log1p", unary(Op::log1p)},
        {"sin", unary(Op::sine)},
        {"cos", unary(Op::cosine)},
        {"tanh", unary(Op::hyperbolic_tangent)},
        {"erf", unary(Op::error_function)},
        {"sqrt", unary(Op::square_root)},
        {"1/x", g.divide(one, l.x)},
        {"x/c", g.divide(unary(Op::sine), l.c)},
        {"x/(c + x)", g.divide(l.x, g.add(l.c, l.x))},
        {"sin x·exp z", g.multiply(unary(Op::sine), g.unary(Op::exponential, l.z))},
        {"(sin x)²", g.multiply(unary(Op::sine), unary(Op::sine))},
        {"x^c", g.power(l.x, l.c)},
        {"x^−0.3", g.power(l.x, g.constant(-0.3))},
        {"z^5·tanh x", g.multiply(g.power(l.z, g.constant(5.0)), unary(Op::hyperbolic_tangent))},
        {"−cos x − z", g.subtract(g.negate(unary(Op::cosine)), l.z)},
        {"|sin(x − z)|", g.unary(Op::absolute, g.unary(Op::sine, g.subtract(l.x, l.z)))},
        {"max(sin x, −z)", g.binary(Op::maximum, unary(Op::sine), g.negate(l.z))},
        {"max(−z, sin x)", g.binary(Op::maximum, g.negate(l.z), unary(Op::sine))},
        {"min(sin x, 2 + z)", g.binary(Op::minimum, unary(Op::sine), g.add(l.z, g.constant(2.0)))},
        {"max(0, x)^c", g.power(g.binary(Op::maximum, zero, l.x), l.c)},
        {"x < z ? sin x : z", g.select(g.binary(Op::less, l.x, l.z), unary(Op::sine), l.z)},
        {"z < x ? z : sin x", g.select(g.binary(Op::less, l.z, l.x), l.z, unary(Op::sine))},
        {"(z < x) + sin x", shifted(g.binary(Op::less, l.z, l.x))},
    };
    for (const auto& [name, e] : rows) {
        CAPTURE(name);
        const std::vector<double> terms = l.coefficients(e);
        const auto error = [&](double theta) {
            return std::abs(polynomial(terms, theta) - l.value(e, theta));
        };
        CHECK(terms[0] == doctest::Approx(l.value(e, 0.0)).epsilon(1e-15));
        CHECK(error(0.125) > 1e-14); // above rounding
        CHECK(std::abs(std::log2(error(0.25) / error(0.125)) - 10.0) < 1.0);
    }
}

TEST_CASE("what does not vary is its own series") {
    Leaves l;
    const Expr e = l.graph.unary(Op::exponential, l.c);
    const Expr expressions[] = {e}, varying[] = {l.x};
    TaylorSeries series(l.graph, expressions, varying);
    series.extend(std::vector{l.x});
    CHECK(series.at(e, 0) == e);
    CHECK(l.graph.is_constant(series.at(e, 1), 0.0));
}

/// As differentiate(): 0 at 0 instead of infinity.
TEST_CASE("a fractional power of 0 has finite coefficients") {
    Leaves l;
    const Expr e = l.graph.power(l.x, l.c);
    const Expr expressions[] = {e}, varying[] = {l.x};
    TaylorSeries series(l.graph, expressions, varying);
    for (int k = 0; k <= taylor_order; ++k) {
        series.extend(std::vector{l.graph.constant(k == 1 ? 1.0 : 0.0)});
        CHECK(l.value(series.at(e, k), 0.0) == 0.0);
    }
}
