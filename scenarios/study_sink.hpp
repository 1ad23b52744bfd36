#pragma once

#include "curve_summary.hpp"
#include "data_samples.hpp"
#include "endpoints/endpoint_recorder.hpp"
#include "samples.hpp"
#include "summary.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <cstdint>
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

/// Draws blocks, writes them as they come and forgets them: what stays is counters. The memory it
/// takes depends on arms, times and threads, not on the number of subjects.
class StudySink : public sim::Sink {
public:
    StudySink(const Study& study, io::ResultFile& file, std::uint32_t replicate = 0);

    /// RunRequest::inputs: draws a block and keeps it until its last arm is written.
    void draw(const sim::SubjectRange& range, std::span<double> inputs);
    void write(int arm, const sim::SubjectRange& range, const sim::BlockResult& result) override;
    void write_summaries(); ///< after the last block

    const std::vector<Assumption>& assumptions() const { return assumptions_; }
    const OutcomeSummary& outcomes() const { return outcomes_; }
    const FailureSummary& failures() const { return failures_; }
    std::uint64_t n_failed_subjects() const { return n_failed_subjects_; } ///< in any arm

private:
    /// A block drawn and not yet written in every arm: as many as there are threads.
    struct InFlight {
        pkpd::CohortBlock cohort;
        std::vector<std::uint8_t> has_failed; ///< [n_subjects] in any arm so far
    };
    InFlight& in_flight(const sim::SubjectRange& range);
    void forget(const sim::SubjectRange& range);

    void write_subjects(const SolvedBlock& block);
    void write_curves(const SolvedBlock& block);
    void write_outcomes(const SolvedBlock& block);
    void write_parameters(const SolvedBlock& block);
    void write_diagnostics(const SolvedBlock& block);

    const Study& study_;
    io::ResultFile& file_;
    std::vector<Save> saves_;
    SampleWriter samples_;
    std::mutex in_flight_mutex_;
    std::map<std::uint64_t, InFlight> in_flight_; ///< by first subject
    std::vector<Assumption> assumptions_;         ///< [n_maps]
    OutcomeSummary outcomes_;
    FailureSummary failures_;
    CurveSummary curves_;
    EndpointRecorder endpoints_;
    DataSampleRecorder data_samples_;
    std::uint64_t n_failed_subjects_ = 0;
};

} // namespace gemel::scenarios
