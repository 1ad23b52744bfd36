#pragma once

#include "model_words.hpp"

namespace gemel::pkpd {

/// The `[[tests]]` of a model, checked against the lowered model.
void read_tests(const ModelWords& words, Model& model, sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
