#include <gemel/sim/moments.hpp>

#include <limits>

namespace gemel::sim {

void Moments::add(double value, double its_weight) {
    *this += Moments{1, its_weight, its_weight * its_weight, value, 0.0, 0.0, 0.0};
}

// With d = mean_b − mean_a, W = W_a + W_b, and a_k, b_k the sums of k-th powers:
//   M2 = a_2 + b_2 + d² W_a W_b / W
//   M3 = a_3 + b_3 + d³ W_a W_b (W_a − W_b) / W² + 3 d (W_a b_2 − W_b a_2) / W
//   M4 = a_4 + b_4 + d⁴ W_a W_b (W_a² − W_a W_b + W_b²) / W³
//      + 6 d² (W_a² b_2 + W_b² a_2) / W² + 4 d (W_a b_3 − W_b a_3) / W
Moments& Moments::operator+=(const Moments& right) {
    n += right.n;
    if (right.weight <= 0.0) return *this;
    if (weight <= 0.0) {
        const std::uint64_t n_all = n;
        *this = right;
        n = n_all;
        return *this;
    }
    const double sum = weight + right.weight;
    const double d = right.mean - mean;
    const double a = weight / sum, b = right.weight / sum; // shares
    const double product = d * d * (weight * b);
    m4 += right.m4 + product * d * d * (a * a - a * b + b * b) +
          6.0 * d * d * (a * a * right.m2 + b * b * m2) + 4.0 * d * (a * right.m3 - b * m3);
    m3 += right.m3 + product * d * (a - b) + 3.0 * d * (a * right.m2 - b * m2);
    m2 += right.m2 + product;
    mean += d * b;
    weight = sum;
    weight_squares += right.weight_squares;
    return *this;
}

double Moments::variance() const {
    const double freedom = weight - weight_squares / weight;
    return n > 1 && freedom > 0.0 ? m2 / freedom : std::numeric_limits<double>::quiet_NaN();
}

} // namespace gemel::sim
