#pragma once

#include "model_words.hpp"

#include <gemel/io/resources.hpp>

/// One model out of several files: what `uses = […]` says.
namespace gemel::pkpd {

/// Reads a model file by itself. @returns false if it is no model file
bool read_model_words(const std::filesystem::path& file,
                      ModelWords& words,
                      sim::DiagnosticList& diagnostics);

/// Puts the files that `words` uses before its own parts, in order and each once per prefix, with
/// names as they are in the whole. Tests of used files are left out: they are about those alone.
/// A model with needs is completed by `tested_with` where it is nobody's part.
void compose(ModelWords& words,
             const std::filesystem::path& file,
             const io::Library& library,
             sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
