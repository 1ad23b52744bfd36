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

/// Of the covariance on the scale: that of the numbers that are estimated.
Uncertainty uncertainty_of(const FitEngine& engine,
                           std::span<const double> at,
                           const Eigen::MatrixXd& on_scale,
                           std::string method);

/// The inverse of an information, [0 × 0] where it is not positive definite.
Eigen::MatrixXd inverse_information(const Eigen::MatrixXd& information);

/// R⁻¹·S·R⁻¹ with R the information and S the sum of the subjects' gradients' squares.
/// @param gradients  of −2·log-likelihood, [size × n_subjects]
Eigen::MatrixXd sandwich(const Eigen::MatrixXd& inverse, const Eigen::MatrixXd& gradients);

/// ∂²value by central differences of the marginal's gradient, [size × size].
Eigen::MatrixXd hessian(Marginal& marginal, std::span<const double> at);

} // namespace gemel::learners
