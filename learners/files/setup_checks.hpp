#pragma once

#include "fit_words.hpp"

namespace gemel::learners {

/// What only a setup as a whole can tell: a solver that does not apply to its model; observations
/// that the law of their error cannot give; and DV a hundred times off what the model predicts in
/// typical subjects, mostly a mistake of units.
void check_setup(const FitSetup& setup, const FitWords& words, sim::DiagnosticList& diagnostics);

} // namespace gemel::learners
