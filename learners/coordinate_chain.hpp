#pragma once

#include "mu_reference.hpp"
#include "prior_change.hpp"

#include <span>

namespace gemel::learners {

/// From derivatives by directions (a subject's effects, then typical values that are not
/// mu-referenced), by roots of covariances and by numbers of error laws to those by all coordinates
/// of the scale, one subject at a time.
class CoordinateChain {
public:
    CoordinateChain(const FitData& data, const FitScale& scale, const MuReference& mu)
        : data_(data),
          scale_(scale),
          mu_(mu),
          changes_(scale) {}

    /// Before the subjects of a place.
    void begin(std::span<const double> at, const PopulationPoint& point, const EffectPrior& prior) {
        at_ = at;
        point_ = &point;
        changes_.set(at, prior);
    }

    /// @param of_direction  (direction)
    /// @param of_root       (PriorChange)
    /// @param of_error      (coordinate), by the number of the law itself
    /// @param gradient      [scale.size()]
    template <class OfDirection, class OfRoot, class OfError>
    void add_up(std::size_t subject,
                const OfDirection& of_direction,
                const OfRoot& of_root,
                const OfError& of_error,
                double* gradient) {
        mu_.slope(at_, *point_, subject, of_mu_);
        for (std::size_t k = 0; k < mu_.mu().size(); ++k) {
            double& sum = gradient[mu_.mu()[k]] = 0.0;
            for (std::size_t e = 0; e < data_.n_eta(); ++e)
                sum += of_mu_(static_cast<Eigen::Index>(e), static_cast<Eigen::Index>(k)) *
                       of_direction(e);
        }
        const std::size_t n_effects = data_.subjects[subject].n_effects;
        for (std::size_t k = 0; k < mu_.extra().size(); ++k)
            gradient[mu_.extra()[k]] = of_direction(n_effects + k);
        for (std::size_t k = 0; k < scale_.size(); ++k) {
            const FitScale::Coordinate& c = scale_.coordinates[k];
            if (c.kind == FitScale::Kind::root)
                gradient[k] = of_root(changes_[k]);
            else if (c.kind == FitScale::Kind::error)
                gradient[k] = of_error(c) * (c.transform == FitScale::Transform::logarithm
                                                 ? from_scale(c.transform, at_[k])
                                                 : 1.0);
        }
    }

private:
    const FitData& data_;
    const FitScale& scale_;
    const MuReference& mu_;
    PriorChanges changes_;
    std::span<const double> at_;
    const PopulationPoint* point_ = nullptr;
    Eigen::MatrixXd of_mu_;
};

} // namespace gemel::learners
