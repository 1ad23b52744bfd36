#include "estimate.hpp"

#include "minimise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::learners {
namespace {

constexpr double trusted_share = 0.02; ///< of draws that count, in the subject with the fewest

MinimiseOptions bounds_of(const FitScale& scale) {
    MinimiseOptions options;
    for (const FitScale::Coordinate& c : scale.coordinates) {
        options.lower.push_back(c.lower);
        options.upper.push_back(c.upper);
    }
    return options;
}

Estimate minimise_marginal(Method method,
                           FitEngine& engine,
                           std::vector<double> start,
                           FitMonitor* monitor) {
    const FitOptions& options = engine.data.setup().options;
    Marginal marginal(engine, method, options.n_nodes);
    SmoothFunction function;
    function.value = [&](std::span<const double> at) { return marginal.value(at); };
    function.gradient = [&](std::span<const double> at, Eigen::VectorXd& gradient) {
        return marginal.value(at, gradient);
    };
    function.curvature = [&]() -> Eigen::MatrixXd {
        const Eigen::MatrixXd& of = marginal.gradients_by_subject();
        return 0.5 * of * of.transpose();
    };
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

std::vector<char> found_directly(const FitEngine& engine) {
    std::vector<char> is_direct(engine.scale.size(), 0);
    for (const std::size_t k : engine.mu.extra())
        is_direct[k] = 1;
    return is_direct;
}

/// As many draws as their predictions may cost.
int n_polish_draws(const FitEngine& engine) {
    const bool is_solved_anew = !engine.mu.extra().empty();
    const double n = static_cast<double>(engine.data.n_subjects());
    const double all = engine.predictor.has_steps() ? (is_solved_anew ? 6e3 : 1e4)
                                                    : (is_solved_anew ? 1e4 : 1.5e4);
    return static_cast<int>(std::clamp(all / n, 192.0, 512.0));
}

/// The likelihood by draws that stay where they are is a smooth function: its maximum is sought by
/// Newton's methods, then with draws made anew, and is kept where fresh draws find it better.
void polish(FitEngine& engine, Estimate& estimate, std::uint64_t seed, FitMonitor* monitor) {
    ConditionalDraws draws(engine, n_polish_draws(engine), found_directly(engine), seed);
    SmoothFunction function;
    function.value = [&](std::span<const double> at) { return draws.value(at); };
    function.gradient = [&](std::span<const double> at, Eigen::VectorXd& gradient) {
        return draws.value(at, gradient);
    };
    function.curvature = [&]() -> Eigen::MatrixXd {
        const Eigen::MatrixXd& of = draws.gradients_by_subject();
        return 0.5 * of * of.transpose();
    };
    MinimiseOptions bounds = bounds_of(engine.scale);
    bounds.max_iterations = 12;
    bounds.longest_step = 0.5;
    bounds.gradient_tolerance = 1e-3;
    bounds.watch = [&](int, double, std::span<const double>) {
        return monitor == nullptr || !monitor->is_cancelled();
    };
    std::vector<double> at = estimate.at;
    draws.draw(at, mixtures_of(proposals_of(estimate.moments)), 0);
    double value = draws.value(at);
    if (std::isfinite(value)) estimate.objective = value;
    if (!std::isfinite(value) || draws.least_effective_share() < trusted_share) {
        estimate.notes.emplace_back(
            "the last search, on draws that stay where they are, was left out: "
            "draws of some subject hardly count");
        return;
    }
    const std::vector<double> before = at;
    for (std::uint32_t round = 0; round < 2; ++round) {
        if (monitor != nullptr)
            monitor->advance(
                {"polish", round, 2, std::numeric_limits<double>::quiet_NaN(), nullptr});
        at = minimise(function, at, bounds).at;
        draws.value(at);
        const bool is_trusted = draws.least_effective_share() >= trusted_share;
        draws.draw(at,
                   is_trusted ? draws.adapted() : mixtures_of(proposals_of(estimate.moments)),
                   round + 1);
    }
    value = draws.value(at);
    const double value_before = draws.value(before);
    estimate.objective = std::min(value, value_before);
    if (!(value < value_before)) return;
    estimate.at = at;
    estimate.notes.push_back(
        fmt::format("the last search, on draws that stay where they are, lowered -2LL by {:.2g}",
                    value_before - value));
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

std::span<const Estimator> estimators() {
    return all_estimators;
}

const Estimator& estimator(Method method) {
    return *std::ranges::find(all_estimators, method, &Estimator::method);
}

} // namespace gemel::learners
