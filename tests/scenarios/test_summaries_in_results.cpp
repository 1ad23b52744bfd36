#include "study_runs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace gemel::tests {

namespace {

constexpr double probabilities[] = {0.05, 0.25, 0.5, 0.75, 0.95};

/// Type 7 of Hyndman and Fan, from all numbers.
double quantile(std::vector<double> values, double p) {
    std::sort(values.begin(), values.end());
    const double position = p * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] +
           (position - static_cast<double>(below)) * (values[above] - values[below]);
}

/// Checks one cell of `summary/…` against all numbers it is of.
void check_cell(const io::ResultReader& file,
                const std::string& group,
                int arm,
                std::size_t cell,
                std::size_t n_cells,
                const std::vector<double>& values,
                double tolerance) {
    const auto cells = [&](const char* name, std::size_t per_cell) {
        // Along its first axis a variable is read by arms.
        const auto all = file.reals(group + "/" + name, -1, static_cast<std::uint64_t>(arm), 1);
        CHECK(all.size() == n_cells * per_cell);
        return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(cell * per_cell),
                                   all.begin() +
                                       static_cast<std::ptrdiff_t>((cell + 1) * per_cell));
    };
    double sum = 0.0, squares = 0.0;
    for (double value : values)
        sum += value;
    const double mean = sum / static_cast<double>(values.size());
    for (double value : values)
        squares += (value - mean) * (value - mean);
    CHECK(cells("n", 1)[0] == static_cast<double>(values.size()));
    CHECK(cells("mean", 1)[0] == doctest::Approx(mean).epsilon(1e-12)); // rounding of sums
    const double sd = std::sqrt(squares / static_cast<double>(values.size() - 1));
    CHECK(cells("sd", 1)[0] == doctest::Approx(sd).epsilon(1e-10));
    const std::vector<double> quantiles = cells("quantiles", std::size(probabilities));
    for (std::size_t i = 0; i < std::size(probabilities); ++i) {
        const double expected = quantile(values, probabilities[i]);
        CHECK(std::abs(quantiles[i] - expected) <= tolerance * std::abs(expected));
    }
}

/// The curve of `output` against its own summary, at some times of both arms.
void check_curve(const std::filesystem::path& path, const std::string& output, double tolerance) {
    const io::ResultReader file(path);
    const std::uint64_t n = file.axis_size("subject");
    const std::size_t n_times = file.axis_size("time");
    for (int arm = 0; arm < 2; ++arm) {
        const std::vector<double> all = file.reals(output, arm, 0, n);
        for (std::size_t t = 0; t < n_times; t += 7) {
            std::vector<double> values;
            for (std::size_t s = 0; s < n; ++s)
                values.push_back(all[s * n_times + t]);
            check_cell(file, "summary/" + output, arm, t, n_times, values, tolerance);
        }
    }
}

std::vector<std::string> paths_of(const io::ResultReader& file) {
    std::vector<std::string> paths;
    for (const io::Variable& variable : file.variables())
        paths.push_back(variable.path);
    return paths;
}

bool has_group(const std::vector<std::string>& paths, const std::string& group) {
    return std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
        return path.starts_with(group + "/");
    });
}

} // namespace

TEST_CASE("a curve's summary is exact for few subjects and within 0.5 % for many") {
    // Independent method: quantiles, mean and sd of the saved curves themselves.
    const TemporaryFolder folder;
    run(load("genotypes.toml", {"save.Cp.summary=true"}), folder / "few.h5");
    check_curve(folder / "few.h5", "Cp", 1e-15); // below 2048 numbers are kept: interpolation only
    run(load("loading_dose.toml", {"save.Cp.summary=true", "population.size=5000"}),
        folder / "many.h5",
        2);
    check_curve(folder / "many.h5", "Cp", 5e-3);
}

TEST_CASE("a summary is the same whoever is saved, for any number of threads and lanes") {
    // Invariant: summaries are over all subjects and free of order.
    const TemporaryFolder folder;
    const std::vector<std::string> size{"population.size=3000"};
    const auto with = [&](const std::string& more) {
        std::vector<std::string> overrides = size;
        overrides.push_back(more);
        return load("loading_dose.toml", overrides);
    };
    run(with("save.Cp.summary=true"), folder / "all.h5");
    run(with("save.Cp.subjects=100"), folder / "some.h5", 2);
    const std::string none = run(with("save.Cp.subjects=none"), folder / "none.h5").results_sha256;
    const io::ResultReader all(folder / "all.h5"), some(folder / "some.h5"), no(folder / "none.h5");
    for (const char* name : {"quantiles", "mean", "sd", "n"}) {
        const std::string path = std::string("summary/Cp/") + name;
        CHECK(all.variable_digest(path).size() == 64);
        CHECK(some.variable_digest(path) == all.variable_digest(path));
        CHECK(no.variable_digest(path) == all.variable_digest(path));
    }
    CHECK(some.axis_size("subject_100") == 100);
    CHECK_FALSE(has_group(paths_of(no), "Cp"));
    for (int threads : {2, 3})
        CHECK(run(with("save.Cp.subjects=none"), folder / "t.h5", threads).results_sha256 == none);
    for (int width : {8, 64})
        CHECK(run(with("save.Cp.subjects=none"), folder / "w.h5", 2, width).results_sha256 == none);
}

