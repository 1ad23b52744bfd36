#include "study_runs.hpp"
#include "weighted_study.hpp"

#include <gemel/scenarios/find_dose.hpp>
#include <gemel/sim/random.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::tests {

namespace {

const std::string one_weight = "population.covariates.WT=70 kg";

/// The smallest dose with a share of subjects at the target, where exposure is proportional to the
/// dose: the order statistic of every subject's own dose.
double smallest_dose(std::vector<double> exposure, double target, double dose, double share) {
    for (double& value : exposure)
        value = target / value * dose;
    std::sort(exposure.begin(), exposure.end());
    const auto k =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(exposure.size())));
    return exposure[k - 1];
}

} // namespace

TEST_CASE("the dose found is the closed form of a log-normal exposure") {
    // AUC = dose/CL, CL = 5·exp(0.25 z): attainment of 18 mg·h/L is Φ(ln(dose/90)/0.25), so that
    // 90 % need 90·exp(0.25·1.2815515655446) mg. The sampling error of that dose is
    // √(0.09/3000)/(φ(1.28155)/0.25) = 0.78 % of it; four of them, and the tolerance of 1 %.
    const scenarios::Study study =
        load("attainment.toml", {one_weight, "find_dose.by=CL >= 5[L/h]"});
    const scenarios::DoseReport report = scenarios::find_dose(study, {1});
    REQUIRE(report.found.size() == 3);
    const scenarios::FoundDose& all = report.found[0];
    const double expected = 90.0 * std::exp(0.25 * 1.2815515655446);
    CHECK(std::abs(all.dose / expected - 1.0) < 4.0 * 0.0078 + 0.01);
    CHECK(all.mcse / all.dose == doctest::Approx(0.0078).epsilon(0.3)); // slope of the sample's own
    CHECK(all.lower < all.dose);
    CHECK(all.upper > all.dose);
    CHECK(all.at.attainment.value >= 0.9);
    CHECK(all.at.n == 3000);
    // Of those with CL above the median, the lower half of exposures: 90 % of them is 95 % of all.
    const double slow = 90.0 * std::exp(0.25 * 1.6448536269515);
    CHECK(report.found[1].stratum == "CL >= 5[L/h]");
    CHECK(report.found[1].dose == doctest::Approx(slow).epsilon(4.0 * 0.0094 + 0.01));
    CHECK(report.found[1].at.n + report.found[2].at.n == 3000);
}

