#include "../study_runs.hpp"
#include "../weighted_study.hpp"

#include <gemel/sim/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace gemel::tests {

namespace {

constexpr std::uint64_t n_subjects = 3000;

struct Results {
    explicit Results(const std::filesystem::path& path) : file(path) {}
    io::ResultReader file;

    std::vector<double> subjects(const std::string& path, int arm) const {
        return file.reals(path, arm, 0, n_subjects);
    }
    double endpoint(const std::string& name, int arm, std::uint64_t stratum = 0) const {
        return file.reals("endpoints/" + name, arm, stratum, 1).front();
    }
};

double geometric_mean(const std::vector<double>& values) {
    double sum = 0.0;
    for (const double value : values)
        sum += std::log(value);
    return std::exp(sum / static_cast<double>(values.size()));
}

/// Values of the subjects that are chosen.
std::vector<double> chosen(const std::vector<double>& values,
                           const std::vector<double>& by,
                           const std::function<bool(double)>& is_in) {
    std::vector<double> result;
    for (std::size_t s = 0; s < values.size(); ++s)
        if (is_in(by[s])) result.push_back(values[s]);
    return result;
}

} // namespace

TEST_CASE("endpoints in the file are those of the subjects in it") {
    // Oracle: the outcomes in the same file, by plain sums; rounding of 3000 terms.
    const TemporaryFolder folder;
    run(load("attainment.toml"), folder / "x.h5");
    const Results results(folder / "x.h5");
    for (int arm = 0; arm < 2; ++arm) {
        std::vector<double> exposure = results.subjects("outcomes/AUC", arm);
        const std::vector<double> effective = results.subjects("outcomes/effective", arm);
        const double n_effective =
            static_cast<double>(std::count(effective.begin(), effective.end(), 1.0));
        CHECK(results.endpoint("attainment", arm) == n_effective / n_subjects);
        CHECK(results.endpoint("above", arm) == n_effective / n_subjects);
        CHECK(results.endpoint("attainment_n", arm) == n_subjects);
        CHECK(results.endpoint("attainment_n_missing", arm) == 0);
        CHECK(results.endpoint("exposure", arm) ==
              doctest::Approx(geometric_mean(exposure)).epsilon(1e-13));
        CHECK(results.endpoint("smallest", arm) ==
              *std::min_element(exposure.begin(), exposure.end()));
        std::sort(exposure.begin(), exposure.end());
        const double median = 0.5 * (exposure[1499] + exposure[1500]);
        CHECK(std::abs(results.endpoint("half", arm) - median) < median / 256.0); // counters
    }
    // Exposure is proportional to the dose: the ratio is 2 in every subject.
    CHECK(results.endpoint("ratio", 0) == 1.0);
    CHECK(results.endpoint("ratio", 1) == doctest::Approx(2.0).epsilon(1e-9));
    CHECK(results.endpoint("ratio_upper", 1) == doctest::Approx(2.0).epsilon(1e-9));
}

TEST_CASE("strata are what the study says, and add up to the whole") {
    const TemporaryFolder folder;
    run(load("attainment.toml"), folder / "x.h5");
    const Results results(folder / "x.h5");
    const std::vector<double> weight = results.subjects("covariates/WT", -1);
    const std::vector<double> exposure = results.subjects("outcomes/AUC", 0);
    CHECK(results.file.axis("stratum").labels ==
          std::vector<std::string>{"WT < 60 kg", "60 <= WT < 80 kg", "WT >= 80 kg", "undefined"});
    const std::vector<double> middle =
        chosen(exposure, weight, [](double wt) { return wt >= 60.0 && wt < 80.0; });
    CHECK(results.endpoint("by_weight", 0, 1) ==
          doctest::Approx(geometric_mean(middle)).epsilon(1e-13));
    CHECK(results.endpoint("by_weight_n", 0, 1) == static_cast<double>(middle.size()));
    CHECK(std::isnan(results.endpoint("by_weight", 0, 3)));

    CHECK(results.file.axis("stratum_attained_by_weight").labels ==
          std::vector<std::string>{"WT >= 70[kg]", "not (WT >= 70[kg])", "undefined"});
    double n = 0.0, hits = 0.0;
    for (std::uint64_t stratum = 0; stratum < 2; ++stratum) {
        n += results.endpoint("attained_by_weight_n", 0, stratum);
        hits += results.endpoint("attained_by_weight", 0, stratum) *
                results.endpoint("attained_by_weight_n", 0, stratum);
        CHECK(results.endpoint("attained_by_weight_lower", 0, stratum) <
              results.endpoint("attained_by_weight", 0, stratum));
    }
    CHECK(n == n_subjects);
    CHECK(hits / n == doctest::Approx(results.endpoint("attainment", 0)).epsilon(1e-13));
}

