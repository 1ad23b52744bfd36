#include "small_systems.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace gemel::learners;

namespace {

/// A matrix with whole numbers whose root is L = {{2,0,0},{1,3,0},{-1,2,1}}, by hand.
Eigen::MatrixXd product_of_known_root() {
    Eigen::MatrixXd matrix(3, 3);
    matrix << 4, 2, -2, 2, 10, 5, -2, 5, 6;
    return matrix;
}

} // namespace

TEST_CASE("a Cholesky root solves, inverts and tells the determinant") {
    CholeskyRoot root;
    REQUIRE(root.factor(product_of_known_root()));
    CHECK(root.log_determinant() == doctest::Approx(std::log(36.0)).epsilon(1e-15)); // (2·3·1)²

    double upper[] = {2.0 + 2.0 / 3.0 - 3.0, 8.0, 3.0}; // Lᵀ·(1, 2/3, 3)'
    root.solve_upper(upper);
    CHECK(upper[0] == doctest::Approx(1.0).epsilon(1e-14)); // rounding only, here and below
    CHECK(upper[1] == doctest::Approx(2.0 / 3.0).epsilon(1e-14));
    CHECK(upper[2] == doctest::Approx(3.0).epsilon(1e-14));

    Eigen::MatrixXd inverse(3, 3);
    root.invert(inverse.data());
    CHECK((product_of_known_root() * inverse - Eigen::MatrixXd::Identity(3, 3)).norm() < 1e-13);
    Eigen::VectorXd x(3);
    x << 1, -2, 3;
    const Eigen::VectorXd b = product_of_known_root() * x;
    Eigen::VectorXd solved = b;
    root.solve(solved.data());
    CHECK((solved - x).norm() < 1e-13);
}

TEST_CASE("a matrix that is not positive definite has no Cholesky root") {
    Eigen::MatrixXd matrix = product_of_known_root();
    matrix(2, 2) = 4.0; // the determinant is 36·(1 − 2) < 0
    CholeskyRoot root;
    CHECK_FALSE(root.factor(matrix));
}

TEST_CASE("elimination solves a system whose first pivot is 0") {
    Eigen::MatrixXd matrix(3, 3);
    matrix << 0, 2, 1, 1, -1, 0, 3, 0, -2;
    Eigen::VectorXd x(3);
    x << 1, -2, 3;
    Eigen::VectorXd solved = matrix * x;
    GeneralSystem system;
    system.solve(matrix, solved.data());
    CHECK((solved - x).norm() < 1e-14);
}
