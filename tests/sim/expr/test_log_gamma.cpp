#include "expr/log_gamma.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace gemel::sim;

TEST_CASE("log gamma and its derivative are those of mpmath") {
    // Oracle: mpmath in 40 digits, printed to 18 (tools/nonlinear_model_numbers.py).
    struct Row {
        double z, log_gamma, digamma;
    };
    const Row rows[] = {{1, 0.0, -0.577215664901532861},
                        {1.5, -0.120782237635245222, 0.0364899739785765206},
                        {2, 0.0, 0.422784335098467139},
                        {3.3, 0.987098577894734588, 1.03482248905962175},
                        {4.7, 2.73640514631556668, 1.43742380963178166},
                        {12, 17.5023078458738858, 2.44266167997581202},
                        {30.25, 72.1042047420079998, 3.39287620034328478},
                        {150, 600.009470555327428, 5.00729825707567927},
                        {1000.5, 5908.67417584867749, 6.90775532064879643}};
    ExpressionGraph graph;
    const Expr value = log_gamma(graph, graph.leaf(LeafKind::input));
    const Expr slope = graph.differentiate(value, {LeafKind::input, 0});
    for (const Row& row : rows) {
        const auto at = [&](Leaf) { return row.z; };
        CAPTURE(row.z);
        // numbers of the size of log Γ(z + 8) are subtracted: some 4 roundings of that
        const double size = std::lgamma(row.z + 8.0);
        CHECK(std::abs(graph.evaluate(value, at) - row.log_gamma) <= 1e-15 * size);
        CHECK(std::abs(graph.evaluate(slope, at) - row.digamma) <= 4e-15 * (1.0 + row.digamma));
    }
}
