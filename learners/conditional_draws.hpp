#pragma once

#include "even_points.hpp"
#include "prior_change.hpp"
#include "proposals.hpp"

#include <gemel/learners/fit.hpp>

#include <Eigen/Dense>

#include <vector>

namespace gemel::learners {

/// Typical values at whose change a subject's effects stay: that are not mu-referenced, or whose
/// effects hardly vary, so that μ + η would hold them where they are. [scale.size()]
std::vector<char> direct_coordinates(const FitEngine& engine, std::span<const double> at);

/// Draws of all subjects' effects by importance sampling, which weigh any point near the one they
/// were made at. They come in groups, each an evenly spread set with a random shift of its own:
/// what groups differ by is the error of all. The integral over effects is then a smooth function
/// of the point: the draws stay where they are. Draws of mu-referenced parameters stay as μ + η, so
/// that a change of typical values needs no solve; where a parameter hardly varies (or is not
/// mu-referenced) η stays, and predictions are solved anew.
class ConditionalDraws {
public:
    /// @param n_draws   per subject, made a multiple of the number of groups
    /// @param is_direct [scale.size()] typical values at whose change η stays
    /// @param subjects  who is drawn for; empty: all
    ConditionalDraws(FitEngine& engine,
                     int n_draws,
                     std::vector<char> is_direct,
                     std::uint64_t seed,
                     std::vector<std::size_t> subjects = {});

    /// Draws anew at a place. @param proposals  of each subject drawn for
    /// @param round  numbers drawn differ from round to round
    void draw(std::span<const double> at,
              const std::vector<ProposalMixture>& proposals,
              std::uint32_t round);
    /// Centres and covariances of the weighted draws, as proposals for more of them.
    std::vector<ProposalMixture> adapted() const;
    /// Several normal laws that follow the weighted draws of a subject.
    ProposalMixture mixture(std::size_t subject) const;

    /// Weights and likelihood where they were drawn, without a further solve.
    double weigh_at(std::span<const double> at);
    /// −2·log-likelihood without n·log 2π, and its gradient; weights are then those of this place.
    double value(std::span<const double> at);
    double value(std::span<const double> at, Eigen::VectorXd& gradient);
    /// Of the last value, of each of those drawn for.
    const std::vector<double>& values() const { return values_; }
    const Eigen::MatrixXd& gradients_by_subject() const {
        return gradients_;
    } ///< [size × n_subjects]
    /// ∂² by central differences of the gradient: the observed information times 2, as Louis'
    /// identity gives it (Louis 1982, J R Stat Soc B 44:226–233).
    Eigen::MatrixXd hessian(std::span<const double> at);

    Likelihood likelihood() const;        ///< of the last value, of those drawn for
    double least_effective_share() const; ///< over subjects, of the last value
    double effective_draws(std::size_t subject) const;
    /// Of a subject's effects by the weights of the last value.
    ConditionalMoments moments(std::size_t subject) const;

private:
    void draw_normals(std::size_t subject, std::uint32_t round, std::vector<double>& normals) const;
    void solve(std::span<const double> theta, std::vector<double>& predictions);
    void take_logarithms(std::vector<double>& predictions) const;
    /// Of predictions: what errors of one number ask of them.
    void find_statistics();
    double loss_by_statistics(std::size_t task,
                              std::span<const double> log_sds,
                              std::span<const double> precisions) const;
    void add_error_slopes(std::size_t task,
                          const PopulationPoint& point,
                          double weight,
                          std::vector<double>& by_error,
                          std::vector<double>& by_direct) const;
    void shift_effects(const PopulationPoint& point);
    double weigh(std::span<const double> at,
                 const PopulationPoint& point,
                 bool with_gradient,
                 Eigen::VectorXd& gradient);
    void solve_direct(const PopulationPoint& point);
    void solve_extra(std::span<const double> at, const PopulationPoint& point);
    std::size_t slot_of(std::size_t subject) const;
    WeightedDraws draws_from(std::size_t task) const {
        return {effects_.data() + task * n_effects_, n_effects_, weights_.data() + task, n_draws_};
    }
    /// What one thread needs for a subject's gradient.
    struct Workspace {
        Eigen::VectorXd mean, pull;
        Eigen::MatrixXd square, slope;
        std::vector<double> by_error, by_direct;
    };
    bool set_laws(std::span<const double> at, const PopulationPoint& point, bool with_gradient);
    void add_gradient(std::size_t slot,
                      std::span<const double> at,
                      const PopulationPoint& point,
                      Workspace& workspace);

    FitEngine& engine_;
    std::size_t n_draws_ = 0, n_effects_ = 0;
    EvenPoints points_; ///< of one group of draws
    std::vector<char> is_direct_;
    std::vector<std::size_t> direct_; ///< coordinates
    std::uint64_t seed_ = 0;
    std::vector<std::size_t> subjects_; ///< slot after slot
    // Of the place in hand, kept for the next.
    PopulationPoint point_;
    EffectPrior prior_;
    LossSum loss_of_;
    PriorChanges changes_;
    std::vector<double> log_sds_, precisions_; ///< [outputs] of errors of one number
    std::vector<double> theta_, mu_, other_;
    std::vector<Workspace> workspaces_; ///< [workers]
    Eigen::VectorXd unused_;

    std::vector<std::size_t> task_subjects_, task_first_;
    std::size_t n_values_ = 0;
    std::vector<double> drawn_effects_; ///< [n_slots·n_draws × max_effects] at the place of drawing
    std::vector<double> drawn_mu_;      ///< [n_slots × n_eta] there
    std::vector<double> effects_;       ///< the same at the place in hand
    std::vector<double> log_q_;         ///< [n_slots·n_draws]
    std::vector<double> drawn_theta_;   ///< where draws were made
    std::vector<double> solved_theta_;        ///< of `predictions_`, in direct typical values
    bool has_slopes_ = false;                 ///< `slopes_` are of the same
    std::vector<double> predictions_;         ///< [n_values]
    std::vector<std::vector<double>> slopes_; ///< of direct coordinates: ∂f, [n_values]
    std::vector<double> weights_;             ///< [n_slots·n_draws] sum 1 per subject
    std::vector<double> log_terms_;
    bool has_statistics_ = false; ///< every error is additive, proportional or lognormal
    std::vector<double> squares_; ///< [n_slots·n_draws × outputs] Σ e², of relative or log errors
    std::vector<double> log_size_;          ///< [n_slots·n_draws] Σ log|f| of proportional errors
    std::vector<std::vector<double>> n_of_; ///< [n_subjects][outputs]
    std::vector<double> values_;            ///< −2·log-likelihood of each
    Eigen::MatrixXd gradients_;
};

} // namespace gemel::learners
