#include "study_runs.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace gemel::tests {

TEST_CASE("results tell who was solved by CVODE, and record its tier") {
    // Closed form: 100·e^{−t}, area 100·(1 − e^{−10}); 30·rtol, as in the solvers' battery.
    const TemporaryFolder folder;
    const scenarios::Study study = load("driven_pair.toml");
    const scenarios::StudyReport report = run(study, folder / "fell.h5");
    CHECK(report.n_failed == 0);
    CHECK(report.run.n_fell_back == 5);
    CHECK(scenarios::render(report, study).find("5 of 5 solves by cvode instead") !=
          std::string::npos);
    const io::ResultReader fell(folder / "fell.h5");
    CHECK(fell.reals("diagnostics/fell_back", 0, 0, 5) == std::vector<double>(5, 1.0));
    CHECK(fell.provenance("tier") == "same build and CPU class");
    CHECK(fell.provenance("n_fell_back") == "5");
    for (const double area : fell.reals("outcomes/AUC", 0, 0, 5))
        CHECK(area == doctest::Approx(100.0 * (1.0 - std::exp(-10.0))).epsilon(3e-5));
}

TEST_CASE("results of lanes alone keep the tier of lanes") {
    const TemporaryFolder folder;
    const scenarios::Study study =
        load("driven_pair.toml", {"population.covariates.RATE=1e-3 1/h"});
    CHECK(run(study, folder / "lanes.h5").run.n_fell_back == 0);
    const io::ResultReader lanes(folder / "lanes.h5");
    CHECK(lanes.reals("diagnostics/fell_back", 0, 0, 5) == std::vector<double>(5, 0.0));
    CHECK(lanes.provenance("tier") == "everywhere");
}

} // namespace gemel::tests
