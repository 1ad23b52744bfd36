#pragma once

#include "model_words.hpp"

namespace gemel::pkpd {

/// Puts what another file says in place of the model's own words, of all its files.
void apply_changes(const ModelChanges& changes,
                   ModelWords& words,
                   sim::DiagnosticList& diagnostics);

/// `iiv = "none"` or `false`: the parameter does not vary.
bool takes_away(const io::TomlView& effects);

} // namespace gemel::pkpd
