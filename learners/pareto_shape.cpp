#include "pareto_shape.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::learners {

double pareto_shape(std::vector<double> weights) {
    const double n_all = static_cast<double>(weights.size());
    const auto n_tail =
        static_cast<std::size_t>(std::ceil(std::min(0.2 * n_all, 3.0 * std::sqrt(n_all))));
    if (n_tail < 5) return std::numeric_limits<double>::quiet_NaN();
    std::ranges::sort(weights);
    const double cut = weights[weights.size() - n_tail - 1];
    std::vector<double> tail;
    for (std::size_t i = weights.size() - n_tail; i < weights.size(); ++i)
        tail.push_back(weights[i] - cut);
    if (!(tail.back() > 0.0)) return -std::numeric_limits<double>::infinity(); // all alike
    const double n = static_cast<double>(n_tail);
    const auto n_grid = static_cast<int>(30.0 + std::floor(std::sqrt(n)));
    const double quartile = tail[static_cast<std::size_t>(std::floor(n / 4.0 + 0.5)) - 1];
    std::vector<double> theta, log_likelihood;
    const auto shape_at = [&](double t) {
        double sum = 0.0;
        for (const double x : tail)
            sum += std::log1p(-t * x);
        return sum / n;
    };
    for (int j = 1; j <= n_grid; ++j) {
        const double t = 1.0 / tail.back() +
                         (1.0 - std::sqrt(n_grid / (j - 0.5))) / (3.0 * std::max(quartile, 1e-300));
        const double k = shape_at(t);
        theta.push_back(t);
        log_likelihood.push_back(n * (std::log(-t / k) - k - 1.0));
    }
    double total = 0.0, mean = 0.0;
    for (std::size_t j = 0; j < theta.size(); ++j) {
        double inverse = 0.0;
        for (const double other : log_likelihood)
            inverse += std::exp(other - log_likelihood[j]);
        if (!std::isfinite(inverse)) continue;
        total += 1.0 / inverse;
        mean += theta[j] / inverse;
    }
    const double shape = shape_at(mean / total);
    constexpr double prior_count = 10.0; // weakly informative, about ½
    return (n * shape + prior_count * 0.5) / (n + prior_count);
}

} // namespace gemel::learners
