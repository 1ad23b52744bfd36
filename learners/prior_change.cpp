#include "prior_change.hpp"

namespace gemel::learners {

void PriorChanges::set(std::span<const double> at, const EffectPrior& prior) {
    for (std::size_t k = 0; k < scale_.size(); ++k) {
        const FitScale::Coordinate& c = scale_.coordinates[k];
        if (c.kind != FitScale::Kind::root) continue;
        PriorChange& change = changes_[k];
        change.is_subject = scale_.groups[c.group].level == pkpd::Level::subject;
        const Eigen::MatrixXd& precision =
            change.is_subject ? prior.omega_inverse() : prior.pi_inverse();
        scale_.change_of_covariance(k, at, change.of_covariance);
        change.share = precision.lazyProduct(change.of_covariance);
        change.of_determinant = change.share.trace();
        change.of_precision = -change.share.lazyProduct(precision);
    }
}

} // namespace gemel::learners
