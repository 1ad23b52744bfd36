#include "elementary.hpp"

#include <gemel/scenarios/endpoint.hpp>
#include <gemel/sim/distributions.hpp>

#include <algorithm>
#include <cmath>

// Monte-Carlo errors, with n Kish's effective number and m_k = M_k/W the central moments:
//   mean: s/√n          sd: √((m_4 − m_2²)/n)/(2s)
//   cv = s/m̄: cv·√(var(s)/s² + s²/(n m̄²) − m_3/(n s² m̄))
// Functions of the logarithm's mean and sd by the chain rule. Theory manual: endpoints.md.
namespace gemel::scenarios {

namespace {

/// Nobody, or nobody of any weight.
bool is_empty(const sim::Moments& moments) {
    return !(moments.weight > 0.0);
}

struct Spread {
    double sd = 0.0;
    double mcse = 0.0;
};

Spread spread_of(const sim::Moments& moments) {
    const double sd = std::sqrt(moments.variance());
    const double m2 = moments.m2 / moments.weight, m4 = moments.m4 / moments.weight;
    const double variance_of_variance = (m4 - m2 * m2) / moments.effective_n();
    if (sd == 0.0) return {0.0, 0.0};
    return {sd, std::sqrt(std::max(variance_of_variance, 0.0)) / (2.0 * sd)};
}

double mean_error(const sim::Moments& moments) {
    return std::sqrt(moments.variance() / moments.effective_n());
}

} // namespace

Estimate estimate_mean(const Sample& sample, const EndpointSettings&) {
    if (is_empty(sample.values)) return {};
    return {.value = sample.values.mean, .mcse = mean_error(sample.values)};
}

Estimate estimate_sd(const Sample& sample, const EndpointSettings&) {
    const Spread spread = spread_of(sample.values);
    return {.value = spread.sd, .mcse = spread.mcse};
}

Estimate estimate_cv(const Sample& sample, const EndpointSettings&) {
    const sim::Moments& moments = sample.values;
    const Spread spread = spread_of(moments);
    const double mean = moments.mean;
    if (is_empty(moments) || mean == 0.0) return {};
    const double cv = spread.sd / mean;
    if (spread.sd == 0.0) return {.value = cv, .mcse = 0.0};
    const double n = moments.effective_n();
    const double of_sd = spread.mcse / spread.sd, of_mean = cv / std::sqrt(n);
    const double covariance = moments.m3 / moments.weight / (n * spread.sd * spread.sd * mean);
    const double relative = std::max(of_sd * of_sd + of_mean * of_mean - covariance, 0.0);
    return {.value = cv, .mcse = std::abs(cv) * std::sqrt(relative)};
}

Estimate estimate_geometric_mean(const Sample& sample, const EndpointSettings&) {
    if (is_empty(sample.values) || sample.n_not_positive > 0) return {};
    const double value = exponential(sample.logs.mean);
    return {.value = value, .mcse = value * mean_error(sample.logs)};
}

Estimate estimate_geometric_cv(const Sample& sample, const EndpointSettings&) {
    if (is_empty(sample.values) || sample.n_not_positive > 0) return {};
    const Spread spread = spread_of(sample.logs);
    const double square = exponential(spread.sd * spread.sd);
    const double value = std::sqrt(square - 1.0);
    return {.value = value,
            .mcse = value > 0.0 ? spread.sd * square / value * spread.mcse : spread.mcse};
}

/// The quantity is the logarithm of the ratio within each subject: a paired comparison.
Estimate estimate_ratio(const Sample& sample, const EndpointSettings& settings) {
    if (is_empty(sample.values) || sample.n_not_positive > 0) return {};
    const sim::Moments& logs = sample.values;
    const double value = exponential(logs.mean), error = mean_error(logs);
    Estimate estimate{.value = value, .mcse = value * error};
    if (!(error >= 0.0)) return estimate;
    const double t = sim::student_quantile(logs.effective_n() - 1.0, 0.5 + 0.5 * settings.level);
    estimate.lower = exponential(logs.mean - t * error);
    estimate.upper = exponential(logs.mean + t * error);
    return estimate;
}

} // namespace gemel::scenarios
