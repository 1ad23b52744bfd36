#pragma once

#include "coordinate_chain.hpp"
#include "modes.hpp"
#include "small_systems.hpp"

#include <Eigen/Dense>

#include <span>
#include <vector>

namespace gemel::learners {

/// Gradients of objectives about modes, subject by subject. With l(b, ψ) = −log p(y, b), b* its
/// mode, H = Σ w·f'f'ᵀ + C⁻¹ and L = ∂²l/∂b² the full Hessian, that of FOCEI and FOCE is
///   dO/dψ = 2 ∂l/∂ψ + ∂log|C|/∂ψ + tr(H⁻¹ ∂H/∂ψ) − cᵀ L⁻¹ ∂²l/∂b∂ψ,  c_k = tr(H⁻¹ ∂H/∂b_k),
/// since db*/dψ = −L⁻¹ ∂²l/∂b∂ψ (Almquist et al. 2015, J Pharmacokinet Pharmacodyn 42:191–209). Of
/// FOCE the sds of errors are those without effects, which ψ changes too.
/// Allocates nothing after the first gradient.
class ConditionalGradient {
public:
    /// @param modes  with second derivatives, by typical values too, where gradients are asked for
    ConditionalGradient(const FitData& data,
                        const FitScale& scale,
                        const MuReference& mu,
                        const Modes& modes);

    /// Before the subjects of a place. @param point  outlives them
    void begin(std::span<const double> at,
               const PopulationPoint& point,
               const EffectPrior& prior,
               Interaction interaction);
    /// Of subjects without censored measurements.
    /// @param gradient  [scale.size()]
    void set(std::size_t subject, double* gradient);
    /// Of any subject: the gradient of 2·l + log|C|, which does not go with the mode, and db*/dψ.
    /// @param gradient  [scale.size()]
    /// @param slopes    [n_effects × scale.size()]
    void set_parts(std::size_t subject, double* gradient, Eigen::MatrixXd& slopes);

private:
    void open(std::size_t subject);
    void add_measurements(std::size_t subject);
    void add_typical(std::size_t subject);
    void solve_observed(const SubjectMode& mode, double* x);
    void set_pull(const SubjectMode& mode);
    void set_squares(const FitSubject& of, const SubjectMode& mode, bool with_curvature);
    double of_direction(std::size_t direction) const;
    double of_root(const PriorChange& change, std::size_t n_occasions) const;
    double of_error(std::size_t subject, const FitScale::Coordinate& c) const;
    double by_error(std::size_t subject, const FitScale::Coordinate& c) const;
    void set_slopes(std::size_t subject, Eigen::MatrixXd& slopes);
    double mixed_of_root(const PriorChange& change, const SubjectMode& mode, std::size_t k) const;
    double mixed_of_error(std::size_t subject, const FitScale::Coordinate& c, std::size_t k) const;

    const FitData& data_;
    const Modes& modes_;
    CoordinateChain chain_;
    Interaction interaction_ = Interaction::full;
    // Of one subject; b effects, n directions: effects, then extra parameters.
    CholeskyRoot root_;
    GeneralSystem system_;
    std::size_t b_ = 0, n_ = 0;
    std::vector<double> inverse_;       ///< [b × b] H⁻¹
    std::vector<double> mixed_;         ///< [n × b] ∂²l/∂b∂direction
    std::vector<double> trace_, slope_; ///< [n] tr(H⁻¹ ∂H/∂direction), ∂l/∂direction
    std::vector<double> pull_;          ///< [b] L⁻¹ c
    std::vector<double> first_, half_;  ///< [n] f', [b] H⁻¹ f'
    std::vector<double> spread_;        ///< [n_measured] f'ᵀ H⁻¹ f'
    std::vector<double> eta_, kappa_; ///< b·bᵀ + H⁻¹ − pull·bᵀ of η; of κ over occasions
    std::vector<double> row_;         ///< [scale.size()]
};

} // namespace gemel::learners
