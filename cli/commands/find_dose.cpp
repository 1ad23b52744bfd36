#include "commands.hpp"
#include "executor_options.hpp"
#include "program.hpp"
#include "progress.hpp"
#include "study_options.hpp"

#include <gemel/io/csv.hpp>
#include <gemel/io/output_file.hpp>
#include <gemel/scenarios/find_dose.hpp>
#include <gemel/scenarios/study.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>

namespace gemel::cli {

namespace {

struct FindDoseArguments {
    std::string study, output, curves;
    std::vector<std::string> overrides;
    ExecutorArguments executor;
    int n_threads = 0;
    bool is_quiet = false;
};

void write_csv(const std::string& path, const std::function<void(std::ostream&)>& write) {
    io::OutputFile output(path);
    std::ofstream out(output.part(), std::ios::binary);
    write(out);
    out.close();
    if (!out) throw std::runtime_error(fmt::format("cannot write {}", output.part()));
    output.publish();
}

std::string dose_header(const scenarios::Study& study, const std::string& name) {
    return fmt::format("{} [{}]", name, study.dose_search->unit);
}

void write_found(const scenarios::DoseReport& report,
                 const scenarios::Study& study,
                 std::ostream& out) {
    io::CsvWriter csv(out,
                      {"stratum",
                       dose_header(study, "dose"),
                       dose_header(study, "dose_lower"),
                       dose_header(study, "dose_upper"),
                       dose_header(study, "dose_mcse"),
                       "attainment",
                       "attainment_lower",
                       "attainment_upper",
                       "n",
                       "n_missing",
                       "notes"});
    for (const scenarios::FoundDose& found : report.found) {
        csv.cell(found.stratum);
        const scenarios::Estimate& attainment = found.at.attainment;
        for (const double value : {found.dose,
                                   found.lower,
                                   found.upper,
                                   found.mcse,
                                   attainment.value,
                                   attainment.lower,
                                   attainment.upper})
            csv.cell(value);
        csv.cell(static_cast<std::int64_t>(found.at.n));
        csv.cell(static_cast<std::int64_t>(found.at.n_missing));
        csv.cell(fmt::format("{}", fmt::join(found.notes, "; ")));
        csv.end_row();
    }
}

void write_curves(const scenarios::DoseReport& report,
                  const scenarios::Study& study,
                  std::ostream& out) {
    io::CsvWriter csv(out,
                      {"stratum",
                       dose_header(study, "dose"),
                       "attainment",
                       "attainment_mcse",
                       "attainment_lower",
                       "attainment_upper",
                       "n",
                       "n_missing"});
    for (const scenarios::FoundDose& found : report.found)
        for (const scenarios::AttainmentPoint& point : found.curve) {
            const scenarios::Estimate& attainment = point.attainment;
            csv.cell(found.stratum);
            for (const double value : {point.dose,
                                       attainment.value,
                                       attainment.mcse,
                                       attainment.lower,
                                       attainment.upper})
                csv.cell(value);
            csv.cell(static_cast<std::int64_t>(point.n));
            csv.cell(static_cast<std::int64_t>(point.n_missing));
            csv.end_row();
        }
}

void check_outputs(const FindDoseArguments& options, const scenarios::Study& study) {
    for (const std::string& file : {options.output, options.curves})
        if (!file.empty()) check_output(study, file);
    const auto full = [](const std::string& file) {
        std::error_code error;
        return std::filesystem::weakly_canonical(std::filesystem::absolute(file), error);
    };
    if (!options.output.empty() && !options.curves.empty() &&
        full(options.output) == full(options.curves))
        throw std::runtime_error(
            fmt::format("-o and --curves are one file, {}; choose two", options.output));
}

int find_dose(const FindDoseArguments& options) {
    scenarios::StudyOptions study_options;
    study_options.overrides = options.overrides;
    const scenarios::Study study = scenarios::load_study(options.study, library(), study_options);
    if (!study.dose_search) {
        fmt::print(stderr,
                   "{}: error: the study does not say what is looked for\n  help: add\n"
                   "[find_dose]\nattainment = [\"on_target\"]\nprobability = 0.9\n"
                   "among = [\"50 mg\", \"100 mg\"]\nnothing was run\n",
                   options.study);
        return exit_input;
    }
    check_outputs(options, study);
    if (!options.is_quiet) print_notes(study);
    const Interrupt interrupt;
    constexpr std::size_t usual_doses_of_a_range = 33;
    const std::size_t n_listed = study.dose_search->among.size();
    Progress progress(study.population.size * (n_listed > 0 ? n_listed : usual_doses_of_a_range),
                      options.is_quiet);
    const NativeParts native(options.executor, options.is_quiet);
    const scenarios::DoseReport report =
        scenarios::find_dose(study, {options.n_threads, native.execution()}, &progress);
    progress.clear();
    if (report.was_cancelled) {
        fmt::print(stderr, "interrupted; no file was written\n");
        return exit_interrupted;
    }
    if (!options.output.empty())
        write_csv(options.output, [&](std::ostream& out) { write_found(report, study, out); });
    if (!options.curves.empty())
        write_csv(options.curves, [&](std::ostream& out) { write_curves(report, study, out); });
    fmt::print("{}", scenarios::render(report, study));
    return report.n_failed_subjects <= study.max_failures ? exit_ok : exit_failures;
}

} // namespace

void add_find_dose(CLI::App& program, Action& action) {
    auto options = std::make_shared<FindDoseArguments>();
    CLI::App* command = program.add_subcommand(
        "find-dose", "Find the smallest dose with which enough subjects attain a target");
    command->add_option("STUDY", options->study, "study file with [find_dose]")->required();
    command->add_option("-o,--output", options->output, "the table as CSV");
    command->add_option("--curves", options->curves, "attainment of every dose tried, as CSV");
    command->add_option("--set", options->overrides, "path=value, replaces a value of the study")
        ->allow_extra_args(false);
    command->add_option("--threads", options->n_threads, "threads; default: all cores")
        ->check(CLI::Range(1, 4096));
    command->add_flag("--quiet", options->is_quiet, "no progress, no notes");
    add_executor_arguments(*command, options->executor);
    command->callback([options, &action] { action = [options] { return find_dose(*options); }; });
}

} // namespace gemel::cli
