#pragma once

#include <boost/multiprecision/cpp_bin_float.hpp>

#include <vector>

/// An oracle with 100 digits for y' = A y + s: slow, plain, and independent of the solvers.
namespace gemel::sim {

using Precise = boost::multiprecision::number<boost::multiprecision::cpp_bin_float<100>,
                                              boost::multiprecision::et_off>;

/// y(τ) by the Taylor series of the augmented exponential, scaled and squared. [n × n] row-major.
inline std::vector<double> precise_linear(int n,
                                          const std::vector<double>& a,
                                          const std::vector<double>& source,
                                          const std::vector<double>& y0,
                                          double tau) {
    const int m = n + 1;
    using Matrix = std::vector<Precise>;
    const auto multiply = [m](const Matrix& x, const Matrix& y) {
        Matrix z(static_cast<std::size_t>(m * m), Precise(0));
        for (int i = 0; i < m; ++i)
            for (int k = 0; k < m; ++k)
                for (int j = 0; j < m; ++j)
                    z[i * m + j] += x[i * m + k] * y[k * m + j];
        return z;
    };
    Matrix scaled(static_cast<std::size_t>(m * m), Precise(0));
    Precise largest = 0;
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j < n; ++j)
            scaled[i * m + j] = Precise(a[i * n + j]) * Precise(tau);
        scaled[i * m + n] = Precise(source[i]) * Precise(tau);
        for (int j = 0; j < m; ++j)
            largest = std::max(largest, Precise(abs(scaled[i * m + j])));
    }
    int halvings = 0;
    while (largest > 0.01) {
        largest /= 2;
        ++halvings;
    }
    for (Precise& x : scaled)
        x = ldexp(x, -halvings);
    Matrix sum(static_cast<std::size_t>(m * m), Precise(0));
    for (int i = 0; i < m; ++i)
        sum[i * m + i] = 1;
    Matrix term = sum;
    for (int k = 1; k < 45; ++k) {
        term = multiply(term, scaled);
        for (std::size_t i = 0; i < term.size(); ++i) {
            term[i] /= k;
            sum[i] += term[i];
        }
    }
    for (int k = 0; k < halvings; ++k)
        sum = multiply(sum, sum);
    std::vector<double> y;
    for (int i = 0; i < n; ++i) {
        Precise value = sum[i * m + n];
        for (int j = 0; j < n; ++j)
            value += sum[i * m + j] * Precise(y0[j]);
        y.push_back(static_cast<double>(value));
    }
    return y;
}

} // namespace gemel::sim
