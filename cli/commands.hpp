#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>

/// Each command adds its options to the program and says what to do when it is chosen.
namespace gemel::cli {

/// Runs a command; the result is the exit code.
using Action = std::function<int()>;

void add_audit(CLI::App& program, Action& action);
void add_run(CLI::App& program, Action& action);
void add_check(CLI::App& program, Action& action);
void add_plan(CLI::App& program, Action& action);
void add_export(CLI::App& program, Action& action);
void add_fit(CLI::App& program, Action& action);
void add_find_dose(CLI::App& program, Action& action);
void add_nca(CLI::App& program, Action& action);
void add_models(CLI::App& program, Action& action);
void add_genes(CLI::App& program, Action& action);
void add_genes_call(CLI::App& genes, Action& action); ///< `gemel genes call`
void add_qualify(CLI::App& program, Action& action);
void add_doses(CLI::App& program, Action& action);
void add_advise(CLI::App& program, Action& action);
void add_reference(CLI::App& program, Action& action);
void add_show(CLI::App& program, Action& action);

} // namespace gemel::cli
