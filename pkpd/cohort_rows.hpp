#pragma once

#include "covariate_names.hpp"
#include "population_words.hpp"

#include <gemel/pkpd/population.hpp>

namespace gemel::pkpd {

/// Reads the table `rows` names and checks every cell that is used.
/// @param named_in  the file that names it, for its folder
/// @returns nothing after a mistake, which is in diagnostics
std::shared_ptr<const CohortRows> read_rows(const RowsWords& words,
                                            const CovariateNames& names,
                                            const std::filesystem::path& named_in,
                                            std::vector<PopulationFile>& files,
                                            sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
