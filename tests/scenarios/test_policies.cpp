#include "study_runs.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

namespace gemel::tests {

namespace {

/// IWPC's equation with its printed coefficients [mg/wk]: Consortium 2009, Table of the supplement.
double iwpc(double age_a,
            double height_cm,
            double weight_kg,
            double cyp2c9,
            double vkorc1,
            bool is_black,
            bool has_amiodarone) {
    const double root = 5.6044 - 0.2614 * std::floor(age_a / 10.0) + 0.0087 * height_cm +
                        0.0128 * weight_kg + vkorc1 + cyp2c9 - (is_black ? 0.2760 : 0.0) -
                        (has_amiodarone ? 0.5503 : 0.0);
    return root * root;
}

/// *8 and *27 count as *1: the equation knows *2 and *3.
const std::map<std::string, double> cyp2c9_term{{"*1/*1", 0.0},
                                                {"*1/*8", 0.0},
                                                {"*8/*8", 0.0},
                                                {"*1/*27", 0.0},
                                                {"*8/*27", 0.0},
                                                {"*27/*27", 0.0},
                                                {"*1/*2", -0.5211},
                                                {"*2/*8", -0.5211},
                                                {"*2/*27", -0.5211},
                                                {"*1/*3", -0.9357},
                                                {"*3/*8", -0.9357},
                                                {"*3/*27", -0.9357},
                                                {"*2/*2", -1.0616},
                                                {"*2/*3", -1.9206},
                                                {"*3/*3", -2.3312}};
const std::map<std::string, double> vkorc1_term{{"G/G", 0.0}, {"G/A", -0.8677}, {"A/A", -1.6974}};

class Results {
public:
    explicit Results(const std::filesystem::path& file, std::uint64_t n) : file_(file), n_(n) {}
    std::vector<double> reals(const std::string& path, int arm = -1) const {
        return file_.reals(path, arm, 0, n_);
    }
    std::vector<std::string> texts(const std::string& path) const {
        return file_.texts(path, -1, 0, n_);
    }

private:
    mutable io::ResultReader file_;
    std::uint64_t n_;
};

} // namespace

TEST_CASE("doses by a published equation are those worked out from each subject") {
    // Oracle: the printed coefficients, above; AUC = dose/CL where all is eliminated, of one
    // compartment. A week is 7 days; the population's weight is in g and its height in m.
    const TemporaryFolder folder;
    const auto study = load("policies.toml");
    run(study, folder / "x.h5");
    const std::uint64_t n = study.population.size;
    const Results results(folder / "x.h5", n);
    const auto age = results.reals("covariates/AGE"), weight = results.reals("covariates/WT"),
               height = results.reals("covariates/HT"), race = results.reals("covariates/RACE"),
               clearance = results.reals("parameters/CL");
    const auto cyp2c9 = results.texts("genotypes/CYP2C9"),
               vkorc1 = results.texts("genotypes/VKORC1");
    const auto daily = results.reals("policies/daily_iwpc"),
               blind = results.reals("policies/half_blind_iwpc"),
               tablets = results.reals("policies/by_tablet_tablets");
    const auto auc_daily = results.reals("outcomes/AUC", 0),
               auc_blind = results.reals("outcomes/AUC", 1);
    for (std::uint64_t s = 0; s < n; ++s) {
        CAPTURE(cyp2c9[s]);
        CAPTURE(vkorc1[s]);
        const auto weekly = [&](double cyp2c9_lowers, bool has_amiodarone) {
            return iwpc(age[s],
                        height[s] * 100.0,
                        weight[s] / 1000.0,
                        cyp2c9_lowers,
                        vkorc1_term.at(vkorc1[s]),
                        race[s] == 0.0,
                        has_amiodarone);
        };
        const double known = weekly(cyp2c9_term.at(cyp2c9[s]), true) / 7.0;
        CHECK(daily[s] == doctest::Approx(known).epsilon(1e-12)); // rounding only
        // A regimen that does not know CYP2C9 takes the equation's term for that; two weeks' doses.
        CHECK(blind[s] == doctest::Approx(2.0 * weekly(-0.2188, true)).epsilon(1e-12));
        if (clearance[s] > 0.05) { // else not all is eliminated in 2000 h
            CHECK(auc_daily[s] == doctest::Approx(7.0 * known / clearance[s]).epsilon(1e-5));
            CHECK(auc_blind[s] == doctest::Approx(0.5 * blind[s] / clearance[s]).epsilon(1e-5));
        }
        // Multiples of 2.5 mg, from 5 to 7.5 mg.
        const double exact = weekly(cyp2c9_term.at(cyp2c9[s]), false) / 7.0;
        const double nearest = 2.5 * std::round(exact / 2.5);
        if (std::abs(std::abs(exact - nearest) - 1.25) > 1e-9) // no tie
            CHECK(tablets[s] == std::clamp(nearest, 5.0, 7.5));
    }
}

TEST_CASE("the dose of equal exposure is the usual dose by the ratio of typical clearances") {
    // Oracle: AUC = dose/CL; typical CL is the activity score's share of that at score 2, the
    // reference patient's. Of who carries *27 the score is not known.
    const TemporaryFolder folder;
    const auto study = load("policies.toml");
    run(study, folder / "x.h5");
    const std::uint64_t n = study.population.size;
    const Results results(folder / "x.h5", n);
    const auto score = results.reals("genotypes/CYP2C9_activity"),
               dose = results.reals("policies/by_exposure_same_AUC"),
               action = results.reals("policies/by_exposure_same_AUC_action"),
               panel = results.reals("policies/by_panel_same_AUC");
    const auto cyp2c9 = results.texts("genotypes/CYP2C9");
    // A panel of *2 and *3 reads *8 and *27 as *1.
    const std::map<std::string, double> read{
        {"*1", 1.0}, {"*2", 0.5}, {"*3", 0.0}, {"*8", 1.0}, {"*27", 1.0}};
    for (std::uint64_t s = 0; s < n; ++s) {
        const auto slash = cyp2c9[s].find('/');
        const double as_read =
            read.at(cyp2c9[s].substr(0, slash)) + read.at(cyp2c9[s].substr(slash + 1));
        CAPTURE(cyp2c9[s]);
        if (as_read > 0.0) CHECK(panel[s] == doctest::Approx(30.0 * as_read / 2.0).epsilon(1e-6));
        if (std::isnan(score[s])) {
            CHECK(dose[s] == 20.0);
            CHECK(action[s] == 1.0);
        } else if (score[s] > 0.0) { // at 0 nothing is eliminated, and the window decides
            CHECK(dose[s] == doctest::Approx(30.0 * score[s] / 2.0).epsilon(1e-6));
            CHECK(action[s] == 0.0);
        }
    }
}

TEST_CASE("doses by policies are the same bits for any number of threads and lanes") {
    const TemporaryFolder folder;
    const auto study = load("policies.toml");
    const std::string one = run(study, folder / "a.h5", 1, 8).results_sha256;
    CHECK(run(study, folder / "b.h5", 3, 64).results_sha256 == one);
}

TEST_CASE("who another drug is advised to has no outcome, and is counted") {
    // Oracle: CPIC 2021 for codeine: avoided in poor and ultrarapid metabolizers, the usual dose in
    // the others; of an indeterminate phenotype it says nothing.
    const TemporaryFolder folder;
    const auto study = load("policies_withheld.toml");
    const auto report = run(study, folder / "x.h5");
    CHECK(report.n_failed == 0);
    const std::uint64_t n = study.population.size;
    const Results results(folder / "x.h5", n);
    const auto phenotype = results.reals("genotypes/CYP2D6_phenotype"),
               action = results.reals("policies/guided_cpic_action"),
               dose = results.reals("policies/guided_cpic"),
               blind = results.reals("policies/blind_cpic_action");
    const auto usual = results.reals("outcomes/AUC_morphine", 0),
               guided = results.reals("outcomes/AUC_morphine", 1),
               low = results.reals("outcomes/low", 1),
               without = results.reals("outcomes/AUC_morphine", 2);
    enum { poor, intermediate, normal, ultrarapid, indeterminate };
    std::uint64_t n_withheld = 0;
    for (std::uint64_t s = 0; s < n; ++s) {
        const int type = static_cast<int>(phenotype[s]);
        const bool is_withheld = type == poor || type == ultrarapid;
        CAPTURE(type);
        n_withheld += is_withheld;
        CHECK(action[s] == (is_withheld ? 2.0 : type == indeterminate ? 1.0 : 0.0));
        CHECK(dose[s] == (is_withheld ? 0.0 : 30.0));
        CHECK(std::isnan(guided[s]) == is_withheld);
        CHECK(std::isnan(low[s]) == is_withheld); // no drug is no success
        if (!is_withheld) CHECK(guided[s] == usual[s]);
        // A regimen that knows no genotype gives all of them the usual dose.
        CHECK(blind[s] == 1.0);
        CHECK(without[s] == usual[s]);
    }
    CHECK(n_withheld > 10);
    REQUIRE(report.policies.size() == 2);
    CHECK(report.policies[0].find(std::to_string(n_withheld) + " without this drug") !=
          std::string::npos);
    io::ResultReader file(folder / "x.h5");
    const auto curve = file.reals("C_morphine", 1, 0, n);
    for (std::uint64_t s = 0; s < n; ++s)
        CHECK(std::isnan(curve[s * 2]) == std::isnan(guided[s]));
}

TEST_CASE("a policy of a target finds the dose that its model's closed form asks for") {
    // Oracle: at steady state with concentration C, 1 − (1 − E)² = ((INR − 1)/20)^(1/3.61) with
    // E = C^γ/(C^γ + EC50^γ), and a day's dose is 2·24·CL·C of the racemate: Hamberg 2007. Doses of
    // once a day swing about C: within 2 %.
    const TemporaryFolder folder;
    const auto study = scenarios::load_study(
        source_folder() / "tests/studies/policies_target.toml", source_library(), {});
    run(study, folder / "x.h5");
    const Results results(folder / "x.h5", study.population.size);
    const auto dose = results.reals("policies/model_to_INR");
    const auto cyp2c9 = results.texts("genotypes/CYP2C9"),
               vkorc1 = results.texts("genotypes/VKORC1");
    const std::map<std::string, double> factor{{"*1/*1", 1.0},
                                               {"*1/*2", 0.685},
                                               {"*1/*3", 0.547},
                                               {"*2/*2", 0.278},
                                               {"*2/*3", 0.310},
                                               {"*3/*3", 0.148}};
    const std::map<std::string, double> ec50{{"G/G", 4.61}, {"G/A", 3.02}, {"A/A", 2.20}};
    const double effect = 1.0 - std::sqrt(1.0 - std::pow(1.5 / 20.0, 1.0 / 3.61));
    for (std::size_t s = 0; s < dose.size(); ++s) {
        CAPTURE(cyp2c9[s]);
        CAPTURE(vkorc1[s]);
        const double level = ec50.at(vkorc1[s]) * std::pow(effect / (1.0 - effect), 1.0 / 0.424);
        const double closed = 2.0 * 24.0 * 0.314 * factor.at(cyp2c9[s]) * level;
        CHECK(dose[s] == doctest::Approx(closed).epsilon(0.02));
    }
}

TEST_CASE("the example of warfarin on three continents runs, and its doses follow the genotype") {
    // Oracle: invariants. IWPC without genotype has one dose for one body, whatever the genotype;
    // the model's dose falls from VKORC1 GG to AA and from CYP2C9 *1/*1 to *3/*3, and is the same
    // for the same genotype.
    const TemporaryFolder folder;
    const auto study =
        scenarios::load_study(source_folder() / "examples/warfarin_by_ancestry/study.toml",
                              source_library(),
                              {{"population.size=300"}, std::nullopt});
    const auto report = run(study, folder / "x.h5");
    CHECK(report.n_failed == 0);
    const std::uint64_t n = study.population.size;
    const Results results(folder / "x.h5", n);
    const auto cyp2c9 = results.texts("genotypes/CYP2C9"),
               vkorc1 = results.texts("genotypes/VKORC1");
    const auto dose = results.reals("policies/model_model"),
               action = results.reals("policies/model_model_action");
    std::map<std::string, double> by_genotype;
    for (std::uint64_t s = 0; s < n; ++s) {
        if (action[s] != 0.0) continue;
        const auto [known, is_new] = by_genotype.emplace(cyp2c9[s] + " " + vkorc1[s], dose[s]);
        CHECK(known->second == dose[s]);
        CHECK(std::fmod(dose[s], 0.5) == 0.0);
    }
    CHECK(by_genotype.at("*1/*1 G/G") > by_genotype.at("*1/*1 G/A"));
    CHECK(by_genotype.at("*1/*1 G/A") > by_genotype.at("*1/*1 A/A"));
    CHECK(by_genotype.at("*1/*1 A/A") > by_genotype.at("*1/*3 A/A"));
}

} // namespace gemel::tests
