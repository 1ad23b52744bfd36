#include "commands.hpp"
#include "executor_options.hpp"
#include "program.hpp"
#include "progress.hpp"
#include "shell_words.hpp"
#include "study_options.hpp"

#include <gemel/scenarios/plan.hpp>
#include <gemel/scenarios/run_study.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace gemel::cli {

namespace {

struct RunArguments {
    StudyArguments study;
    ExecutorArguments executor;
    int n_threads = 0;
    int width = 0;
    bool is_quiet = false;
    bool restarts = false;
    double checkpoint_seconds = scenarios::RunStudyOptions().checkpoint_seconds;
};

/// The command as it could be typed again.
std::string command_text(const RunArguments& options) {
    const StudyArguments& study = options.study;
    std::string text = "gemel run " + word_of_file(study.study);
    if (!study.output.empty()) text += " -o " + word_of_file(study.output);
    if (!study.seed.empty()) text += " --seed " + study.seed;
    for (const std::string& assignment : study.overrides)
        text += " --set " + quoted(assignment);
    return text;
}

scenarios::RunStudyOptions
run_options(const RunArguments& options, const scenarios::Study& study, const NativeParts& native) {
    scenarios::RunStudyOptions result;
    result.output = output_of(options.study, study);
    result.n_threads = options.n_threads;
    result.width = options.width;
    result.execution = native.execution();
    result.command = command_text(options);
    result.version = version();
    result.restarts = options.restarts;
    result.checkpoint_seconds = options.checkpoint_seconds;
    return result;
}

void tell_interrupted(const scenarios::StudyReport& report,
                      const scenarios::Study& study,
                      const std::filesystem::path& output) {
    if (report.run.n_solves == 0)
        fmt::print(stderr, "interrupted; no file was written\n");
    else
        fmt::print(stderr,
                   "interrupted; {} of blocks are kept in {}.part, and the same command goes on "
                   "from there\n",
                   percent(report.run.n_solves, scenarios::n_solves(study)),
                   output.string());
}

int run(const RunArguments& options) {
    const scenarios::Study study = load(options.study);
    const NativeParts native(options.executor, options.is_quiet);
    const scenarios::RunStudyOptions how = run_options(options, study, native);
    check_output(study, how.output);
    scenarios::require_room(study, {how.output, how.n_threads});
    if (!options.is_quiet) print_notes(study);
    const Interrupt interrupt;
    Progress progress(scenarios::n_solves(study), options.is_quiet);
    const scenarios::StudyReport report = scenarios::run_study(study, how, &progress);
    progress.clear();
    if (report.run.was_cancelled) {
        tell_interrupted(report, study, how.output);
        return exit_interrupted;
    }
    if (!options.is_quiet)
        fmt::print("{}wrote {}\n", scenarios::render(report, study), how.output.string());
    if (report.n_failed_subjects <= study.max_failures) return exit_ok;
    fmt::print(stderr,
               "{} of {} subjects failed; the study allows {} (study.max_failures)\n",
               report.n_failed_subjects,
               study.population.size,
               study.max_failures);
    return exit_failures;
}

} // namespace

void add_run(CLI::App& program, Action& action) {
    auto options = std::make_shared<RunArguments>();
    CLI::App* command = program.add_subcommand("run", "Run a study and write its results");
    add_study_arguments(*command, options->study);
    command->add_option("--threads", options->n_threads, "threads; default: all cores")
        ->check(CLI::Range(1, 4096));
    command->add_flag("--quiet", options->is_quiet, "no progress, no notes, no summary");
    command
        ->add_option("--lanes", options->width, "SIMD lanes of the interpreter; changes no result")
        ->check(CLI::IsMember({8, 16, 32, 64, 128}));
    add_executor_arguments(*command, options->executor);
    command->add_flag("--restart",
                      options->restarts,
                      "begin anew, whatever an interrupted run left under NAME.h5.part");
    command
        ->add_option("--checkpoint",
                     options->checkpoint_seconds,
                     "seconds between states that an interrupted run goes on from; default: 2")
        ->check(CLI::Range(0.0, 1e6));
    command->callback([options, &action] { action = [options] { return run(*options); }; });
}

} // namespace gemel::cli
