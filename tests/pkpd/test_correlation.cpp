#include "correlation_reading.hpp"
#include "pkpd/drawn.hpp"
#include "pkpd/ranks.hpp"

#include <bit>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

constexpr std::size_t n_drawn = 20000;

Model body_frame() {
    Model model;
    model.id = "frame";
    add_covariate(model, "WT", "kg");
    add_covariate(model, "HT", "cm");
    add_covariate(model, "AGE", "a");
    add_covariate(model, "SEX", "1", {"female", "male"});
    list_inputs(model);
    return model;
}

std::string people(const std::string& correlation, std::size_t n = n_drawn) {
    return "size = " + std::to_string(n) + R"(
[population.covariates]
WT  = { lognormal = { median = "75 kg", cv = 0.25 }, within = ["50 kg", "120 kg"] }
HT  = { normal = { mean = "1.70 m", sd = "8 cm" } }
AGE = { uniform = ["18 a", "85 a"] }
SEX = { categorical = { female = 0.5, male = 0.5 } }
)" + correlation;
}

std::string correlated(const std::string& of, const std::string& rest) {
    return "[[population.correlation]]\nof = " + of + "\n" + rest + "\n";
}

} // namespace

TEST_CASE("the copula keeps Kendall's tau, whatever the laws and their truncation") {
    // Oracle: τ as declared; standard error by Esscher's formula. The seed is fixed.
    const double rho = std::sin(std::numbers::pi / 2.0 * 0.4);
    const CohortBlock block = draw_all(
        read_well(people(correlated(R"(["WT", "HT", "AGE"])", "kendall = [[0.4], [-0.3, 0.1]]")),
                  body_frame()));
    const auto wt = column(block.covariates, n_drawn, 0), ht = column(block.covariates, n_drawn, 1),
               age = column(block.covariates, n_drawn, 2);
    CHECK(std::abs(kendall(wt, ht) - 0.4) < 4.0 * kendall_error(rho, n_drawn));
    CHECK(std::abs(kendall(wt, age) + 0.3) < 4.0 * kendall_error(-0.454, n_drawn));
    CHECK(std::abs(kendall(ht, age) - 0.1) < 4.0 * kendall_error(0.156, n_drawn));
    // … and the laws themselves.
    const double low = phi(std::log(50.0 / 75.0) / std::sqrt(std::log1p(0.0625)));
    const double high = phi(std::log(120.0 / 75.0) / std::sqrt(std::log1p(0.0625)));
    CHECK(ks_distance(wt, [&](double x) {
              return (phi(std::log(x / 75.0) / std::sqrt(std::log1p(0.0625))) - low) / (high - low);
          }) < ks_critical(n_drawn));
    CHECK(ks_distance(ht, [](double x) { return phi((x - 170.0) / 8.0); }) < ks_critical(n_drawn));
    CHECK(ks_distance(age, [](double x) { return (x - 18.0) / 67.0; }) < ks_critical(n_drawn));
}

TEST_CASE("Spearman's rho and the latent correlation are the copula's, too") {
    // Closed forms of the Gaussian copula: τ = 2/π·asin ρ, with ρ = 2·sin(π·ρ_S/6).
    const double rho_s = 0.5, rho = 2.0 * std::sin(std::numbers::pi / 6.0 * rho_s);
    const auto tau_of = [](const std::string& measure) {
        const auto columns =
            draw_all(read_well(people(correlated(R"(["WT", "HT"])", measure)), body_frame()))
                .covariates;
        return kendall(column(columns, n_drawn, 0), column(columns, n_drawn, 1));
    };
    CHECK(std::abs(tau_of("spearman = [[0.5]]") - 2.0 / std::numbers::pi * std::asin(rho)) <
          4.0 * kendall_error(rho, n_drawn));
    CHECK(std::abs(tau_of("latent = [[-0.7]]") - 2.0 / std::numbers::pi * std::asin(-0.7)) <
          4.0 * kendall_error(-0.7, n_drawn));
    CHECK(tau_of("kendall = [[1.0]]") == 1.0); // the same order exactly
    // sin and asin of doubles: rounding only.
    CHECK(latent_of_kendall(0.4) ==
          doctest::Approx(std::sin(0.2 * std::numbers::pi)).epsilon(1e-15));
    CHECK(latent_of_spearman(0.5) == doctest::Approx(rho).epsilon(1e-15));
    CHECK(latent_of_kendall(1.0) == 1.0);
}

TEST_CASE("a correlation leaves its first covariate and all others where they were") {
    const auto alone = draw_all(read_well(people(""), body_frame())).covariates;
    const auto joined =
        draw_all(
            read_well(people(correlated(R"(["WT", "HT"])", "kendall = [[0.4]]")), body_frame()))
            .covariates;
    for (std::size_t s = 0; s < n_drawn; ++s) {
        // Φ(Φ⁻¹(u)) and u differ by rounding, which the quantile multiplies a little.
        CHECK(joined[s] == doctest::Approx(alone[s]).epsilon(1e-12));
        CHECK(joined[2 * n_drawn + s] == alone[2 * n_drawn + s]);
        CHECK(joined[3 * n_drawn + s] == alone[3 * n_drawn + s]);
    }
}

