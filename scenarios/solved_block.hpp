#pragma once

#include <gemel/pkpd/population.hpp>
#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace gemel::scenarios {

/// One arm's results of a block of subjects, and who they are: what is taken from a run beside the
/// file is taken from these, block by block in any order, and nothing of them is kept.
struct SolvedBlock {
    std::size_t arm = 0;
    const pkpd::CohortBlock& cohort; ///< its range are the subjects
    const sim::BlockResult& result;
    std::span<const double> outcomes; ///< [n_outcomes × n_subjects]; NaN where the solve failed
    /// [n_subjects] 1: a policy gave none of the drug, and results are NaN; empty: nobody.
    std::span<const std::uint8_t> undosed = {};

    std::size_t n_subjects() const { return static_cast<std::size_t>(cohort.range.count); }
    std::span<const double> outcome(std::size_t i) const {
        return outcomes.subspan(i * n_subjects(), n_subjects());
    }
    bool is_solved(std::size_t subject) const {
        return result.status[subject] == sim::SolverStatus::ok;
    }
    bool has_results(std::size_t subject) const {
        return is_solved(subject) && (undosed.empty() || undosed[subject] == 0);
    }
};

/// Functionals with their offset, comparisons as 1 or 0: [n_outcomes × n_subjects].
std::vector<double>
outcomes_of(const Study& study, std::size_t arm, const sim::BlockResult& result);

} // namespace gemel::scenarios
