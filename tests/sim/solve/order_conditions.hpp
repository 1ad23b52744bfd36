#pragma once

#include <span>
#include <vector>

/// What conditions on the coefficients of a one-step method are written with.
namespace order_conditions {

using Vector = std::vector<double>;

/// A condition: Σ b_i x_i = 1/r, at dense output θ^order/r.
struct Condition {
    int order;
    Vector x;
    double r;
};

inline Vector times(const Vector& a, const Vector& b) {
    Vector c(a.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        c[i] = a[i] * b[i];
    return c;
}

inline double dot(std::span<const double> a, const Vector& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < b.size(); ++i)
        sum += a[i] * b[i];
    return sum;
}

} // namespace order_conditions
