#pragma once

#include "proposals.hpp"

#include <gemel/sim/random.hpp>

#include <vector>

namespace gemel::learners {

/// The law of independent proposals: normal, of three widths about one centre.
class WidthMixture {
public:
    explicit WidthMixture(double n_effects);
    /// Of x = L⁻¹(b − centre), but for what is the same at every x.
    double log_density(double square) const;
    /// The width of a draw, by a uniform number.
    static double width_at(double uniform);

private:
    double share_[3] = {};
};

/// Metropolis chains of every subject's effects, all side by side. Task t is chain t % n_chains of
/// subject t / n_chains.
class Chains {
public:
    Chains(FitEngine& engine, std::size_t n_chains, std::uint64_t seed);

    std::size_t n_chains() const { return n_chains_; }
    std::size_t n_tasks() const { return subjects_.size(); }
    const std::vector<std::size_t>& subjects() const { return subjects_; }
    const std::vector<std::size_t>& first() const { return first_; }
    /// Effects of a task, [max_effects].
    double* effects(std::size_t task) { return effects_.data() + task * stride_; }
    const std::vector<double>& all_effects() const { return effects_; }
    const std::vector<double>& predictions() const { return predictions_; }

    /// Predictions and losses of the chains as they stand: after a change of the point.
    void refresh(const PopulationPoint& point);
    /// Losses alone: after a change of residual errors.
    void reweigh(const PopulationPoint& point);
    /// From the laws in `proposals`, independent of where a chain stands.
    void propose_independent(const PopulationPoint& point,
                             const EffectPrior& prior,
                             const std::vector<ConditionalProposal>& proposals);
    void propose_from_population(const PopulationPoint& point, const EffectPrior& prior);
    /// A step in all directions, of the proposal's shape, as long as a third of them is taken.
    void walk(const PopulationPoint& point,
              const EffectPrior& prior,
              const std::vector<ConditionalProposal>& proposals);
    /// A step in one effect.
    void walk_in(std::size_t effect, const PopulationPoint& point, const EffectPrior& prior);

private:
    void evaluate(const PopulationPoint& point);
    void accept(const EffectPrior& prior, const std::vector<double>* log_ratio);
    void draw_normals(std::vector<double>& z);
    void draw_all_normals();
    void take_normals(std::size_t task, std::size_t n);
    void adapt(std::size_t subject, double& scale) const;

    FitEngine& engine_;
    std::size_t n_chains_ = 0, stride_ = 0;
    std::vector<std::size_t> subjects_, first_;
    sim::RandomColumns random_;
    std::uint32_t purpose_ = 0, accept_purpose_ = 0, next_ = 0;
    std::vector<double> effects_, predictions_, losses_;
    std::vector<double> trial_effects_, trial_predictions_, trial_losses_;
    std::vector<double> uniform_, log_ratio_;
    std::vector<std::vector<double>> normals_; ///< [max_effects][n_tasks]
    std::vector<double> z_, old_;              ///< [max_effects] of one task
    std::vector<WidthMixture> mixtures_;       ///< [max_effects + 1] by the number of effects
    std::vector<double> walk_scale_;           ///< [n_subjects]
    std::vector<double> effect_scale_;         ///< [n_subjects × max_effects], in sds
    std::vector<char> is_accepted_;
};

} // namespace gemel::learners