TEST_CASE("endpoints of a log-normal exposure have their closed form") {
    // AUC = 100/CL, CL = 5·exp(0.25 z): geometric mean 20, geometric CV √(exp 0.0625 − 1),
    // attainment of 18 is Φ(ln(100/90)/0.25); four of the stated errors.
    const TemporaryFolder folder;
    run(load("attainment.toml", {"population.covariates.WT=70 kg"}), folder / "x.h5");
    const Results results(folder / "x.h5");
    const auto is_near = [&](const std::string& name, double truth) {
        return std::abs(results.endpoint(name, 0) - truth) <
               4.0 * results.endpoint(name + "_mcse", 0);
    };
    CHECK(is_near("exposure", 20.0));
    CHECK(is_near("half", 20.0));
    CHECK(is_near("spread", std::sqrt(std::exp(0.0625) - 1.0)));
    const double attained = sim::normal_probability(std::log(100.0 / 90.0) / 0.25);
    CHECK(is_near("attainment", attained));
    CHECK(results.endpoint("exposure_mcse", 0) ==
          doctest::Approx(20.0 * 0.25 / std::sqrt(3000.0)).epsilon(0.05)); // √(2/3000)/2, 4 of them
    CHECK(results.endpoint("attainment_lower", 0) < attained);
    CHECK(results.endpoint("attainment_upper", 0) > attained);
}

