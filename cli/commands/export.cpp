#include "commands.hpp"
#include "program.hpp"

#include <gemel/scenarios/export.hpp>

#include <fmt/format.h>

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

/// Under a temporary name first: a broken export leaves no half table behind.
void export_to_file(const Options& options) {
    const std::string part = options.output + ".part";
    try {
        std::ofstream out(part, std::ios::binary);
        if (!out) throw std::runtime_error(fmt::format("cannot write {}", part));
        scenarios::export_csv(options.results, options.what, out);
        out.close();
        if (!out) throw std::runtime_error(fmt::format("cannot write {}: is the disk full?", part));
        std::filesystem::rename(part, options.output);
    } catch (...) {
        std::error_code error;
        std::filesystem::remove(part, error);
        throw;
    }
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
                                                         {"parameters", ExportWhat::parameters}};
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("export", "Write results as one long table");
    command->add_option("FILE", options->results, "result file")->required();
    command->add_option("--what", options->what, "outputs, outcomes, subjects or parameters")
        ->required()
        ->transform(CLI::CheckedTransformer(whats));
    command->add_option("--format", options->format, "csv")->check(CLI::IsMember({"csv"}));
    command->add_option("-o,--output", options->output, "file; default: standard output");
    command->callback(
        [options, &action] { action = [options] { return export_table(*options); }; });
}

} // namespace gemel::cli
