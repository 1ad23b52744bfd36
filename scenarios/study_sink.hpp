#pragma once

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// What leaves the engine: curves, outcomes, individual parameters and how every solve ended.
namespace gemel::scenarios {

/// Axes arm, subject, subject_N (curves saved for the first N subjects only), time, time_OUTPUT;
/// outputs, outcomes, parameters, diagnostics.
void declare_results(const Study& study, io::ResultFile& file);

/// Writes blocks as they come; keeps outcomes and failures for the summary.
class StudySink : public sim::Sink {
public:
    StudySink(const Study& study, io::ResultFile& file);
    void write(int arm, const sim::SubjectRange& range, const sim::BlockResult& result) override;

    /// [n_subjects] of an outcome in an arm; NaN where the solve failed.
    const std::vector<double>& outcome(std::size_t arm, std::size_t outcome) const {
        return outcomes_[arm][outcome];
    }
    struct Failure {
        std::uint64_t subject = 0; ///< from 1, as in the file
        sim::SolverStatus status = sim::SolverStatus::ok;
    };
    /// Failures of an arm in order of subject.
    std::vector<Failure> failures(std::size_t arm) const;
    std::uint64_t n_failed_subjects() const; ///< that failed in any arm

private:
    void write_curves(int arm, const sim::SubjectRange& range, const sim::BlockResult& result);
    void write_outcomes(int arm, const sim::SubjectRange& range, const sim::BlockResult& result);
    void write_parameters(const sim::SubjectRange& range, const sim::BlockResult& result);
    void write_diagnostics(int arm, const sim::SubjectRange& range, const sim::BlockResult& result);

    const Study& study_;
    io::ResultFile& file_;
    std::vector<Save> saves_;
    std::vector<std::vector<std::vector<double>>> outcomes_;           ///< [arm][outcome][subject]
    std::vector<std::map<std::uint64_t, sim::SolverStatus>> failures_; ///< [arm]
};

} // namespace gemel::scenarios
