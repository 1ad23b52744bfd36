#include "commands.hpp"
#include "program.hpp"

#include <gemel/io/output_file.hpp>
#include <gemel/scenarios/audit.hpp>
#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gemel::cli {

namespace {

struct AuditArguments {
    std::vector<std::string> panels, groups;
    std::string model, map, output;
    double level = 0.95;
    std::uint32_t n_draws = 1000;
    std::uint64_t seed = 1;
    int n_threads = 0;
    bool is_json = false;
};

/// A panel of the library by its name, or a file.
std::filesystem::path path_of(const std::string& word, const char* kind) {
    const auto of_library = library().find(kind, word);
    return of_library.empty() ? std::filesystem::path(word) : of_library;
}

std::shared_ptr<const pkpd::Panel> load_panel(const std::string& word,
                                              sim::DiagnosticList& diagnostics) {
    const auto path = path_of(word, "panels");
    std::error_code error;
    if (std::filesystem::exists(path, error)) return pkpd::load_panel(path, library(), diagnostics);
    diagnostics.add({},
                    fmt::format("'{}' is no panel of the library and no file", word),
                    sim::suggest(word, library().names("panels")));
    return nullptr;
}

/// All groups that some gene of the library has frequencies in.
std::vector<std::string> known_groups(sim::DiagnosticList& diagnostics) {
    std::vector<std::string> groups;
    const io::Library found = library();
    for (const std::string& name : found.names("genes"))
        if (const auto gene = pkpd::load_gene(found.find("genes", name), diagnostics))
            for (const pkpd::AlleleFrequencies& row : gene->frequencies)
                if (std::ranges::count(groups, row.group) == 0) groups.push_back(row.group);
    std::ranges::sort(groups);
    return groups;
}

std::vector<std::string> groups_of(const AuditArguments& options,
                                   sim::DiagnosticList& diagnostics) {
    const std::vector<std::string> known = known_groups(diagnostics);
    if (options.groups.empty()) return known;
    for (const std::string& group : options.groups)
        if (std::ranges::count(known, group) == 0)
            diagnostics.add({},
                            fmt::format("no gene of the library has frequencies in '{}'", group),
                            sim::suggest(group, known));
    return options.groups;
}

void set_map(const AuditArguments& options,
             scenarios::AuditSettings& settings,
             sim::DiagnosticList& diagnostics) {
    if (options.model.empty() && options.map.empty()) return;
    if (options.model.empty() || options.map.empty()) {
        diagnostics.add({},
                        "doses are adjusted by a map of a model: --model and --map go together");
        return;
    }
    settings.model = pkpd::load_model(path_of(options.model, "models"), library(), diagnostics);
    settings.map = options.map;
    if (settings.model == nullptr) return;
    std::vector<std::string> names;
    for (const pkpd::GenotypeMap& map : settings.model->maps)
        names.push_back(map.name);
    if (std::ranges::count(names, options.map) == 0)
        diagnostics.add(
            {},
            fmt::format("the model {} has no map '{}'", settings.model->id, options.map),
            sim::suggest(options.map, names));
}

int list_panels() {
    std::vector<std::vector<std::string>> rows;
    sim::DiagnosticList diagnostics;
    for (const std::string& name : library().names("panels"))
        if (const auto panel = load_panel(name, diagnostics)) rows.push_back({name, panel->name});
    fmt::print("{}", scenarios::text_table(rows, scenarios::Alignment::left));
    diagnostics.throw_if_any();
    return exit_ok;
}

void write_csv(const scenarios::AuditReport& report, const std::string& path) {
    io::OutputFile output(path);
    std::ofstream out(output.part(), std::ios::binary);
    scenarios::write_csv(report, out);
    out.close();
    if (!out) throw std::runtime_error(fmt::format("cannot write {}", output.part()));
    output.publish();
}

int audit(const AuditArguments& options) {
    if (options.panels.empty()) return list_panels();
    sim::DiagnosticList diagnostics;
    std::vector<std::shared_ptr<const pkpd::Panel>> panels;
    for (const std::string& word : options.panels)
        panels.push_back(load_panel(word, diagnostics));
    const std::vector<std::string> groups = groups_of(options, diagnostics);
    scenarios::AuditSettings settings;
    settings.level = options.level;
    settings.n_draws = options.n_draws;
    settings.seed = options.seed;
    settings.n_threads = options.n_threads;
    set_map(options, settings, diagnostics);
    diagnostics.throw_if_any();
    const scenarios::AuditReport report = scenarios::audit(panels, groups, settings);
    if (!options.output.empty()) write_csv(report, options.output);
    std::ostringstream json;
    if (options.is_json) scenarios::write_json(report, json);
    fmt::print("{}", options.is_json ? json.str() : scenarios::render(report));
    return exit_ok;
}

} // namespace

void add_audit(CLI::App& program, Action& action) {
    auto options = std::make_shared<AuditArguments>();
    CLI::App* command = program.add_subcommand(
        "audit", "Tell whom genotyping panels miss, by ancestry group; or list panels");
    command->add_option("PANEL", options->panels, "panels of the library, or panel files");
    command->add_option("--group", options->groups, "only these ancestry groups")
        ->allow_extra_args(false);
    command->add_option("--model", options->model, "a model by whose map doses are adjusted");
    command->add_option("--map", options->map, "that map: doses in proportion to its value");
    command->add_option("--level", options->level, "of intervals; 0.95")
        ->check(CLI::Range(0.01, 0.9999));
    command->add_option("--draws", options->n_draws, "of frequencies; 1000. 0: no intervals")
        ->check(CLI::Range(0, 65535));
    command->add_option("--seed", options->seed, "of the draws; 1");
    command->add_option("--threads", options->n_threads, "threads; default: all cores")
        ->check(CLI::Range(1, 4096));
    command->add_option("-o,--output", options->output, "the tables as CSV, with all figures");
    command->add_flag("--json", options->is_json, "JSON instead of tables");
    command->callback([options, &action] { action = [options] { return audit(*options); }; });
}

} // namespace gemel::cli
