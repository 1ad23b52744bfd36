#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

/// Correlations of ranks, by counting.
namespace gemel::pkpd {

/// Inversions of a sequence, by merging.
inline double inversions(std::vector<double>& values, std::size_t from, std::size_t to) {
    if (to - from < 2) return 0.0;
    const std::size_t middle = from + (to - from) / 2;
    double count = inversions(values, from, middle) + inversions(values, middle, to);
    std::vector<double> merged;
    merged.reserve(to - from);
    std::size_t right = middle;
    for (std::size_t left = from; left < middle; ++left) {
        while (right < to && values[right] < values[left])
            merged.push_back(values[right++]);
        count += static_cast<double>(right - middle);
        merged.push_back(values[left]);
    }
    merged.insert(merged.end(),
                  values.begin() + static_cast<std::ptrdiff_t>(right),
                  values.begin() + static_cast<std::ptrdiff_t>(to));
    std::copy(merged.begin(), merged.end(), values.begin() + static_cast<std::ptrdiff_t>(from));
    return count;
}

/// Kendall's τ of a sample without ties: pairs in one order less pairs in opposite order.
inline double kendall(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<std::size_t> order(a.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(
        order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return a[i] < a[j]; });
    std::vector<double> sorted;
    sorted.reserve(a.size());
    for (std::size_t i : order)
        sorted.push_back(b[i]);
    const auto n = static_cast<double>(a.size());
    return 1.0 - 4.0 * inversions(sorted, 0, sorted.size()) / (n * (n - 1.0));
}

/// Its standard error in samples of a Gaussian copula with latent correlation ρ: Esscher (1924),
/// 2/(n(n−1))·(1 − 4·asin²ρ/π² + 2(n−2)·(1/9 − 4·asin²(ρ/2)/π²)).
inline double kendall_error(double rho, std::size_t count) {
    const auto n = static_cast<double>(count);
    const double a = 2.0 * std::asin(rho) / std::numbers::pi;
    const double b = 2.0 * std::asin(rho / 2.0) / std::numbers::pi;
    return std::sqrt(2.0 / (n * (n - 1.0)) * (1.0 - a * a + 2.0 * (n - 2.0) * (1.0 / 9.0 - b * b)));
}

} // namespace gemel::pkpd
