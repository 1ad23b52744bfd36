#pragma once

#include <gemel/pkpd/model.hpp>

#include <vector>

namespace gemel::pkpd {

/// Input columns of synthetic patients [n_inputs × n_subjects] on whom solvers are weighed: the
/// typical patient first, then η at fixed points that fill space evenly (square roots of primes,
/// modulo 1, as normal quantiles; correlations are left out), reference covariates and genotypes.
/// A function of the model alone. Empty where the model has no typical patient: a covariate without
/// reference, or a map without a value for the reference diplotype.
///
/// Source of the points: Niederreiter (1992), Random Number Generation and Quasi-Monte Carlo
/// Methods, section 3.1 (Kronecker sequences). Theory manual: solvers.md.
std::vector<double> pilot_inputs(const Model& model, int n_subjects);

} // namespace gemel::pkpd
