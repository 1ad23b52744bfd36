#include "counting_gate.hpp"
#include "study_runs.hpp"
#include "summary.hpp"

#include <gemel/sim/parallel.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

namespace gemel::tests {

TEST_CASE("cells weigh by the subjects' weights and leave missing values out") {
    // Hand: 1, 2, 4 of weights 1, 2, 1: mean 9/4; the second stands midway, so it is the median.
    const double missing = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> values{1.0, 2.0, missing, 4.0}, weights{1.0, 2.0, 5.0, 1.0};
    scenarios::CellStatistics weighted(1), plain(1);
    weighted.add(0, {values.data(), 4, 1, 4, weights});
    plain.add(0, {values.data(), 4, 1, 4});
    CHECK(weighted.moments()[0].n == 3);
    CHECK(weighted.moments()[0].mean == doctest::Approx(2.25).epsilon(1e-15));
    CHECK(weighted.counters()[0].quantile(0.5) == 2.0);
    CHECK(plain.moments()[0].mean == doctest::Approx(7.0 / 3.0).epsilon(1e-15));
    CHECK(plain.moments()[0].variance() == doctest::Approx(7.0 / 3.0).epsilon(1e-14)); // by hand
}

TEST_CASE("cells have the same bits from any number of threads, in any order") {
    constexpr std::size_t n_blocks = 60, n = 128, n_cells = 21;
    std::vector<double> values;
    for (std::size_t i = 0; i < n_blocks * n * n_cells; ++i)
        values.push_back(static_cast<double>(i * 2654435761u % 1000003) / 7.0 - 1e4);
    const auto add = [&](scenarios::CellStatistics& cells, std::size_t block) {
        cells.add(block * n, {values.data() + block * n * n_cells, n, n_cells, 1});
    };
    scenarios::CellStatistics in_order(n_cells), shared(n_cells);
    for (std::size_t block = 0; block < n_blocks; ++block)
        add(in_order, block);
    sim::parallel_for(n_blocks, 4, [&](std::size_t i, int) { add(shared, n_blocks - 1 - i); });
    for (std::size_t cell = 0; cell < n_cells; ++cell) {
        CHECK(shared.moments()[cell].mean == in_order.moments()[cell].mean);
        CHECK(shared.moments()[cell].m2 == in_order.moments()[cell].m2);
        CHECK(shared.counters()[cell].n() == n_blocks * n);
        for (const double p : {0.0, 0.05, 0.5, 0.95, 1.0})
            CHECK(shared.counters()[cell].quantile(p) == in_order.counters()[cell].quantile(p));
    }
}

TEST_CASE("what is counted is looked at between blocks") {
    // Invariant: both sides of a block are counted, or neither.
    scenarios::CountingGate gate;
    std::atomic<int> left = 0, right = 0, n_torn = 0;
    sim::parallel_for(2000, 4, [&](std::size_t i, int) {
        if (i % 50 == 0) {
            const auto pass = gate.close();
            n_torn += left != right;
            return;
        }
        const auto pass = gate.enter();
        ++left;
        ++right;
    });
    CHECK(n_torn == 0);
    CHECK(left == 1960);
}

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
