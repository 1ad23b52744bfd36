#include "study_runs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

namespace gemel::tests {

namespace {

/// All values of a variable with arms, for one arm.
std::vector<double> values(const std::filesystem::path& file, const std::string& path, int arm) {
    const io::ResultReader reader(file);
    return reader.reals(path, arm, 0, reader.axis("subject").size());
}

/// Bits, so that NaN equals NaN.
bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) {
               return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
           });
}

/// The summary without what belongs to the file: its size and digest.
std::string expected_text(const scenarios::StudyReport& report, const scenarios::Study& study) {
    const std::string text = scenarios::render(report, study);
    return text.substr(0, text.find("size    "));
}

} // namespace

TEST_CASE("results are the same for any number of threads and lanes, and others for another seed") {
    // Invariant of DESIGN: tier "everywhere".
    const TemporaryFolder folder;
    const scenarios::Study study = load("genotypes.toml");
    const std::string reference = run(study, folder / "one.h5", 1).results_sha256;
    CHECK(reference.size() == 64);
    CHECK(run(study, folder / "two.h5", 2).results_sha256 == reference);
    CHECK(run(study, folder / "three.h5", 3).results_sha256 == reference);
    for (int width : {8, 16, 32, 64})
        CHECK(run(study, folder / "lanes.h5", 2, width).results_sha256 == reference);
    const scenarios::Study other = load("genotypes.toml", {"study.seed=8"});
    CHECK(run(other, folder / "seed.h5").results_sha256 != reference);
}

TEST_CASE("an added arm, outcome or output changes no bit of what was there") {
    // Invariant: subjects depend on nothing but their inputs and their arm.
    const TemporaryFolder folder;
    run(load("genotypes.toml"), folder / "full.h5");
    const std::string text = read_text(source_folder() / "tests/studies/genotypes.toml");
    std::filesystem::copy(source_folder() / "tests/studies/models", folder / "models");
    const std::string start = text.substr(0, text.find("[arms.low]"));
    write_text(folder / "less.toml",
               start + "[arms.high]\nregimen = \"high\"\n[outcomes]\nCmax = \"cmax(Cp, "
                       "last_interval)\"\n");
    run(scenarios::load_study(folder / "less.toml", source_library()), folder / "less.h5");
    CHECK(same_bits(values(folder / "full.h5", "outcomes/Cmax", 1),
                    values(folder / "less.h5", "outcomes/Cmax", 0)));
    const io::ResultReader full(folder / "full.h5"), less(folder / "less.h5");
    for (const char* path : {"parameters/Vmax", "covariates/WT", "genotypes/CYP2C9"})
        CHECK(full.variable_digest(path) == less.variable_digest(path));
    CHECK(same_bits(values(folder / "full.h5", "diagnostics/stopped_at", 1),
                    values(folder / "less.h5", "diagnostics/stopped_at", 0)));
}

TEST_CASE("saved curves keep their digests whatever else is saved, asked or compared") {
    // Invariant of DESIGN: a digest of an arm is over its values alone.
    const TemporaryFolder folder;
    std::filesystem::copy(source_folder() / "tests/studies/models", folder / "models");
    const std::string text = read_text(source_folder() / "tests/studies/loading_dose.toml");
    run(load("loading_dose.toml"), folder / "full.h5");
    const std::string start = text.substr(0, text.find("[arms.plain]"));
    write_text(folder / "less.toml",
               start + "[arms.loaded]\nregimen = \"loaded\"\n[save]\nCp = { every = \"4 h\" }\n");
    run(scenarios::load_study(folder / "less.toml", source_library()), folder / "less.h5");
    const io::ResultReader full(folder / "full.h5"), less(folder / "less.h5");
    CHECK(full.arm_digest("Cp", 1) == less.arm_digest("Cp", 0));
    CHECK(full.arm_digest("Cp", 0) != less.arm_digest("Cp", 0)); // the digest tells arms apart
}

TEST_CASE("the report names the groups the file has, and no other") {
    const TemporaryFolder folder;
    const auto groups = [&](const char* study) {
        return run(load(study), folder / "x.h5").written.back();
    };
    CHECK(groups("loading_dose.toml") ==
          "covariates, diagnostics, events, parameters, provenance, summary");
    CHECK(groups("genotypes.toml") ==
          "covariates, diagnostics, events, genotypes, maps, parameters, provenance");
}

TEST_CASE("a subject that fails in two arms is one failed subject") {
    // Every solve needs more than one step: all 700 subjects fail in both arms.
    const TemporaryFolder folder;
    const scenarios::Study study =
        load("genotypes.toml", {"study.max_steps=1", "study.solver=rodas5p"});
    const scenarios::StudyReport report = run(study, folder / "x.h5");
    CHECK(report.n_failed == 1400);
    CHECK(report.n_failed_subjects == 700);
    CHECK(scenarios::render(report, study).starts_with("700 of 700 subjects failed (1,400 of "));
}

TEST_CASE("curves saved for the first subjects only are those of the whole") {
    const TemporaryFolder folder;
    run(load("genotypes.toml"), folder / "all.h5");
    run(load("genotypes.toml", {"save.Cp.subjects=100"}), folder / "some.h5");
    const io::ResultReader all(folder / "all.h5"), some(folder / "some.h5");
    CHECK(some.axis("subject_100").size() == 100);
    CHECK(same_bits(all.reals("Cp", 1, 0, 100), some.reals("Cp", 1, 0, 100)));
    CHECK(all.variable_digest("outcomes/AUC") == some.variable_digest("outcomes/AUC"));
}

TEST_CASE("whole studies give the summaries beside them") {
    // Golden texts, read by a person when written: GEMEL_UPDATE_EXPECTED=1 writes them anew.
    const TemporaryFolder folder;
    for (const char* name :
         {"loading_dose", "genotypes", "codeine_by_ancestry", "samples", "regimens"}) {
        CAPTURE(name);
        const scenarios::Study study = load(std::string(name) + ".toml");
        const std::string text = expected_text(run(study, folder / "x.h5"), study);
        const auto expected = source_folder() / "tests/studies" / (std::string(name) + ".expected");
        if (std::getenv("GEMEL_UPDATE_EXPECTED") != nullptr) write_text(expected, text);
        CHECK(text == read_text(expected));
    }
}

namespace {

class CancelAtOnce : public sim::Monitor {
public:
    void advance(std::uint64_t, std::uint64_t) override {}
    bool is_cancelled() const override { return true; }
};

} // namespace

TEST_CASE("a cancelled run leaves no file") {
    const TemporaryFolder folder;
    const scenarios::Study study = load("genotypes.toml");
    scenarios::RunStudyOptions options;
    options.output = folder / "x.h5";
    CancelAtOnce monitor;
    const scenarios::StudyReport report = scenarios::run_study(study, options, &monitor);
    CHECK(report.run.was_cancelled);
    CHECK(report.run.n_solves == 0);
    CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("provenance holds the exact texts and no path of the machine") {
    const TemporaryFolder folder;
    run(load("genotypes.toml"), folder / "x.h5");
    const std::string bytes = read_text(folder / "x.h5");
    CHECK(bytes.find(source_folder().string()) == std::string::npos);
    CHECK(bytes.find("philox4x32-10") != std::string::npos);
}

} // namespace gemel::tests
