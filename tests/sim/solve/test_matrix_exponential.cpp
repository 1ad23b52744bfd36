#include "sim/solve/precise_linear.hpp"
#include "solve/matrix_exponential.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace gemel::sim;

namespace {

/// Largest difference from e^A by columns of precise_linear, relative to the largest entry.
double error_of(int n, const std::vector<double>& a) {
    const std::vector<double> result = matrix_exponential(n, a);
    const std::vector<double> nothing(static_cast<std::size_t>(n), 0.0);
    double error = 0.0, size = 0.0;
    for (int j = 0; j < n; ++j) {
        std::vector<double> start = nothing;
        start[j] = 1.0;
        const std::vector<double> column = precise_linear(n, a, nothing, start, 1.0);
        for (int i = 0; i < n; ++i) {
            error = std::max(error, std::fabs(result[i * n + j] - column[i]));
            size = std::max(size, std::fabs(column[i]));
        }
    }
    return error / size;
}

} // namespace

TEST_CASE("matrix exponentials agree with a hundred digits for every kind of matrix") {
    // Oracle: precise_linear. 1e-13: a thousand roundings, for norms up to 30.
    CHECK(error_of(1, {-3.0}) < 1e-15);
    CHECK(error_of(2, {0.0, 20.0, -20.0, 0.0}) < 1e-13);   // rotation
    CHECK(error_of(2, {-0.5, 0.0, 0.3, 0.0}) < 1e-15);     // trap
    CHECK(error_of(2, {-1.0, 1000.0, 0.0, -1.0}) < 1e-13); // defective, far from normal
    CHECK(error_of(3, {-9.0, 2.0, 0.1, 5.0, -2.0, 0.0, 3.0, 0.0, -0.1}) < 1e-13);
    CHECK(error_of(4, {0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0}) < 1e-15); // nilpotent
    CHECK(error_of(3, {-30.0, 0.0, 0.0, 30.0, -30.0, 0.0, 0.0, 30.0, 0.0}) < 1e-13);
}

TEST_CASE("a matrix exponential beyond all doubles is not finite") {
    CHECK_FALSE(std::isfinite(matrix_exponential(1, {1e6})[0]));
    CHECK(std::isnan(matrix_exponential(1, {INFINITY})[0]));
    CHECK(matrix_exponential(1, {-1e300})[0] == 0.0);
}
