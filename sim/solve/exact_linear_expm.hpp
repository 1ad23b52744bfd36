#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace gemel::sim {

/// y' = A y + s for one subject by the exponential of the augmented matrix [A s; 0 0], with the
/// exponentials kept by the bits of τ as long as A and s stay.
class ExponentialPropagator {
public:
    void set_matrix(int n, const double* a); ///< row-major [n × n]
    void start(const double* y0, const double* source);
    void at(double tau, double* y);

    /// min(‖A‖₁, ‖A‖∞): no eigenvalue, real or complex, is larger.
    double fastest_rate() const { return fastest_; }

private:
    const std::vector<double>& propagator(double tau);

    int n_ = 0;
    double fastest_ = 0.0;
    std::vector<double> a_, y0_, source_;
    std::unordered_map<std::uint64_t, std::vector<double>> kept_;
};

} // namespace gemel::sim
