#pragma once

#include <gemel/scenarios/study.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What commands that take a study have in common.
namespace gemel::cli {

struct StudyArguments {
    std::string study, output, seed;
    std::vector<std::string> overrides;
};

/// STUDY, -o, --seed and --set.
void add_study_arguments(CLI::App& command, StudyArguments& arguments);
/// --seed: a text, so that all 64 bits of it can be given and a mistake is told in our words.
void add_seed_argument(CLI::App& command, const char* whose, std::string& seed);
std::optional<std::uint64_t> seed_of(const std::string& text);
/// Told before the work is done: results never replace what they are made from.
/// @throws std::runtime_error if `output` is an input of the study
void check_output(const scenarios::Study& study, const std::filesystem::path& output);
void check_output(const std::vector<pkpd::InputFile>& inputs,
                  const char* of,
                  const std::filesystem::path& output);
scenarios::Study load(const StudyArguments& arguments);
/// What was made of a data file, to standard error: results look the same, whatever was assumed.
void print_notes(const scenarios::Study& study);
std::filesystem::path output_of(const StudyArguments& arguments, const scenarios::Study& study);

} // namespace gemel::cli
