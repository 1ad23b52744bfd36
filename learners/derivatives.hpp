#pragma once

#include "fit_scale.hpp"
#include "mu_reference.hpp"
#include "predictor.hpp"

#include <Eigen/Dense>

#include <memory>
#include <vector>

namespace gemel::learners {

/// Predictions of one subject and their derivatives by its effects, then by the typical values
/// that are not mu-referenced, on their scale.
struct SubjectPredictions {
    std::size_t n_effects = 0, n_directions = 0;
    Eigen::VectorXd f; ///< [n_measured]; logarithms of outputs with a logarithmic error
    /// [n_measured × n_directions], and × n_effects·n_directions in column k·n_directions + l. They
    /// may have more columns, of earlier requests.
    Eigen::MatrixXd first, second;
    bool is_finite = false, has_second = false;

    auto second_of(std::size_t effect, std::size_t direction) const {
        return second.col(static_cast<Eigen::Index>(effect * n_directions + direction));
    }
};

/// Derivatives of predictions. Where steps are taken, by the model's symbolic sensitivities, and
/// second ones by their differences; where solutions are exact, by central differences, which lose
/// eight digits less than steps would (theory: estimation.md).
class Derivatives {
public:
    Derivatives(const FitData& data,
                const FitScale& scale,
                const MuReference& mu,
                Predictor& plain,
                const FitExecution& execution);

    enum class Order { value, first, second };
    struct Request {
        std::vector<std::size_t> subjects;
        std::vector<double> effects; ///< [subjects × max_effects]
        Order order = Order::first;
        bool with_extra = false; ///< also by typical values that are not mu-referenced
    };
    /// @param at  the place of `point`
    /// Allocates nothing once an order has been asked for.
    /// @param out [n_subjects], of the requested ones
    void evaluate(const Request& request,
                  std::span<const double> at,
                  const PopulationPoint& point,
                  std::vector<SubjectPredictions>& out);

    /// Relative errors of values; 0: rounding alone.
    double noise() const { return plain_.has_steps() ? data_.setup().options.rtol : 0.0; }
    bool is_symbolic() const { return sensitive_ != nullptr; }
    SolverCount count() const;

private:
    struct Shift {
        std::size_t direction = 0, other = 0; ///< other = direction: alone
        double sign = 0.0;                    ///< 0: none
    };
    void reserve(const Request& request, Predictor& predictor);
    void plan(const Request& request, std::span<const double> at, const PopulationPoint& point);
    void set_task(std::size_t task,
                  std::size_t subject,
                  const double* effects,
                  const Shift& shift,
                  std::span<const double> at,
                  const PopulationPoint& point);
    double step(std::size_t subject, std::size_t direction, std::span<const double> at) const;
    void collect_differences(const Request& request,
                             std::size_t which,
                             std::span<const double> at,
                             SubjectPredictions& out) const;
    void collect_sensitivities(const Request& request,
                               std::size_t which,
                               std::span<const double> at,
                               SubjectPredictions& out) const;
    void take_logarithms(std::size_t subject, Order order, SubjectPredictions& out) const;
    std::size_t n_tasks_of(const Request& request, std::size_t subject) const;
    std::size_t n_directions_of(const Request& request, std::size_t subject) const;

    const FitData& data_;
    const FitScale& scale_;
    const MuReference& mu_;
    Predictor& plain_;
    std::unique_ptr<Predictor> sensitive_;
    // Tasks of one evaluation, kept for the next.
    std::vector<std::size_t> task_subjects_, task_first_, first_task_;
    std::vector<double> task_theta_, task_effects_, values_;
    std::size_t n_values_ = 0;
};

} // namespace gemel::learners
