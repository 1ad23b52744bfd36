#include "sim/solve/agreement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::sim {

Errors errors_of(const Problem& problem, const BlockResult& result, const BlockResult& reference) {
    Errors errors;
    double count = 0.0;
    for (std::size_t k = 0; k < problem.observation.sampled.size(); ++k) {
        const std::size_t n_times = problem.observation.sampled[k].times.size();
        const std::size_t n = std::min(result.sampled[k].size(), reference.sampled[k].size());
        for (std::size_t first = 0; first < n; first += n_times) {
            double largest = 0.0;
            for (std::size_t i = first; i < first + n_times; ++i)
                largest = std::max(largest, std::fabs(reference.sampled[k][i]));
            for (std::size_t i = first; i < first + n_times; ++i) {
                const double ref = reference.sampled[k][i];
                const double error =
                    std::fabs(result.sampled[k][i] - ref) / (std::fabs(ref) + 1e-3 * largest);
                errors.rms += error * error;
                errors.maximum = std::isfinite(error) ? std::max(errors.maximum, error)
                                                      : std::numeric_limits<double>::infinity();
                count += 1.0;
            }
        }
    }
    errors.rms = std::sqrt(errors.rms / count);
    return errors;
}

bool all_ok(const BlockResult& result) {
    return std::all_of(result.status.begin(), result.status.end(), [](SolverStatus status) {
        return status == SolverStatus::ok;
    });
}

} // namespace gemel::sim
