#pragma once

#include "fit_words.hpp"

namespace gemel::learners {

/// The numbers of a fit in their order: typical values, effects of subjects and of occasions,
/// covariances of groups, errors of outputs that are observed; with starts and bounds, fixed where
/// the words say so. Mistakes: names that are none of them; a group of which only a part is fixed.
std::vector<FitNumber> read_numbers(const FitWords& words,
                                    const pkpd::Model& model,
                                    const std::vector<char>& is_observed,
                                    sim::DiagnosticList& diagnostics);

} // namespace gemel::learners
