#pragma once

#include <gemel/scenarios/outcome.hpp>

#include <optional>

namespace gemel::scenarios {

/// Splits `auc(Cp, last_interval) >= 3[mg*h/L]` into call, comparison and threshold.
/// Grammar: FUNCTION ( ARGUMENT {, ARGUMENT} ) [ (< | <= | > | >=) CONSTANT ]
std::optional<Outcome> parse_outcome(const std::string& name,
                                     const sim::SourceText& text,
                                     sim::DiagnosticList& diagnostics);

/// The row of the registry, nullptr if there is none of that name.
const OutcomeFunction* find_outcome_function(std::string_view name);

} // namespace gemel::scenarios
