#include "estimate.hpp"

#include "polish.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gemel::learners {
namespace {

Estimate minimise_marginal(Method method,
                           FitEngine& engine,
                           std::vector<double> start,
                           FitMonitor* monitor) {
    const FitOptions& options = engine.data.setup().options;
    Marginal marginal(engine, method, options.n_nodes);
    const SmoothFunction function = function_of(marginal);
    Estimate estimate;
    MinimiseOptions bounds = bounds_of(engine.scale);
    bounds.max_iterations = options.max_iterations;
    // Values of a solver with steps carry its errors.
    if (engine.predictor.has_steps()) bounds.gradient_tolerance = 1e-3;
    bounds.watch = [&](int iteration, double value, std::span<const double> at) {
        estimate.trace.emplace_back(at.begin(), at.end());
        if (monitor == nullptr) return true;
        const std::vector<double> values = engine.scale.values(engine.scale.point(at));
        monitor->advance({"search", iteration, 0, value, &values});
        return !monitor->is_cancelled();
    };
    const Minimum found = minimise(function, std::move(start), bounds);
    estimate.at = found.at;
    estimate.objective = found.value;
    estimate.is_converged = found.is_converged;
    estimate.reason = found.reason;
    if (engine.data.n_censored > 0 && (method == Method::focei || method == Method::foce))
        estimate.notes.push_back(fmt::format(
            "{} censored measurement{}: their part of the objective is Laplace's, by the full "
            "Hessian",
            engine.data.n_censored,
            engine.data.n_censored == 1 ? " enters by its probability (M3)"
                                        : "s enter by their probability (M3)"));
    return estimate;
}

template <Method method>
Estimate run_marginal(FitEngine& engine,
                      std::vector<double> start,
                      std::uint64_t /*seed*/,
                      FitMonitor* monitor) {
    return minimise_marginal(method, engine, std::move(start), monitor);
}

Estimate
run_saem(FitEngine& engine, std::vector<double> start, std::uint64_t seed, FitMonitor* monitor) {
    SaemResult found = saem(engine, std::move(start), seed, monitor);
    Estimate estimate;
    estimate.at = std::move(found.at);
    estimate.is_converged = found.is_finite && found.is_settled;
    estimate.reason = found.reason;
    estimate.trace = std::move(found.trace);
    estimate.moments = std::move(found.moments);
    if (monitor != nullptr && monitor->is_cancelled()) {
        estimate.is_converged = false;
        estimate.reason = "it was interrupted";
        return estimate;
    }
    if (found.is_finite) polish(engine, estimate, seed, monitor);
    return estimate;
}

constexpr Estimator all_estimators[] = {
    {Method::saem,
     "stochastic approximation EM, then a search on the likelihood by importance sampling",
     "-2LL by importance sampling",
     run_saem},
    {Method::focei,
     "first-order conditional estimation with interaction",
     "OFV of FOCEI",
     run_marginal<Method::focei>},
    {Method::foce,
     "first-order conditional estimation without interaction",
     "OFV of FOCE",
     run_marginal<Method::foce>},
    {Method::fo, "first-order estimation", "OFV of FO", run_marginal<Method::fo>},
    {Method::laplace,
     "Laplace's approximation with the full Hessian",
     "OFV of Laplace",
     run_marginal<Method::laplace>},
    {Method::agq,
     "adaptive Gauss-Hermite quadrature",
     "-2LL by adaptive Gauss-Hermite quadrature, without n·log 2π",
     run_marginal<Method::agq>}};

} // namespace

MinimiseOptions bounds_of(const FitScale& scale) {
    MinimiseOptions options;
    for (const FitScale::Coordinate& c : scale.coordinates) {
        options.lower.push_back(c.lower);
        options.upper.push_back(c.upper);
    }
    return options;
}

std::span<const Estimator> estimators() {
    return all_estimators;
}

const Estimator& estimator(Method method) {
    return *std::ranges::find(all_estimators, method, &Estimator::method);
}

} // namespace gemel::learners
