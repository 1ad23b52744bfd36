#include "solve/exact_linear_expm.hpp"

#include "solve/matrix_exponential.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace gemel::sim {

void ExponentialPropagator::set_matrix(int n, const double* a) {
    n_ = n;
    a_.assign(a, a + n * n);
    y0_.assign(static_cast<std::size_t>(n), 0.0);
    source_ = y0_;
    kept_.clear();
    double row = 0.0, column = 0.0;
    for (int i = 0; i < n; ++i) {
        double in_row = 0.0, in_column = 0.0;
        for (int j = 0; j < n; ++j) {
            in_row += std::fabs(a[i * n + j]);
            in_column += std::fabs(a[j * n + i]);
        }
        row = std::max(row, in_row);
        column = std::max(column, in_column);
    }
    fastest_ = std::min(row, column);
}

void ExponentialPropagator::start(const double* y0, const double* source) {
    y0_.assign(y0, y0 + n_);
    if (!std::equal(source_.begin(), source_.end(), source)) {
        source_.assign(source, source + n_);
        kept_.clear();
    }
}

const std::vector<double>& ExponentialPropagator::propagator(double tau) {
    constexpr std::size_t max_kept_bytes = 4 << 20;
    const int m = n_ + 1;
    const auto size = static_cast<std::size_t>(m * m);
    const auto key = std::bit_cast<std::uint64_t>(tau);
    if (const auto found = kept_.find(key); found != kept_.end()) return found->second;
    if ((kept_.size() + 1) * size * sizeof(double) > max_kept_bytes) kept_.clear();

    std::vector<double> augmented(size, 0.0);
    // The source column is scaled to the size of A, so that a large infusion does not add
    // squarings.
    double largest = 0.0;
    for (double s : source_)
        largest = std::max(largest, std::fabs(s));
    const double unit = largest > 0.0 ? largest / std::max(fastest_, 1.0 / tau) : 1.0;
    for (int i = 0; i < n_; ++i) {
        for (int j = 0; j < n_; ++j)
            augmented[i * m + j] = a_[i * n_ + j] * tau;
        augmented[i * m + n_] = source_[i] / unit * tau;
    }
    std::vector<double> result = matrix_exponential(m, augmented);
    for (int i = 0; i < n_; ++i)
        result[i * m + n_] *= unit;
    return kept_.emplace(key, std::move(result)).first->second;
}

void ExponentialPropagator::at(double tau, double* y) {
    if (!(tau > 0.0)) {
        std::copy(y0_.begin(), y0_.end(), y);
        return;
    }
    // Scaling and squaring starts from I + A·τ/2^s: beyond 2^52 decays a slow mode beside the fast
    // one has no digit left, and silence would be a wrong number.
    if (fastest_ * tau > 0x1p52) {
        std::fill_n(y, n_, std::numeric_limits<double>::quiet_NaN());
        return;
    }
    const std::vector<double>& phi = propagator(tau);
    const int m = n_ + 1;
    for (int i = 0; i < n_; ++i) {
        double sum = phi[i * m + n_];
        for (int j = 0; j < n_; ++j)
            sum = std::fma(phi[i * m + j], y0_[j], sum);
        y[i] = sum;
    }
}

} // namespace gemel::sim
