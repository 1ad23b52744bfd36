#include "scenarios/study_runs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace gemel;
using namespace gemel::tests;

namespace {

/// The study of genotypes.toml with other people.
std::filesystem::path study_of(const TemporaryFolder& folder, const std::string& people) {
    std::string text = read_text(source_folder() / "tests/studies/genotypes.toml");
    const auto from = text.find("covariates = {"), to = text.find("genotypes = {");
    const std::string genotypes = text.substr(to, text.find('\n', to) - to + 1);
    text.replace(from, text.find("[regimens.low]") - from, genotypes + people);
    if (!std::filesystem::exists(folder / "models"))
        std::filesystem::copy(source_folder() / "tests/studies/models", folder / "models");
    write_text(folder / "study.toml", text);
    return folder / "study.toml";
}

} // namespace

TEST_CASE("a study of a template runs: its covariates and strata are in the results") {
    const TemporaryFolder folder;
    const scenarios::Study study = scenarios::load_study(
        study_of(folder,
                 "like = \"library:adults_nhanes\"\n[population.covariates]\nBSA = { unit = "
                 "\"m2\", derived = \"BSA_Mosteller\" }\n"),
        source_library());
    const scenarios::StudyReport report = run(study, folder / "x.h5", 2);
    CHECK(report.n_failed == 0);
    // The same bits for other threads and lanes.
    CHECK(run(study, folder / "y.h5", 1, 8).results_sha256 == report.results_sha256);
    const io::ResultReader file(folder / "x.h5");
    const auto wt = file.reals("covariates/WT", -1, 0, 700),
               ht = file.reals("covariates/HT", -1, 0, 700),
               bsa = file.reals("covariates/BSA", -1, 0, 700),
               sex = file.reals("covariates/SEX", -1, 0, 700),
               stratum = file.reals("population/stratum", -1, 0, 700);
    for (std::size_t s = 0; s < 700; ++s) {
        CHECK(bsa[s] == doctest::Approx(std::sqrt(ht[s] * wt[s] / 3600.0)).epsilon(1e-14));
        CHECK(sex[s] == stratum[s]); // women come first
    }
    CHECK(file.texts("population/stratum", -1, 0, 1).front() ==
          (stratum[0] == 0.0 ? "women" : "men"));
    CHECK(file.provenance("population_adults_nhanes_toml").find("Fryar") != std::string::npos);
    CHECK(file.provenance("covariates_derived_toml").find("Mosteller") != std::string::npos);
    const bool is_split =
        std::any_of(report.summary.begin(), report.summary.end(), [](const auto& row) {
            return row.grouping == "stratum" && row.group == "men";
        });
    CHECK(is_split);
}

TEST_CASE("a study of rows keeps the table and the weights its patients carry") {
    const TemporaryFolder folder;
    write_text(folder / "cohort.csv", "WT [kg],w\n50,1\n100,3\n");
    const scenarios::Study study = scenarios::load_study(
        study_of(folder,
                 "rows = { file = \"cohort.csv\", columns = [\"WT\"], weights = \"w\", use = "
                 "\"carry\" }\n"),
        source_library());
    run(study, folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const auto wt = file.reals("covariates/WT", -1, 0, 700),
               weight = file.reals("population/weight", -1, 0, 700);
    for (std::size_t s = 0; s < 700; ++s)
        CHECK(weight[s] == (wt[s] == 50.0 ? 0.5 : 1.5)); // 1 and 3 over their mean
    CHECK(file.provenance("rows_cohort_csv") == "WT [kg],w\n50,1\n100,3\n");
}
