#include "study_runs.hpp"
#include "summary.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace gemel::tests {

TEST_CASE("numbers of subjects are grouped by thousands") {
    CHECK(scenarios::grouped(0) == "0");
    CHECK(scenarios::grouped(999) == "999");
    CHECK(scenarios::grouped(1000) == "1,000");
    CHECK(scenarios::grouped(1234567) == "1,234,567");
}

TEST_CASE("summary rows of a gene's phenotypes add up to the arm") {
    // Invariants: every subject has one phenotype; the mean of the whole is the weighted mean.
    const TemporaryFolder folder;
    const scenarios::Study study = load("genotypes.toml");
    const scenarios::StudyReport report = run(study, folder / "x.h5");
    double n = 0.0, sum = 0.0, whole = 0.0;
    for (const scenarios::SummaryRow& row : report.summary) {
        if (row.arm != "low") continue;
        if (row.grouping.empty()) {
            whole = row.mean[0];
            CHECK(row.n_subjects == 700);
            continue;
        }
        CHECK(row.grouping == "CYP2C9 phenotype");
        n += static_cast<double>(row.n_subjects);
        sum += static_cast<double>(row.n_subjects) * row.mean[0];
    }
    CHECK(n == 700.0);
    CHECK(sum / n == doctest::Approx(whole).epsilon(1e-12)); // rounding of sums
}

} // namespace gemel::tests
