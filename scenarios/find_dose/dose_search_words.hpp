#pragma once

#include "endpoints/endpoint_words.hpp"

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/dosing.hpp>
#include <gemel/scenarios/study.hpp>

#include <string>
#include <vector>

namespace gemel::scenarios {

/// `[find_dose]` as the study writes it.
struct DoseSearchWords {
    sim::SourceSpan span, arm_span, attainment_span, among_span, from_span, to_span;
    std::string arm;
    std::vector<std::string> attainment;
    double probability = 0.9;
    std::vector<std::string> among;
    std::string from, to;
    double tolerance = 0.01;
    StratificationWords stratification;
    double level = 0.95;
    int interval = 0;
};

void describe_dose_search(io::Fields& fields, DoseSearchWords& words);

/// What a dose search needs to know besides the study: the regimens' doses in words.
using DosesOf = std::function<const std::vector<pkpd::DoseWords>*(const std::string& regimen)>;

/// `[find_dose]` met with the study; mistakes go to diagnostics.
void bind_dose_search(const DoseSearchWords& words,
                      const std::vector<std::string>& outcome_names,
                      const DosesOf& doses_of,
                      Study& study,
                      sim::DiagnosticList& diagnostics);

} // namespace gemel::scenarios
