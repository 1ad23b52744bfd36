#pragma once

#include "coordinate_chain.hpp"
#include "modes.hpp"
#include "small_systems.hpp"

#include <Eigen/Dense>

#include <span>
#include <vector>

namespace gemel::learners {

/// The model linearised at effects of 0, y ~ N(f, V) with V = J·C·Jᵀ + diag(s²), subject by
/// subject: FO's objective log|V| + rᵀV⁻¹r, r = y − f, and its gradient,
///   dO/dψ = Σ W∘∂V/∂ψ − 2 (V⁻¹r)ᵀ ∂f/∂ψ,  W = V⁻¹ − V⁻¹r·rᵀV⁻¹.
/// Allocates nothing once it has seen all subjects.
class LinearModel {
public:
    /// @param modes  Modes::linearise, with second derivatives where gradients are asked for
    LinearModel(const FitData& data,
                const FitScale& scale,
                const MuReference& mu,
                const Modes& modes);

    /// Before the subjects of a place. @param point  outlives them
    void begin(std::span<const double> at, const PopulationPoint& point, const EffectPrior& prior);
    /// +∞ where V is not positive definite.
    double value(std::size_t subject);
    /// Where the value is finite. @param gradient  [scale.size()]
    void set_gradient(std::size_t subject, double* gradient);

private:
    const Eigen::MatrixXd& first(std::size_t subject) const {
        return modes_.predictions[subject].first;
    }
    void set_spread(std::size_t subject);
    void set_variance(std::size_t subject);
    void set_weight();
    void set_loads(std::size_t subject);
    double of_direction(std::size_t subject, std::size_t direction) const;
    double of_root(const PriorChange& change, std::size_t n_occasions) const;
    double of_error(std::size_t subject, const FitScale::Coordinate& c) const;

    const FitData& data_;
    const Modes& modes_;
    CoordinateChain chain_;
    CholeskyRoot root_;
    const PopulationPoint* point_ = nullptr;
    // Of one subject, m measurements, b effects.
    std::size_t m_ = 0, b_ = 0;
    std::vector<double> spread_;         ///< [m × b] J·C
    std::vector<double> variance_;       ///< [m × m] V, its lower triangle
    std::vector<double> error_, solved_; ///< [m] L⁻¹r, V⁻¹r
    std::vector<double> weight_;         ///< [m × m] W
    std::vector<double> load_;           ///< [m × b] W·J·C
    std::vector<double> product_;        ///< [b × m] Jᵀ·W
    std::vector<double> square_;         ///< [b × b] JᵀWJ
};

} // namespace gemel::learners
