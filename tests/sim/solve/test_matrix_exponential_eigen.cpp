#include "solve/matrix_exponential.hpp"

#include <doctest/doctest.h>
#include <unsupported/Eigen/MatrixFunctions>

#include <random>
#include <vector>

namespace gemel::sim {

TEST_CASE("the matrix exponential agrees with Eigen's on random compartmental systems") {
    // Independent method: Eigen's scaling and squaring with Padé approximants. Both err by some
    // ‖A‖·2^-53 of the largest entry; ‖A‖ reaches 200.
    std::mt19937_64 generator(20261120);
    std::uniform_real_distribution<double> rate(0.0, 10.0);
    for (int trial = 0; trial < 200; ++trial) {
        const int n = 2 + trial % 9;
        std::vector<double> a(static_cast<std::size_t>(n * n), 0.0);
        Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(n, n);
        for (int from = 0; from < n; ++from)
            for (int to = 0; to < n; ++to) {
                if (from == to) continue;
                const double k = rate(generator);
                matrix(to, from) += k;
                matrix(from, from) -= k;
            }
        for (int i = 0; i < n; ++i)
            for (int j = 0; j < n; ++j)
                a[static_cast<std::size_t>(i * n + j)] = matrix(i, j);
        const std::vector<double> ours = matrix_exponential(n, a);
        const Eigen::MatrixXd expected = matrix.exp();
        for (int i = 0; i < n; ++i)
            for (int j = 0; j < n; ++j)
                CHECK(ours[static_cast<std::size_t>(i * n + j)] ==
                      doctest::Approx(expected(i, j)).epsilon(1e-12).scale(0.0));
    }
}

} // namespace gemel::sim
