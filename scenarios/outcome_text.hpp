#pragma once

#include <gemel/scenarios/outcome.hpp>

#include <optional>

namespace gemel::scenarios {

/// A call and what follows it.
struct CallText {
    OutcomeCall call;
    sim::SourceText rest;
};

/// FUNCTION ( ARGUMENT {, ARGUMENT} ) REST, function not looked up.
/// @param what  "outcome", for messages
/// @param help  how one is written
std::optional<CallText> parse_call(const sim::SourceText& text,
                                   const std::string& what,
                                   const std::string& help,
                                   sim::DiagnosticList& diagnostics);

/// `AUC >= 3[mg*h/L]` or `AUC`, split at the comparison.
struct Comparison {
    sim::SourceText left;
    std::string comparison; ///< "": none, and right is empty
    sim::SourceText right;
};
Comparison split_comparison(const sim::SourceText& text);

/// Whether `value comparison threshold` holds.
bool holds(const std::string& comparison, double value, double threshold);

/// Splits `auc(Cp, last_interval) >= 3[mg*h/L]` into call, comparison and threshold.
/// Grammar: FUNCTION ( ARGUMENT {, ARGUMENT} ) [ (< | <= | > | >=) CONSTANT ]
std::optional<Outcome> parse_outcome(const std::string& name,
                                     const sim::SourceText& text,
                                     sim::DiagnosticList& diagnostics);

/// The row of the registry, nullptr if there is none of that name.
const OutcomeFunction* find_outcome_function(std::string_view name);

} // namespace gemel::scenarios
