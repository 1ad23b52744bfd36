#include "study_options.hpp"

#include "program.hpp"

#include <gemel/scenarios/plan.hpp>

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>

namespace gemel::cli {

std::optional<std::uint64_t> seed_of(const std::string& text) {
    std::uint64_t seed = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, seed);
    if (error != std::errc() || stop != end) return std::nullopt;
    return seed;
}

namespace {

std::string check_seed(const std::string& text) {
    if (seed_of(text)) return {};
    return fmt::format("'{}' is no seed; a whole number from 0 to {} is expected",
                       text,
                       std::numeric_limits<std::uint64_t>::max());
}

} // namespace

void add_seed_argument(CLI::App& command, const char* whose, std::string& seed) {
    command.add_option("--seed", seed, whose)->check(check_seed)->type_name("UINT");
}

void check_output(const std::vector<pkpd::InputFile>& inputs,
                  const char* of,
                  const std::filesystem::path& output) {
    std::error_code error;
    for (const pkpd::InputFile& input : inputs)
        if (std::filesystem::equivalent(input.path, output, error))
            throw std::runtime_error(
                fmt::format("{} is an input of this {}; write --out with another name", output.string(), of));
}

void check_output(const scenarios::Study& study, const std::filesystem::path& output) {
    check_output(study.inputs, "study", output);
}

void add_study_arguments(CLI::App& command, StudyArguments& arguments) {
    command.add_option("STUDY", arguments.study, "study file")->required();
    command.add_option("-o,--output",
                       arguments.output,
                       "result file, replaced when the new one is complete; default: the study's "
                       "name with .h5, in this folder");
    add_seed_argument(command, "instead of the study's", arguments.seed);
    command.add_option("--set", arguments.overrides, "path=value, replaces a value of the study")
        ->allow_extra_args(false);
}

scenarios::Study load(const StudyArguments& arguments) {
    scenarios::StudyOptions options;
    options.overrides = arguments.overrides;
    options.seed = seed_of(arguments.seed);
    return scenarios::load_study(arguments.study, library(), options);
}

void print_notes(const scenarios::Study& study) {
    const std::string about =
        study.data != nullptr ? study.data->path.filename().string() : study.id;
    for (const std::string& note : scenarios::notes_on(study))
        fmt::print(stderr, "{}: note: {}\n", about, note);
}

std::filesystem::path output_of(const StudyArguments& arguments, const scenarios::Study& study) {
    return arguments.output.empty() ? study.id + ".h5" : arguments.output;
}

} // namespace gemel::cli
