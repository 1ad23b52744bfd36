#include <gemel/scenarios/endpoint.hpp>
#include <gemel/sim/distributions.hpp>
#include <gemel/sim/random.hpp>

#include <algorithm>
#include <cmath>

namespace gemel::scenarios {

namespace {

/// Wilson: the proportions from which p is not further than z of their own standard errors.
std::pair<double, double> wilson(double p, double n, double level) {
    const double z = sim::normal_quantile(0.5 + 0.5 * level);
    const double share = z * z / n;
    const double centre = (p + 0.5 * share) / (1.0 + share);
    const double half = std::sqrt(share * (p * (1.0 - p) + 0.25 * share)) / (1.0 + share);
    // At 0 and 1 the bound is exact; the formula leaves a rounding.
    return {p == 0.0 ? 0.0 : std::max(centre - half, 0.0),
            p == 1.0 ? 1.0 : std::min(centre + half, 1.0)};
}

/// Clopper–Pearson: tails of the binomial distribution, by the beta distribution.
std::pair<double, double> clopper_pearson(double p, double n, double level) {
    const double tail = 0.5 * (1.0 - level), k = p * n;
    return {p == 0.0 ? 0.0 : sim::beta_quantile(k, n - k + 1.0, tail),
            p == 1.0 ? 1.0 : sim::beta_quantile(k + 1.0, n - k, 1.0 - tail)};
}

} // namespace

std::pair<double, double>
proportion_interval(double p, double n, const EndpointSettings& settings) {
    return settings.interval == Interval::wilson ? wilson(p, n, settings.level)
                                                 : clopper_pearson(p, n, settings.level);
}

Estimate estimate_proportion(const Sample& sample, const EndpointSettings& settings) {
    const double all = sample.weight.value(), n = sample.values.effective_n();
    if (sample.n == 0 || !(all > 0.0)) return {};
    const double p = sample.hits.value() / all;
    const auto [lower, upper] = proportion_interval(p, n, settings);
    return {.value = p, .mcse = std::sqrt(p * (1.0 - p) / n), .lower = lower, .upper = upper};
}

} // namespace gemel::scenarios
