#include "pkpd/drawn.hpp"
#include "pkpd/law_quantiles.hpp"
#include "pkpd/ranks.hpp"

#include <bit>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

constexpr std::size_t n_strata_drawn = 20000;

/// Men, women and children; the model knows WT alone.
std::string family(std::size_t n = n_strata_drawn) {
    return "size = " + std::to_string(n) + R"(
ancestry = { EUR = 0.6, EAS = 0.4 }
[population.covariates]
SEX = { categories = ["female", "male"], categorical = { female = 0.5, male = 0.5 } }
AGE = { unit = "a", uniform = [20, 60] }
HT  = { unit = "cm", normal = { mean = 165, sd = 7 } }
BMI = { unit = "kg/m2" }
BSA = { unit = "m2" }
[population.strata.men]
share = 0.3
ancestry = "EUR"
covariates = { SEX = "male", HT = { normal = { mean = "1.75 m", sd = 7 } }, WT = { lognormal = { median = 85, sd = 0.2 } }, BMI = "WT / HT^2", BSA = "sqrt(in(HT, \"cm\") * in(WT, \"kg\") / 3600) * 1[m2]" }
[[population.strata.men.correlation]]
of = ["HT", "WT"]
kendall = [[0.3]]
[population.strata.women]
share = 0.5
covariates = { SEX = "female", WT = { lognormal = { median = "BMI * HT^2", sd = 0.05 } }, BMI = { lognormal = { median = 25, cv = 0.2 } }, BSA = 1.7 }
[population.strata.children]
share = 0.2
[population.strata.children.covariates]
AGE = { uniform = ["2 a", "12 a"] }
HT  = { normal = { mean = { by = "AGE", at = [2, "12 a"], value = ["86 cm", 149] }, sd = "0.04 * HT0" } }
HT0 = { unit = "cm", uniform = [86, 149] }
WT  = { lms = { by = "AGE", at = [2, 7, 12], L = [-0.2, -1, -0.5], M = ["12.7 kg", 23, 40.5], S = [0.11, 0.14, 0.18] }, within = [5, 90] }
BMI = "WT / HT^2"
BSA = 0.8
)";
}

/// HT0 belongs to children alone; the others need some law.
std::string whole_family(std::size_t n = n_strata_drawn) {
    std::string toml = family(n);
    toml.insert(toml.find("BMI = { unit"), "HT0 = \"100 cm\"\n");
    return toml;
}

std::vector<std::size_t> in_stratum(const CohortBlock& block, int stratum) {
    std::vector<std::size_t> subjects;
    for (std::size_t s = 0; s < block.stratum.size(); ++s)
        if (block.stratum[s] == stratum) subjects.push_back(s);
    return subjects;
}

std::vector<double> of(const Population& population,
                       const CohortBlock& block,
                       const std::string& name,
                       const std::vector<std::size_t>& subjects) {
    const auto found = std::find_if(population.covariates.begin(),
                                    population.covariates.end(),
                                    [&](const Covariate& c) { return c.name == name; });
    REQUIRE(found != population.covariates.end());
    const auto c = static_cast<std::size_t>(found - population.covariates.begin());
    std::vector<double> values;
    for (std::size_t s : subjects)
        values.push_back(block.covariates[c * block.range.count + s]);
    return values;
}

} // namespace

TEST_CASE("each stratum has its share, its laws, its ancestry and its correlation") {
    const Population population = read_well(whole_family(), weight_frame());
    const CohortBlock block = draw_all(population);
    const double shares[] = {0.3, 0.5, 0.2};
    for (int k = 0; k < 3; ++k)
        CHECK(std::abs(double(in_stratum(block, k).size()) / double(n_strata_drawn) - shares[k]) <
              4.0 * std::sqrt(shares[k] * (1.0 - shares[k]) / double(n_strata_drawn)));

    const auto men = in_stratum(block, 0), women = in_stratum(block, 1);
    const auto wt = of(population, block, "WT", men), ht = of(population, block, "HT", men);
    CHECK(ks_distance(wt, [](double x) { return phi(std::log(x / 85.0) / 0.2); }) <
          ks_critical(men.size()));
    CHECK(ks_distance(ht, [](double x) { return phi((x - 175.0) / 7.0); }) <
          ks_critical(men.size()));
    // sin(0.15·π) = 0.454
    CHECK(std::abs(kendall(ht, wt) - 0.3) < 4.0 * kendall_error(0.454, men.size()));
    for (double sex : of(population, block, "SEX", men))
        CHECK(sex == 1.0);
    for (double sex : of(population, block, "SEX", women))
        CHECK(sex == 0.0);
    for (std::size_t s : men)
        CHECK(block.ancestry[s] == 0);
    // Women: HT of everybody; ancestry of everybody.
    CHECK(ks_distance(of(population, block, "HT", women),
                      [](double x) { return phi((x - 165.0) / 7.0); }) < ks_critical(women.size()));
    double n_second = 0.0;
    for (std::size_t s : women)
        n_second += block.ancestry[s];
    CHECK(std::abs(n_second / double(women.size()) - 0.4) <
          4.0 * std::sqrt(0.24 / double(women.size())));
    CHECK(population.groups == std::vector<std::string>{"EUR", "EAS"});
    CHECK(population.group_proportions[1] == doctest::Approx(0.7 * 0.4).epsilon(1e-15));
}

