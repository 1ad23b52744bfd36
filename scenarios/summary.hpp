#pragma once

#include "cohort_columns.hpp"
#include "solved_block.hpp"
#include "statistic.hpp"

#include <gemel/io/text_table.hpp>
#include <gemel/scenarios/run_study.hpp>

#include <array>
#include <mutex>
#include <string>
#include <vector>

/// What the terminal tells of a run, gathered block by block: nothing here grows with the number
/// of subjects.
namespace gemel::scenarios {

/// Outcomes by arm, over all subjects and over every group of every grouping. Solves that failed
/// are not in them.
class OutcomeSummary {
public:
    explicit OutcomeSummary(const Study& study);
    OutcomeSummary(const OutcomeSummary&) = delete; // selections point to groupings
    OutcomeSummary& operator=(const OutcomeSummary&) = delete;
    void add(const SolvedBlock& block);   ///< from any thread
    std::vector<SummaryRow> rows() const; ///< groups without subjects left out
    /// Over all subjects of an arm, [n_outcomes].
    std::vector<sim::Moments> moments(std::size_t arm) const;
    const sim::Counters& counters(std::size_t arm, std::size_t outcome) const;

    template <class Archive>
    void archive(Archive& a) {
        for (Arm& arm : arms_)
            a(arm.statistics, arm.n_subjects);
    }

private:
    /// Subjects a row is about.
    struct Selection {
        std::string grouping, group;      ///< "" for all
        const Grouping* splits = nullptr; ///< nullptr: all
        std::size_t code = 0;
    };
    struct Arm {
        CellStatistics statistics;             ///< [selection × outcome]
        std::vector<std::uint64_t> n_subjects; ///< [selection], solved
    };
    SummaryRow row_of(std::size_t arm, std::size_t selection) const;

    const Study& study_;
    std::vector<Grouping> groupings_;
    std::vector<Selection> selections_;
    std::vector<Arm> arms_;
    std::mutex n_subjects_lock_;
};

/// How many solves failed, how, and the first subjects they are of.
class FailureSummary {
public:
    explicit FailureSummary(const Study& study);
    void add(const SolvedBlock& block);
    std::vector<std::string> lines() const; ///< "arm low: 2 not_finite (subjects 17, 403)"
    /// Solves of an arm by how they ended, [n_solver_statuses].
    std::span<const std::uint64_t> counts(std::size_t arm) const { return arms_[arm].n; }

    template <class Archive>
    void archive(Archive& a) {
        for (Arm& arm : arms_)
            a(arm.n, arm.first);
    }

private:
    struct Arm {
        std::array<std::uint64_t, sim::n_solver_statuses> n{};
        std::array<std::vector<std::uint64_t>, sim::n_solver_statuses> first; ///< ascending
    };
    const Study& study_;
    std::vector<Arm> arms_;
};

/// "CYP2C9_on_CL: 1,532 of 10,000 subjects rest on its otherwise: …"
std::vector<std::string> describe_assumptions(const Study& study,
                                              const std::vector<Assumption>& assumptions);

using io::grouped;

/// 1610612736 → "1.5 GiB"
std::string bytes_text(double n);

} // namespace gemel::scenarios
