#include "commands.hpp"
#include "program.hpp"

#include <gemel/pkpd/model.hpp>
#include <gemel/scenarios/text_table.hpp>
#include <gemel/sim/solver.hpp>

#include <fmt/format.h>

#include <cmath>

namespace gemel::cli {

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::shared_ptr<const pkpd::Model> load_model(const std::string& name) {
    sim::DiagnosticList diagnostics;
    const io::Library found = library();
    const auto file = found.find("models", name);
    if (file.empty())
        diagnostics.add({},
                        fmt::format("the library has no model '{}'", name),
                        sim::suggest(name, found.names("models")));
    const auto model = file.empty() ? nullptr : pkpd::load_model(file, found, diagnostics);
    diagnostics.throw_if_any();
    return model;
}

std::string titled(const char* title, const Rows& rows) {
    return rows.empty() ? ""
                        : fmt::format("\n{}\n{}",
                                      title,
                                      scenarios::text_table(rows, scenarios::Alignment::left));
}

/// A parameter without a typical value is given by a map.
std::string value_text(const pkpd::Parameter& parameter) {
    const std::string& unit = parameter.unit.text;
    return std::isnan(parameter.value) ? "by map, " + unit
                                       : fmt::format("{:g} {}", parameter.value, unit);
}

std::string variability_text(const pkpd::Parameter& parameter) {
    std::string text;
    if (parameter.iiv)
        text = fmt::format("sd of eta {:.3g} ({})", parameter.iiv->sd, parameter.iiv->reading);
    if (parameter.iov)
        text += fmt::format("{}of occasions {:.3g} ({})",
                            text.empty() ? "" : ", ",
                            parameter.iov->sd,
                            parameter.iov->reading);
    return text;
}

Rows parameter_rows(const pkpd::Model& model) {
    Rows rows;
    for (const pkpd::Parameter& parameter : model.parameters)
        rows.push_back(
            {parameter.name, value_text(parameter), variability_text(parameter), parameter.about});
    return rows;
}

std::string categories(const pkpd::Covariate& covariate) {
    std::string text;
    for (const std::string& category : covariate.categories)
        text += (text.empty() ? "" : " | ") + category;
    if (!covariate.proportions.empty()) return "mixture of " + text;
    return text.empty() ? covariate.unit.text : text;
}

Rows covariate_rows(const pkpd::Model& model) {
    Rows rows;
    for (const pkpd::Covariate& covariate : model.covariates)
        rows.push_back({covariate.name, categories(covariate), covariate.about});
    return rows;
}

Rows map_rows(const pkpd::Model& model) {
    const char* const by[] = {"diplotype", "allele", "phenotype", "activity score"};
    Rows rows;
    for (const pkpd::GenotypeMap& map : model.maps)
        rows.push_back({map.name,
                        fmt::format("{} by {}", map.gene, by[static_cast<int>(map.by)]),
                        map.otherwise ? map.otherwise->source : "other genotypes: an error"});
    return rows;
}

Rows output_rows(const pkpd::Model& model) {
    Rows rows;
    for (const sim::NamedExpr& output : model.system.outputs)
        rows.push_back({output.name, output.unit.text, output.label});
    return rows;
}

Rows route_rows(const pkpd::Model& model) {
    Rows rows;
    for (const pkpd::Route& route : model.routes)
        rows.push_back({route.name,
                        "into " + model.system.states[static_cast<std::size_t>(route.state)].name,
                        route.is_default ? "default" : ""});
    return rows;
}

int show_model(const std::string& name) {
    const auto model = load_model(name);
    const sim::CompiledSystem system = sim::compile(model->system);
    const sim::SolverChoice choice = sim::choose_solver(system);
    std::string text = fmt::format("{}: {}\n", model->id, model->name);
    if (!model->about.empty()) text += model->about + "\n";
    text += titled("parameters", parameter_rows(*model));
    text += titled("covariates", covariate_rows(*model));
    text += titled("genotype maps", map_rows(*model));
    text += titled("routes", route_rows(*model));
    text += titled("outputs", output_rows(*model));
    text += fmt::format("\n{} states, time in {}; solved by {} ({})\n",
                        system.system.states.size(),
                        system.system.time_unit.text,
                        choice.solver->name,
                        choice.why);
    fmt::print("{}source: {}\n", text, model->source);
    return exit_ok;
}

int list_models() {
    const io::Library found = library();
    Rows rows;
    sim::DiagnosticList diagnostics;
    for (const std::string& name : found.names("models"))
        if (const auto model = pkpd::load_model(found.find("models", name), found, diagnostics))
            rows.push_back({name, model->name});
    fmt::print("{}", scenarios::text_table(rows, scenarios::Alignment::left));
    diagnostics.throw_if_any();
    return exit_ok;
}

} // namespace

void add_models(CLI::App& program, Action& action) {
    auto name = std::make_shared<std::string>();
    CLI::App* command = program.add_subcommand("models", "List the library's models, or show one");
    command->add_option("NAME", *name, "a model of the library");
    command->callback([name, &action] {
        action = [name] { return name->empty() ? list_models() : show_model(*name); };
    });
}

} // namespace gemel::cli
