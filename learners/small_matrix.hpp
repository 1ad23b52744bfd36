#pragma once

#include <Eigen/Dense>

#include <cstddef>

/// Products of the few effects of one subject, where a library's own would take longer to start.
namespace gemel::learners {

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
