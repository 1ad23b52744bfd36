#pragma once

#include "derivatives.hpp"
#include "small_systems.hpp"

#include <vector>

namespace gemel::learners {

/// The law of a subject's effects: η, then κ of each occasion, all of mean 0.
class EffectPrior {
public:
    explicit EffectPrior(const FitData& data) : data_(data) {}
    EffectPrior(const FitData& data, const PopulationPoint& point) : data_(data) { set(point); }
    /// Allocates nothing once it has been set.
    void set(const PopulationPoint& point);

    bool is_proper() const { return is_proper_; } ///< Ω and Π are positive definite
    double log_determinant(std::size_t subject) const;
    /// b'·C⁻¹·b
    double square(std::size_t subject, const double* effects) const;
    void add_precision(std::size_t subject, Eigen::MatrixXd& to) const;
    void add_precision_times(std::size_t subject, const double* effects, Eigen::VectorXd& to) const;
    const Eigen::MatrixXd& omega_inverse() const { return omega_inverse_; }
    const Eigen::MatrixXd& pi_inverse() const { return pi_inverse_; }

private:
    void
    invert(const Eigen::MatrixXd& covariance, Eigen::MatrixXd& inverse, double& log_determinant);

    const FitData& data_;
    CholeskyRoot root_;
    bool is_proper_ = true;
    Eigen::MatrixXd omega_inverse_, pi_inverse_;
    double log_det_omega_ = 0.0, log_det_pi_ = 0.0;
};

/// Which variance the residual error has while effects are sought.
enum class Interaction {
    full,      ///< that of the individual prediction
    at_typical ///< that of the prediction without effects (FOCE, FO)
};

/// How the term of a value whose sd is no function of its prediction goes with that sd.
struct LossBySd {
    double loss = 0.0, f = 0.0, info = 0.0; ///< of LossTerm's loss, f and info
};
/// With e = y − f: of log s + e²/2s², of −e/s² and of 1/s².
inline LossBySd loss_by_sd(const LossTerm& term, double s) {
    return {1.0 / s - term.f * term.f * s, -2.0 * term.f / s, -2.0 * term.info / s};
}

/// The mode of one subject's conditional law, and what is known there.
struct SubjectMode {
    Eigen::VectorXd effects; ///< [n_effects]
    double value = 0.0;      ///< −log p(y, b) without 2π
    bool is_converged = false;
    int n_evaluations = 0;
    std::vector<LossTerm> terms; ///< [n_measured]
    Eigen::MatrixXd expected;    ///< Ω⁻¹ + expected information (censored: the full Hessian)
    Eigen::MatrixXd observed;    ///< the full Hessian
};

/// How near a mode a search goes.
enum class Effort {
    rough, ///< a few steps by expected information: where a sampler may propose
    full
};

/// Modes of all subjects at a point, side by side. They begin at effects of 0 unless a start is
/// given, so that they are a function of the point alone.
class Modes {
public:
    Modes(const FitData& data, Derivatives& derivatives);

    /// @param starts [n_subjects × max_effects], or empty: 0
    /// @param with_extra  predictions carry derivatives by typical values, too
    void find(std::span<const double> at,
              const PopulationPoint& point,
              Interaction interaction = Interaction::full,
              std::span<const double> starts = {},
              bool with_extra = false,
              Effort effort = Effort::full);

    /// Effects of 0: predictions and sds there, for the model linearised at them.
    /// @param with_second  and second derivatives, by typical values too
    void
    linearise(std::span<const double> at, const PopulationPoint& point, bool with_second = false);

    /// Effects that are given, as if they were modes.
    /// @param effects [n_subjects × max_effects]
    void place(std::span<const double> at,
               const PopulationPoint& point,
               Interaction interaction,
               std::span<const double> effects);

    std::vector<SubjectMode> modes;              ///< [n_subjects]
    std::vector<SubjectPredictions> predictions; ///< [n_subjects] at the modes, second order
    /// Without effects, of Interaction::at_typical: sds, and where they are found with extra
    /// predictions with first derivatives.
    std::vector<std::vector<ErrorSd>> typical_sds;
    std::vector<SubjectPredictions> typical;

private:
    /// Of a subject at its predictions: terms, value, gradient and Hessians.
    void weigh(std::size_t subject, const PopulationPoint& point);
    struct SearchState {
        double value = 0.0, scale = 1.0, decrement = 0.0;
        bool is_done = false, has_value = false, wants_second = false, is_last = false;
        int n_halvings = 0;
    };
    struct Search : SearchState {
        Eigen::VectorXd accepted, step;
    };
    void judge(std::size_t subject, const PopulationPoint& point);
    void take_step(std::size_t subject, Search& search);
    void request_trials(bool with_extra);
    Derivatives::Request& request_without_effects(Derivatives::Order order, bool with_extra);
    void set_typical(std::span<const double> at, const PopulationPoint& point, bool with_slopes);
    void set_typical_sds(const std::vector<SubjectPredictions>& of, const PopulationPoint& point);

    const FitData& data_;
    Derivatives& derivatives_;
    Interaction interaction_ = Interaction::full;
    Effort effort_ = Effort::full;
    double noise_ = 0.0; ///< of a solver with steps, relative
    EffectPrior prior_;
    CholeskyRoot root_;
    std::vector<Search> searches_;
    std::vector<Eigen::VectorXd> gradients_;
    Derivatives::Request request_, request_second_;
};

} // namespace gemel::learners
