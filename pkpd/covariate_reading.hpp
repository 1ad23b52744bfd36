#pragma once

#include "covariate_names.hpp"

#include <gemel/pkpd/derived_covariates.hpp>
#include <gemel/pkpd/population.hpp>

#include <map>
#include <string>

namespace gemel::pkpd {

/// Units that a file declares for covariates: what its bare numbers are in.
using DeclaredUnits = std::map<std::string, sim::Unit>;

/// Whether an entry of `covariates` says a law, and not only a unit or categories.
bool has_law(const io::TomlView& entry);

/// What the law of a covariate may refer to.
struct LawContext {
    const CovariateNames& names;
    const DeclaredUnits& units;                                        ///< of its file
    std::span<const std::shared_ptr<const DerivedCovariates>> derived; ///< of the library
};

/// The law of a covariate from its entry: a value, a category, an expression or a table.
/// @returns nothing after a mistake, which is in diagnostics
std::optional<CovariateDistribution> read_law(const io::TomlView& entry,
                                              std::size_t covariate,
                                              const LawContext& context,
                                              sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
