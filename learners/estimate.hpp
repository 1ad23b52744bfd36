#pragma once

#include "minimise.hpp"
#include "saem.hpp"

#include <gemel/learners/fit.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gemel::learners {

/// Where an estimator ended.
struct Estimate {
    std::vector<double> at;
    double objective = std::numeric_limits<double>::infinity(); ///< what starts are compared by
    bool is_converged = false;
    std::string reason;
    std::vector<std::vector<double>> trace;  ///< [n_iterations] places
    std::vector<ConditionalMoments> moments; ///< of chains; empty: none
    std::vector<std::string> notes;
};

/// Those of the scale, ready for a search.
MinimiseOptions bounds_of(const FitScale& scale);

/// −2·log of a likelihood, for a search. Its directions begin with the sum of the squares of the
/// subjects' gradients (Berndt et al. 1974, Ann Econ Soc Meas 3:653–665).
/// @param objective  has value(at), value(at, gradient) and gradients_by_subject()
template <class Objective>
SmoothFunction function_of(Objective& objective) {
    SmoothFunction function;
    function.value = [&](std::span<const double> at) { return objective.value(at); };
    function.gradient = [&](std::span<const double> at, Eigen::VectorXd& gradient) {
        return objective.value(at, gradient);
    };
    function.curvature = [&]() -> Eigen::MatrixXd {
        const Eigen::MatrixXd& of = objective.gradients_by_subject();
        return 0.5 * of * of.transpose();
    };
    return function;
}

/// A row of the one list of estimators.
struct Estimator {
    Method method = Method::saem;
    std::string_view about;
    std::string_view objective; ///< what is printed as the objective
    Estimate (*run)(FitEngine& engine,
                    std::vector<double> start,
                    std::uint64_t seed,
                    FitMonitor* monitor) = nullptr;
};
std::span<const Estimator> estimators();
const Estimator& estimator(Method method);

} // namespace gemel::learners
