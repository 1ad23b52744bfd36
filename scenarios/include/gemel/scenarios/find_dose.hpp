#pragma once

#include <gemel/scenarios/endpoint.hpp>
#include <gemel/scenarios/execution.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gemel::sim {
class Monitor;
}

/// The smallest dose with which enough subjects attain a target, for all and for every stratum.
namespace gemel::scenarios {

struct Study;

/// `[find_dose]` of a study. Doses are factors on the doses of the arm's regimen; a named dose is
/// that of the last line of `doses`, and other lines keep their ratio to it.
struct DoseSearch {
    /// Doses nearer than this could not be told apart for ever; a smaller tolerance is this one.
    static constexpr double finest_tolerance = 1e-9;
    std::size_t arm = 0;
    std::vector<std::size_t> attainment; ///< outcomes, comparisons; all must hold in a subject
    double probability = 0.9;
    std::vector<double> among;   ///< factors in rising order; empty: any between
    double from = 0.0, to = 0.0; ///< … these factors
    double tolerance = 0.01;     ///< relative, of the dose found between
    double dose_at_one = 1.0;    ///< the dose at factor 1 …
    std::string unit;            ///< … in this unit, "mg" or "mg/kg"
    std::size_t stratification = 0;
    EndpointSettings settings;
};

/// Attainment of one stratum with one dose.
struct AttainmentPoint {
    double dose = 0.0;
    Estimate attainment;
    std::uint64_t n = 0, n_missing = 0;
};

/// What is found for one stratum. NaN where there is none.
struct FoundDose {
    std::string stratum;
    double dose = std::numeric_limits<double>::quiet_NaN();
    /// The interval of the attainment, carried over to the dose: the smallest doses whose upper and
    /// whose lower end reach the probability. NaN where none does, and for a lower end below the
    /// range that is looked at.
    double lower = std::numeric_limits<double>::quiet_NaN();
    double upper = std::numeric_limits<double>::quiet_NaN();
    double mcse =
        std::numeric_limits<double>::quiet_NaN(); ///< of a dose between; (upper − lower)/2z
    AttainmentPoint at;                           ///< with the dose found, or the best one
    std::vector<std::string> notes;     ///< "no dose attains …", "attainment falls again …"
    std::vector<AttainmentPoint> curve; ///< by rising dose: all that were simulated
};

struct DoseReport {
    std::vector<FoundDose> found; ///< all subjects first, then strata
    std::string solver;
    std::uint64_t n_solves = 0, n_failed = 0;
    std::uint64_t n_failed_subjects = 0; ///< with any dose
    std::uint64_t n_fell_back = 0;       ///< solves that CVODE did for a solver that gave up
    bool was_cancelled = false;
};

struct FindDoseOptions {
    int n_threads = 0; ///< 0: all cores
    Execution execution = {};
};

/// All doses are tried on the same subjects, so that attainment differs by dose alone.
/// @throws std::invalid_argument if the study has no [find_dose]
DoseReport
find_dose(const Study& study, const FindDoseOptions& options, sim::Monitor* monitor = nullptr);

/// As a person reads it.
std::string render(const DoseReport& report, const Study& study);

} // namespace gemel::scenarios
