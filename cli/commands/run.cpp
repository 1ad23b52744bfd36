#include "commands.hpp"
#include "program.hpp"
#include "progress.hpp"

#include <gemel/scenarios/run_study.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace gemel::cli {

namespace {

struct Options {
    std::string study, output;
    int n_threads = 0;
    int width = 0;
    std::int64_t seed = -1;
    std::vector<std::string> overrides;
    bool is_quiet = false;
};

/// The command as it could be typed again; files by their names, so that no path of this machine
/// travels with results.
std::string command_text(const Options& options) {
    const auto name = [](const std::string& path) {
        return std::filesystem::path(path).filename().string();
    };
    std::string text = "gemel run " + name(options.study);
    if (!options.output.empty()) text += " -o " + name(options.output);
    if (options.seed >= 0) text += fmt::format(" --seed {}", options.seed);
    for (const std::string& assignment : options.overrides)
        text += fmt::format(" --set '{}'", assignment);
    return text;
}

scenarios::Study load(const Options& options) {
    scenarios::StudyOptions study_options;
    study_options.overrides = options.overrides;
    if (options.seed >= 0) study_options.seed = static_cast<std::uint64_t>(options.seed);
    return scenarios::load_study(options.study, library(), study_options);
}

scenarios::RunStudyOptions run_options(const Options& options, const scenarios::Study& study) {
    scenarios::RunStudyOptions result;
    result.output = options.output.empty() ? study.id + ".h5" : options.output;
    result.n_threads = options.n_threads;
    result.width = options.width;
    result.command = command_text(options);
    result.version = version();
    return result;
}

/// Told before the work is done: results never replace what they are made from, nor a folder.
void check_output(const scenarios::Study& study, const std::filesystem::path& output) {
    std::error_code error;
    if (std::filesystem::is_directory(output, error))
        throw std::runtime_error(fmt::format("{} is a folder; -o names a file", output.string()));
    for (const std::filesystem::path& input : {study.file, study.model->file})
        if (std::filesystem::equivalent(input, output, error))
            throw std::runtime_error(
                fmt::format("{} is an input of this study; choose another -o", output.string()));
}

int run(const Options& options) {
    const scenarios::Study study = load(options);
    const scenarios::RunStudyOptions how = run_options(options, study);
    check_output(study, how.output);
    const Interrupt interrupt;
    Progress progress(study.population.size * study.arms.size(), options.is_quiet);
    const scenarios::StudyReport report = scenarios::run_study(study, how, &progress);
    progress.clear();
    if (report.run.was_cancelled) {
        fmt::print(stderr, "interrupted; no file was written\n");
        return exit_interrupted;
    }
    if (!options.is_quiet)
        fmt::print("{}wrote {}\n", scenarios::render(report, study), how.output.string());
    if (report.n_failed <= study.max_failures) return exit_ok;
    fmt::print(stderr,
               "{} of {} solves failed; the study allows {} (study.max_failures)\n",
               report.n_failed,
               report.run.n_solves,
               study.max_failures);
    return exit_failures;
}

} // namespace

void add_run(CLI::App& program, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("run", "Run a study and write its results");
    command->add_option("STUDY", options->study, "study file")->required();
    command->add_option("-o,--output",
                        options->output,
                        "result file, replaced when the new one is complete; default: the study's "
                        "name with .h5, in this folder");
    command->add_option("--threads", options->n_threads, "threads; default: all cores")
        ->check(CLI::Range(1, 4096));
    command->add_option("--seed", options->seed, "instead of the study's")
        ->check(CLI::NonNegativeNumber);
    command->add_option("--set", options->overrides, "path=value, replaces a value of the study")
        ->allow_extra_args(false);
    command->add_flag("--quiet", options->is_quiet, "no progress, no summary");
    command->add_option("--lanes", options->width, "SIMD lanes; changes no result")
        ->check(CLI::IsMember({8, 16, 32, 64}));
    command->callback([options, &action] { action = [options] { return run(*options); }; });
}

} // namespace gemel::cli
