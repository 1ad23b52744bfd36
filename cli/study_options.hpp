#pragma once

#include <CLI/CLI.hpp>
#include <gemel/scenarios/study.hpp>

#include <filesystem>
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
scenarios::Study load(const StudyArguments& arguments);
std::filesystem::path output_of(const StudyArguments& arguments, const scenarios::Study& study);

} // namespace gemel::cli
