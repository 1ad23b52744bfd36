#include "study_runs.hpp"

#include <gemel/scenarios/plan.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace gemel::tests {

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("the plan's size of the file is that of the file within 2 %") {
    // Oracle: the file itself. What HDF5 needs beside the cells is an estimate, and the lines of
    // provenance beside the texts of the inputs are in no layout: 32 KiB are allowed for both.
    const TemporaryFolder folder;
    for (const char* name : {"loading_dose.toml", "genotypes.toml"})
        for (const char* saved :
             {"save.subjects=all", "save.Cp.subjects=100", "save.subjects=none"}) {
            CAPTURE(name);
            CAPTURE(saved);
            const scenarios::Study study = load(name, {"population.size=2000", saved});
            const auto file = folder / "x.h5";
            const scenarios::Plan plan = scenarios::make_plan(study, {file, 1});
            CHECK_FALSE(std::filesystem::exists(file)); // nothing was written
            run(study, file);
            const auto size = static_cast<double>(std::filesystem::file_size(file));
            CHECK(std::abs(plan.disk_bytes - size) < 0.02 * size + 32768.0);
            std::filesystem::remove(file);
        }
}

TEST_CASE("a plan's steps are those of the first subjects, which a run repeats") {
    const TemporaryFolder folder;
    const scenarios::Study study = load("genotypes.toml", {"study.solver=rodas5p"});
    const scenarios::Plan plan = scenarios::make_plan(study, {folder / "x.h5", 1});
    run(study, folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    REQUIRE(plan.arms.size() == 2);
    for (int arm = 0; arm < 2; ++arm) {
        const auto accepted = file.reals("diagnostics/n_steps", arm, 0, plan.n_pilots);
        const auto rejected = file.reals("diagnostics/n_rejected", arm, 0, plan.n_pilots);
        double sum = 0.0;
        for (std::size_t s = 0; s < accepted.size(); ++s)
            sum += accepted[s] + rejected[s];
        CHECK(plan.arms[static_cast<std::size_t>(arm)].mean_steps ==
              doctest::Approx(sum / static_cast<double>(plan.n_pilots)).epsilon(1e-12));
    }
    CHECK(plan.seconds > 0.0);
}

TEST_CASE("a plan tells subjects, solves, solver and why, steps, memory, disk and time") {
    const scenarios::Study study = load("genotypes.toml");
    const std::string text = scenarios::render(scenarios::make_plan(study, {"x.h5", 2}), study);
    for (const char* part : {"subjects  700\n",
                             "solves    1,400\n",
                             "solver    ",
                             "steps     low: ",
                             "memory    about ",
                             "disk      ",
                             " free",
                             "on 2 threads (estimate, from "}) {
        CAPTURE(part);
        CHECK(has(text, part));
    }
    CHECK_FALSE(has(text, "warning"));
}

TEST_CASE("memory planned does not grow with the number of subjects") {
    const auto memory = [](const char* size) {
        const scenarios::Study study = load("loading_dose.toml", {size, "save.subjects=none"});
        return scenarios::make_plan(study, {"x.h5", 2}).memory_bytes;
    };
    CHECK(memory("population.size=1000000") == memory("population.size=10000000"));
}

TEST_CASE("what no machine has room for is told before it begins") {
    const auto why = [](const scenarios::Study& study) -> std::string {
        try {
            scenarios::require_room(study, {"x.h5", 1});
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return {};
    };
    CHECK(why(load("genotypes.toml")).empty());
    // 10^13 subjects × 2 arms × 49 times × 8 bytes are 7 PiB.
    const scenarios::Study vast = load("genotypes.toml", {"population.size=10000000000000"});
    CHECK(has(why(vast), "x.h5 needs "));
    CHECK(has(why(vast), "PiB on disk"));
    CHECK(
        has(scenarios::render(scenarios::make_plan(vast, {"x.h5", 1}), vast), "warning: the file"));
    // 2 arms × 960,001 times × some 30 kB of counters.
    const scenarios::Study fine =
        load("genotypes.toml",
             {"population.size=100000", "save.Cp.every=\"0.00005 h\"", "save.subjects=none"});
    CHECK(has(why(fine), "of memory"));
}

} // namespace gemel::tests
