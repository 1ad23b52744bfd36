#pragma once

#include "fit_data.hpp"

#include <atomic>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace gemel::learners {

/// Many predictions at once, each of a subject's measurements by parameters and effects.
struct PredictionTasks {
    std::span<const std::size_t> subjects; ///< [n]
    std::span<const double> theta;         ///< [n_parameters], or [n × n_parameters] of each task
    std::span<const double> effects;       ///< [n × stride]; a subject's own effects come first
    std::size_t stride = 0;
    std::span<const std::size_t> first; ///< [n] where a task's values begin

    bool has_own_theta(std::size_t n_parameters) const {
        return subjects.size() > 1 && theta.size() > n_parameters;
    }
};

/// What was spent on solving.
struct SolverCount {
    std::int64_t n_solves = 0, n_failed = 0;
    double seconds = 0.0; ///< CPU

    SolverCount& operator+=(const SolverCount& other);
};

/// Solves in blocks of lanes; values of subjects whose solve failed are NaN. A task's values do not
/// depend on the tasks beside it. Allocates nothing once it has seen as many tasks.
class Predictor {
public:
    /// @param wrt  inputs by which derivatives are taken; they follow each value
    Predictor(const FitData& data, const FitExecution& execution, const std::vector<int>& wrt = {});
    ~Predictor();

    std::size_t n_columns() const { return n_columns_; } ///< 1 + derivatives
    /// A method with steps, whose values have errors of the size of its tolerance.
    bool has_steps() const { return has_steps_; }
    const std::string& solver() const { return solver_name_; }
    const std::string& reason() const { return reason_; }

    /// @param values  value (and derivatives) of measurement m of task t at
    ///                (first[t] + m)·n_columns()
    void predict(const PredictionTasks& tasks, std::span<double> values);
    /// Room for as many tasks, so that fewer of them allocate nothing.
    void reserve(std::size_t n_tasks) { jobs_.reserve(n_tasks); }
    SolverCount count() const;
    /// Of the model's parameters in its first row, [n_parameters]; NaN where the solve failed.
    std::vector<double> individual_parameters(std::size_t subject,
                                              std::span<const double> theta,
                                              std::span<const double> effects);

private:
    struct Worker;
    /// A subject whose tasks are solved as an arm of their own: lanes then go one way together.
    struct OwnArm {
        bool is_usable = false;
        sim::Timeline timeline;
        sim::Observation observation;
        std::vector<std::size_t> sampled; ///< [n_measured] index of the time
    };
    /// Tasks [begin, end) solved together; of one subject, by its arm.
    struct Job {
        std::size_t begin = 0, end = 0;
        bool has_arm = false;
    };
    void make_arms();
    void make_ready(Worker& worker) const;
    void plan_jobs(const PredictionTasks& tasks);
    void solve_job(const Job& job,
                   const PredictionTasks& tasks,
                   std::span<double> values,
                   Worker& worker) const;
    void take_arm_values(const Job& job,
                         const PredictionTasks& tasks,
                         const Worker& worker,
                         std::span<double> values) const;
    void take_own_values(const Job& job,
                         const PredictionTasks& tasks,
                         const Worker& worker,
                         std::span<double> values) const;
    void
    fill(const PredictionTasks& tasks, std::size_t begin, std::size_t end, Worker& worker) const;
    void fill_column(const PredictionTasks& tasks,
                     std::size_t begin,
                     std::size_t end,
                     std::size_t input,
                     double* to) const;
    std::pair<const double*, std::size_t> source_of(const PredictionTasks& tasks,
                                                    std::size_t task,
                                                    std::size_t input,
                                                    const FitSubject& subject,
                                                    std::size_t row) const;

    const FitData& data_;
    int n_threads_;
    std::size_t n_columns_ = 1;
    bool has_steps_ = false;
    std::string solver_name_, reason_;
    std::unique_ptr<const sim::CompiledSystem> system_;
    std::unique_ptr<const sim::PreparedSolver> solver_;
    sim::Observation observation_;
    std::vector<OwnArm> arms_; ///< [n_subjects], of exact solvers; empty: none
    std::vector<Job> jobs_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

} // namespace gemel::learners
