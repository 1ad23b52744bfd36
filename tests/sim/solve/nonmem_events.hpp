#pragma once

#include "sim/solve/problems.hpp"

#include <string>
#include <vector>

/// The dosing situations of tests/data/nonmem_events.csv and what NONMEM 7.4.3 answers to them.
namespace gemel::sim {

struct NonmemSituation {
    int id = 0;
    SubjectTimeline own;
    std::vector<std::vector<double>> rows; ///< of inputs: CL, V, ka, lag, F, rate, duration
    std::vector<double> expected;          ///< of own.samples, in the file's digits
    std::string text;                      ///< its dose records
};

std::vector<NonmemSituation> nonmem_situations();
/// One compartment with first-order absorption; Cp = 1000·central/V. Lag, bioavailability, rate and
/// duration are the central compartment's: NONMEM's answers show that its model had them there, and
/// none for the depot.
Problem nonmem_problem();

} // namespace gemel::sim
