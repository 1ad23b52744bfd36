#pragma once

#include "model_words.hpp"

namespace gemel::pkpd {

/// The correlated groups of `[[omega]]`, checked: names, shapes, positive semidefiniteness, and
/// that a covariance says the same sds as `iiv`.
void read_omega(const ModelWords& words, Model& model, sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
