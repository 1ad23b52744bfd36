#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>

/// Result files as long tables.
namespace gemel::scenarios {

enum class ExportWhat { outputs, outcomes, subjects, parameters, endpoints, samples };

/// Streams one table as CSV; columns carry their units in the header, "Cp [mg/L]".
/// outputs: arm, subject, time and every output on that time axis; outcomes: arm, subject, one
/// column each; subjects: covariates, genotypes, scores, phenotypes; parameters: individual
/// parameters; endpoints: endpoint, unit, arm, by, stratum, value, mcse, lower, upper, n,
/// n_missing; samples: arm, subject, time, output, unit, the model's value, what was measured, and
/// 1 where the limit of quantification stands for it; of a data file: arm and the rows of the group
/// `samples`. Of a study with replicates their number stands in front.
/// @throws std::runtime_error if the file is no result file
void export_csv(const std::filesystem::path& results, ExportWhat what, std::ostream& out);

} // namespace gemel::scenarios
