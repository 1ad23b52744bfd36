#pragma once

#include "marginal.hpp"

#include <vector>

/// What residuals and effects say of a fit. Theory manual: fit_diagnostics.md.
namespace gemel::learners {

/// Of every measurement, subject after subject in the order of the file. Predictions are in the
/// output's unit; residuals of a lognormal error are those of logarithms. NaN is "not available":
/// predictions whose solve failed, residuals of censored measurements.
/// pd and npde come with the option has_simulations.
/// @param modes  found with full effort at the point
std::vector<ObservationDiagnostics>
observe(FitEngine& engine, const PopulationPoint& point, const Modes& modes);

/// Of every η, of κ pooled over occasions that tell of it, and of every output's residual error.
/// Source: Savic & Karlsson (2009), AAPS J 11:558–569.
/// @param observations  of observe()
std::vector<Shrinkage> shrinkage(const FitData& data,
                                 const PopulationPoint& point,
                                 const Modes& modes,
                                 const std::vector<ObservationDiagnostics>& observations);

/// Residuals of a subject under the model linearised at its mode, [n_measured]; NaN of censored
/// measurements. Source: Hooker, Staatz & Karlsson (2007), Pharm Res 24:2187–2197.
std::vector<double> conditional_residuals(const FitData& data,
                                          const PopulationPoint& point,
                                          const Modes& modes,
                                          std::size_t subject);

} // namespace gemel::learners
