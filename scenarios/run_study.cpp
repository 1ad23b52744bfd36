#include "endpoints/replicated_endpoint.hpp"
#include "engine.hpp"
#include "provenance.hpp"
#include "study_sink.hpp"

#include <gemel/scenarios/run_study.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace gemel::scenarios {

namespace {

/// "covariates, diagnostics, …": the groups the file has beside the outcomes, and provenance,
/// which is no variable.
std::string other_groups(const io::ResultFile& file) {
    std::set<std::string> groups{"provenance"};
    for (const std::string& path : file.paths())
        if (const auto slash = path.find('/'); slash != std::string::npos)
            groups.insert(path.substr(0, slash));
    groups.erase("outcomes");
    groups.erase("endpoints");
    return fmt::format("{}", fmt::join(groups, ", "));
}

/// "2 arms × 1,000 subjects × 49 times", and whether it is summarised.
std::string describe_curve(const Study& study, const Save& save) {
    std::string text = fmt::format(
        "{}: {} arm{}", save.output, study.arms.size(), study.arms.size() == 1 ? "" : "s");
    if (save.n_subjects > 0) text += fmt::format(" × {} subjects", grouped(save.n_subjects));
    text += fmt::format(" × {} times", grouped(save.times.size()));
    if (!save.has_summary) return text;
    return text + (save.n_subjects > 0 ? ", and a summary over all subjects"
                                       : ", a summary over all subjects");
}

std::vector<std::string> describe_contents(const Study& study, const io::ResultFile& file) {
    std::vector<std::string> lines;
    if (study.n_replicates > 0)
        lines.push_back(fmt::format("{} replicates of all that follows", study.n_replicates));
    for (const Save& save : written_saves(study))
        lines.push_back(describe_curve(study, save));
    for (const Samples& samples : study.samples)
        lines.push_back(fmt::format("samples of {}: {} arm{} × {} subjects × {} times",
                                    samples.output,
                                    study.arms.size(),
                                    study.arms.size() == 1 ? "" : "s",
                                    grouped(study.population.size),
                                    grouped(samples.times.size())));
    std::string outcomes;
    for (const Outcome& outcome : study.outcomes)
        outcomes += (outcomes.empty() ? "" : ", ") + outcome.name;
    if (!outcomes.empty()) lines.push_back("outcomes: " + outcomes);
    std::string endpoints;
    for (const Endpoint& endpoint : study.endpoints)
        endpoints += (endpoints.empty() ? "" : ", ") + endpoint.name;
    if (!endpoints.empty()) lines.push_back("endpoints: " + endpoints);
    lines.push_back(other_groups(file));
    return lines;
}

/// "lowest, arm once: 0.53 [0.49–0.57] over 200 replicates": the median and 5th and 95th
/// percentiles.
std::vector<std::string> describe_endpoints(const Study& study,
                                            const std::filesystem::path& output) {
    if (study.n_replicates == 0 || study.endpoints.empty()) return {};
    io::ResultReader file(output);
    std::vector<std::string> lines;
    for (const ReplicatedEndpoint& endpoint : replicated_endpoints(file))
        lines.push_back(describe(endpoint));
    return lines;
}

void add(const sim::RunReport& part, sim::RunReport& all) {
    all.n_solves += part.n_solves;
    all.n_fell_back += part.n_fell_back;
    all.was_cancelled = all.was_cancelled || part.was_cancelled;
    all.status_counts.resize(part.status_counts.size());
    for (std::size_t arm = 0; arm < part.status_counts.size(); ++arm) {
        all.status_counts[arm].resize(part.status_counts[arm].size(), 0);
        for (std::size_t code = 0; code < part.status_counts[arm].size(); ++code)
            all.status_counts[arm][code] += part.status_counts[arm][code];
    }
}

/// One stretch of subjects after the other.
sim::RunReport
run_all(std::vector<sim::RunRequest> requests, StudySink& sink, sim::Monitor* monitor) {
    sim::RunReport all;
    for (sim::RunRequest& request : requests) {
        request.inputs = [&sink](const sim::SubjectRange& range, std::span<double> inputs) {
            sink.draw(range, inputs);
        };
        add(sim::run(request, sink, monitor), all);
    }
    return all;
}

/// What is told of one trial: the only one, or of the first of the replicates.
void describe_trial(const Study& study, const StudySink& sink, StudyReport& report) {
    report.assumptions = describe_assumptions(study, sink.assumptions());
    report.summary = sink.outcomes().rows();
}

/// Failures of a replicate are told with its number.
void add_failures(const Study& study,
                  std::uint32_t replicate,
                  const StudySink& sink,
                  StudyReport& report) {
    report.n_failed_subjects += sink.n_failed_subjects();
    for (const std::string& line : sink.failures().lines())
        report.failures.push_back(
            study.n_replicates == 0 ? line : fmt::format("replicate {}, {}", replicate + 1, line));
}

/// One trial after the other; stops when cancelled.
void run_trials(const Study& study,
                const Engine& engine,
                const RunStudyOptions& options,
                io::ResultFile& file,
                sim::Monitor* monitor,
                StudyReport& report) {
    for (std::uint32_t r = 0; r < std::max(1u, study.n_replicates); ++r) {
        file.select_replicate(r);
        StudySink sink(study, file, r);
        write_uncertainty(study, r, file);
        add(run_all(requests_of(study, engine, options.n_threads, r), sink, monitor), report.run);
        if (report.run.was_cancelled) return;
        sink.write_summaries();
        add_failures(study, r, sink, report);
        if (r == 0) describe_trial(study, sink, report);
    }
}

void describe_solvers(const Study& study, const Engine& engine, StudyReport& report) {
    const std::vector<SolverRow> solvers = solver_rows(study, engine.choices);
    report.solver = solver_names(solvers);
    report.solver_why = solver_reasons(solvers);
    for (const sim::Unit& unit : study.outcome_units)
        report.outcome_units.push_back(unit.text);
}

} // namespace

StudyReport run_study(const Study& study, const RunStudyOptions& options, sim::Monitor* monitor) {
    const Engine engine = make_engine(study, options.execution, options.width);
    io::ResultFile file(options.output);
    declare_results(study, file);
    declare_events(study, file);
    write_provenance(study, engine, options, file);
    write_events(study, file);

    StudyReport report;
    describe_solvers(study, engine, report);
    run_trials(study, engine, options, file, monitor, report);
    if (report.run.was_cancelled) return report; // the unfinished file vanishes
    report.n_failed = n_failed(report.run);
    write_tier(engine, report.run, file);
    report.results_sha256 = file.finish();
    report.file_bytes = std::filesystem::file_size(options.output);
    report.written = describe_contents(study, file);
    report.endpoints = describe_endpoints(study, options.output);
    return report;
}

} // namespace gemel::scenarios
