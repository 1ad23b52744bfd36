#pragma once

#include <gemel/scenarios/find_dose.hpp>
#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace gemel::scenarios {

/// Attainment by dose on one and the same population: simulates doses, remembers what came out.
class DoseTrial {
public:
    DoseTrial(const Study& study, const FindDoseOptions& options, sim::Monitor* monitor);

    /// Simulates the factors that were not yet, all from one draw of the population.
    /// @returns false if cancelled
    bool simulate(std::vector<double> factors);

    /// By rising dose; stratum 0 is all subjects, the search's own follow.
    std::vector<AttainmentPoint> curve(std::size_t stratum) const;
    std::vector<std::string> strata() const;

    std::uint64_t n_solves() const { return n_solves_; }
    std::uint64_t n_failed() const { return n_failed_; }
    std::uint64_t n_fell_back() const { return n_fell_back_; }
    std::uint64_t n_failed_subjects() const; ///< with any dose
    /// All that doses were solved by.
    std::string solver() const;

private:
    bool simulate_some(const std::vector<double>& factors);
    /// The study with one arm per factor, whose one endpoint is attainment, by all and by stratum.
    Study variant(const std::vector<double>& factors) const;

    const Study& study_;
    const DoseSearch& search_;
    FindDoseOptions options_;
    sim::Monitor* monitor_;
    std::map<double, std::vector<AttainmentPoint>> points_; ///< by factor: [stratum]
    std::uint64_t n_solves_ = 0, n_failed_ = 0, n_fell_back_ = 0;
    std::vector<bool> has_failed_; ///< [subject] with any dose
    std::set<std::string> solvers_;
};

} // namespace gemel::scenarios
