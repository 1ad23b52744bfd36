#include "study_runs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <map>

namespace gemel::tests {

namespace {

std::string switched_off(const std::string& limit) {
    return "population.covariates." + limit + "=0";
}

std::vector<double> read(const std::filesystem::path& file, const std::string& path) {
    const io::ResultReader reader(file);
    return reader.reals(path, path.starts_with("covariates") ? -1 : 0, 0, 10000);
}

} // namespace

TEST_CASE("three bad patients of 10,000 get a status and disturb nobody" *
          doctest::test_suite("slow")) {
    // Invariant: the same study without the faults, bit for bit, for all others. Who is struck is
    // read from the drawn covariates, not from the statuses.
    const TemporaryFolder folder;
    const scenarios::Study faulty = load("bad_patients.toml");
    const scenarios::StudyReport report = run(faulty, folder / "bad.h5", 0);
    const scenarios::Study healthy = load("bad_patients.toml",
                                          {switched_off("VOLUME_BELOW"),
                                           switched_off("GROWTH_BELOW"),
                                           switched_off("CHATTER_BELOW")});
    CHECK(run(healthy, folder / "good.h5", 0).n_failed == 0);

    const std::map<std::string, std::vector<std::string>> allowed{
        {"U_VOLUME", {"invalid_parameter"}},
        {"U_GROWTH", {"not_finite"}},
        {"U_CHATTER", {"step_limit", "step_too_small"}}};
    const std::vector<double> status = read(folder / "bad.h5", "diagnostics/status");
    std::map<std::size_t, std::string> struck;
    for (const auto& [covariate, statuses] : allowed) {
        const std::vector<double> u = read(folder / "bad.h5", "covariates/" + covariate);
        for (std::size_t s = 0; s < u.size(); ++s)
            if (u[s] < faulty.population.strata[0].laws.back().location) {
                struck[s] = covariate;
                const std::string found(
                    sim::name(static_cast<sim::SolverStatus>(static_cast<int>(status[s]))));
                CAPTURE(covariate);
                CAPTURE(found);
                CHECK(std::find(statuses.begin(), statuses.end(), found) != statuses.end());
            }
    }
    CHECK(struck.size() == 3);
    CHECK(report.n_failed == 3);
    CHECK(report.failures.size() == 3);

    const std::vector<double> bad = read(folder / "bad.h5", "outcomes/AUC");
    const std::vector<double> good = read(folder / "good.h5", "outcomes/AUC");
    const std::vector<double> bad_curve = read(folder / "bad.h5", "Cp");
    const std::vector<double> good_curve = read(folder / "good.h5", "Cp");
    const std::size_t n_times = bad_curve.size() / bad.size();
    std::size_t n_different = 0, n_missing = 0;
    const auto differ = [](double a, double b) {
        return std::bit_cast<std::uint64_t>(a) != std::bit_cast<std::uint64_t>(b);
    };
    for (std::size_t s = 0; s < bad.size(); ++s) {
        if (struck.count(s) != 0) {
            n_missing += bad[s] != bad[s];
            continue;
        }
        n_different += differ(bad[s], good[s]);
        for (std::size_t i = s * n_times; i < (s + 1) * n_times; ++i)
            n_different += differ(bad_curve[i], good_curve[i]);
    }
    CHECK(n_different == 0);
    CHECK(n_missing == 3);
}

} // namespace gemel::tests
