#include "commands.hpp"
#include "program.hpp"

#include <gemel/pkpd/dose_equation.hpp>
#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

namespace gemel::cli {

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::shared_ptr<const pkpd::DoseEquation> load_equation(const std::string& name) {
    sim::DiagnosticList diagnostics;
    const io::Library found = library();
    const auto file = found.find("doses", name);
    if (file.empty())
        diagnostics.add({},
                        fmt::format("the library has no dose equation '{}'", name),
                        sim::suggest(name, found.names("doses")));
    const auto equation =
        file.empty() ? nullptr : pkpd::load_dose_equation(file, found, diagnostics);
    diagnostics.throw_if_any();
    return equation;
}

std::string kind_text(const pkpd::Covariate& input) {
    return input.categories.empty() ? input.unit.text
                                    : fmt::format("{}", fmt::join(input.categories, " | "));
}

Rows input_rows(const pkpd::DoseEquation& equation) {
    Rows rows;
    for (const pkpd::Covariate& input : equation.inputs)
        rows.push_back({input.name, kind_text(input), input.about});
    return rows;
}

std::string when_unknown(const pkpd::DoseMap& map) {
    return map.not_known ? fmt::format("{:g} where not known", *map.not_known) : "must be known";
}

Rows map_rows(const pkpd::DoseEquation& equation) {
    Rows rows;
    for (const pkpd::DoseMap& map : equation.maps)
        rows.push_back(
            {map.map.name,
             map.map.gene,
             when_unknown(map),
             map.reads_unnamed_as_reference ? "alleles not named count as the reference" : ""});
    return rows;
}

int show_equation(const std::string& name) {
    const auto equation = load_equation(name);
    fmt::print("{}: {}\n", equation->id, equation->name);
    if (!equation->about.empty()) fmt::print("{}\n", equation->about);
    const auto table = [](const char* title, const Rows& rows) {
        if (!rows.empty())
            fmt::print("\n{}\n{}", title, scenarios::text_table(rows, scenarios::Alignment::left));
    };
    table("inputs", input_rows(*equation));
    table("genotypes", map_rows(*equation));
    fmt::print("\ndose in {}; {} tests passed\nconfidence: {}{}{}\nsource: {}\n",
               equation->unit.text,
               equation->tests.size(),
               equation->confidence,
               equation->seen.empty() ? "" : ", ",
               equation->seen,
               equation->source);
    return exit_ok;
}

int list_equations() {
    const io::Library found = library();
    Rows rows;
    sim::DiagnosticList diagnostics;
    for (const std::string& name : found.names("doses"))
        if (const auto equation =
                pkpd::load_dose_equation(found.find("doses", name), found, diagnostics))
            rows.push_back({name, equation->unit.text, equation->confidence, equation->name});
    fmt::print("{}", scenarios::text_table(rows, scenarios::Alignment::left));
    diagnostics.throw_if_any();
    return exit_ok;
}

} // namespace

void add_doses(CLI::App& program, Action& action) {
    auto name = std::make_shared<std::string>();
    CLI::App* command =
        program.add_subcommand("doses", "List the library's dose equations, or show one");
    command->add_option("NAME", *name, "a dose equation of the library");
    command->callback([name, &action] {
        action = [name] { return name->empty() ? list_equations() : show_equation(*name); };
    });
}

} // namespace gemel::cli
