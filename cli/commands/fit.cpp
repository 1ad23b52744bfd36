#include "commands.hpp"
#include "executor_options.hpp"
#include "program.hpp"
#include "progress.hpp"
#include "shell_words.hpp"
#include "study_options.hpp"

#include <gemel/io/output_file.hpp>
#include <gemel/learners/fit_file.hpp>
#include <gemel/learners/fit_results.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

namespace gemel::cli {

namespace {

struct FitArguments {
    std::string file, output, seed, method;
    std::vector<std::string> overrides;
    ExecutorArguments executor;
    int n_threads = 0;
    int n_recoveries = 0; ///< data sets that are simulated and fitted instead of the file's
    bool is_quiet = false;
};

struct FitOutputs {
    std::filesystem::path results, table, model, recovery;
};

std::string command_text(const FitArguments& options) {
    std::string text = "gemel fit " + word_of_file(options.file);
    if (!options.output.empty()) text += " -o " + word_of_file(options.output);
    if (!options.method.empty()) text += " --method " + options.method;
    if (options.n_recoveries > 0) text += fmt::format(" --recover {}", options.n_recoveries);
    if (!options.seed.empty()) text += " --seed " + options.seed;
    for (const std::string& assignment : options.overrides)
        text += " --set " + quoted(assignment);
    return text;
}

learners::FitSetup load_setup(const FitArguments& options) {
    learners::FitFileOptions how;
    how.overrides = options.overrides;
    if (!options.method.empty()) how.overrides.push_back("fit.method=" + options.method);
    how.seed = seed_of(options.seed);
    return learners::load_fit(options.file, library(), how);
}

/// NAME.h5, NAME.txt, NAME_model.toml and NAME_recovery.txt, none of which is what the fit is made
/// from.
FitOutputs outputs_of(const FitArguments& options, const learners::FitSetup& setup) {
    std::filesystem::path name = options.output.empty() ? setup.name : options.output;
    if (name.extension() == ".h5") name.replace_extension();
    const FitOutputs outputs{name.string() + ".h5",
                             name.string() + ".txt",
                             name.string() + "_model.toml",
                             name.string() + "_recovery.txt"};
    for (const auto* output : {&outputs.results, &outputs.table, &outputs.model, &outputs.recovery})
        check_output(setup.inputs, "fit", *output);
    return outputs;
}

void write_text(const std::filesystem::path& path, const std::string& text) {
    io::OutputFile file(path);
    file.write_at(0, text.data(), text.size());
    file.publish();
}

/// What `work` gives; nothing where somebody asked it to stop.
template <class Work>
auto watched(const FitArguments& options, const Work& work)
    -> std::optional<decltype(work(learners::FitExecution(), std::declval<FitWatch&>()))> {
    const NativeParts native(options.executor, options.is_quiet);
    learners::FitExecution execution;
    execution.n_threads = options.n_threads;
    execution.executor = native.execution().executor;
    execution.native_code = native.execution().native_code;
    const Interrupt interrupt;
    FitWatch watch(options.is_quiet);
    try {
        auto result = work(execution, watch);
        watch.clear();
        if (Interrupt::is_requested()) return std::nullopt;
        return result;
    } catch (...) {
        watch.clear();
        if (Interrupt::is_requested()) return std::nullopt;
        throw;
    }
}

/// @returns why there is none, or ""
std::string write_model(const learners::FitSetup& setup,
                        const learners::FitResult& result,
                        const std::filesystem::path& path) {
    if (!std::ranges::all_of(result.values, [](double value) { return std::isfinite(value); }))
        return "not all estimates are numbers";
    try {
        write_text(path, learners::calibrated_model(setup, result, library(), path));
        return {};
    } catch (const std::invalid_argument& why) {
        return why.what();
    }
}

void write_outputs(const learners::FitSetup& setup,
                   const learners::FitResult& result,
                   const FitArguments& options,
                   const FitOutputs& outputs) {
    const std::string table = learners::fit_table(setup, result);
    learners::write_fit_file(setup, result, {version(), command_text(options)}, outputs.results);
    write_text(outputs.table, table);
    const std::string why_no_model = write_model(setup, result, outputs.model);
    if (options.is_quiet) return;
    fmt::print("{}wrote {}, {}", table, outputs.results.string(), outputs.table.string());
    if (why_no_model.empty())
        fmt::print(" and {}\n", outputs.model.string());
    else
        fmt::print("; no model: {}\n", why_no_model);
}

int tell_interrupted_fit() {
    fmt::print(stderr, "interrupted; no file was written\n");
    return exit_interrupted;
}

int run_recovery(const learners::FitSetup& setup,
                 const FitArguments& options,
                 const FitOutputs& outputs) {
    const auto result = watched(options, [&](const auto& execution, FitWatch& watch) {
        return learners::recover(setup, execution, options.n_recoveries, &watch);
    });
    if (!result) return tell_interrupted_fit();
    const std::string table = learners::recovery_table(setup, *result);
    write_text(outputs.recovery, table);
    if (!options.is_quiet) fmt::print("{}wrote {}\n", table, outputs.recovery.string());
    return result->n_converged > 0 ? exit_ok : exit_failures;
}

int run_estimation(const learners::FitSetup& setup,
                   const FitArguments& options,
                   const FitOutputs& outputs) {
    const auto result = watched(options, [&](const auto& execution, FitWatch& watch) {
        return learners::fit(setup, execution, &watch);
    });
    if (!result) return tell_interrupted_fit();
    write_outputs(setup, *result, options, outputs);
    if (result->is_converged) return exit_ok;
    fmt::print(stderr, "not converged: {}\n", result->stop_reason);
    return exit_failures;
}

int run_fit(const FitArguments& options) {
    const learners::FitSetup setup = load_setup(options);
    const FitOutputs outputs = outputs_of(options, setup);
    if (!options.is_quiet)
        for (const std::string& note : learners::notes_on(setup))
            fmt::print(stderr, "{}: note: {}\n", setup.data->path.filename().string(), note);
    try {
        return options.n_recoveries > 0 ? run_recovery(setup, options, outputs)
                                        : run_estimation(setup, options, outputs);
    } catch (const std::invalid_argument& why) {
        fmt::print(stderr, "{}: error: {}\nnothing was fitted\n", options.file, why.what());
        return exit_input;
    }
}

} // namespace

void add_fit(CLI::App& program, Action& action) {
    auto options = std::make_shared<FitArguments>();
    CLI::App* command =
        program.add_subcommand("fit",
                               "Calibrate a model from observed data: estimates, their "
                               "errors, and a model file that has them");
    command->add_option("FILE", options->file, "file of the fit")->required();
    command->add_option("-o,--output,--out",
                        options->output,
                        "NAME of NAME.h5, NAME.txt and NAME_model.toml; default: that of the "
                        "file, in this folder");
    command->add_option("--set", options->overrides, "path=value, replaces a value of the file")
        ->allow_extra_args(false);
    command->add_option("--method", options->method, "instead of the file's")
        ->check(CLI::IsMember(std::vector<std::string>(std::begin(learners::method_names),
                                                       std::end(learners::method_names))));
    add_seed_argument(*command, "instead of the file's", options->seed);
    command->add_option("--threads", options->n_threads, "threads; default: all cores")
        ->check(CLI::Range(1, 4096));
    command
        ->add_option("--recover",
                     options->n_recoveries,
                     "simulate so many data sets at the starts, fit each, and tell how well the "
                     "numbers are found again; NAME_recovery.txt alone is written")
        ->check(CLI::Range(1, 65535));
    command->add_flag("--quiet", options->is_quiet, "no progress, no notes, no table");
    add_executor_arguments(*command, options->executor);
    command->callback([options, &action] { action = [options] { return run_fit(*options); }; });
}

} // namespace gemel::cli
