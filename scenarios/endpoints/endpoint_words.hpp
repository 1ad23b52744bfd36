#pragma once

#include "endpoints/stratification.hpp"

#include <gemel/io/fields.hpp>
#include <gemel/scenarios/study.hpp>

#include <string>
#include <vector>

namespace gemel::scenarios {

/// An endpoint as the study writes it.
struct EndpointWords {
    std::string name;
    std::string label;
    sim::SourceText value; ///< "geometric_mean(AUCtau)"; empty after a mistake
    StratificationWords stratification;
    double level = 0.0; ///< 0: as the function has it
    int interval = 0;   ///< of Interval
    sim::SourceSpan name_span, level_span, interval_span;
};

/// Keys `by` and `cuts`, shared by all tables that split subjects.
void describe_stratification(io::Fields& fields, StratificationWords& words);
/// Keys `level` and `interval` of an interval.
void describe_interval(io::Fields& fields, double& level, int& interval);
/// Keys of one endpoint in its long form.
void describe_endpoint(io::Fields& fields, EndpointWords& words);
/// `[endpoints]`: a text or a table by name.
void read_endpoints(const io::TomlView& view,
                    std::vector<EndpointWords>& endpoints,
                    sim::DiagnosticList& diagnostics);

/// Endpoints met with the study's outcomes, arms and population.
/// @param outcome_names  all that the study names, those with mistakes among them
void bind_endpoints(const std::vector<EndpointWords>& words,
                    const std::vector<std::string>& outcome_names,
                    Study& study,
                    sim::DiagnosticList& diagnostics);

/// The place of a stratification among the study's, which is added if it is new.
/// @returns nothing after a mistake
std::optional<std::size_t>
stratification_of(const StratificationWords& words, Study& study, sim::DiagnosticList& diagnostics);

} // namespace gemel::scenarios