TEST_CASE("summary = false with some subjects leaves the rest out") {
    const TemporaryFolder folder;
    const scenarios::Study study =
        load("loading_dose.toml",
             {"save.Cp.subjects=100", "save.Cp.summary=false", "save.Ap.summary=false"});
    run(study, folder / "x.h5");
    CHECK_FALSE(has_group(paths_of(io::ResultReader(folder / "x.h5")), "summary"));
}

TEST_CASE("curves left out after the first subjects change nothing else") {
    // Beyond 1024 subjects, one block, Cp is not computed; Ap is saved of all.
    const TemporaryFolder folder;
    const std::vector<std::string> whole{"population.size=3000", "save.Ap.subjects=all"};
    std::vector<std::string> part = whole;
    part.insert(part.end(), {"save.Cp.subjects=100", "save.Cp.summary=false"});
    run(load("loading_dose.toml", whole), folder / "whole.h5");
    const std::string digest =
        run(load("loading_dose.toml", part), folder / "part.h5").results_sha256;
    CHECK(run(load("loading_dose.toml", part), folder / "again.h5", 2).results_sha256 == digest);
    const io::ResultReader all(folder / "whole.h5"), some(folder / "part.h5");
    for (const io::Variable& variable : some.variables())
        if (variable.path != "Cp")
            CHECK(some.variable_digest(variable.path) == all.variable_digest(variable.path));
    CHECK(some.reals("Cp", 1, 0, 100) == all.reals("Cp", 1, 0, 100));
}

TEST_CASE("without subjects the file holds summaries in their place") {
    // Oracle: the outcomes of a run that keeps every subject.
    const TemporaryFolder folder;
    const scenarios::Study whole = load("genotypes.toml");
    const scenarios::StudyReport with = run(whole, folder / "with.h5");
    const scenarios::Study study = load("genotypes.toml", {"save.subjects=none"});
    const scenarios::StudyReport without = run(study, folder / "without.h5", 2);
    const io::ResultReader file(folder / "without.h5"), full(folder / "with.h5");
    const std::vector<std::string> paths = paths_of(file);
    for (const char* group :
         {"outcomes", "covariates", "genotypes", "maps", "parameters", "diagnostics"}) {
        CAPTURE(group);
        CHECK_FALSE(has_group(paths, group));
    }
    CHECK(std::find(paths.begin(), paths.end(), "Cp") == paths.end());
    CHECK(has_group(paths, "summary/Cp"));
    CHECK(has_group(paths, "events"));
    for (const scenarios::Outcome& outcome : study.outcomes)
        for (int arm = 0; arm < 2; ++arm)
            check_cell(file,
                       "summary/outcomes/" + outcome.name,
                       arm,
                       0,
                       1,
                       full.reals("outcomes/" + outcome.name, arm, 0, 700),
                       1e-15);
    const std::vector<double> n_solves = file.reals("summary/n_solves", -1, 0, 2);
    CHECK(n_solves.front() == 700.0);
    CHECK(file.axis("status").labels.front() == "ok");
    // What the terminal tells does not depend on what is written.
    REQUIRE(with.summary.size() == without.summary.size());
    for (std::size_t i = 0; i < with.summary.size(); ++i) {
        CHECK(with.summary[i].n_subjects == without.summary[i].n_subjects);
        CHECK(with.summary[i].mean == without.summary[i].mean);
        CHECK(with.summary[i].p95 == without.summary[i].p95);
    }
}

TEST_CASE("failed subjects are counted in the file and left out of its summaries") {
    // Every solve needs more than one step: all fail, nothing is known.
    const TemporaryFolder folder;
    const scenarios::Study study =
        load("genotypes.toml", {"study.max_steps=1", "study.solver=rodas5p", "save.subjects=none"});
    const scenarios::StudyReport report = run(study, folder / "x.h5");
    CHECK(report.n_failed_subjects == 700);
    const io::ResultReader file(folder / "x.h5");
    const std::vector<std::string> words = file.axis("status").labels;
    const std::vector<double> n = file.reals("summary/n_solves", -1, 0, 1);
    for (std::size_t i = 0; i < words.size(); ++i)
        CHECK(n[i] == (words[i] == "step_limit" ? 700.0 : 0.0));
    CHECK(file.reals("summary/outcomes/AUC/n", -1, 0, 2) == std::vector<double>{0.0, 0.0});
    CHECK(std::isnan(file.reals("summary/outcomes/AUC/mean", -1, 0, 1).front()));
    CHECK(std::isnan(file.reals("summary/Cp/quantiles", -1, 1, 1).back()));
}

} // namespace gemel::tests
