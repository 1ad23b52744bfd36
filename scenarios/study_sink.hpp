#pragma once

#include "counting_gate.hpp"
#include "curve_summary.hpp"
#include "data_samples.hpp"
#include "endpoints/endpoint_recorder.hpp"
#include "policies/policy_doses.hpp"
#include "samples.hpp"
#include "summary.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

/// What leaves the engine: curves, outcomes, who the subjects are and how every solve ended.
namespace gemel::scenarios {

/// Axes arm, subject, sample_OUTPUT, subject_N (curves saved for the first N subjects only), time,
/// time_OUTPUT; outputs, outcomes, parameters, diagnostics, the cohort's columns; summaries. A
/// study with replicates has that axis in front of all.
void declare_results(const Study& study, io::Layout& file);

/// Typical values of the replicate that the file has selected.
void write_uncertainty(const Study& study, std::uint32_t replicate, io::ResultFile& file);

/// Draws blocks, writes them as they come and forgets them: what stays is counters, and a bit per
/// block and arm. The memory it takes depends on arms, times and threads, hardly on the number of
/// subjects.
///
/// Blocks are measured, digested, written and summarised side by side; what else is counted over
/// subjects takes them one at a time. All of it is the same in any order.
class StudySink : public sim::Sink {
public:
    StudySink(const Study& study, io::ResultFile& file, std::uint32_t replicate = 0);

    /// RunRequest::inputs: draws a block and keeps it until its last arm is written.
    void draw(const sim::SubjectRange& range, std::span<double> inputs);
    void write(int arm, const sim::SubjectRange& range, const sim::BlockResult& result) override;
    /// RunRequest::is_done: whether an arm of a block is written and counted.
    bool is_done(std::size_t arm, const sim::SubjectRange& range) const;
    std::uint64_t n_done() const;                              ///< arms of blocks
    std::uint64_t n_blocks() const { return is_done_.size(); } ///< arms of blocks, in all
    /// Called after every block, from any thread: what is then saved has all blocks done so far.
    std::function<void()> after_block;
    void write_summaries(); ///< after the last block

    /// All that is counted, and of which blocks: between two of them, whatever the threads do.
    template <class Archive>
    void archive(Archive& a) {
        const CountingGate::Pass pass = gate_.close();
        const std::lock_guard lock(mutex_);
        a(is_done_, assumptions_, policies_, n_failed_subjects_, n_fell_back_, has_failed_);
        a(outcomes_, failures_, curves_, endpoints_, data_samples_);
    }

    const std::vector<Assumption>& assumptions() const { return assumptions_; }
    const std::vector<PolicyCounts>& policies() const { return policies_; }
    const OutcomeSummary& outcomes() const { return outcomes_; }
    const FailureSummary& failures() const { return failures_; }
    std::uint64_t n_failed_subjects() const { return n_failed_subjects_; } ///< in any arm
    sim::RunReport report() const; ///< of all blocks done, in this run and those before

private:
    const pkpd::CohortBlock& cohort(const sim::SubjectRange& range);
    void write_solved(std::size_t arm,
                      const pkpd::CohortBlock& drawn,
                      const sim::BlockResult& result,
                      std::span<const std::uint8_t> none);
    void write_block(const SolvedBlock& block);
    void count(const SolvedBlock& block);
    void count_failed_subjects(const SolvedBlock& block);
    std::size_t number_of(std::size_t arm, const sim::SubjectRange& range) const;

    void write_subjects(const SolvedBlock& block);
    void write_curves(const SolvedBlock& block);
    void write_outcomes(const SolvedBlock& block);
    void write_parameters(const SolvedBlock& block);
    void write_diagnostics(const SolvedBlock& block);

    const Study& study_;
    io::ResultFile& file_;
    std::vector<Save> saves_;
    SampleWriter samples_;
    const std::uint64_t block_size_;
    std::mutex cohorts_mutex_;
    /// Blocks drawn and not yet written in every arm, by first subject: as many as there are
    /// threads.
    std::map<std::uint64_t, pkpd::CohortBlock> cohorts_;
    CountingGate gate_; ///< what is counted of a block is counted wholly or not at all
    OutcomeSummary outcomes_;
    CurveSummary curves_;
    mutable std::mutex mutex_;          ///< of all that follows
    std::vector<std::uint8_t> is_done_; ///< [n_blocks × n_arms]
    /// Of blocks done in some arms, by first subject: [n_subjects] whether any of them failed.
    std::map<std::uint64_t, std::vector<std::uint8_t>> has_failed_;
    std::vector<Assumption> assumptions_; ///< [n_maps]
    std::vector<PolicyCounts> policies_;  ///< [n_uses]
    FailureSummary failures_;
    EndpointRecorder endpoints_;
    DataSampleRecorder data_samples_;
    std::uint64_t n_failed_subjects_ = 0, n_fell_back_ = 0;
};

} // namespace gemel::scenarios
