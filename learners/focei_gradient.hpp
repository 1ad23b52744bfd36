#pragma once

#include "modes.hpp"
#include "prior_change.hpp"
#include "small_systems.hpp"

#include <Eigen/Dense>

#include <span>
#include <vector>

namespace gemel::learners {

/// The gradient of FOCEI's objective, subject by subject. With l(b, ψ) = −log p(y, b), b* its mode,
/// H = Σ w·f'f'ᵀ + C⁻¹ and L = ∂²l/∂b² the full Hessian,
///   dO/dψ = 2 ∂l/∂ψ + ∂log|C|/∂ψ + tr(H⁻¹ ∂H/∂ψ) − cᵀ L⁻¹ ∂²l/∂b∂ψ,  c_k = tr(H⁻¹ ∂H/∂b_k),
/// since db*/dψ = −L⁻¹ ∂²l/∂b∂ψ (Almquist et al. 2015, J Pharmacokinet Pharmacodyn 42:191–209).
/// Allocates nothing after the first gradient.
class FoceiGradient {
public:
    /// @param modes  with second derivatives, by typical values too, where gradients are asked for
    FoceiGradient(const FitData& data,
                  const FitScale& scale,
                  const MuReference& mu,
                  const Modes& modes);

    /// Before the subjects of a place.
    void begin(std::span<const double> at, const EffectPrior& prior);
    /// @param gradient  [scale.size()]
    void set(std::size_t subject,
             std::span<const double> at,
             const PopulationPoint& point,
             double* gradient);

private:
    void add_measurements(std::size_t subject);
    void set_pull(const SubjectMode& mode);
    void set_squares(const FitSubject& of, const SubjectMode& mode);
    double of_direction(std::size_t direction) const;
    double of_root(const PriorChange& change, std::size_t n_occasions) const;
    double of_error(std::size_t subject, const FitScale::Coordinate& c) const;

    const FitData& data_;
    const FitScale& scale_;
    const MuReference& mu_;
    const Modes& modes_;
    PriorChanges changes_;
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
    Eigen::MatrixXd of_mu_;
};

} // namespace gemel::learners
