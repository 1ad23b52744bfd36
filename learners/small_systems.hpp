#pragma once

#include <Eigen/Dense>

#include <cstddef>
#include <vector>

/// Products and linear systems of a handful of effects, many times: plain loops over storage that
/// is kept, where general routines spend their time on getting ready.
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

/// to += L·z, L lower.
inline void add_product(const Eigen::MatrixXd& root, const double* z, double* to) {
    const Eigen::Index n = root.rows();
    for (Eigen::Index l = 0; l < n; ++l) {
        const double* column = root.data() + l * n;
        for (Eigen::Index i = l; i < n; ++i)
            to[i] += column[i] * z[l];
    }
}

/// |L⁻¹·x|², L lower. @param x  becomes L⁻¹·x
inline double square_of_solution(const Eigen::MatrixXd& root, double* x) {
    const Eigen::Index n = root.rows();
    double square = 0.0;
    for (Eigen::Index l = 0; l < n; ++l) {
        const double* column = root.data() + l * n;
        x[l] /= column[l];
        square += x[l] * x[l];
        for (Eigen::Index i = l + 1; i < n; ++i)
            x[i] -= column[i] * x[l];
    }
    return square;
}

/// Lower triangle of to += share·x·xᵀ.
inline void add_square(double share, const double* x, Eigen::MatrixXd& to) {
    const Eigen::Index n = to.rows();
    for (Eigen::Index l = 0; l < n; ++l) {
        const double weighted = share * x[l];
        double* column = to.data() + l * n;
        for (Eigen::Index i = l; i < n; ++i)
            column[i] += weighted * x[i];
    }
}

/// Makes the upper triangle that of the lower one.
inline void fill_upper(Eigen::MatrixXd& matrix) {
    matrix.triangularView<Eigen::StrictlyUpper>() =
        matrix.transpose().triangularView<Eigen::StrictlyUpper>();
}

} // namespace gemel::learners
