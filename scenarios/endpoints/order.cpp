#include <gemel/scenarios/endpoint.hpp>

namespace gemel::scenarios {

Estimate estimate_quantile(const Sample& sample, const EndpointSettings& settings) {
    return {.value = sample.counters.quantile(settings.probability),
            .mcse =
                sample.counters.quantile_error(settings.probability, sample.values.effective_n())};
}

Estimate estimate_median(const Sample& sample, const EndpointSettings& settings) {
    EndpointSettings at_half = settings;
    at_half.probability = 0.5;
    return estimate_quantile(sample, at_half);
}

Estimate estimate_min(const Sample& sample, const EndpointSettings&) {
    return {.value = sample.counters.min()};
}

Estimate estimate_max(const Sample& sample, const EndpointSettings&) {
    return {.value = sample.counters.max()};
}

} // namespace gemel::scenarios
