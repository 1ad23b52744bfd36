#pragma once

#include "model_words.hpp"

#include <gemel/io/resources.hpp>

namespace gemel::pkpd {

/// The maps of a model with their genes: tables keyed by what the gene knows, references checked.
/// Fills model.maps (one per word, also after a mistake) and model.genes.
void read_maps(const ModelWords& words,
               const io::Library& library,
               Model& model,
               sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
