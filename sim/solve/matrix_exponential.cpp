#include "solve/matrix_exponential.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace gemel::sim {

namespace {

using Matrix = std::vector<double>;

/// to = a·b, every entry summed in order of k. Products and sums are rounded one by one (the build
/// forbids contraction), so vector units change no bit.
void multiply(int n, const Matrix& a, const Matrix& b, Matrix& to) {
    std::fill(to.begin(), to.end(), 0.0);
    for (int i = 0; i < n; ++i)
        for (int k = 0; k < n; ++k) {
            const double factor = a[i * n + k];
            if (factor == 0.0) continue;
            const double* from = b.data() + k * n;
            double* row = to.data() + i * n;
            for (int j = 0; j < n; ++j)
                row[j] += factor * from[j];
        }
}

/// The smaller of the largest column sum and the largest row sum.
double norm(int n, const Matrix& m) {
    double by_row = 0.0, by_column = 0.0;
    for (int i = 0; i < n; ++i) {
        double row = 0.0, column = 0.0;
        for (int j = 0; j < n; ++j) {
            row += std::fabs(m[i * n + j]);
            column += std::fabs(m[j * n + i]);
        }
        // Also true for NaN, which must not be lost in a maximum.
        if (!(row <= by_row)) by_row = row;
        if (!(column <= by_column)) by_column = column;
    }
    return by_row < by_column ? by_row : by_column;
}

constexpr int degree = 18; ///< ‖M‖ ≤ 1: the next term is 1/19! = 8e-18
constexpr int stride = 4;  ///< powers kept (Paterson and Stockmeyer 1973, SIAM J Comput 2:60–66)

std::array<double, degree + 1> inverse_factorials() {
    std::array<double, degree + 1> c{1.0};
    for (int k = 1; k <= degree; ++k)
        c[k] = c[k - 1] / k;
    return c;
}

/// Σ M^k/k! by Horner's rule in M⁴, smallest terms first.
Matrix taylor(int n, const Matrix& m) {
    const auto c = inverse_factorials();
    const std::size_t size = m.size();
    std::array<Matrix, stride + 1> power;
    for (int k = 1; k <= stride; ++k) {
        power[k] = m;
        if (k > 1) multiply(n, power[k - 1], m, power[k]);
    }
    Matrix sum(size, 0.0), product(size, 0.0);
    for (int first = degree / stride * stride; first >= 0; first -= stride) {
        multiply(n, sum, power[stride], product);
        for (int k = std::min(stride - 1, degree - first); k >= 1; --k)
            for (std::size_t e = 0; e < size; ++e)
                product[e] += c[first + k] * power[k][e];
        for (int i = 0; i < n; ++i)
            product[i * n + i] += c[first];
        std::swap(sum, product);
    }
    return sum;
}

} // namespace

std::vector<double> matrix_exponential(int n, const std::vector<double>& matrix) {
    const double size = norm(n, matrix);
    if (!std::isfinite(size))
        return Matrix(matrix.size(), std::numeric_limits<double>::quiet_NaN());
    int squarings = 0;
    std::frexp(size, &squarings); // size ≤ 2^squarings
    squarings = std::max(squarings, 0);
    Matrix scaled = matrix;
    for (double& entry : scaled)
        entry = std::ldexp(entry, -squarings);
    Matrix result = taylor(n, scaled);
    for (int k = 0; k < squarings; ++k) {
        multiply(n, result, result, scaled);
        std::swap(result, scaled);
    }
    return result;
}

} // namespace gemel::sim
