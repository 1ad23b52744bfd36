#pragma once

#include "covariate_names.hpp"
#include "population_words.hpp"

#include <gemel/pkpd/population.hpp>

namespace gemel::pkpd {

/// Correlation of the normal scores of a Gaussian copula that has this Kendall's τ, sin(πτ/2), or
/// this Spearman's ρ, 2·sin(πρ/6).
double latent_of_kendall(double tau);
double latent_of_spearman(double rho);

/// One entry of `[[population.correlation]]` into the stratum, whose laws are known.
void read_correlation(const CorrelationWords& words,
                      const CovariateNames& names,
                      Stratum& stratum,
                      sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
