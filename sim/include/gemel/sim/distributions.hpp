#pragma once

/// Distribution functions that intervals are made of, by our own maths: the same bits everywhere.
/// The normal distribution is in random.hpp.
namespace gemel::sim {

/// ln Γ(x), x > 0. Stirling's series after Γ(x + 1) = x·Γ(x) has led to x ≥ 10; DLMF 5.11.1.
double log_gamma(double x);

/// The regularised incomplete beta function I_x(a, b): the distribution function of Beta(a, b).
/// Continued fraction of DLMF 8.17.22. Relative error some 1e-16 times the largest of the terms
/// a·ln x, b·ln(1 − x) and ln Γ(a + b).
/// @param a, b  > 0
/// @param x     in [0, 1]
double beta_probability(double a, double b, double x);

/// The x with I_x(a, b) = p, by bisection.
/// @param p  in [0, 1]
double beta_quantile(double a, double b, double p);

/// The regularised lower incomplete gamma function P(a, x): the distribution function of a gamma
/// law with shape a and scale 1; that of χ² with k degrees of freedom is P(k/2, x/2). The series of
/// DLMF 8.11.4 below the mean, the continued fraction of DLMF 8.9.2 above it. Relative error some
/// 1e-16 times the largest of the terms a·ln x, x and ln Γ(a).
/// @param a  > 0
double gamma_probability(double a, double x);

/// The x with P(a, x) = p, to some 1e-15 times a; both tails keep their digits.
/// @param p  in (0, 1)
double gamma_quantile(double a, double p);

/// The same for random draws, at a cost that does not grow with a: from a = 1000 on Cornish and
/// Fisher's expansion, within 5e-9 standard deviations where |z| < 5. 0 where it is less than any
/// double.
double gamma_variate(double a, double p);

/// The quantile of Student's t distribution.
/// @param degrees  of freedom, > 0
/// @param p        in (0, 1)
double student_quantile(double degrees, double p);

} // namespace gemel::sim