TEST_CASE("correlations that no patients can have, and members that have no ranks, are refused") {
    struct Mistake {
        const char* of;
        const char* rest;
        const char* expected;
    };
    const Mistake mistakes[] = {
        {R"(["WT", "HTT"])", "kendall = [[0.4]]", "did you mean 'HT'?"},
        {R"(["WT", "SEX"])", "kendall = [[0.4]]", "SEX has categories, whose ranks are tied"},
        {R"(["WT"])", "kendall = [[0.4]]", "between at least two covariates"},
        {R"(["WT", "WT"])", "kendall = [[0.4]]", "'WT' is named twice"},
        {R"(["WT", "HT"])", "kendall = [[1.4]]", "1.4 is no correlation"},
        {R"(["WT", "HT"])", "kendall = [[0.4, 0.3]]", "for 2 covariates 1 rows"},
        {R"(["WT", "HT"])", "", "one of 'kendall', 'spearman', 'latent' is missing"},
        {R"(["WT", "HT"])", "kendal = [[0.4]]\nlatent = [[0.4]]", "did you mean 'kendall'?"},
        {R"(["WT", "HT"])", "kendall = [[0.4]]\nlatent = [[0.4]]", "exclude each other"},
        {R"(["WT", "HT", "AGE"])",
         "latent = [[0.9], [0.9, -0.9]]",
         "no patients go together like that"},
    };
    for (const Mistake& mistake : mistakes) {
        const Read result = read(people(correlated(mistake.of, mistake.rest)), body_frame());
        const std::string expected = mistake.expected;
        CAPTURE(expected);
        CAPTURE(result.messages);
        CHECK(result.messages.find(mistake.expected) != std::string::npos);
        CHECK(result.messages.find("1 error") != std::string::npos);
    }
    std::string fixed = people(correlated(R"(["WT", "HT"])", "kendall = [[0.4]]"));
    fixed.replace(fixed.find("{ normal"), 45, "\"170 cm\"");
    CHECK(read(fixed, body_frame()).messages.find("HT is not drawn from a law") !=
          std::string::npos);
    const std::string twice = people(correlated(R"(["WT", "HT"])", "kendall = [[0.4]]") +
                                     correlated(R"(["WT", "AGE"])", "kendall = [[0.4]]"));
    CHECK(read(twice, body_frame()).messages.find("'WT' is already in another correlation") !=
          std::string::npos);
}

TEST_SUITE("slow") {
    TEST_CASE("a million correlated patients: tau, moments and tails within sampling error") {
        // Closed forms; four standard errors each. Tail counts are binomial.
        constexpr std::size_t n = 1000000;
        const CohortBlock block = draw_all(read_well(
            people(correlated(R"(["WT", "HT", "AGE"])", "kendall = [[0.4], [-0.3, 0.1]]"), n),
            body_frame()));
        const auto wt = column(block.covariates, n, 0), ht = column(block.covariates, n, 1),
                   age = column(block.covariates, n, 2), sex = column(block.covariates, n, 3);
        CHECK(std::abs(kendall(wt, ht) - 0.4) < 4.0 * kendall_error(0.588, n));
        CHECK(std::abs(kendall(wt, age) + 0.3) < 4.0 * kendall_error(-0.454, n));
        CHECK(std::abs(kendall(ht, age) - 0.1) < 4.0 * kendall_error(0.156, n));

        const double root_n = std::sqrt(double(n));
        CHECK(std::abs(mean(ht) - 170.0) < 4.0 * 8.0 / root_n);
        CHECK(std::abs(sd(ht) - 8.0) < 4.0 * 8.0 / (std::sqrt(2.0) * root_n));
        CHECK(std::abs(mean(age) - 51.5) < 4.0 * 67.0 / std::sqrt(12.0) / root_n);
        CHECK(std::abs(mean(sex) - 0.5) < 4.0 * 0.5 / root_n);
        // Truncated log-normal: E x = m·e^{s²/2}·(Φ(b − s) − Φ(a − s))/(Φ(b) − Φ(a)).
        const double s = std::sqrt(std::log1p(0.0625));
        const double a = std::log(50.0 / 75.0) / s, b = std::log(120.0 / 75.0) / s;
        const double mass = phi(b) - phi(a);
        const double expected = 75.0 * std::exp(s * s / 2.0) * (phi(b - s) - phi(a - s)) / mass;
        CHECK(std::abs(mean(wt) - expected) < 4.0 * sd(wt) / root_n);

        const auto share_above = [&](const std::vector<double>& values, double limit) {
            return double(std::count_if(
                       values.begin(), values.end(), [&](double x) { return x > limit; })) /
                   double(n);
        };
        const auto is_near = [&](double share, double p) {
            return std::abs(share - p) < 4.0 * std::sqrt(p * (1.0 - p) / double(n));
        };
        CHECK(is_near(share_above(ht, 170.0 + 4.0 * 8.0), phi(-4.0)));
        CHECK(is_near(1.0 - share_above(ht, 170.0 - 3.0 * 8.0), phi(-3.0)));
        CHECK(is_near(share_above(wt, 119.9), (phi(b) - phi(std::log(119.9 / 75.0) / s)) / mass));
        CHECK(
            is_near(1.0 - share_above(wt, 50.1), (phi(std::log(50.1 / 75.0) / s) - phi(a)) / mass));
        CHECK(*std::max_element(wt.begin(), wt.end()) <= 120.0);
        CHECK(*std::min_element(wt.begin(), wt.end()) >= 50.0);
    }
}
