#include "commands.hpp"
#include "program.hpp"

#include <gemel/io/output_file.hpp>
#include <gemel/scenarios/export.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>

namespace gemel::cli {

namespace {

using scenarios::ExportWhat;

struct Options {
    std::string results, output;
    std::string format = "csv";
    ExportWhat what = ExportWhat::outcomes;
};

/// A broken export leaves no half table behind, and a table never replaces the results it is of.
void export_to_file(const Options& options) {
    std::error_code error;
    if (std::filesystem::equivalent(options.results, options.output, error))
        throw std::runtime_error(options.output +
                                 " holds the results to export; choose another -o");
    io::OutputFile output(options.output);
    std::ofstream out(output.part(), std::ios::binary);
    if (!out) throw std::runtime_error(fmt::format("cannot write {}", output.part()));
    scenarios::export_csv(options.results, options.what, out);
    out.close();
    if (!out)
        throw std::runtime_error(fmt::format("cannot write {}: is the disk full?", output.part()));
    output.publish();
}

int export_table(const Options& options) {
    if (!options.output.empty()) {
        export_to_file(options);
        return exit_ok;
    }
    std::ios::sync_with_stdio(false);
    scenarios::export_csv(options.results, options.what, std::cout);
    std::cout.flush();
    return std::cout ? exit_ok : exit_error;
}

} // namespace

void add_export(CLI::App& program, Action& action) {
    static const std::map<std::string, ExportWhat> whats{{"outputs", ExportWhat::outputs},
                                                         {"outcomes", ExportWhat::outcomes},
                                                         {"subjects", ExportWhat::subjects},
                                                         {"parameters", ExportWhat::parameters},
                                                         {"endpoints", ExportWhat::endpoints},
                                                         {"samples", ExportWhat::samples}};
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("export", "Write results as one long table");
    command->add_option("FILE", options->results, "result file")->required();
    command
        ->add_option("--what",
                     options->what,
                     "outputs, outcomes, endpoints, samples, subjects or parameters")
        ->required()
        ->transform(CLI::CheckedTransformer(whats));
    command->add_option("--format", options->format, "csv")->check(CLI::IsMember({"csv"}));
    command->add_option("-o,--output", options->output, "file; default: standard output");
    command->callback(
        [options, &action] { action = [options] { return export_table(*options); }; });
}

} // namespace gemel::cli
