#pragma once

#include <gemel/io/toml.hpp>
#include <gemel/scenarios/endpoint.hpp>

#include <optional>

namespace gemel::scenarios {

/// `by` and `cuts` as a study writes them.
struct StratificationWords {
    sim::SourceText by; ///< empty: all subjects together
    std::vector<io::TomlView> cuts;
    sim::SourceSpan cuts_span;
};

/// The stratum of subjects for whom a number or a condition is not defined.
inline constexpr const char* undefined_stratum = "undefined";

/// All subjects together.
Stratification no_stratification();

/// Reads what subjects are split by: `GENE.phenotype`, `GENE.diplotype`, `ancestry`, a covariate
/// with categories, a condition such as `AGE >= 65[a]`, or a number with `cuts`. Expressions are
/// of covariates, genotype maps and individual parameters.
/// @returns nothing after a mistake
std::optional<Stratification> read_stratification(const StratificationWords& words,
                                                  const pkpd::Population& population,
                                                  sim::DiagnosticList& diagnostics);

} // namespace gemel::scenarios
