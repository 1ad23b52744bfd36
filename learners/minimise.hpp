#pragma once

#include <Eigen/Dense>

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace gemel::learners {

/// A smooth function of a place within bounds; +∞ where it has no value.
struct SmoothFunction {
    std::function<double(std::span<const double> at)> value;
    std::function<double(std::span<const double> at, Eigen::VectorXd& gradient)> gradient;
    /// The inverse of the matrix that search directions begin with, as at the start; unset: 1.
    std::function<Eigen::MatrixXd()> curvature = {};
};

struct MinimiseOptions {
    std::vector<double> lower, upper;
    int max_iterations = 200;
    double gradient_tolerance = 1e-4; ///< of the decrease that a step would still bring
    double longest_step = 2.0;        ///< of a coordinate
    std::function<bool(int iteration, double value, std::span<const double> at)> watch = {};
};

struct Minimum {
    std::vector<double> at;
    double value = 0.0;
    Eigen::VectorXd gradient;
    int n_iterations = 0;
    bool is_converged = false;
    std::string reason; ///< why it stopped, in words
};

/// Quasi-Newton (BFGS; Nocedal & Wright 2006, Numerical Optimization, algorithm 6.1) with bounds:
/// coordinates at a bound that the gradient pushes against stand still. The line search ends at the
/// first step that decreases the value enough. Its work is bounded.
Minimum
minimise(const SmoothFunction& function, std::vector<double> start, const MinimiseOptions& options);

} // namespace gemel::learners
