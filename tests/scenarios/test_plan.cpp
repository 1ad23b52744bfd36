#include "study_runs.hpp"

#include <gemel/scenarios/plan.hpp>
#include <gemel/sim/parallel.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

namespace gemel::tests {

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("the plan's size of the file is that of the file within 2 %") {
    // Oracle: the file itself, large enough that what no layout knows (HDF5's own needs, the lines
    // of provenance) is in the 2 %.
    const TemporaryFolder folder;
    for (const char* name : {"loading_dose.toml", "attainment.toml"}) {
        CAPTURE(name);
        const scenarios::Study study = load(name, {"population.size=20000", "save.subjects=all"});
        const auto file = folder / "x.h5";
        const scenarios::Plan plan = scenarios::make_plan(study, {file, 1});
        CHECK_FALSE(std::filesystem::exists(file)); // nothing was written
        run(study, file);
        const auto size = static_cast<double>(std::filesystem::file_size(file));
        REQUIRE(size > 3e6);
        CHECK(std::abs(plan.disk_bytes - size) < 0.02 * size);
        std::filesystem::remove(file);
    }
}

TEST_CASE("a small file is not larger than planned, and 32 KiB smaller at most") {
    const TemporaryFolder folder;
    const auto file = folder / "x.h5";
    for (const char* name : {"loading_dose.toml", "genotypes.toml", "attainment.toml"}) {
        CAPTURE(name);
        const scenarios::Study study = load(name, {"save.subjects=none"});
        run(study, file);
        const auto size = static_cast<double>(std::filesystem::file_size(file));
        const double planned = scenarios::make_plan(study, {file, 1}).disk_bytes;
        CHECK(planned >= size);
        CHECK(planned < size + 32768.0);
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
                             "on 2 threads, of which 1 can work at once (estimate, from "}) {
        CAPTURE(part);
        CHECK(has(text, part));
    }
    CHECK_FALSE(has(text, "warning"));
}

TEST_CASE("memory planned grows with strata of endpoints, not with subjects") {
    // Hand: counters of a quantile take 7 octaves × 256 bins × 16 bytes, 28 KiB, in each of 2 arms
    // × 99 more strata, and sums beside them: 5.5 MiB and less than a fifth more.
    std::string cuts;
    for (int i = 1; i < 100; ++i)
        cuts += fmt::format("{}\"{}[kg]\"", i == 1 ? "" : ", ", 50.0 + 0.4 * i);
    const auto memory = [](const std::string& size, const std::string& by) {
        const std::string endpoint = "endpoints.fine={ value = \"quantile(AUC, 0.9)\"" + by + " }";
        const scenarios::Study study =
            load("attainment.toml", {"population.size=" + size, "save.subjects=none", endpoint});
        scenarios::PlanOptions options{"x.h5", 2};
        options.memory_of_machine = 1.0; // nothing is solved
        return scenarios::make_plan(study, options).memory_bytes;
    };
    const std::string fine = ", by = \"WT\", cuts = [" + cuts + "]";
    const double by_hand = 2.0 * 99.0 * 7.0 * 256.0 * 16.0;
    const double more = memory("1000000", fine) - memory("1000000", "");
    CHECK(more > by_hand);
    CHECK(more < 1.2 * by_hand);
    CHECK(memory("10000000", fine) == memory("1000000", fine));
    // With 50 subjects to a stratum their numbers are kept as they are.
    CHECK(memory("5000", fine) - memory("5000", "") < 0.2 * by_hand);
}

TEST_CASE("threads without a core or a block of subjects shorten no plan") {
    const auto n_working = [](const char* size, int n_threads) {
        const scenarios::Study study = load("genotypes.toml", {size});
        scenarios::PlanOptions options{"x.h5", n_threads};
        options.memory_of_machine = 1.0;
        return scenarios::make_plan(study, options).n_working;
    };
    CHECK(n_working("population.size=100", 64) == 1); // one block of at least 64 subjects is left
    CHECK(n_working("population.size=1000000", 4096) == sim::workers(0));
    CHECK(n_working("population.size=1000000", 1) == 1);
}

TEST_CASE("what no machine has room for is told before it begins") {
    const auto why = [](const scenarios::Study& study, double memory_GiB = 1.0) -> std::string {
        try {
            scenarios::require_room(study, {"x.h5", 1, memory_GiB * 1024.0 * 1024.0 * 1024.0});
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
    // 2 arms × 960,001 times × some 30 kB of counters, 54 GiB.
    const scenarios::Study fine =
        load("genotypes.toml",
             {"population.size=100000", "save.Cp.every=\"0.00005 h\"", "save.subjects=none"});
    CHECK(has(why(fine, 48.0), "of memory, and the machine has 48.0 GiB"));
    CHECK(why(fine, 96.0).empty());
}

} // namespace gemel::tests
