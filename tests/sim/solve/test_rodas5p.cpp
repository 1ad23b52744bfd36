#include "fixed_steps.hpp"
#include "order_conditions.hpp"
#include "solve/rodas5p.hpp"
#include "solve/rosenbrock_lu.hpp"
#include "solve/rosenbrock_tableau.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace lane_systems;
using namespace order_conditions;

namespace {

constexpr int stages = RosenbrockTableau::n_stages;
using Matrix = std::vector<Vector>;

Matrix product(const Matrix& a, const Matrix& b) {
    Matrix c(stages, Vector(stages, 0.0));
    for (int i = 0; i < stages; ++i)
        for (int j = 0; j < stages; ++j)
            for (int k = 0; k < stages; ++k)
                c[i][j] += a[i][k] * b[k][j];
    return c;
}

Vector product(const Matrix& a, const Vector& x) {
    Vector y(stages, 0.0);
    for (int i = 0; i < stages; ++i)
        for (int j = 0; j < stages; ++j)
            y[i] += a[i][j] * x[j];
    return y;
}

/// The classical coefficients behind the transformed ones: Γ⁻¹ = I/γ − C, α = a Γ, b = m Γ.
struct Classical {
    Matrix a, gamma, alpha, beta;
    Vector m; ///< y1 = y + Σ m_j U_j
};

Matrix inverse_lower(const Matrix& l) {
    Matrix x(stages, Vector(stages, 0.0));
    for (int j = 0; j < stages; ++j)
        for (int i = j; i < stages; ++i) {
            double sum = i == j ? 1.0 : 0.0;
            for (int k = j; k < i; ++k)
                sum -= l[i][k] * x[k][j];
            x[i][j] = sum / l[i][i];
        }
    return x;
}

Classical classical() {
    const RosenbrockTableau& t = rodas5p_tableau();
    Classical c{
        Matrix(stages, Vector(stages, 0.0)), Matrix(stages, Vector(stages, 0.0)), {}, {}, {}};
    Matrix inverse(stages, Vector(stages, 0.0));
    for (int i = 0; i < stages; ++i)
        for (int j = 0; j <= i; ++j)
            inverse[i][j] = i == j ? 1.0 / t.gamma : -t.C[i][j];
    for (int i = 0; i < RosenbrockTableau::n_tabulated; ++i)
        for (int j = 0; j < i; ++j)
            c.a[i][j] = t.a[i][j];
    for (int i = RosenbrockTableau::n_tabulated; i < stages; ++i) {
        c.a[i] = c.a[i - 1];
        c.a[i][i - 1] += 1.0;
    }
    c.m = c.a[stages - 1];
    c.m[stages - 1] += 1.0;
    c.gamma = inverse_lower(inverse);
    c.alpha = product(c.a, c.gamma);
    c.beta = c.alpha;
    for (int i = 0; i < stages; ++i)
        for (int j = 0; j < stages; ++j)
            c.beta[i][j] += c.gamma[i][j];
    return c;
}

Vector row_times(const Vector& m, const Matrix& a) {
    Vector b(stages, 0.0);
    for (int i = 0; i < stages; ++i)
        for (int j = 0; j < stages; ++j)
            b[j] += m[i] * a[i][j];
    return b;
}

std::vector<Condition> conditions(const Classical& t) {
    const Vector one(stages, 1.0), a = product(t.alpha, one), b = product(t.beta, one);
    const Vector a2 = times(a, a), a3 = times(a2, a), bb = product(t.beta, b);
    const Vector ab = product(t.alpha, b), aab = times(a, ab), ba2 = product(t.beta, a2);
    return {{1, one, 1},
            {2, b, 2},
            {3, a2, 3},
            {3, bb, 6},
            {4, a3, 4},
            {4, aab, 8},
            {4, ba2, 12},
            {4, product(t.beta, bb), 24},
            {5, times(a3, a), 5},
            {5, times(a2, ab), 10},
            {5, times(a, product(t.alpha, a2)), 15},
            {5, times(a, product(t.alpha, bb)), 30},
            {5, times(ab, ab), 20},
            {5, product(t.beta, a3), 20},
            {5, product(t.beta, aab), 40},
            {5, product(t.beta, ba2), 60},
            {5, product(t.beta, product(t.beta, bb)), 120}};
}

} // namespace

TEST_CASE("the coefficients of Rodas5P satisfy all conditions of order 5") {
    // Hairer & Wanner, Solving ODEs II, table IV.7.1 and the conditions of order 5 behind it.
    const Classical t = classical();
    const Vector b = row_times(t.m, t.gamma);
    for (const Condition& c : conditions(t))
        CHECK(std::abs(dot(b, c.x) - 1.0 / c.r) < 1e-13); // printed digits
}

