#include "commands.hpp"
#include "table_output.hpp"

#include <gemel/scenarios/export.hpp>

#include <map>
#include <ostream>

namespace gemel::cli {

namespace {

using scenarios::ExportWhat;

struct ExportArguments {
    std::string results, output;
    std::string format = "csv";
    ExportWhat what = ExportWhat::outcomes;
};

int export_table(const ExportArguments& options) {
    return write_table(options.results, options.output, [&](std::ostream& out) {
        scenarios::export_csv(options.results, options.what, out);
    });
}

} // namespace

void add_export(CLI::App& program, Action& action) {
    static const std::map<std::string, ExportWhat> whats{{"outputs", ExportWhat::outputs},
                                                         {"outcomes", ExportWhat::outcomes},
                                                         {"subjects", ExportWhat::subjects},
                                                         {"parameters", ExportWhat::parameters},
                                                         {"endpoints", ExportWhat::endpoints},
                                                         {"samples", ExportWhat::samples}};
    auto options = std::make_shared<ExportArguments>();
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
