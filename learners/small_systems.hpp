#pragma once

#include <Eigen/Dense>

#include <vector>

/// Linear systems of a handful of unknowns, solved many times: plain loops over storage that is
/// kept, where general routines spend their time on getting ready.
namespace gemel::learners {

/// The root of a positive definite matrix, A = L·Lᵀ. Allocates nothing once it has seen a matrix as
/// large.
class CholeskyRoot {
public:
    /// @param matrix   [n × n] symmetric; its lower triangle is read, column after column
    /// @param damping  each number d of the diagonal is raised by this, times 1 + |d|
    /// @returns  false where it is not positive definite: then there is no root
    bool factor(const double* matrix, std::size_t n, double damping = 0.0);
    bool factor(const Eigen::MatrixXd& matrix, double damping = 0.0) {
        return factor(matrix.data(), static_cast<std::size_t>(matrix.rows()), damping);
    }
    double log_determinant() const;
    /// A·x = b, L·x = b and Lᵀ·x = b, in place.
    void solve(double* x) const;
    void solve_lower(double* x) const;
    void solve_upper(double* x) const;
    /// A⁻¹, [n × n].
    void invert(double* inverse) const;

private:
    const double* column(std::size_t j) const { return root_.data() + j * n_; }

    std::size_t n_ = 0;
    std::vector<double> root_; ///< [n × n], column after column; its diagonal is that of L
};

/// A·x = b of any matrix with an inverse, by elimination with pivots of rows. Allocates nothing
/// once it has seen a matrix as large.
class GeneralSystem {
public:
    void solve(const Eigen::MatrixXd& matrix, double* x);

private:
    std::vector<double> rows_; ///< [n × n], row after row
};

} // namespace gemel::learners
