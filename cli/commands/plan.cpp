#include "commands.hpp"
#include "executor_options.hpp"
#include "program.hpp"
#include "progress.hpp"
#include "study_options.hpp"

#include <gemel/scenarios/plan.hpp>

#include <fmt/format.h>

namespace gemel::cli {

namespace {

struct PlanArguments {
    StudyArguments study;
    ExecutorArguments executor;
    int n_threads = 0;
};

int plan(const PlanArguments& options) {
    const scenarios::Study study = load(options.study);
    const Interrupt interrupt;
    Progress quiet(0, true); // passes Ctrl-C on
    const NativeParts native(options.executor, /*is_quiet*/ true);
    scenarios::PlanOptions how{output_of(options.study, study), options.n_threads};
    how.execution = native.execution();
    const scenarios::Plan plan = scenarios::make_plan(study, how, &quiet);
    if (Interrupt::is_requested()) return exit_interrupted;
    fmt::print("{}", scenarios::render(plan, study));
    return exit_ok;
}

} // namespace

void add_plan(CLI::App& program, Action& action) {
    auto options = std::make_shared<PlanArguments>();
    CLI::App* command = program.add_subcommand(
        "plan", "Tell what a run will take: solvers, steps, memory, disk, time; write nothing");
    add_study_arguments(*command, options->study);
    command->add_option("--threads", options->n_threads, "threads of the run; default: all cores")
        ->check(CLI::Range(1, 4096));
    add_executor_arguments(*command, options->executor);
    command->callback([options, &action] { action = [options] { return plan(*options); }; });
}

} // namespace gemel::cli
