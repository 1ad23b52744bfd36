#pragma once

#include <gemel/pkpd/population.hpp>
#include <gemel/scenarios/outcome.hpp>
#include <gemel/sim/counters.hpp>
#include <gemel/sim/moments.hpp>

#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Endpoints: one number per arm, or per arm and stratum, made of an outcome's numbers, written in
/// a study as `proportion(on_target)` or `geometric_mean(AUCtau)`.
namespace gemel::scenarios {

/// How subjects are split: `by` of an endpoint.
struct Stratification {
    std::string by;                  ///< as the study writes it; "" for all subjects together
    std::vector<std::string> strata; ///< labels; one for all
    /// Reads a block of subjects: the stratum of each, [n_subjects].
    std::function<std::vector<std::uint32_t>(const pkpd::CohortBlock&)> codes;
};

/// The numbers an endpoint is made of: an outcome's, or 1 and 0 by a comparison with it, or the
/// logarithm of its ratio to the same subject's in another arm.
struct Quantity {
    std::size_t outcome = 0;
    std::string comparison; ///< "": none
    double threshold = 0.0; ///< in the outcome's unit
    int reference_arm = -1;
    bool operator==(const Quantity&) const = default;
};

/// What is kept of a quantity in one arm and stratum.
struct Sample {
    std::uint64_t n = 0;         ///< subjects with a number
    std::uint64_t n_missing = 0; ///< subjects without: their solve failed, or it is not defined
    std::uint64_t n_not_positive = 0; ///< among n: no logarithm
    sim::Moments values, logs;        ///< where needed
    sim::Counters counters;           ///< where needed
    sim::FixedWeight weight, hits;    ///< of all numbers, and of those that are not 0
};

/// How intervals of proportions are made: Wilson (1927), doi:10.1080/01621459.1927.10502953;
/// Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404.
enum class Interval { wilson, clopper_pearson };

struct EndpointSettings {
    double probability = 0.5; ///< of quantile()
    double level = 0.95;      ///< of intervals
    Interval interval = Interval::wilson;
};

/// NaN: not defined, or not given by this endpoint.
struct Estimate {
    double value = std::numeric_limits<double>::quiet_NaN();
    double mcse = std::numeric_limits<double>::quiet_NaN(); ///< Monte-Carlo standard error of value
    double lower = std::numeric_limits<double>::quiet_NaN();
    double upper = std::numeric_limits<double>::quiet_NaN();
};

/// A row of the one list of endpoint functions.
struct EndpointFunction {
    std::string_view name;      ///< "geometric_mean"
    std::string_view signature; ///< "geometric_mean(outcome)"
    std::string_view about;
    enum class Second { none, probability, arm } second = Second::none; ///< argument
    bool takes_comparison = false; ///< its first argument may be `outcome >= constant`, or must be
    bool has_outcome_unit = true;  ///< else a bare number
    bool has_mcse = true;
    bool has_interval = false;
    double level = 0.95; ///< of the interval, unless the study says otherwise
    bool needs_logs = false, needs_counters = false;
    Estimate (*estimate)(const Sample& sample, const EndpointSettings& settings) = nullptr;
};
std::span<const EndpointFunction> endpoint_functions(); ///< the registry, in alphabetical order
const EndpointFunction* find_endpoint_function(std::string_view name);

/// The interval of a proportion.
/// @param n  subjects, or Kish's effective number where they have weights
std::pair<double, double> proportion_interval(double p, double n, const EndpointSettings& settings);

struct Endpoint {
    std::string name;
    std::string label;    ///< for reports; "": none
    sim::SourceText text; ///< "geometric_mean(AUCtau)"
    const EndpointFunction* function = nullptr;
    Quantity quantity;
    EndpointSettings settings;
    std::size_t stratification = 0; ///< of the study's; 0: all subjects
    sim::Unit unit;
};

} // namespace gemel::scenarios
