#include "commands.hpp"
#include "program.hpp"

#include <gemel/sim/diagnostic.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>

namespace {

int perform(const gemel::cli::Action& action) {
    using namespace gemel;
    try {
        return action();
    } catch (const sim::InputError& error) {
        fmt::print(stderr, "{}\nnothing was run\n", error.what());
        return cli::exit_input;
    } catch (const std::bad_alloc&) {
        fmt::print(stderr, "gemel: out of memory; fewer subjects or saved times need less\n");
        return cli::exit_error;
    } catch (const std::exception& error) {
        fmt::print(stderr, "gemel: {}\n", error.what());
        return cli::exit_error;
    }
}

/// What is wrong with the first word, if it names no command; "" if it does or is an option.
std::string unknown_command(const CLI::App& program, int argc, char** argv) {
    const std::string word = argc > 1 ? argv[1] : "-";
    std::vector<std::string> names;
    for (const CLI::App* command : program.get_subcommands({}))
        names.push_back(command->get_name());
    if (word.starts_with('-') || std::find(names.begin(), names.end(), word) != names.end())
        return {};
    const std::string nearest = gemel::sim::suggest(word, names);
    return fmt::format("gemel: unknown command '{}'{}{}\ncommands: {}\n",
                       word,
                       nearest.empty() ? "" : "; ",
                       nearest,
                       fmt::join(names, ", "));
}

} // namespace

int main(int argc, char** argv) {
    using namespace gemel;
    CLI::App program{"Gemel: patient digital twins for dosing and trial design", "gemel"};
    program.set_version_flag("--version", cli::version_text());
    program.require_subcommand(1);
    program.footer(
        "Exit codes: 0 ok; 1 internal or file error; 2 input wrong, nothing run;\n"
        "3 finished, but more subjects failed than the study allows, or a fit did not converge;\n"
        "4 finished, but what was asked of the result does not hold; 130 interrupted.");
    cli::Action action;
    cli::add_run(program, action);
    cli::add_check(program, action);
    cli::add_plan(program, action);
    cli::add_show(program, action);
    cli::add_export(program, action);
    cli::add_fit(program, action);
    cli::add_find_dose(program, action);
    cli::add_nca(program, action);
    cli::add_models(program, action);
    cli::add_genes(program, action);
    cli::add_audit(program, action);
    cli::add_qualify(program, action);
    cli::add_doses(program, action);
    cli::add_advise(program, action);
    cli::add_reference(program, action);
    if (const std::string mistake = unknown_command(program, argc, argv); !mistake.empty()) {
        fmt::print(stderr, "{}", mistake);
        return cli::exit_input;
    }
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.exit(error) == 0 ? cli::exit_ok : cli::exit_input;
    }
    return perform(action);
}
