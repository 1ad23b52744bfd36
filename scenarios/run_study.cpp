#include "checkpoints.hpp"
#include "endpoints/replicated_endpoint.hpp"
#include "engine.hpp"
#include "provenance.hpp"
#include "run_key.hpp"
#include "study_sink.hpp"

#include <gemel/scenarios/run_study.hpp>
#include <gemel/sim/archive.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
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
    all.status_counts.resize(part.status_counts.size());
    for (std::size_t arm = 0; arm < part.status_counts.size(); ++arm) {
        all.status_counts[arm].resize(part.status_counts[arm].size(), 0);
        for (std::size_t code = 0; code < part.status_counts[arm].size(); ++code)
            all.status_counts[arm][code] += part.status_counts[arm][code];
    }
}

/// What is told of finished replicates, as far as it is not told of the study alone.
template <class Archive>
void archive_report(Archive& a, StudyReport& report) {
    a(report.run.n_solves, report.run.n_fell_back, report.run.status_counts);
    a(report.n_failed_subjects,
      report.failures,
      report.assumptions,
      report.policies,
      report.summary);
}

/// What is told of one trial: the only one, or of the first of the replicates.
void describe_trial(const Study& study, const StudySink& sink, StudyReport& report) {
    report.assumptions = describe_assumptions(study, sink.assumptions());
    report.policies = describe_policies(study, sink.policies());
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

/// The trials of a study, one after the other, from where a run before this one was interrupted.
class Trials {
public:
    Trials(const Study& study,
           const Engine& engine,
           const RunStudyOptions& options,
           io::ResultFile& file,
           sim::Monitor* monitor,
           StudyReport& report)
        : study_(study),
          engine_(engine),
          options_(options),
          file_(file),
          monitor_(monitor),
          report_(report),
          checkpoints_(options.checkpoint_seconds, [this] { keep(); }) {}

    /// Stops when cancelled.
    void run() {
        if (const std::optional<std::string> state = file_.take_state()) go_on(*state);
        for (; replicate_ < std::max(1u, study_.n_replicates); ++replicate_) {
            if (!sink_) begin_replicate();
            run_replicate();
            if (report_.run.was_cancelled) return;
            sink_.reset();
        }
    }

private:
    void begin_replicate() {
        file_.select_replicate(replicate_);
        sink_.emplace(study_, file_, replicate_);
        sink_->after_block = [this] { checkpoints_.keep_if_due(); };
    }

    void go_on(const std::string& state) {
        sim::Loader kept(state);
        kept(replicate_);
        archive_report(kept, report_);
        begin_replicate();
        sink_->archive(kept);
        if (monitor_ == nullptr) return;
        sim::RunReport done = report_.run;
        add(sink_->report(), done);
        monitor_->resume(done.n_solves, n_failed(done));
    }

    void keep() {
        file_.checkpoint([this](const auto& add_bytes) {
            sim::Saver kept(add_bytes);
            kept(replicate_);
            archive_report(kept, report_);
            sink_->archive(kept);
            kept.flush();
        });
    }

    void run_replicate() {
        write_uncertainty(study_, replicate_, file_);
        const bool was_cancelled = solve();
        add(sink_->report(), report_.run);
        if (was_cancelled) {
            report_.run.was_cancelled = true;
            return;
        }
        sink_->write_summaries();
        add_failures(study_, replicate_, *sink_, report_);
        if (replicate_ == 0) describe_trial(study_, *sink_, report_);
    }

    /// One stretch of subjects after the other. @returns whether it was cancelled
    bool solve() {
        bool was_cancelled = false;
        for (sim::RunRequest& request :
             requests_of(study_, engine_, options_.n_threads, replicate_)) {
            request.inputs = [this](const sim::SubjectRange& range, std::span<double> inputs) {
                sink_->draw(range, inputs);
            };
            request.is_done = [this](std::size_t arm, const sim::SubjectRange& range) {
                return sink_->is_done(arm, range);
            };
            was_cancelled = sim::run(request, *sink_, monitor_).was_cancelled || was_cancelled;
        }
        if (was_cancelled && sink_->n_done() + report_.run.n_solves > 0) checkpoints_.keep_now();
        return was_cancelled;
    }

    const Study& study_;
    const Engine& engine_;
    const RunStudyOptions& options_;
    io::ResultFile& file_;
    sim::Monitor* monitor_;
    StudyReport& report_;
    Checkpoints checkpoints_;
    std::uint32_t replicate_ = 0;
    std::optional<StudySink> sink_; ///< of the replicate
};

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
    io::ResultFile file(options.output, {run_key(study, engine, options), options.restarts});
    declare_results(study, file);
    declare_events(study, file);
    write_provenance(study, engine, options, file);
    write_events(study, file);

    StudyReport report;
    describe_solvers(study, engine, report);
    Trials(study, engine, options, file, monitor, report).run();
    if (report.run.was_cancelled) return report;
    report.n_failed = n_failed(report.run);
    write_tier(engine, report.run, file);
    report.results_sha256 = file.finish();
    report.file_bytes = std::filesystem::file_size(options.output);
    report.written = describe_contents(study, file);
    report.endpoints = describe_endpoints(study, options.output);
    return report;
}

} // namespace gemel::scenarios
