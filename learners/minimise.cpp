#include "minimise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::learners {
namespace {

/// One search, from place to place.
class QuasiNewton {
public:
    QuasiNewton(const SmoothFunction& function,
                std::vector<double> start,
                const MinimiseOptions& options)
        : function_(function),
          options_(options),
          n_(static_cast<Eigen::Index>(start.size())) {
        found_.at = std::move(start);
        clamp(found_.at);
    }

    Minimum run() {
        found_.value = function_.gradient(found_.at, found_.gradient);
        if (!std::isfinite(found_.value)) {
            found_.reason = "the start has no finite objective";
            return found_;
        }
        reset();
        while (true) {
            const Eigen::VectorXd direction = find_direction();
            const double decrease = -direction.dot(found_.gradient);
            if (decrease < options_.gradient_tolerance || n_ == 0)
                return stop(
                    true,
                    fmt::format("a further step would change the objective by less than {:g}",
                                options_.gradient_tolerance));
            if (found_.n_iterations >= options_.max_iterations)
                return stop(false, fmt::format("{} iterations were done", found_.n_iterations));
            if (options_.watch && !options_.watch(found_.n_iterations, found_.value, found_.at))
                return stop(false, "it was interrupted");
            ++found_.n_iterations;
            if (step(direction)) continue;
            if (is_fresh_)
                return stop(decrease < 1e-2,
                            "no step along the gradient decreases the objective any more");
            reset();
        }
    }

private:
    Minimum stop(bool is_converged, std::string reason) {
        found_.is_converged = is_converged;
        found_.reason = std::move(reason);
        return found_;
    }

    void clamp(std::vector<double>& at) const {
        for (std::size_t k = 0; k < at.size() && !options_.lower.empty(); ++k)
            at[k] = std::clamp(at[k], options_.lower[k], options_.upper[k]);
    }

    bool is_held(Eigen::Index k) const {
        if (options_.lower.empty()) return false;
        const auto i = static_cast<std::size_t>(k);
        return (found_.at[i] <= options_.lower[i] && found_.gradient(k) > 0.0) ||
               (found_.at[i] >= options_.upper[i] && found_.gradient(k) < 0.0);
    }

    /// Curvature as it is known without steps.
    void reset() {
        inverse_ = Eigen::MatrixXd::Identity(n_, n_);
        is_fresh_ = true;
        if (!function_.curvature) return;
        Eigen::MatrixXd curvature = function_.curvature();
        const double largest = curvature.diagonal().maxCoeff();
        for (Eigen::Index k = 0; k < n_; ++k)
            curvature(k, k) = curvature(k, k) * 1.05 + 1e-6 * largest + 1e-8;
        const Eigen::LLT<Eigen::MatrixXd> root(curvature);
        if (root.info() == Eigen::Success) inverse_ = root.solve(Eigen::MatrixXd::Identity(n_, n_));
    }

    Eigen::VectorXd find_direction() {
        Eigen::VectorXd gradient = found_.gradient;
        Eigen::MatrixXd inverse = inverse_;
        for (Eigen::Index k = 0; k < n_; ++k)
            if (is_held(k)) {
                gradient(k) = 0.0;
                inverse.row(k).setZero();
                inverse.col(k).setZero();
            }
        Eigen::VectorXd direction = -inverse * gradient;
        if (!(direction.dot(found_.gradient) < 0.0)) direction = -gradient;
        return direction;
    }

    /// Halves of the whole step until one is good enough. @returns false if none is
    bool step(const Eigen::VectorXd& direction) {
        double scale = std::min(1.0, options_.longest_step / direction.cwiseAbs().maxCoeff());
        const double slope = direction.dot(found_.gradient);
        std::vector<double> trial(found_.at.size());
        for (int halving = 0; halving < 25; ++halving, scale *= halving < 3 ? 0.5 : 0.25) {
            for (std::size_t k = 0; k < trial.size(); ++k)
                trial[k] = found_.at[k] + scale * direction(static_cast<Eigen::Index>(k));
            clamp(trial);
            const double value = function_.value(trial);
            if (value <= found_.value + 1e-4 * scale * slope) return move(trial);
        }
        return false;
    }

    bool move(const std::vector<double>& trial) {
        Eigen::VectorXd gradient;
        const double value = function_.gradient(trial, gradient);
        if (!std::isfinite(value) || !gradient.allFinite()) return false;
        Eigen::VectorXd s(n_);
        for (Eigen::Index k = 0; k < n_; ++k)
            s(k) = trial[static_cast<std::size_t>(k)] - found_.at[static_cast<std::size_t>(k)];
        const Eigen::VectorXd y = gradient - found_.gradient;
        const double sy = s.dot(y);
        if (sy > 1e-10 * s.norm() * y.norm()) {
            if (is_fresh_ && !function_.curvature) inverse_ *= sy / y.squaredNorm();
            const Eigen::VectorXd hy = inverse_ * y;
            inverse_ += (1.0 + y.dot(hy) / sy) / sy * s * s.transpose() -
                        (hy * s.transpose() + s * hy.transpose()) / sy;
            is_fresh_ = false;
        }
        found_.at = trial;
        found_.value = value;
        found_.gradient = gradient;
        return true;
    }

    const SmoothFunction& function_;
    const MinimiseOptions& options_;
    Eigen::Index n_ = 0;
    Eigen::MatrixXd inverse_;
    bool is_fresh_ = true;
    Minimum found_;
};

} // namespace

Minimum minimise(const SmoothFunction& function,
                 std::vector<double> start,
                 const MinimiseOptions& options) {
    return QuasiNewton(function, std::move(start), options).run();
}

} // namespace gemel::learners
