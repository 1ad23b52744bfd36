#pragma once

#include "cohort_columns.hpp"
#include "study_sink.hpp"

#include <gemel/scenarios/run_study.hpp>

#include <span>

namespace gemel::scenarios {

/// The quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan 1996,
/// doi:10.1080/00031305.1996.10473566).
/// @param sorted  ascending, not empty
/// @param p       in [0, 1]
double quantile(std::span<const double> sorted, double p);

/// Rows per arm: all subjects, then every group of every grouping that has subjects. Solves that
/// failed are not in them.
std::vector<SummaryRow>
summarise(const Study& study, const Cohort& cohort, const StudySink& results);

/// "arm low: 2 not_finite (subjects 17, 403)"
std::vector<std::string> describe_failures(const Study& study, const StudySink& results);

/// "CYP2C9_on_CL: 1,532 of 10,000 subjects rest on its otherwise: …"
std::vector<std::string> describe_assumptions(const Study& study, const Cohort& cohort);

/// 12345 → "12,345"
std::string grouped(std::uint64_t number);

} // namespace gemel::scenarios
