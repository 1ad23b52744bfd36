#include "triangle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::pkpd {

std::optional<std::vector<double>> read_triangle(const io::TomlView& view,
                                                 std::size_t n,
                                                 bool has_diagonal,
                                                 const char* what,
                                                 sim::DiagnosticList& diagnostics) {
    const std::size_t first = has_diagonal ? 0 : 1;
    std::vector<double> matrix(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
        matrix[i * n + i] = 1.0;
    const auto rows = view.elements();
    bool is_good = rows.size() == n - first;
    for (std::size_t r = 0; is_good && r < rows.size(); ++r) {
        const std::size_t i = r + first;
        const auto cells = rows[r].elements();
        is_good = cells.size() == i + (has_diagonal ? 1 : 0);
        for (std::size_t j = 0; is_good && j < cells.size(); ++j) {
            const auto number = cells[j].number();
            is_good = number.has_value();
            if (is_good) matrix[i * n + j] = matrix[j * n + i] = *number;
        }
    }
    if (is_good) return matrix;
    diagnostics.add(view.span(),
                    fmt::format("for {} {} {} rows of {} numbers are expected",
                                n,
                                what,
                                n - first,
                                has_diagonal ? "1, 2, …" : "1, 2, … (below the diagonal)"),
                    has_diagonal ? "for two: [[0.09], [0.02, 0.04]]"
                                 : "for two: [[0.6]]; for three: [[0.6], [0.1, 0.2]]");
    return std::nullopt;
}

bool is_positive_semidefinite(std::vector<double> m, std::size_t n) {
    constexpr double rounding = 1e-12;
    std::vector<double> diagonal(n);
    for (std::size_t k = 0; k < n; ++k)
        diagonal[k] = m[k * n + k];
    const auto is_zero = [&](std::size_t i, std::size_t j) {
        return std::abs(m[i * n + j]) <= rounding * std::sqrt(diagonal[i] * diagonal[j]);
    };
    for (std::size_t k = 0; k < n; ++k) {
        if (!is_zero(k, k) && m[k * n + k] < 0.0) return false;
        for (std::size_t i = k + 1; i < n; ++i) {
            if (is_zero(k, k) && !is_zero(i, k)) return false;
            const double factor = is_zero(k, k) ? 0.0 : m[i * n + k] / m[k * n + k];
            for (std::size_t j = k; j < n; ++j)
                m[i * n + j] -= factor * m[k * n + j];
        }
    }
    return true;
}

std::vector<double> cholesky(const std::vector<double>& covariance, std::size_t n) {
    std::vector<double> lower(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            double rest = covariance[i * n + j];
            for (std::size_t k = 0; k < j; ++k)
                rest -= lower[i * n + k] * lower[j * n + k];
            const double pivot = lower[j * n + j];
            // A pivot of 0 (correlation exactly 1) leaves nothing to add in its direction.
            lower[i * n + j] = i == j         ? std::sqrt(std::max(rest, 0.0))
                               : pivot == 0.0 ? 0.0
                                              : rest / pivot;
        }
    return lower;
}

std::vector<double> times_transposed(const std::vector<double>& matrix, std::size_t n) {
    std::vector<double> product(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t k = 0; k < n; ++k)
                product[i * n + j] += matrix[i * n + k] * matrix[j * n + k];
    return product;
}

} // namespace gemel::pkpd
