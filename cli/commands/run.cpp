#include "commands.hpp"
#include "program.hpp"
#include "progress.hpp"

#include <gemel/scenarios/run_study.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <stdexcept>

namespace gemel::cli {

namespace {

struct Options {
    std::string study, output;
    int n_threads = 0;
    int width = 0;
    std::string seed;
    std::vector<std::string> overrides;
    bool is_quiet = false;
};

/// A seed as text, so that all 64 bits of it can be given and a mistake is told in our words.
std::optional<std::uint64_t> seed_of(const std::string& text) {
    std::uint64_t seed = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, seed);
    if (error != std::errc() || stop != end) return std::nullopt;
    return seed;
}

std::string check_seed(const std::string& text) {
    if (seed_of(text)) return {};
    return fmt::format("'{}' is no seed; a whole number from 0 to {} is expected",
                       text,
                       std::numeric_limits<std::uint64_t>::max());
}

/// One word of a POSIX shell, whatever stands in it.
std::string quoted(const std::string& text) {
    std::string word = "'";
    for (const char c : text)
        word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + "'";
}

/// Quoted only where the shell would not read it as it stands.
std::string word_of(const std::string& text) {
    const bool is_plain =
        !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 || std::strchr("_.,:+/-@%=", c) != nullptr;
        });
    return is_plain ? text : quoted(text);
}

/// The command as it could be typed again; files by their names, so that no path of this machine
/// travels with results.
std::string command_text(const Options& options) {
    const auto name = [](const std::string& path) {
        return word_of(std::filesystem::path(path).filename().string());
    };
    std::string text = "gemel run " + name(options.study);
    if (!options.output.empty()) text += " -o " + name(options.output);
    if (!options.seed.empty()) text += " --seed " + options.seed;
    for (const std::string& assignment : options.overrides)
        text += " --set " + quoted(assignment);
    return text;
}

scenarios::Study load(const Options& options) {
    scenarios::StudyOptions study_options;
    study_options.overrides = options.overrides;
    study_options.seed = seed_of(options.seed);
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

/// Told before the work is done: results never replace what they are made from.
void check_output(const scenarios::Study& study, const std::filesystem::path& output) {
    std::error_code error;
    for (const scenarios::InputFile& input : study.inputs)
        if (std::filesystem::equivalent(input.path, output, error))
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
        ->check(check_seed)
        ->type_name("UINT");
    command->add_option("--set", options->overrides, "path=value, replaces a value of the study")
        ->allow_extra_args(false);
    command->add_flag("--quiet", options->is_quiet, "no progress, no summary");
    command->add_option("--lanes", options->width, "SIMD lanes; changes no result")
        ->check(CLI::IsMember({8, 16, 32, 64}));
    command->callback([options, &action] { action = [options] { return run(*options); }; });
}

} // namespace gemel::cli
