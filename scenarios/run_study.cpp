#include "cohort_columns.hpp"
#include "engine.hpp"
#include "provenance.hpp"
#include "study_sink.hpp"
#include "summary.hpp"

#include <gemel/scenarios/run_study.hpp>

#include <fmt/format.h>

#include <numeric>
#include <optional>
#include <set>

namespace gemel::scenarios {

namespace {

std::uint64_t count_failures(const sim::RunReport& run) {
    std::uint64_t n = 0;
    for (const auto& counts : run.status_counts)
        n = std::accumulate(counts.begin() + 1, counts.end(), n);
    return n;
}

/// "covariates, diagnostics, …": the groups the file has beside the outcomes, and provenance,
/// which is no variable.
std::string other_groups(const io::ResultFile& file) {
    std::set<std::string> groups{"provenance"};
    for (const std::string& path : file.paths())
        if (const auto slash = path.find('/'); slash != std::string::npos)
            groups.insert(path.substr(0, slash));
    groups.erase("outcomes");
    return fmt::format("{}", fmt::join(groups, ", "));
}

std::vector<std::string> describe_contents(const Study& study, const io::ResultFile& file) {
    std::vector<std::string> lines;
    for (const Save& save : written_saves(study))
        lines.push_back(fmt::format("{}: {} arm{} × {} subjects × {} times",
                                    save.output,
                                    study.arms.size(),
                                    study.arms.size() == 1 ? "" : "s",
                                    grouped(save.n_subjects),
                                    grouped(save.times.size())));
    std::string outcomes;
    for (const Outcome& outcome : study.outcomes)
        outcomes += (outcomes.empty() ? "" : ", ") + outcome.name;
    if (!outcomes.empty()) lines.push_back("outcomes: " + outcomes);
    lines.push_back(other_groups(file));
    return lines;
}

StudyReport cancelled_report() {
    StudyReport report;
    report.run.was_cancelled = true;
    return report;
}

StudyReport report_of(const Study& study, const Engine& engine, sim::RunReport run) {
    StudyReport report;
    report.n_failed = count_failures(run);
    report.run = std::move(run);
    report.solver = engine.solver->name;
    report.solver_why = engine.why;
    for (const sim::Unit& unit : study.outcome_units)
        report.outcome_units.push_back(unit.text);
    return report;
}

} // namespace

StudyReport run_study(const Study& study, const RunStudyOptions& options, sim::Monitor* monitor) {
    const Engine engine = make_engine(study, options.width);
    io::ResultFile file(options.output);
    declare_results(study, file);
    declare_cohort(study, file);
    declare_events(study, file);
    write_provenance(study, engine, options, file);
    write_events(study, file);
    const std::optional<Cohort> cohort = write_cohort(study, file, monitor);
    if (!cohort) return cancelled_report(); // the unfinished file vanishes

    StudySink sink(study, file);
    sim::RunReport run = sim::run(request_of(study, engine, options.n_threads), sink, monitor);
    StudyReport report = report_of(study, engine, std::move(run));
    if (report.run.was_cancelled) return report;
    report.results_sha256 = file.finish();
    report.file_bytes = std::filesystem::file_size(options.output);
    report.written = describe_contents(study, file);
    report.n_failed_subjects = sink.n_failed_subjects();
    report.failures = describe_failures(study, sink);
    report.assumptions = describe_assumptions(study, *cohort);
    report.summary = summarise(study, *cohort, sink);
    return report;
}

} // namespace gemel::scenarios
