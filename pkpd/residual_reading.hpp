#pragma once

#include "model_words.hpp"

namespace gemel::pkpd {

/// The residual error of an output, in its unit and the model's time.
ResidualError read_residual_error(const OutputWords& words,
                                  const sim::Unit& time_unit,
                                  sim::DiagnosticList& diagnostics);

/// `[[residual_correlation]]`, checked: outputs with an error that goes in time alike, in one group
/// at most, whose matrix is positive semidefinite.
void read_residual_correlations(const ModelWords& words,
                                Model& model,
                                sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