TEST_CASE("the dose found is the order statistic of the subjects' own doses") {
    const TemporaryFolder folder;
    const scenarios::Study study = load("attainment.toml");
    run(study, folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const std::vector<double> exposure = file.reals("outcomes/AUC", 0, 0, 3000);
    const std::vector<double> weight = file.reals("covariates/WT", -1, 0, 3000);
    std::vector<std::vector<double>> groups(3);
    for (std::size_t s = 0; s < exposure.size(); ++s) {
        groups[0].push_back(exposure[s]);
        groups[weight[s] >= 70.0 ? 1 : 2].push_back(exposure[s]);
    }
    const scenarios::DoseReport report = scenarios::find_dose(study, {2});
    REQUIRE(report.found.size() == 3);
    for (std::size_t g = 0; g < 3; ++g) {
        CAPTURE(report.found[g].stratum);
        const double exact = smallest_dose(groups[g], 18.0, 100.0, 0.9);
        CHECK(report.found[g].dose >= exact * (1.0 - 1e-9)); // rounding of areas
        CHECK(report.found[g].dose <= exact * 1.01 * (1.0 + 1e-9));
    }
}

TEST_SUITE("slow") {
    TEST_CASE("a search changes doses, and leaves what is no dose") {
        // 20 mg that stand there already are 20 mg less to give: AUC = (20 + dose)/CL.
        // True of every subject's dose, so that a few subjects tell.
        const std::string few = "population.size=500", sharp = "find_dose.tolerance=1e-6";
        const scenarios::FoundDose plain =
            scenarios::find_dose(load("attainment.toml", {few, sharp}), {1}).found[0];
        const scenarios::Study study = load(
            "attainment.toml",
            {few,
             sharp,
             "regimens.once.doses=[ { set = \"20 mg\", into = \"central\" }, { dose = \"100 mg\", "
             "route = \"iv\" }, { multiply = 1, into = \"central\", at = \"1 h\" } ]"});
        const scenarios::FoundDose beside = scenarios::find_dose(study, {1}).found[0];
        CHECK(beside.dose + 20.0 == doctest::Approx(plain.dose).epsilon(3e-6));
    }
}

TEST_CASE("among given doses the smallest that attains is found, with its interval") {
    scenarios::Study study = load("attainment.toml", {one_weight});
    study.dose_search->among = {0.9, 1.1, 1.2, 1.3, 1.6};
    study.dose_search->stratification = 0;
    const scenarios::DoseReport report = scenarios::find_dose(study, {1});
    REQUIRE(report.found.size() == 1);
    // Closed form: 124 mg; Φ(ln(120/90)/0.25) = 0.875, four standard errors below 0.9; of 130 mg
    // 0.929, five above.
    CHECK(report.found[0].dose == doctest::Approx(130.0).epsilon(1e-12));
    CHECK(report.found[0].lower == doctest::Approx(130.0).epsilon(1e-12));
    CHECK(report.found[0].upper == doctest::Approx(130.0).epsilon(1e-12));
    CHECK(report.found[0].curve.size() == 5);
    for (std::size_t i = 1; i < 5; ++i) // common subjects: a larger dose never attains less
        CHECK(report.found[0].curve[i].attainment.value >=
              report.found[0].curve[i - 1].attainment.value);

    study.dose_search->among = {0.5, 0.8};
    const scenarios::FoundDose none = scenarios::find_dose(study, {1}).found[0];
    CHECK(std::isnan(none.dose));
    REQUIRE(none.notes.size() == 1);
    CHECK(none.notes[0] == "no dose from 50 mg to 80 mg attains 90.0 %");
    study.dose_search->among = {2.0, 3.0};
    CHECK(scenarios::find_dose(study, {1}).found[0].notes ==
          std::vector<std::string>{"the smallest dose attains it already"});
}

TEST_CASE("a target with two sides is attained between two doses, and it is said") {
    // P(18 ≤ AUC < 40) is largest, Φ(1.597) − Φ(−1.597) = 0.89, at 5·√(18·40) = 134 mg; 80 % are
    // attained from the smaller root of Φ(ln(D/90)/0.25) − Φ(ln(D/200)/0.25) = 0.8, 112.1 mg
    // (bisection in Python). Sampling error there some 0.75 %; four of them, and the tolerance.
    scenarios::Study study = load("attainment.toml",
                                  {one_weight,
                                   "find_dose.attainment=[\"effective\", \"safe\"]",
                                   "find_dose.probability=0.8"});
    study.dose_search->stratification = 0;
    const scenarios::FoundDose found = scenarios::find_dose(study, {1}).found[0];
    CHECK(found.dose == doctest::Approx(112.12).epsilon(4.0 * 0.0075 + 0.01));
    REQUIRE(found.notes.size() == 1);
    CHECK(found.notes[0].find("attainment falls with higher doses") == 0);
    const scenarios::DoseReport report{{found}, "exact", 1, 0, false};
    CHECK(render(report, study).find("attainment falls") != std::string::npos);
}

TEST_CASE("a search in which every subject fails says so and counts them") {
    const scenarios::Study study =
        load("attainment.toml",
             {one_weight, "study.solver=rodas5p", "study.max_steps=1", "population.size=50"});
    const scenarios::DoseReport report = scenarios::find_dose(study, {1});
    CHECK(report.n_failed_subjects == 50);
    CHECK(report.n_failed == report.n_solves);
    CHECK(std::isnan(report.found[0].dose));
    CHECK(report.found[0].notes == std::vector<std::string>{"none of 50 subjects has a value"});
}

TEST_CASE("a dose below the range has no error of its own") {
    scenarios::Study study = load("attainment.toml", {one_weight, "find_dose.from=300 mg"});
    study.dose_search->stratification = 0;
    const scenarios::FoundDose found = scenarios::find_dose(study, {1}).found[0];
    CHECK(found.dose == doctest::Approx(300.0).epsilon(1e-12));
    CHECK(std::isnan(found.lower)); // 300 mg or less
    CHECK(found.upper == doctest::Approx(300.0).epsilon(1e-12));
    CHECK(std::isnan(found.mcse));
    CHECK(found.notes == std::vector<std::string>{"the smallest dose attains it already"});
}

TEST_CASE("a search counts subjects by weight and tells who has no value") {
    // Oracle: outcomes and weights of a run with the dose as it stands, by plain sums.
    const TemporaryFolder folder;
    const scenarios::Study study = load("weighted.toml");
    run(study, folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const PlainSums sums = plain_sums(file.reals("outcomes/enough", 0, 0, n_weighted),
                                      file.reals("population/weight", -1, 0, n_weighted));
    const scenarios::DoseReport report = scenarios::find_dose(study, {2});
    const scenarios::AttainmentPoint& at_100 = report.found[0].curve[1];
    CHECK(at_100.dose == 100.0);
    CHECK(at_100.attainment.value == doctest::Approx(sums.mean()).epsilon(1e-13));
    CHECK(at_100.attainment.lower ==
          doctest::Approx(scenarios::proportion_interval(sums.mean(), sums.kish(), {}).first)
              .epsilon(1e-12));
    CHECK(static_cast<double>(at_100.n) == sums.n);
    CHECK(static_cast<double>(at_100.n_missing) == sums.n_missing);
    CHECK(static_cast<double>(report.n_failed_subjects) == sums.n_missing);
    CHECK(report.n_failed == 3 * report.n_failed_subjects);
    // With 100 mg the volume decides; who has none is in neither stratum.
    REQUIRE(report.found.size() == 4);
    CHECK(report.found[1].at.n + report.found[2].at.n == report.found[0].at.n);
    CHECK(report.found[3].stratum == "undefined");
    CHECK(static_cast<double>(report.found[3].at.n_missing) == sums.n_missing);
    CHECK(report.found[0].notes[0] == fmt::format("{} of 300 subjects have no value and are not "
                                                  "counted",
                                                  sums.n_missing));
}

TEST_CASE("a search tells which solves CVODE did") {
    // As in results of the same study: all of them.
    const scenarios::Study study = load("driven_pair.toml",
                                        {"outcomes.enough=\"auc(C, 0[h], 10[h]) > 0\"",
                                         "find_dose.attainment=[\"enough\"]",
                                         "find_dose.among=[\"50 mg\", \"100 mg\"]"});
    const scenarios::DoseReport report = scenarios::find_dose(study, {1});
    CHECK(report.n_solves == 10);
    CHECK(report.n_fell_back == 10);
    CHECK(render(report, study).find("10 solves, 0 failed, 10 by cvode instead\n") !=
          std::string::npos);
}

TEST_CASE("subjects that fail with any dose are counted once") {
    // Oracle: a run with one arm per dose, statuses in its file; other subjects fail with others.
    const TemporaryFolder folder;
    const std::vector<std::string> hard{"study.solver=rodas5p",
                                        "study.max_steps=160",
                                        "find_dose.arm=low",
                                        "find_dose.attainment=[\"high\"]",
                                        "find_dose.among=[\"50 mg\", \"500 mg\"]",
                                        "regimens.high.doses=[ { dose = \"500 mg\", every = "
                                        "\"12 h\", until = \"48 h\" } ]"};
    const scenarios::Study study = load("genotypes.toml", hard);
    run(study, folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const auto low = file.reals("diagnostics/status", 0, 0, 700),
               high = file.reals("diagnostics/status", 1, 0, 700);
    std::uint64_t n_low = 0, n_high = 0, n_any = 0;
    for (std::size_t s = 0; s < 700; ++s) {
        n_low += low[s] != 0.0;
        n_high += high[s] != 0.0;
        n_any += low[s] != 0.0 || high[s] != 0.0;
    }
    REQUIRE(n_any > std::max(n_low, n_high));
    CHECK(scenarios::find_dose(study, {1}).n_failed_subjects == n_any);
}

TEST_CASE("a tolerance that doubles cannot tell apart ends") {
    scenarios::Study study = load("attainment.toml", {one_weight, "population.size=20"});
    study.dose_search->tolerance = 1e-16; // a study file is told that it is too small
    CHECK_THROWS_AS(load("attainment.toml", {"find_dose.tolerance=1e-16"}), sim::InputError);
    CHECK(scenarios::find_dose(study, {1}).found[0].dose > 50.0);
}

TEST_CASE("a dose search gives the same bits for any number of threads") {
    const scenarios::Study study = load("attainment.toml", {"population.size=500"});
    const scenarios::DoseReport one = scenarios::find_dose(study, {1});
    const scenarios::DoseReport four = scenarios::find_dose(study, {4});
    REQUIRE(one.found.size() == four.found.size());
    for (std::size_t i = 0; i < one.found.size(); ++i) {
        CHECK(one.found[i].dose == four.found[i].dose);
        CHECK(one.found[i].lower == four.found[i].lower);
        CHECK(one.found[i].upper == four.found[i].upper);
        CHECK(one.found[i].at.attainment.value == four.found[i].at.attainment.value);
    }
}

} // namespace gemel::tests
