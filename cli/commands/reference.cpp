#include "commands.hpp"
#include "program.hpp"

#include <gemel/io/fields.hpp>
#include <gemel/learners/fit_file.hpp>
#include <gemel/pkpd/derived_covariates.hpp>
#include <gemel/pkpd/dose_equation.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/pkpd/nca.hpp>
#include <gemel/pkpd/panel.hpp>
#include <gemel/pkpd/population.hpp>
#include <gemel/pkpd/published_effect.hpp>
#include <gemel/pkpd/recommendation.hpp>
#include <gemel/scenarios/advice.hpp>
#include <gemel/scenarios/endpoint.hpp>
#include <gemel/scenarios/outcome.hpp>
#include <gemel/scenarios/study.hpp>

#include <fmt/format.h>

namespace gemel::cli {

namespace {

std::string outcomes_page() {
    std::string page = "# Outcome functions\n\nWritten by `gemel reference outcomes`.\n\n"
                       "| call | gives |\n|---|---|\n";
    for (const scenarios::OutcomeFunction& function : scenarios::outcome_functions())
        page += fmt::format("| `{}` | {} |\n", function.signature, function.about);
    return page +
           "\nA window is `first_interval`, `last_interval` (between planned doses), or a start "
           "and an end such as\n`24[h], 48[h]`. A comparison may follow the call, as in "
           "`trough(Cp) >= 0.2[mg/L]`: 1 where it holds, else 0.\n";
}

std::string endpoints_page() {
    std::string page = "# Endpoint functions\n\nWritten by `gemel reference endpoints`.\n\n"
                       "| call | gives |\n|---|---|\n";
    for (const scenarios::EndpointFunction& function : scenarios::endpoint_functions())
        page += fmt::format("| `{}` | {} |\n", function.signature, function.about);
    return page +
           "\nBeside the value stand its Monte-Carlo standard error (not for min and max), "
           "the ends of its interval\nwhere it has one, and the numbers of subjects with and "
           "without a value. See the guide: endpoints.md.\n";
}

std::string page_of(const std::string& grammar) {
    if (grammar == "outcomes") return outcomes_page();
    if (grammar == "endpoints") return endpoints_page();
    if (grammar == "nca") return pkpd::nca_reference_page();
    if (grammar == "fit")
        return io::reference_page("Fit files",
                                  io::list_fields(learners::describe_fit_for_reference));
    if (grammar == "model")
        return io::reference_page("Model files",
                                  io::list_fields(pkpd::describe_model_for_reference));
    if (grammar == "gene")
        return io::reference_page("Gene files", io::list_fields(pkpd::describe_gene_for_reference));
    if (grammar == "panel")
        return io::reference_page("Panel files",
                                  io::list_fields(pkpd::describe_panel_for_reference));
    if (grammar == "population")
        return io::reference_page("Population files",
                                  io::list_fields(pkpd::describe_population_file_for_reference));
    if (grammar == "effects")
        return io::reference_page("Files of published effects",
                                  io::list_fields(pkpd::describe_effects_for_reference));
    if (grammar == "covariates")
        return io::reference_page("Files of derived covariates",
                                  io::list_fields(pkpd::describe_derived_covariates_for_reference));
    if (grammar == "dose")
        return io::reference_page("Files of dose equations",
                                  io::list_fields(pkpd::describe_dose_equation_for_reference));
    if (grammar == "recommendations")
        return io::reference_page("Files of recommendations",
                                  io::list_fields(pkpd::describe_recommendations_for_reference));
    if (grammar == "patient")
        return io::reference_page("Patient files",
                                  io::list_fields(scenarios::describe_patient_for_reference));
    return io::reference_page("Study files",
                              io::list_fields(scenarios::describe_study_for_reference));
}

} // namespace

void add_reference(CLI::App& program, Action& action) {
    auto grammar = std::make_shared<std::string>();
    CLI::App* command =
        program.add_subcommand("reference", "Print the reference of a grammar as Markdown");
    command
        ->add_option("GRAMMAR",
                     *grammar,
                     "study, fit, model, gene, panel, population, covariates, effects, dose, "
                     "recommendations, "
                     "patient, outcomes, endpoints or nca")
        ->required()
        ->check(CLI::IsMember({"study",
                               "fit",
                               "model",
                               "gene",
                               "panel",
                               "population",
                               "covariates",
                               "effects",
                               "dose",
                               "recommendations",
                               "patient",
                               "outcomes",
                               "endpoints",
                               "nca"}));
    command->callback([grammar, &action] {
        action = [grammar] {
            fmt::print("{}", page_of(*grammar));
            return exit_ok;
        };
    });
}

} // namespace gemel::cli
