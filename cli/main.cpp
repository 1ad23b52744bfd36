#include "commands.hpp"
#include "program.hpp"

#include <gemel/sim/diagnostic.hpp>

#include <fmt/format.h>

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

} // namespace

int main(int argc, char** argv) {
    using namespace gemel;
    CLI::App program{"Gemel: patient digital twins for dosing and trial design", "gemel"};
    program.set_version_flag("--version", cli::version_text());
    program.require_subcommand(1);
    program.footer("Exit codes: 0 ok; 1 internal or file error; 2 input wrong, nothing run;\n"
                   "3 finished, but more solves failed than the study allows; 130 interrupted.");
    cli::Action action;
    cli::add_run(program, action);
    cli::add_check(program, action);
    cli::add_export(program, action);
    cli::add_models(program, action);
    cli::add_genes(program, action);
    cli::add_reference(program, action);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.exit(error) == 0 ? cli::exit_ok : cli::exit_input;
    }
    return perform(action);
}
