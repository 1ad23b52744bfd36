#include <gemel/pkpd/nca.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gemel::pkpd {

std::vector<double> superpose(const ExposureCurve& curve,
                              std::span<const SuperposedDose> doses,
                              std::span<const double> times) {
    std::vector<double> sums;
    for (const double time : times) {
        double sum = 0.0;
        for (const SuperposedDose& dose : doses)
            if (dose.time <= time) sum += dose.share * value_at(curve, time - dose.time);
        sums.push_back(sum);
    }
    return sums;
}

std::vector<double>
superpose_steady_state(const ExposureCurve& curve, double tau, std::span<const double> times) {
    if (!(tau > 0.0) || std::isinf(tau))
        throw std::invalid_argument("a steady state needs a finite interval above 0");
    std::vector<double> sums;
    for (const double time : times) {
        double sum = 0.0, since = time;
        for (; !curve.time.empty() && since <= curve.time.back(); since += tau)
            sum += value_at(curve, since);
        // All earlier doses are on the exponential: a geometric series.
        sums.push_back(sum + value_at(curve, since) / -std::expm1(-curve.lambda_z * tau));
    }
    return sums;
}

} // namespace gemel::pkpd
