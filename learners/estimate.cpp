#include "estimate.hpp"

#include "minimise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace gemel::learners {
namespace {

constexpr std::uint32_t polish_rounds = 4; ///< at most
constexpr double settled_polish = 0.02;    ///< of −2LL: less ends the last search
constexpr double trusted_share = 0.02;     ///< of draws that count, in the subject with the fewest

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

/// As many draws as their predictions may cost.
int n_polish_draws(const FitEngine& engine, const std::vector<char>& is_direct) {
    const bool is_solved_anew = std::ranges::count(is_direct, 1) > 0;
    const double n = static_cast<double>(engine.data.n_subjects());
    const double all = engine.predictor.has_steps() ? (is_solved_anew ? 6e3 : 1e4)
                                                    : (is_solved_anew ? 1e4 : 1.5e4);
    const double least = is_solved_anew
                             ? 192.0
                             : std::max(192.0, 48.0 * static_cast<double>(engine.data.max_effects));
    return static_cast<int>(std::clamp(all / n, std::min(least, 512.0), 512.0));
}

/// About the modes at a place and about what chains saw, half and half.
std::vector<ProposalMixture>
proposals_near(FitEngine& engine, const Estimate& estimate, std::span<const double> at) {
    const PopulationPoint point = engine.scale.point(at);
    Modes modes(engine.data, engine.derivatives);
    modes.find(at, point);
    return halves_of(mixtures_of(proposals_at(engine.data, modes, point)),
                     mixtures_of(proposals_of(estimate.moments)));
}

/// The likelihood by draws that stay where they are is a smooth function: its maximum is sought by
/// Newton's methods, then with draws made anew, and is kept where fresh draws find it better.
void polish(FitEngine& engine, Estimate& estimate, std::uint64_t seed, FitMonitor* monitor) {
    std::unique_ptr<ConditionalDraws> draws;
    SmoothFunction function;
    function.value = [&](std::span<const double> at) { return draws->value(at); };
    function.gradient = [&](std::span<const double> at, Eigen::VectorXd& gradient) {
        return draws->value(at, gradient);
    };
    function.curvature = [&]() -> Eigen::MatrixXd {
        const Eigen::MatrixXd& of = draws->gradients_by_subject();
        return 0.5 * of * of.transpose();
    };
    MinimiseOptions bounds = bounds_of(engine.scale);
    const std::vector<char> at_start = direct_coordinates(engine, estimate.at);
    const bool is_costly = engine.predictor.has_steps() && std::ranges::count(at_start, 1) > 0;
    const std::uint32_t n_rounds = is_costly ? 2 : polish_rounds;
    bounds.max_iterations = is_costly ? 6 : 12;
    bounds.longest_step = 0.5;
    bounds.gradient_tolerance = 1e-3;
    bounds.watch = [&](int, double, std::span<const double>) {
        return monitor == nullptr || !monitor->is_cancelled();
    };
    const auto is_trusted = [&] { return draws->least_effective_share() >= trusted_share; };
    // Which values move with effects held depends on the place.
    const auto draw = [&](std::span<const double> at,
                          const std::vector<ProposalMixture>& proposals,
                          std::uint32_t round) {
        const std::vector<char> is_direct = direct_coordinates(engine, at);
        draws = std::make_unique<ConditionalDraws>(
            engine, n_polish_draws(engine, is_direct), is_direct, seed);
        draws->draw(at, proposals, round);
        return draws->value(at);
    };
    const std::vector<double> before = estimate.at;
    std::vector<double> at = before;
    // Draws are as good as what they are made about: about the mean of some first ones.
    draw(at, proposals_near(engine, estimate, at), 0);
    double first = draw(at, draws->adapted(), 1);
    if (!is_trusted()) first = draw(at, draws->adapted(), 2);
    if (std::isfinite(first)) estimate.objective = first;
    if (!std::isfinite(first) || !is_trusted()) {
        estimate.notes.emplace_back(
            "the last search, on draws that stay where they are, was left out: "
            "draws of some subject hardly count");
        return;
    }
    double value = first;
    for (std::uint32_t round = 0; round < n_rounds; ++round) {
        if (monitor != nullptr)
            monitor->advance(
                {"polish", round, n_rounds, std::numeric_limits<double>::quiet_NaN(), nullptr});
        const double start = value;
        at = minimise(function, at, bounds).at;
        const double found = draws->value(at);
        value = draw(
            at, is_trusted() ? draws->adapted() : proposals_near(engine, estimate, at), round + 3);
        if (round > 0 && start - found < settled_polish) break;
    }
    const double value_after = value, value_there = draws->value(before);
    const double value_before = is_trusted() ? value_there : first;
    estimate.objective = std::min(value_after, value_before);
    if (!(value_after < value_before)) return;
    estimate.at = at;
    estimate.notes.push_back(
        fmt::format("the last search, on draws that stay where they are, lowered -2LL by {:.2g}",
                    value_before - value_after));
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
