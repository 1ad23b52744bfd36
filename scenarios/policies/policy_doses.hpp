#pragma once

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Doses by policies while a study runs: as columns of inputs, in results and in the report.
namespace gemel::scenarios {

/// A drawn block with what the policies give its subjects.
pkpd::CohortBlock draw_cohort(const Study& study, const sim::SubjectRange& range);

/// The largest amount of the first subjects, for the choice of solvers.
void find_typical_amounts(Study& study);

/// The columns of inputs after the model's own, [n_uses × n_rows].
/// @returns where they end in `inputs`
std::span<double>::iterator fill_policies(const Study& study,
                                          const pkpd::CohortBlock& cohort,
                                          std::span<double>::iterator inputs);

/// Who receives none of a policy's drug in an arm, [n_subjects]; empty where nobody is.
std::vector<std::uint8_t>
undosed(const Study& study, std::size_t arm, const pkpd::CohortBlock& cohort);

/// The results without those of subjects who received none: what they would be without the drug is
/// no outcome of the arm.
sim::BlockResult without(const sim::BlockResult& result, std::span<const std::uint8_t> undosed);

void declare_policies(const Study& study, io::Layout& file);
void write_policies(const Study& study, const pkpd::CohortBlock& cohort, io::ResultFile& file);

/// Subjects by action.
using PolicyCounts = std::array<std::uint64_t, n_policy_actions>;
/// Of each use, [n_uses].
void count_policies(const pkpd::CohortBlock& cohort, std::vector<PolicyCounts>& counts);
/// A line per use in which not all are dosed alike.
std::vector<std::string> describe_policies(const Study& study,
                                           const std::vector<PolicyCounts>& counts);

} // namespace gemel::scenarios
