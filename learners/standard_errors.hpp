#pragma once

#include "conditional_draws.hpp"
#include "marginal.hpp"

#include <gemel/learners/fit.hpp>

#include <string>
#include <vector>

/// Standard errors of estimates, all on the scale of the search and by the delta method those of
/// the numbers. Theory manual: estimation.md.
namespace gemel::learners {

/// The information of the model linearised at the modes: with m_i = f_i − J_i·b_i and
/// V_i = J_i·C·J_iᵀ + diag(sd²), Σ ∂mᵀV⁻¹∂m + ½·tr(V⁻¹∂V·V⁻¹∂V).
Eigen::MatrixXd
linearised_information(FitEngine& engine, std::span<const double> at, const Modes& modes);

/// Which coordinates an information tells of. Those at a bound, and logarithms, logits and roots
/// whose information is below a least one with all others known, are held while the errors of the
/// others are found: a ridge that the data leave flat is no error of theirs.
std::vector<Eigen::Index> told_coordinates(const FitScale& scale,
                                           std::span<const double> at,
                                           const Eigen::MatrixXd& information,
                                           double least_information,
                                           const std::vector<Eigen::Index>& among);
std::vector<Eigen::Index> all_coordinates(const FitScale& scale);
inline constexpr double flat_information = 0.01; ///< a standard error of 10: of anything

/// Covariance of the coordinates that are told of.
struct ScaleCovariance {
    std::vector<Eigen::Index> told;
    Eigen::MatrixXd of; ///< [told × told]; [0 × 0]: there is none
};

/// The inverse of an information; none where it is not positive definite.
ScaleCovariance inverse_information(const Eigen::MatrixXd& information,
                                    std::vector<Eigen::Index> told);

/// R⁻¹·S·R⁻¹ with R the information and S the sum of the subjects' gradients' squares.
/// @param gradients  of −2·log-likelihood, [size × n_subjects]
ScaleCovariance sandwich(const ScaleCovariance& inverse, const Eigen::MatrixXd& gradients);

/// Of the covariance on the scale: that of the numbers that are estimated; NaN of those held.
Uncertainty uncertainty_of(const FitEngine& engine,
                           std::span<const double> at,
                           const ScaleCovariance& on_scale,
                           std::string method);

/// ∂²value by central differences of the marginal's gradient, [size × size].
Eigen::MatrixXd hessian(Marginal& marginal, std::span<const double> at);

} // namespace gemel::learners
