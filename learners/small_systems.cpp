#include "small_systems.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::learners {

bool CholeskyRoot::factor(const double* matrix, std::size_t n, double damping) {
    n_ = n;
    root_.assign(matrix, matrix + n * n);
    for (std::size_t j = 0; damping > 0.0 && j < n; ++j)
        root_[j * n + j] += damping * (1.0 + std::abs(root_[j * n + j]));
    for (std::size_t j = 0; j < n_; ++j) {
        double* to = root_.data() + j * n_;
        for (std::size_t k = 0; k < j; ++k) {
            const double* from = column(k);
            const double factor = from[j];
            for (std::size_t i = j; i < n_; ++i)
                to[i] -= factor * from[i];
        }
        if (to[j] <= 0.0) return false;
        to[j] = std::sqrt(to[j]);
        for (std::size_t i = j + 1; i < n_; ++i)
            to[i] /= to[j];
    }
    return true;
}

double CholeskyRoot::log_determinant() const {
    double sum = 0.0;
    for (std::size_t j = 0; j < n_; ++j)
        sum += 2.0 * std::log(column(j)[j]);
    return sum;
}

void CholeskyRoot::solve_lower(double* x) const {
    for (std::size_t j = 0; j < n_; ++j) {
        const double* of = column(j);
        x[j] /= of[j];
        for (std::size_t i = j + 1; i < n_; ++i)
            x[i] -= of[i] * x[j];
    }
}

void CholeskyRoot::solve_upper(double* x) const {
    for (std::size_t j = n_; j-- > 0;) {
        const double* of = column(j);
        for (std::size_t i = j + 1; i < n_; ++i)
            x[j] -= of[i] * x[i];
        x[j] /= of[j];
    }
}

void CholeskyRoot::solve(double* x) const {
    solve_lower(x);
    solve_upper(x);
}

void CholeskyRoot::invert(double* inverse) const {
    std::fill_n(inverse, n_ * n_, 0.0);
    for (std::size_t j = 0; j < n_; ++j) {
        inverse[j * n_ + j] = 1.0;
        solve(inverse + j * n_);
    }
}

void GeneralSystem::solve(const Eigen::MatrixXd& matrix, double* x) {
    const auto n = static_cast<std::size_t>(matrix.rows());
    rows_.resize(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            rows_[i * n + j] = matrix(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
    for (std::size_t j = 0; j < n; ++j) {
        std::size_t pivot = j;
        for (std::size_t i = j + 1; i < n; ++i)
            if (std::abs(rows_[i * n + j]) > std::abs(rows_[pivot * n + j])) pivot = i;
        if (pivot != j) {
            std::swap_ranges(&rows_[j * n], &rows_[j * n] + n, &rows_[pivot * n]);
            std::swap(x[j], x[pivot]);
        }
        for (std::size_t i = j + 1; i < n; ++i) {
            const double factor = rows_[i * n + j] / rows_[j * n + j];
            for (std::size_t k = j + 1; k < n; ++k)
                rows_[i * n + k] -= factor * rows_[j * n + k];
            x[i] -= factor * x[j];
        }
    }
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k)
            x[i] -= rows_[i * n + k] * x[k];
        x[i] /= rows_[i * n + i];
    }
}

} // namespace gemel::learners