TEST_CASE("expressions of covariates are what the C library makes of them") {
    const Population population = read_well(whole_family(), weight_frame());
    const CohortBlock block = draw_all(population);
    const auto men = in_stratum(block, 0);
    const auto wt = of(population, block, "WT", men), ht = of(population, block, "HT", men),
               bmi = of(population, block, "BMI", men), bsa = of(population, block, "BSA", men);
    for (std::size_t i = 0; i < men.size(); ++i) {
        // A few operations, each rounded.
        CHECK(bmi[i] == doctest::Approx(wt[i] / (ht[i] * ht[i]) * 1e4).epsilon(1e-14));
        CHECK(bsa[i] == doctest::Approx(std::sqrt(ht[i] * wt[i] / 3600.0)).epsilon(1e-14));
    }
    // A median that is an expression: ln(WT/(BMI·HT²)) is normal with sd 0.05.
    const auto women = in_stratum(block, 1);
    const auto w = of(population, block, "WT", women), h = of(population, block, "HT", women),
               b = of(population, block, "BMI", women);
    std::vector<double> rest;
    for (std::size_t i = 0; i < women.size(); ++i)
        rest.push_back(std::log(w[i] / (b[i] * h[i] * h[i] * 1e-4)));
    CHECK(ks_distance(rest, [](double x) { return phi(x / 0.05); }) < ks_critical(women.size()));
}

TEST_CASE("a curve along a covariate gives mean and LMS numbers by age") {
    const Population population = read_well(whole_family(), weight_frame());
    const CohortBlock block = draw_all(population);
    const auto children = in_stratum(block, 2);
    const auto age = of(population, block, "AGE", children),
               ht = of(population, block, "HT", children),
               ht0 = of(population, block, "HT0", children),
               wt = of(population, block, "WT", children);
    std::vector<double> z_height, z_weight;
    for (std::size_t i = 0; i < children.size(); ++i) {
        z_height.push_back((ht[i] - (86.0 + 6.3 * (age[i] - 2.0))) / (0.04 * ht0[i]));
        const bool is_young = age[i] < 7.0;
        const double x = is_young ? (age[i] - 2.0) / 5.0 : (age[i] - 7.0) / 5.0;
        const double l = is_young ? -0.2 - 0.8 * x : -1.0 + 0.5 * x;
        const double m = is_young ? 12.7 + 10.3 * x : 23.0 + 17.5 * x;
        const double s = is_young ? 0.11 + 0.03 * x : 0.14 + 0.04 * x;
        z_weight.push_back((std::pow(wt[i] / m, l) - 1.0) / (l * s));
    }
    CHECK(ks_distance(z_height, phi) < ks_critical(children.size()));
    // The interval 5 … 90 kg takes away less than 1e-4 of the law.
    CHECK(ks_distance(z_weight, phi) < ks_critical(children.size()));
}

TEST_CASE("any range of a stratified population equals that part of the whole") {
    const Population population = read_well(whole_family(), weight_frame());
    const CohortBlock whole = population.draw({2, 0, 1000});
    const std::size_t n = population.covariates.size();
    const std::pair<std::uint64_t, std::uint64_t> ranges[] = {{0, 1}, {1, 63}, {64, 500}, {999, 1}};
    for (const auto& [first, count] : ranges) {
        const CohortBlock block = population.draw({2, first, count});
        for (std::uint64_t s = 0; s < count; ++s) {
            CHECK(block.stratum[s] == whole.stratum[first + s]);
            CHECK(block.ancestry[s] == whole.ancestry[first + s]);
            for (std::size_t c = 0; c < n; ++c)
                CHECK(std::bit_cast<std::uint64_t>(block.covariates[c * count + s]) ==
                      std::bit_cast<std::uint64_t>(whole.covariates[c * 1000 + first + s]));
        }
    }
}

