#include <gemel/scenarios/endpoint.hpp>

#include <array>

namespace gemel::scenarios {

// Each is defined in the file of its kind.
using EstimateEndpoint = Estimate(const Sample&, const EndpointSettings&);
EstimateEndpoint estimate_cv, estimate_geometric_cv, estimate_geometric_mean, estimate_max,
    estimate_mean, estimate_median, estimate_min, estimate_proportion, estimate_quantile,
    estimate_ratio, estimate_sd;

std::span<const EndpointFunction> endpoint_functions() {
    using Second = EndpointFunction::Second;
    // One entry per function, in alphabetical order.
    static constexpr std::array functions{
        EndpointFunction{.name = "cv",
                         .signature = "cv(outcome)",
                         .about = "coefficient of variation, sd/mean",
                         .has_outcome_unit = false,
                         .estimate = estimate_cv},
        EndpointFunction{.name = "geometric_cv",
                         .signature = "geometric_cv(outcome)",
                         .about = "√(exp(s²) − 1), s the sd of the logarithm",
                         .has_outcome_unit = false,
                         .needs_logs = true,
                         .estimate = estimate_geometric_cv},
        EndpointFunction{.name = "geometric_mean",
                         .signature = "geometric_mean(outcome)",
                         .about = "exp of the mean logarithm",
                         .needs_logs = true,
                         .estimate = estimate_geometric_mean},
        EndpointFunction{.name = "geometric_mean_ratio",
                         .signature = "geometric_mean_ratio(outcome, arm)",
                         .about = "geometric mean of each subject's ratio to its own outcome in "
                                  "another arm, with interval (90 %)",
                         .second = Second::arm,
                         .has_outcome_unit = false,
                         .has_interval = true,
                         .level = 0.90,
                         .estimate = estimate_ratio},
        EndpointFunction{.name = "max",
                         .signature = "max(outcome)",
                         .about = "largest",
                         .has_mcse = false,
                         .needs_counters = true,
                         .estimate = estimate_max},
        EndpointFunction{.name = "mean",
                         .signature = "mean(outcome)",
                         .about = "arithmetic mean",
                         .estimate = estimate_mean},
        EndpointFunction{.name = "median",
                         .signature = "median(outcome)",
                         .about = "quantile at 0.5",
                         .needs_counters = true,
                         .estimate = estimate_median},
        EndpointFunction{.name = "min",
                         .signature = "min(outcome)",
                         .about = "smallest",
                         .has_mcse = false,
                         .needs_counters = true,
                         .estimate = estimate_min},
        EndpointFunction{.name = "proportion",
                         .signature = "proportion(outcome) or proportion(outcome >= constant)",
                         .about = "share of subjects for whom a comparison holds, with interval "
                                  "(95 %, Wilson)",
                         .takes_comparison = true,
                         .has_outcome_unit = false,
                         .has_interval = true,
                         .estimate = estimate_proportion},
        EndpointFunction{.name = "quantile",
                         .signature = "quantile(outcome, p)",
                         .about = "quantile at the probability p",
                         .second = Second::probability,
                         .needs_counters = true,
                         .estimate = estimate_quantile},
        EndpointFunction{.name = "sd",
                         .signature = "sd(outcome)",
                         .about = "standard deviation between subjects",
                         .estimate = estimate_sd},
    };
    return functions;
}

const EndpointFunction* find_endpoint_function(std::string_view name) {
    for (const EndpointFunction& function : endpoint_functions())
        if (function.name == name) return &function;
    return nullptr;
}

} // namespace gemel::scenarios