TEST_CASE("endpoints count subjects by their weight and leave out, and count, those that fail") {
    // Oracle: outcomes, statuses and weights in the same file, by plain sums; Kish's number
    // (Σw)²/Σw² in the error of a share, √(p(1 − p)/n), and in Wilson's interval.
    const TemporaryFolder folder;
    run(load("weighted.toml"), folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const auto get = [&](const std::string& name, std::uint64_t stratum = 0) {
        return file.reals("endpoints/" + name, 0, stratum, 1).front();
    };
    const auto weights = file.reals("population/weight", -1, 0, n_weighted);
    const auto enough = file.reals("outcomes/enough", 0, 0, n_weighted);
    const auto exposure = file.reals("outcomes/AUC", 0, 0, n_weighted);
    const PlainSums share = plain_sums(enough, weights);
    REQUIRE(share.n_missing > 5);
    REQUIRE(share.kish() < 0.9 * share.n);
    const double p = share.mean();
    CHECK(get("share") == doctest::Approx(p).epsilon(1e-13));
    CHECK(get("share_n") == share.n);
    CHECK(get("share_n_missing") == share.n_missing);
    CHECK(get("share_mcse") ==
          doctest::Approx(std::sqrt(p * (1.0 - p) / share.kish())).epsilon(1e-12));
    const auto wilson = scenarios::proportion_interval(p, share.kish(), {});
    CHECK(get("share_lower") == doctest::Approx(wilson.first).epsilon(1e-12));
    CHECK(get("share_upper") == doctest::Approx(wilson.second).epsilon(1e-12));
    CHECK(get("average") == doctest::Approx(plain_sums(exposure, weights).mean()).epsilon(1e-13));
    std::vector<double> logs;
    for (const double value : exposure)
        logs.push_back(std::log(value));
    CHECK(get("typical") ==
          doctest::Approx(std::exp(plain_sums(logs, weights).mean())).epsilon(1e-13));
    const auto a = file.reals("covariates/A", -1, 0, n_weighted);
    const PlainSums heavy =
        plain_sums(exposure, weights, [&](std::size_t s) { return a[s] > 1.05; });
    CHECK(get("by_weight", 2) == doctest::Approx(heavy.mean()).epsilon(1e-13));
    CHECK(get("by_weight_n", 2) == heavy.n);
    CHECK(get("by_weight_n_missing", 2) == heavy.n_missing);
    // Those with A = 1 have weight 0: subjects, and no mean.
    CHECK(get("by_weight_n", 1) > 0.0);
    CHECK(std::isnan(get("by_weight", 1)));
}

TEST_CASE("a condition that depends on what is not known is undefined, unless the rest decides") {
    // Who is struck has V = 0/0; Kleene: unknown or true is true.
    const TemporaryFolder folder;
    run(load("weighted.toml"), folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const auto u = file.reals("covariates/U_VOLUME", -1, 0, n_weighted);
    const auto n_struck =
        static_cast<double>(std::count_if(u.begin(), u.end(), [](double x) { return x < 0.1; }));
    const auto n_missing = [&](const std::string& name) {
        return file.reals("endpoints/" + name + "_n_missing", 0, 0, 3);
    };
    CHECK(n_missing("by_volume") == std::vector<double>{0.0, 0.0, n_struck});
    CHECK(n_missing("by_either") == std::vector<double>{n_struck, 0.0, 0.0});
}

TEST_CASE("cuts that differ in the seventh digit make strata of their own") {
    const scenarios::Study study =
        load("attainment.toml",
             {"endpoints.a={ value = \"mean(AUC)\", by = \"WT\", cuts = [\"1000.001[kg]\"] }",
              "endpoints.b={ value = \"mean(AUC)\", by = \"WT\", cuts = [\"1000.002[kg]\"] }"});
    const std::size_t n = study.endpoints.size();
    const std::size_t a = study.endpoints[n - 2].stratification,
                      b = study.endpoints[n - 1].stratification;
    CHECK(a != b);
    CHECK(study.stratifications[a].strata[0] == "WT < 1000.001 kg");
    CHECK(study.stratifications[b].strata[0] == "WT < 1000.002 kg");
}

TEST_CASE("endpoints have the same bits for any number of threads") {
    const TemporaryFolder folder;
    const scenarios::Study study = load("attainment.toml");
    const std::string one = run(study, folder / "1.h5", 1).results_sha256;
    for (int n_threads : {2, 5})
        CHECK(run(study, folder / "n.h5", n_threads).results_sha256 == one);
}

TEST_CASE("endpoints by phenotype and diplotype split by the drawn genotypes") {
    const TemporaryFolder folder;
    run(load("genotypes.toml",
             {"endpoints.p={ value = \"mean(AUC)\", by = \"CYP2C9.phenotype\" }",
              "endpoints.d={ value = \"mean(AUC)\", by = \"CYP2C9.diplotype\" }"}),
        folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const std::vector<std::string> phenotypes =
        file.texts("genotypes/CYP2C9_phenotype", -1, 0, 700);
    const std::vector<std::string> diplotypes = file.texts("genotypes/CYP2C9", -1, 0, 700);
    const std::vector<std::string> labels = file.axis("stratum_d").labels;
    CHECK(labels == std::vector<std::string>{"*1/*1", "*1/*2", "*1/*3", "*2/*2", "*2/*3", "*3/*3"});
    for (std::size_t i = 0; i < labels.size(); ++i)
        CHECK(file.reals("endpoints/d_n", 1, i, 1).front() ==
              static_cast<double>(std::count(diplotypes.begin(), diplotypes.end(), labels[i])));
    double n = 0.0;
    const std::size_t n_phenotypes = file.axis("stratum").labels.size();
    for (const double of_one : file.reals("endpoints/p_n", 1, 0, n_phenotypes))
        n += of_one;
    CHECK(n == 700.0);
}

} // namespace gemel::tests
