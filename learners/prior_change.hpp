#pragma once

#include "modes.hpp"

#include <Eigen/Dense>

#include <span>
#include <vector>

namespace gemel::learners {

/// Of one block C of effects (Ω or Π) by a coordinate of its root: ∂C, C⁻¹·∂C and its trace,
/// −C⁻¹·∂C·C⁻¹.
struct PriorChange {
    bool is_subject = true; ///< of Ω, not of Π
    Eigen::MatrixXd of_covariance, share, of_precision;
    double of_determinant = 0.0;
};

/// The same of all coordinates at a place. Allocates nothing once it has been set.
class PriorChanges {
public:
    explicit PriorChanges(const FitScale& scale) : scale_(scale), changes_(scale.size()) {}
    void set(std::span<const double> at, const EffectPrior& prior);
    /// Of a coordinate that is a root's.
    const PriorChange& operator[](std::size_t coordinate) const { return changes_[coordinate]; }

private:
    const FitScale& scale_;
    std::vector<PriorChange> changes_;
};

} // namespace gemel::learners