TEST_CASE("an LMS law is the Box-Cox normal of Cole and Green") {
    // X = M·(1 + L·S·z)^(1/L), by the C library's pow; for L = 0 M·exp(S·z).
    CovariateDistribution law;
    law.law = CovariateDistribution::Law::lms;
    law.location = 14.0;
    law.spread = 0.12;
    for (double power : {-0.3, 0.0, 0.5, 1.0}) {
        law.shape = power;
        for (double z : {-3.0, -1.0, 0.0, 0.5, 3.0}) {
            const double expected = power == 0.0
                                        ? 14.0 * std::exp(0.12 * z)
                                        : 14.0 * std::pow(1.0 + power * 0.12 * z, 1.0 / power);
            CHECK(quantile_of_score(law, z) == doctest::Approx(expected).epsilon(1e-12));
        }
    }
    // L = 1 is normal, L → 0 log-normal, and nothing jumps between.
    law.shape = 1e-9;
    CHECK(quantile_of_score(law, 2.0) == doctest::Approx(14.0 * std::exp(0.24)).epsilon(1e-9));
    // A score beyond the end of the law has no value: the law is that of the scores that have one.
    law.shape = -2.0;
    law.spread = 0.5; // z < 1
    for (double u : {1e-12, 0.5, 0.999, 1.0 - 1e-12}) {
        const double z = (std::pow(quantile_of(law, u) / 14.0, -2.0) - 1.0) / (-2.0 * 0.5);
        CHECK(phi(z) / phi(1.0) == doctest::Approx(u).epsilon(1e-9));
    }
}

TEST_CASE("numbers that make no law give NaN, not a patient") {
    CovariateDistribution law;
    law.law = CovariateDistribution::Law::lognormal;
    law.location = -1.0;
    law.spread = 0.2;
    CHECK(std::isnan(quantile_of(law, 0.5)));
    law.location = 1.0;
    law.spread = std::nan("");
    CHECK(std::isnan(quantile_of(law, 0.5)));
}

TEST_CASE("mistakes of strata, expressions and curves are told once, with their cure") {
    struct Mistake {
        const char* from;
        const char* to;
        const char* expected;
    };
    const Mistake mistakes[] = {
        {"share = 0.3", "share = 0.4", "the shares of the strata sum to 1.1; 1 is expected"},
        {"share = 0.3", "", "'share' is missing"},
        {"share = 0.3", "shar = 0.3\nshare = 0.3", "did you mean 'share'?"},
        {"share = 0.3", "share = -0.3", "'share'"},
        {"ancestry = \"EUR\"", "ancestry = { EUR = 0.5 }", "the proportions sum to 0.5"},
        {"AGE = { unit = \"a\"", "AGE = { unit = \"aa\"", "the unit of AGE is not understood"},
        {"AGE = { unit = \"a\"", "AGE = { unit = \"a\", categories = [\"x\", \"y\"]", "not both"},
        {"[\"female\", \"male\"]", "[\"female\"]", "two or more different categories"},
        {"SEX = \"male\"", "SEX = \"mal\"", "did you mean 'male'?"},
        {"BSA = 0.8", "BSA = 0.8\nBSSA = 3", "did you mean 'BSA'?"},
        {"BSA = 0.8", "BSA = 0.8\nQTC = 3", "declares its unit or its categories"},
        {"BSA = 0.8",
         "",
         "the covariate BSA is declared, but the stratum children gives it no law"},
        {"BMI = \"WT / HT^2\"\nBSA", "BMI = \"WT / HTT^2\"\nBSA", "HTT"},
        {"BMI = \"WT / HT^2\"\nBSA", "BMI = \"WT / HT\"\nBSA", "the covariate BMI"},
        {"BMI = \"WT / HT^2\"\nBSA", "BMI = \"HT * BMI / HT\"\nBSA", "BMI depends on itself"},
        {"at = [2, 7, 12]", "at = [2, 7, 11]", "the population has patients beyond"},
        {"at = [2, 7, 12]", "at = [2, 12, 7]", "the points of a curve must rise"},
        {"at = [2, 7, 12]", "at = [2, 12]", "3 values for 2 points of AGE"},
        {"lms = { by = \"AGE\"", "lms = { by = \"SEX\"", "a curve goes along a number"},
        {"lms = { by = \"AGE\"", "lms = { by = \"AGA\"", "did you mean 'AGE'?"},
        {"S = [0.11, 0.14, 0.18]", "S = [0.11, 0.14, 0]", "`S` must be above 0"},
        {"S = [0.11, 0.14, 0.18]", "s = [0.11, 0.14, 0.18]", "unknown key 's'"},
        {"value = [\"86 cm\", 149]", "value = [\"86 kg\", 149]", "the covariate HT is in cm"},
        {", value = [\"86 cm\", 149]", "", "a curve along a covariate needs `value`"},
    };
    for (const Mistake& mistake : mistakes) {
        std::string toml = whole_family();
        const std::string from = mistake.from;
        REQUIRE(toml.find(from) != std::string::npos);
        toml.replace(toml.find(from), from.size(), mistake.to);
        const Read result = read(toml, weight_frame());
        const std::string to = mistake.to;
        CAPTURE(to);
        CAPTURE(result.messages);
        CHECK(result.messages.find(mistake.expected) != std::string::npos);
        CHECK(result.messages.find("1 error") != std::string::npos);
    }
}
