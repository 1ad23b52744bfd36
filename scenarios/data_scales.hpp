#pragma once

#include <gemel/scenarios/study.hpp>

/// Whether a data file's values are of the size that the model predicts.
namespace gemel::scenarios {

/// Solves the first subjects of the file, typical ones with the file's own doses, and tells of
/// every output whose median is a hundred times off at the same rows. Studies without data, or
/// whose subjects cannot be solved, have nothing to tell.
void check_scales(const Study& study, sim::DiagnosticList& diagnostics);

} // namespace gemel::scenarios
