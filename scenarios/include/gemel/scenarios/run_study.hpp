#pragma once

#include <gemel/scenarios/execution.hpp>
#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// The main job: a study becomes a result file.
namespace gemel::scenarios {

struct RunStudyOptions {
    std::filesystem::path output; ///< the result file
    int n_threads = 0;            ///< 0: all cores
    int width = 0;                ///< lanes; 0: the default. Changes no result
    Execution execution = {};
    std::string command;   ///< for provenance
    std::string version;   ///< of the program, for provenance
    bool restarts = false; ///< whatever an interrupted run left is thrown away, not gone on from
    double checkpoint_seconds = 2.0; ///< between two states that an interrupted run goes on from
};

/// One line of the terminal summary: an arm, split by one grouping.
struct SummaryRow {
    std::string arm;
    std::string grouping; ///< "", "CYP2C9 phenotype", "ancestry"
    std::string group;
    std::uint64_t n_subjects = 0;
    std::vector<double> mean, p05, median, p95; ///< [n_outcomes]

    template <class Archive>
    void archive(Archive& a) {
        a(arm, grouping, group, n_subjects, mean, p05, median, p95);
    }
};

struct StudyReport {
    sim::RunReport run;
    std::string solver, solver_why;
    std::string results_sha256;
    std::uint64_t n_failed = 0;          ///< solves
    std::uint64_t n_failed_subjects = 0; ///< that failed in any arm
    std::vector<std::string> failures;   ///< "arm a: 2 not_finite (subjects 17, 403)"
    std::vector<std::string> assumptions;
    std::vector<std::string>
        policies; ///< who was dosed by them ///< "CYP2C9_on_CL: 1,532 of 10,000 subjects rest on …"
    std::vector<std::string> outcome_units;
    std::vector<SummaryRow> summary;    ///< of the first replicate, where there are any
    std::vector<std::string> endpoints; ///< of a study with replicates: over these
    std::uint64_t file_bytes = 0;
    std::vector<std::string> written; ///< what the file holds, one line per variable group
};

/// Goes on from where a run of the same study, program and output was interrupted, if there was one
/// (docs/decisions/resume.md). A cancelled run keeps what it has done beside the output, under
/// OUTPUT.part; its report counts the solves done.
/// @throws std::runtime_error for file errors, among them what an interrupted run of something else
/// left under OUTPUT.part
StudyReport
run_study(const Study& study, const RunStudyOptions& options, sim::Monitor* monitor = nullptr);

/// The report as a person reads it: failures first, then assumptions, then arms and phenotypes.
std::string render(const StudyReport& report, const Study& study);

/// What the lanes of this machine use: "x86-64-v4" (AVX-512), "x86-64-v3" or "baseline".
std::string instruction_set();

} // namespace gemel::scenarios
