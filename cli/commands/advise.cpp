#include "commands.hpp"
#include "program.hpp"

#include <gemel/scenarios/advice.hpp>

#include <fmt/format.h>

namespace gemel::cli {

namespace {

struct AdviseArguments {
    std::string patient, drug;
    bool as_json = false, lists = false;
};

int list_drugs() {
    for (const std::string& drug : scenarios::advised_drugs(library()))
        fmt::print("{}\n", drug);
    return exit_ok;
}

int advise(const AdviseArguments& arguments) {
    if (arguments.lists) return list_drugs();
    if (arguments.patient.empty() || arguments.drug.empty()) {
        fmt::print(stderr, "gemel advise: --patient FILE and --drug NAME are needed, or --list\n");
        return exit_input;
    }
    const io::Library found = library();
    const scenarios::Patient patient = scenarios::load_patient(arguments.patient, found);
    const scenarios::Advice advice = scenarios::advise(patient, arguments.drug, found);
    fmt::print("{}",
               arguments.as_json ? scenarios::advice_json(advice) : scenarios::advice_text(advice));
    return exit_ok;
}

} // namespace

void add_advise(CLI::App& program, Action& action) {
    auto arguments = std::make_shared<AdviseArguments>();
    CLI::App* command = program.add_subcommand(
        "advise", "Lay side by side what guidelines, equations and models say for a patient");
    command->add_option("--patient", arguments->patient, "a patient's file");
    command->add_option("--drug", arguments->drug, "a drug that the library is about");
    command->add_flag("--json", arguments->as_json, "for programs");
    command->add_flag("--list", arguments->lists, "the drugs that the library is about");
    command->callback(
        [arguments, &action] { action = [arguments] { return advise(*arguments); }; });
}

} // namespace gemel::cli
