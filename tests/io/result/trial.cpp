#include "trial.hpp"

#include <unistd.h>

#include <cmath>
#include <limits>

namespace gemel::io::test {

namespace {

constexpr std::size_t n_times = 25;
constexpr std::size_t n_days = 3;

void add_axes(ResultFile& file, const TrialOptions& options) {
    Axis subject{.name = "subject", .long_name = "number in the population"};
    for (std::uint64_t i = 0; i < options.n_subjects; ++i)
        subject.integers.push_back(static_cast<std::int64_t>(i + 1));
    Axis time{.name = "time", .long_name = "time since the first dose", .units = "h"};
    for (std::size_t i = 0; i < n_times; ++i)
        time.numbers.push_back(static_cast<double>(i));
    file.add(Axis{.name = "arm", .long_name = "arm", .labels = options.arms});
    file.add(subject);
    file.add(time);
    if (options.has_second_output)
        file.add(Axis{.name = "time_INR", .units = "h", .numbers = {0.0, 24.0, 48.0}});
}

void add_variables(ResultFile& file, const TrialOptions& options) {
    file.add({.path = "Cp",
              .axes = {"arm", "subject", "time"},
              .units = "mg/L",
              .long_name = "plasma concentration"});
    if (options.has_second_output)
        file.add({.path = "INR", .axes = {"arm", "subject", "time_INR"}, .units = "1"});
    file.add({.path = "outcomes/AUC",
              .axes = {"arm", "subject"},
              .units = "mg.h/L",
              .attributes = {{"definition", "auc(Cp, 0 h, 24 h)"}}});
    file.add({.path = "covariates/WT", .axes = {"subject"}, .units = "kg"});
    file.add({.path = "genotypes/CYP2C9",
              .type = ValueType::text,
              .axes = {"subject"},
              .units = "1",
              .long_name = "diplotype µ"});
    file.add({.path = "diagnostics/status",
              .type = ValueType::category,
              .axes = {"arm", "subject"},
              .units = "1",
              .meanings = {"ok", "failed nonfinite"}});
    file.add({.path = "diagnostics/n_steps",
              .type = ValueType::integer,
              .axes = {"arm", "subject"},
              .units = "1"});
    file.add({.path = "endpoints/mean_AUC", .axes = {"arm"}, .units = "mg.h/L"});
}

struct Block {
    std::uint64_t first;
    std::uint64_t count;
};

std::vector<Block> blocks(const TrialOptions& options) {
    std::vector<Block> result;
    for (std::uint64_t first = 0; first < options.n_subjects; first += options.block)
        result.push_back({first, std::min(options.block, options.n_subjects - first)});
    if (options.writes_backwards) return {result.rbegin(), result.rend()};
    return result;
}

void write_arm(ResultFile& file, const TrialOptions& options, int arm, Block block) {
    std::vector<double> cp;
    std::vector<double> inr;
    std::vector<double> auc;
    std::vector<std::uint8_t> status;
    std::vector<std::int64_t> n_steps;
    for (std::uint64_t i = block.first; i < block.first + block.count; ++i) {
        const auto a = static_cast<std::size_t>(arm);
        for (std::size_t t = 0; t < n_times; ++t)
            cp.push_back(trial_value(a, i, t) + (i == 70 && t == 0 ? options.shift : 0.0));
        for (std::size_t t = 0; t < n_days; ++t)
            inr.push_back(trial_value(a, i, t) / 2.0);
        auc.push_back(trial_value(a, i, 0));
        status.push_back(std::isnan(auc.back()));
        n_steps.push_back(static_cast<std::int64_t>(100 * a + i));
    }
    file.write("Cp", arm, block.first, cp);
    if (options.has_second_output) file.write("INR", arm, block.first, inr);
    file.write("outcomes/AUC", arm, block.first, auc);
    file.write("diagnostics/status", arm, block.first, status);
    file.write("diagnostics/n_steps", arm, block.first, n_steps);
}

void write_subjects(ResultFile& file, Block block) {
    std::vector<double> weight;
    std::vector<std::string> diplotype;
    for (std::uint64_t i = block.first; i < block.first + block.count; ++i) {
        weight.push_back(60.0 + static_cast<double>(i));
        diplotype.push_back(i % 2 == 0 ? "*1/*1" : "*1/*3");
    }
    file.write("covariates/WT", -1, block.first, weight);
    file.write("genotypes/CYP2C9", -1, block.first, diplotype);
}

} // namespace

double trial_value(std::size_t arm, std::uint64_t subject, std::size_t time) {
    if (arm == 1 && subject == 3) return std::numeric_limits<double>::quiet_NaN();
    return 10.0 * static_cast<double>(arm) + static_cast<double>(subject) +
           static_cast<double>(time) / 100.0;
}

std::string write_trial(const std::filesystem::path& path, const TrialOptions& options) {
    ResultFile file(path);
    add_axes(file, options);
    add_variables(file, options);
    for (const Block block : blocks(options)) {
        for (std::size_t arm = 0; arm < options.arms.size(); ++arm)
            write_arm(file, options, static_cast<int>(arm), block);
        write_subjects(file, block);
    }
    file.write_all("endpoints/mean_AUC", std::vector<double>(options.arms.size(), 1.5));
    file.attribute("title", "a trial µ");
    file.attribute("seed", std::int64_t(42));
    file.provenance("rng", "philox4x32-10");
    file.provenance_text("study_toml", "gemel = \"study/1\"\n");
    return file.finish();
}

Folder::Folder(const std::string& name)
    : path(std::filesystem::temp_directory_path() /
           ("gemel_" + name + "_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
}

Folder::~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path, error);
}

} // namespace gemel::io::test
