#include "commands.hpp"
#include "program.hpp"

#include <gemel/io/toml.hpp>
#include <gemel/learners/fit_file.hpp>
#include <gemel/pkpd/dose_equation.hpp>
#include <gemel/pkpd/panel.hpp>
#include <gemel/scenarios/plan.hpp>

#include <fmt/format.h>

namespace gemel::cli {

namespace {

/// What the file says it is: "study", "fit", "model", …; "" after a mistake.
std::string kind_of(const std::string& path, sim::DiagnosticList& diagnostics) {
    const auto source = io::read_source(path, diagnostics);
    if (source == nullptr) return {};
    const io::TomlView document = io::parse_toml(source, diagnostics);
    if (!document.is_set()) return {};
    const std::string format = document["gemel"].text().value_or("");
    const std::string kind = format.substr(0, format.find('/'));
    for (const char* known : {"study", "fit", "model", "gene", "panel", "dose"})
        if (kind == known) return kind;
    diagnostics.add(document["gemel"].is_set() ? document["gemel"].span() : document.span(),
                    "the file does not say what it is",
                    "its first line is gemel = \"study/1\", \"fit/1\", \"model/1\", \"gene/1\", "
                    "\"panel/1\" or \"dose/1\"");
    return {};
}

void run_tests(const pkpd::Model& model,
               const std::string& solver,
               sim::DiagnosticList& diagnostics) {
    for (const pkpd::ModelTest& test : model.tests) {
        const std::string difference = pkpd::run_model_test(model, test, solver, 1e-8);
        if (!difference.empty())
            diagnostics.add(test.span, "the model does not pass its own test: " + difference);
    }
}

std::string check_study(const std::string& path, sim::DiagnosticList& diagnostics) {
    try {
        const scenarios::Study study = scenarios::load_study(path, library());
        run_tests(*study.model, "", diagnostics);
        return scenarios::describe_plan(study);
    } catch (const sim::InputError& error) {
        diagnostics.append(error.diagnostics());
        return {};
    }
}

std::string check_fit(const std::string& path, sim::DiagnosticList& diagnostics) {
    try {
        return learners::describe_fit(learners::load_fit(path, library()));
    } catch (const sim::InputError& error) {
        diagnostics.append(error.diagnostics());
        return {};
    }
}

std::string check_model(const std::string& path, sim::DiagnosticList& diagnostics) {
    const auto model = pkpd::load_model(path, library(), diagnostics);
    if (model == nullptr) return {};
    std::string text =
        fmt::format("model     {} ({} states)\n", model->id, model->system.states.size());
    const sim::SolverChoice choice = sim::choose_solver(sim::compile(model->system));
    text += fmt::format("solver    {} ({})\n", choice.solver->name, choice.why);
    run_tests(*model, std::string(choice.solver->name), diagnostics);
    for (const std::string& note : model->notes)
        text += fmt::format("note      {}\n", note);
    return text + fmt::format("tests     {} passed\n", model->tests.size());
}

std::string check_gene(const std::string& path, sim::DiagnosticList& diagnostics) {
    const auto gene = pkpd::load_gene(path, diagnostics);
    if (gene == nullptr) return {};
    return fmt::format("gene      {} ({} alleles, {} ancestry groups)\n",
                       gene->name,
                       gene->alleles.size(),
                       gene->frequencies.size());
}

std::string check_panel(const std::string& path, sim::DiagnosticList& diagnostics) {
    const auto panel = pkpd::load_panel(path, library(), diagnostics);
    if (panel == nullptr) return {};
    std::string text = fmt::format("panel     {}\n", panel->name);
    for (const pkpd::PanelGene& gene : panel->genes)
        text += fmt::format("          {}: {}\n", gene.gene, fmt::join(gene.tested, ", "));
    return text;
}

std::string check_dose(const std::string& path, sim::DiagnosticList& diagnostics) {
    const auto equation = pkpd::load_dose_equation(path, library(), diagnostics);
    if (equation == nullptr) return {};
    return fmt::format("dose      of {} in {}\ntests     {} passed\n",
                       equation->drug,
                       equation->unit.text,
                       equation->tests.size());
}

int check(const std::vector<std::string>& files) {
    sim::DiagnosticList diagnostics;
    std::string good;
    for (const std::string& file : files) {
        const std::size_t before = diagnostics.size();
        const std::string kind = kind_of(file, diagnostics);
        std::string text;
        if (kind == "study")
            text = check_study(file, diagnostics);
        else if (kind == "fit")
            text = check_fit(file, diagnostics);
        else if (kind == "model")
            text = check_model(file, diagnostics);
        else if (kind == "gene")
            text = check_gene(file, diagnostics);
        else if (kind == "panel")
            text = check_panel(file, diagnostics);
        else if (kind == "dose")
            text = check_dose(file, diagnostics);
        if (diagnostics.size() == before) good += fmt::format("{}: ok\n{}", file, text);
    }
    fmt::print("{}", good);
    if (diagnostics.empty()) return exit_ok;
    fmt::print(stderr, "{}\n", diagnostics.render());
    return exit_input;
}

} // namespace

void add_check(CLI::App& program, Action& action) {
    auto files = std::make_shared<std::vector<std::string>>();
    CLI::App* command = program.add_subcommand(
        "check",
        "Tell all mistakes of studies, fits, models, genes, panels and dose equations; run none");
    command->add_option("FILE", *files, "study, fit, model, gene, panel or dose files")->required();
    command->callback([files, &action] { action = [files] { return check(*files); }; });
}

} // namespace gemel::cli