TEST_CASE("the dense output of Rodas5P satisfies all conditions of order 4") {
    const Classical t = classical();
    const RosenbrockTableau& tableau = rodas5p_tableau();
    for (double theta : {0.2, 0.5, 0.9}) {
        Vector m(stages);
        for (int j = 0; j < stages; ++j)
            m[j] = theta * t.m[j] +
                   theta * (1.0 - theta) *
                       (tableau.h[0][j] + theta * (tableau.h[1][j] + theta * tableau.h[2][j]));
        const Vector b = row_times(m, t.gamma);
        for (const Condition& c : conditions(t))
            if (c.order <= 4) CHECK(std::abs(dot(b, c.x) - std::pow(theta, c.order) / c.r) < 1e-13);
    }
}

TEST_CASE("the nodes of Rodas5P are the row sums of its stages") {
    const Classical t = classical();
    const Vector one(stages, 1.0);
    for (int i = 0; i < stages; ++i) {
        CHECK(std::abs(product(t.alpha, one)[i] - rodas5p_tableau().c[i]) < 1e-13);
        CHECK(std::abs(product(t.gamma, one)[i] - rodas5p_tableau().d[i]) < 1e-13);
    }
}

TEST_CASE("Rodas5P converges with order 5 on an autonomous problem") {
    check_autonomous_orders(rodas5p_method(), 4.0, 64);
}

TEST_CASE("Rodas5P converges with order 5 on a non-autonomous problem") {
    // A wrong f_t term would show as order 1 or 2.
    check_non_autonomous_orders(rodas5p_method(), 4.0, 64);
}

TEST_CASE("a symbolic LU solves and keeps a triangular pattern free of fill") {
    // Oracle: the residual. The matrix has entries that elimination must update.
    ExpressionGraph graph;
    const double a[4][4] = {{4, 1, 0, 2}, {1, 5, 1, 0}, {0, 2, 6, 1}, {1, 0, 0, 3}};
    std::vector<SparseRow> matrix(4);
    std::vector<Expr> rhs;
    for (int i = 0; i < 4; ++i) {
        for (int j = 0; j < 4; ++j)
            if (a[i][j] != 0) matrix[i][j] = graph.leaf(LeafKind::input, 4 * i + j);
        rhs.push_back(graph.constant(i + 1.0));
    }
    const SymbolicLu lu(graph, matrix);
    const auto value = [&](Leaf leaf) { return a[leaf.index / 4][leaf.index % 4]; };
    const std::vector<Expr> x = lu.solve(rhs);
    for (int i = 0; i < 4; ++i) {
        double sum = -(i + 1.0);
        for (int j = 0; j < 4; ++j)
            sum += a[i][j] * graph.evaluate(x[j], value);
        CHECK(std::abs(sum) < 1e-14);
    }
    CHECK(graph.evaluate(lu.has_grown(matrix, 1e6), value) == 0.0);
    CHECK(graph.evaluate(lu.has_grown(matrix, 0.1), value) == 1.0);

    std::vector<SparseRow> triangular(3);
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j <= i; ++j)
            triangular[i][j] = graph.leaf(LeafKind::input, 4 * i + j);
    CHECK_FALSE(SymbolicLu(graph, triangular).has_grown(triangular, 1e6).is_set());
}

TEST_CASE("Rodas5P meets its tolerance on absorption and elimination") {
    // Bateman's function by the exact solution with libm; 200 subjects, five doses. The bounds are
    // the battery's: rms 2×, maximum 30× rtol of |y| + 1e-3 of the profile's maximum.
    const int subjects = 200;
    std::vector<double> inputs = turnover_inputs(subjects);
    inputs.resize(3 * subjects);
    const Timeline timeline = daily(100.0, 5, 168.0);
    const Observation observation = on_grid(1, 1.0, 168.0);
    const auto exact = [&](int s, double t) {
        const double ka = inputs[s], v = inputs[2 * subjects + s], k = inputs[subjects + s] / v;
        double sum = 0.0;
        for (int d = 0; d < 5 && 24.0 * d <= t; ++d)
            sum += 100.0 / v * ka / (ka - k) *
                   (std::exp(-k * (t - 24.0 * d)) - std::exp(-ka * (t - 24.0 * d)));
        return sum;
    };
    for (double rtol : {1e-4, 1e-6, 1e-8}) {
        SolverOptions options;
        options.rtol = rtol;
        const BlockResult result = solve(one_compartment(), inputs, timeline, observation, options);
        double squares = 0.0, worst = 0.0;
        const std::size_t n_times = observation.sampled[0].times.size();
        for (int s = 0; s < subjects; ++s) {
            REQUIRE(result.status[s] == SolverStatus::ok);
            double top = 0.0;
            for (std::size_t i = 0; i < n_times; ++i)
                top = std::max(top, exact(s, observation.sampled[0].times[i]));
            for (std::size_t i = 0; i < n_times; ++i) {
                const double ref = exact(s, observation.sampled[0].times[i]);
                const double error =
                    std::abs(result.sampled[0][s * n_times + i] - ref) / (ref + 1e-3 * top);
                squares += error * error;
                worst = std::max(worst, error);
            }
        }
        INFO("rtol " << rtol << " rms " << std::sqrt(squares / (subjects * n_times)) << " max "
                     << worst);
        CHECK(std::sqrt(squares / (subjects * static_cast<double>(n_times))) < 2.0 * rtol);
        CHECK(worst < 30.0 * rtol);
    }
}
