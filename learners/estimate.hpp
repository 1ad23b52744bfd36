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
