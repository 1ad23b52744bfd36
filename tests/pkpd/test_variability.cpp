#include "drawn.hpp"
#include "loaded.hpp"

#include <fmt/format.h>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

constexpr std::uint64_t n_draws = 1'000'000;

/// Individual values are outputs' business; here every parameter is its own line, used once.
std::string model_of(const std::string& parameters, const std::string& sum) {
    return fmt::format(R"(gemel = "model/1"
[model]
name = "variability"
source = "test"
time = "h"
equations = """
d/dt(x) = -k * x
y = {}
"""
[routes.iv]
into = "x"
[states]
x = {{ unit = "mg" }}
[outputs]
y = {{ unit = "1" }}
[parameters]
k = {{ value = 1, unit = "1/h" }}
{})",
                       sum,
                       parameters);
}

std::shared_ptr<const Model> good_model(const std::string& parameters, const std::string& sum) {
    const Loaded loaded = load_text(model_of(parameters, sum), "variability.toml");
    REQUIRE(loaded.messages == "");
    return loaded.model;
}

std::string mistakes(const std::string& parameters, const std::string& sum) {
    return load_text(model_of(parameters, sum), "variability.toml").messages;
}

CohortBlock draws(const std::shared_ptr<const Model>& model, std::uint64_t n = n_draws) {
    return draw_all(read_well(fmt::format("size = {}\n", n), *model, 7));
}

std::vector<double> etas(const Model& model, const CohortBlock& block, const char* parameter) {
    return column(
        block.etas, block.range.count, static_cast<std::size_t>(model.find_parameter(parameter)));
}

/// A subject's own value of a parameter, as the lowered model works it out.
std::vector<double>
individual(const Model& model, const CohortBlock& block, const char* parameter) {
    const auto found = std::find_if(model.system.parameters.begin(),
                                    model.system.parameters.end(),
                                    [&](const auto& p) { return p.name == parameter; });
    REQUIRE(found != model.system.parameters.end());
    std::vector<double> values;
    const std::uint64_t n = block.range.count;
    for (std::uint64_t s = 0; s < n; ++s)
        values.push_back(model.system.graph.evaluate(found->value, [&](const sim::Leaf& leaf) {
            return block.inputs[static_cast<std::size_t>(leaf.index) * n + s];
        }));
    return values;
}

/// Distribution functions of Student's t in closed form: Abramowitz & Stegun 26.7.3 and 26.7.4.
double student3(double t) {
    const double theta = std::atan(t / std::sqrt(3.0));
    return 0.5 + (theta + std::sin(theta) * std::cos(theta)) / std::acos(-1.0);
}
double student4(double t) {
    const double sine = t / std::sqrt(4.0 + t * t), cosine2 = 4.0 / (4.0 + t * t);
    return 0.5 + 0.5 * sine * (1.0 + 0.5 * cosine2);
}

/// Standard errors: of the mean sd/√n, of an sd of normal numbers sd/√(2n); four are allowed.
void check_normal_moments(const std::vector<double>& eta, double sd_expected) {
    const auto n = static_cast<double>(eta.size());
    CHECK(std::abs(mean(eta)) < 4.0 * sd_expected / std::sqrt(n));
    CHECK(std::abs(sd(eta) - sd_expected) < 4.0 * sd_expected / std::sqrt(2.0 * n));
}

} // namespace

TEST_CASE("an effect of law student is scale times t, and sd its own sd") {
    // Closed form: t of df 4 has the variance 4/(4 − 2) = 2.
    const auto model = good_model("a = { value = 1, unit = \"1\", iiv = { sd = 0.3, law = "
                                  "\"student\", df = 4 } }\n"
                                  "b = { value = 1, unit = \"1\", iiv = { scale = 0.3, law = "
                                  "\"student\", df = 1 } }\n",
                                  "a + b");
    const Variability& a = *model->parameters[1].iiv;
    CHECK(a.sd == 0.3);
    CHECK(a.scale == doctest::Approx(0.3 / std::sqrt(2.0)).epsilon(1e-15));
    for (double z : {-8.0, -3.0, -0.1, 0.0, 1e-9, 0.5, 2.0, 8.0}) {
        CAPTURE(z);
        // Rounding of 0.5 − … in the closed form, so an absolute error
        CHECK(std::abs(student4(-std::abs(a.effect(z) / a.scale)) - phi(-std::abs(z))) < 1e-15);
        CHECK(std::signbit(a.effect(z)) == std::signbit(z));
        CHECK(a.effect(z) == -a.effect(-z));
    }
    // df 1 is Cauchy's law: the quartile is 1. There is no sd.
    const Variability& b = *model->parameters[2].iiv;
    CHECK(b.effect(sim::normal_quantile(0.75)) == doctest::Approx(0.3).epsilon(1e-12));
    CHECK(std::isinf(b.sd));
}

TEST_CASE("what law student needs and does not take is told") {
    const auto told = [](const char* iiv) {
        return mistakes(fmt::format("a = {{ value = 1, unit = \"1\", iiv = {{ {} }} }}\n", iiv),
                        "a");
    };
    CHECK(told("sd = 0.3, law = \"student\"").find("needs 'df'") != std::string::npos);
    CHECK(told("sd = 0.3, df = 4").find("only law \"student\" takes 'df'") != std::string::npos);
    CHECK(told("scale = 0.3, law = \"student\", df = 1e6") == "");
    CHECK(told("scale = 0.3, law = \"student\", df = 1e7").find("a normal above 1e+06") !=
          std::string::npos);
    CHECK(told("scale = 0.3").find("'scale' is a reading of law \"student\"") != std::string::npos);
    CHECK(told("sd = 0.3, law = \"student\", df = 2").find("with df = 2 has no sd") !=
          std::string::npos);
    CHECK(told("cv = 0.3, law = \"student\", df = 4").find("'cv' is a reading of law") !=
          std::string::npos);
    CHECK(told("sd = 0.3, law = \"student\", df = -1").find("df") != std::string::npos);
    CHECK(mistakes("a = { value = -1, unit = \"1\", iiv = { sd = 0.3, law = \"student\", df = 4 "
                   "} }\n",
                   "a")
              .find("law \"student\" needs a typical value above 0") != std::string::npos);
    CHECK(mistakes("a = { value = 1, unit = \"1\", iiv = { sd = 0.3, law = \"student\", df = 4 } "
                   "}\n"
                   "b = { value = 1, unit = \"1\", iiv = { sd = 0.3 } }\n"
                   "[[omega]]\nof = [\"a\", \"b\"]\ncovariance = [[0.09], [0.01, 0.09]]\n",
                   "a + b")
              .find("give 'correlation'") != std::string::npos);
}

TEST_SUITE("slow") {
    TEST_CASE("a million effects of law student follow t, alone and in a block") {
        // Oracle: closed forms of the distribution function for df 3 and 4; Kolmogorov–Smirnov.
        const auto model =
            good_model("a = { value = 2, unit = \"1\", iiv = { scale = 0.2, law = \"student\", df "
                       "= 3 } }\n"
                       "b = { value = 2, unit = \"1\", iiv = { scale = 0.5, law = \"student\", df "
                       "= 4 } }\n"
                       "c = { value = 2, unit = \"1\", iiv = { sd = 0.4 } }\n"
                       "[[omega]]\nof = [\"b\", \"c\"]\ncorrelation = [[0.7]]\n",
                       "a + b + c");
        const CohortBlock block = draws(model);
        const auto a = etas(*model, block, "a"), b = etas(*model, block, "b"),
                   c = etas(*model, block, "c");
        CHECK(ks_distance(a, [](double x) { return student3(x / 0.2); }) < ks_critical(n_draws));
        CHECK(ks_distance(b, [](double x) { return student4(x / 0.5); }) < ks_critical(n_draws));
        check_normal_moments(c, 0.4);
        // Ranks are those of the scores: Spearman's ρ = 6/π·asin(r/2), of the ranks by the laws;
        // its standard error is below 1/√n.
        std::vector<double> rank_b, rank_c;
        for (std::uint64_t s = 0; s < n_draws; ++s) {
            rank_b.push_back(student4(b[s] / 0.5));
            rank_c.push_back(phi(c[s] / 0.4));
        }
        CHECK(std::abs(correlation(rank_b, rank_c) - 6.0 / std::acos(-1.0) * std::asin(0.35)) <
              4.0 / std::sqrt(static_cast<double>(n_draws)));
    }

    TEST_CASE("a million values follow the normal, logit, Box-Cox and log-normal laws") {
        // Oracle: P is a rising function g of a normal η, so that its distribution function is
        // Φ(g⁻¹(P)/sd); the inverse written out here.
        const auto model = good_model(
            "a = { value = 5, unit = \"1\", iiv = { sd = 2, law = \"normal\" } }\n"
            "b = { value = 0.3, unit = \"1\", iiv = { sd = 0.8, law = \"logit\" } }\n"
            "c = { value = 2, unit = \"1\", iiv = { sd = 0.4, law = \"boxcox\", lambda = 0.5 } }\n"
            "d = { value = 2, unit = \"1\", iiv = { cv = 0.5 } }\n",
            "a + b + c + d");
        const CohortBlock block = draws(model);
        const auto check = [&](const char* name, auto probability) {
            CAPTURE(name);
            CHECK(ks_distance(individual(*model, block, name), probability) < ks_critical(n_draws));
        };
        check("a", [](double p) { return phi((p - 5.0) / 2.0); });
        check("b",
              [](double p) { return phi((std::log(p / (1.0 - p)) - std::log(0.3 / 0.7)) / 0.8); });
        check("c",
              [](double p) { return phi(std::log(1.0 + 0.5 * std::log(p / 2.0)) / 0.5 / 0.4); });
        const double log_sd = std::sqrt(std::log(1.25));
        check("d", [&](double p) { return phi(std::log(p / 2.0) / log_sd); });
        // A log-normal's CV is the one given: of the sample its standard error is that of a ratio,
        // below 0.002 here.
        const auto d = individual(*model, block, "d");
        CHECK(std::abs(sd(d) / mean(d) - 0.5) < 4.0 * 0.002);
    }

    TEST_CASE("a million draws recover a block Omega of mixed laws") {
        // Oracle: standard error of a correlation r is (1 − r²)/√n.
        const auto model = good_model(
            "a = { value = 5, unit = \"1\", iiv = { sd = 0.5, law = \"normal\" } }\n"
            "b = { value = 0.3, unit = \"1\", iiv = { sd = 0.8, law = \"logit\" } }\n"
            "c = { value = 2, unit = \"1\", iiv = { sd = 0.4, law = \"boxcox\", lambda = 0.5 } }\n"
            "d = { value = 2, unit = \"1\", iiv = { sd = 0.3 } }\n"
            "[[omega]]\nof = [\"a\", \"b\", \"c\", \"d\"]\n"
            "correlation = [[0.6], [-0.3, 0.2], [0.0, 0.5, 0.1]]\n",
            "a + b + c + d");
        const CohortBlock block = draws(model);
        const char* const names[] = {"a", "b", "c", "d"};
        const double sds[] = {0.5, 0.8, 0.4, 0.3};
        const double expected[4][4] = {{}, {0.6}, {-0.3, 0.2}, {0.0, 0.5, 0.1}};
        const double root_n = std::sqrt(static_cast<double>(n_draws));
        for (int i = 0; i < 4; ++i) {
            const auto eta = etas(*model, block, names[i]);
            check_normal_moments(eta, sds[i]);
            CHECK(ks_distance(eta, [&](double x) { return phi(x / sds[i]); }) <
                  ks_critical(n_draws));
            for (int j = 0; j < i; ++j) {
                const double r = expected[i][j];
                CHECK(std::abs(correlation(eta, etas(*model, block, names[j])) - r) <
                      4.0 * (1.0 - r * r) / root_n);
            }
        }
    }
}

namespace {

/// Two sub-populations of a clearance, with a wider effect than they are apart from each other.
const char* const mixed = R"(a = { value = "G_slow ? low : high", unit = "1", iiv = { sd = 0.1 } }
low = { value = 1, unit = "1" }
high = { value = 4, unit = "1" }
[mixtures.G]
proportions = { slow = 0.25, fast = 0.75 }
reference = "fast"
)";

} // namespace

TEST_CASE("a mixture is drawn by the model's proportions and decides typical values") {
    const auto model = good_model(mixed, "a");
    constexpr std::uint64_t n = 40'000;
    const CohortBlock block = draws(model, n);
    const auto group = column(block.covariates, n, 0);
    const auto a = individual(*model, block, "a"), eta = etas(*model, block, "a");
    double n_slow = 0.0;
    for (std::uint64_t s = 0; s < n; ++s) {
        n_slow += group[s] == 0.0;
        // Closed form: the sub-population's own typical value times exp(η).
        CHECK(a[s] ==
              doctest::Approx((group[s] == 0.0 ? 1.0 : 4.0) * std::exp(eta[s])).epsilon(1e-14));
    }
    const double share = n_slow / static_cast<double>(n);
    CHECK(std::abs(share - 0.25) < 4.0 * std::sqrt(0.25 * 0.75 / static_cast<double>(n)));
    // Latent and effect are independent of each other.
    CHECK(std::abs(correlation(group, eta)) < 4.0 / std::sqrt(static_cast<double>(n)));
}

TEST_CASE("a mixture has numbers of its own, and a population may say who is in it") {
    const auto model = good_model(mixed, "a");
    const auto own = draw_all(read_well("size = 1000\n", *model, 7));
    const auto more = draw_all(read_well(
        "size = 1000\ncovariates = { G = { categorical = { slow = 0.5, fast = 0.5 } } }\n",
        *model,
        7));
    const auto slow =
        draw_all(read_well("size = 1000\ncovariates = { G = \"slow\" }\n", *model, 7));
    CHECK(own.etas == more.etas);
    CHECK(own.etas == slow.etas);
    for (std::uint64_t s = 0; s < 1000; ++s) {
        CHECK(slow.covariates[s] == 0.0);
        if (own.covariates[s] == 0.0) CHECK(more.covariates[s] == 0.0); // nobody passes another
        // Purpose mixture/G: not that of a covariate of the name
        const double u = sim::RandomStream({7, 0, s}, sim::purpose_number("mixture/G")).uniform();
        CHECK(own.covariates[s] == (u < 0.25 ? 0.0 : 1.0));
    }
}

TEST_CASE("the typical patient is in the mixture's reference") {
    const auto model = good_model(mixed, "a");
    const auto inputs = typical_inputs(*model, {});
    std::vector<double> indicators;
    for (std::size_t i = 0; i < inputs.size(); ++i)
        if (model->inputs[i].kind == InputSource::Kind::category) indicators.push_back(inputs[i]);
    CHECK(indicators == std::vector<double>{0.0, 1.0});
}

TEST_CASE("mistakes of a mixture are told") {
    const auto told = [](const std::string& mixture) {
        return mistakes("a = { value = \"G_slow + 1\", unit = \"1\" }\n[mixtures.G]\n" + mixture,
                        "a");
    };
    CHECK(told("proportions = { slow = 0.25, fast = 0.7 }\n").find("proportions sum to 0.95") !=
          std::string::npos);
    CHECK(told("proportions = { slow = 1 }\n").find("one sub-population is no mixture") !=
          std::string::npos);
    CHECK(told("proportions = { slow = -0.5, fast = 1.5 }\n").find("number from 0 to 1") !=
          std::string::npos);
    CHECK(told("reference = \"slow\"\n").find("proportions") != std::string::npos);
    CHECK(told("proportions = { slow = 0.5, fast = 0.5 }\nreference = \"slwo\"\n")
              .find("did you mean 'slow'") != std::string::npos);
    CHECK(
        mistakes("a = { value = 1, unit = \"1\" }\n[mixtures.G]\nproportions = { slow = 0.5, fast "
                 "= 0.5 }\n",
                 "a")
            .find("the mixture 'G' is never used") != std::string::npos);
}

namespace {

/// Effects of occasions as Population::draw_occasions lays them out: one parameter, one occasion.
std::vector<double> occasion_of(const std::vector<double>& all,
                                const Model& model,
                                const char* parameter,
                                std::uint64_t occasion,
                                std::uint64_t n_occasions,
                                std::uint64_t n) {
    const auto p = static_cast<std::uint64_t>(model.find_parameter(parameter));
    return column(all, n, p * n_occasions + occasion);
}

} // namespace

TEST_CASE("the effect of an occasion adds to that of its subject, by the law of iiv") {
    // Oracle: the laws of docs/guide/models.md at eta + kappa.
    const auto model = good_model(
        "a = { value = 2, unit = \"1\", iiv = { sd = 0.3 }, iov = { cv = 0.2 } }\n"
        "b = { value = 2, unit = \"1\", iiv = { sd = 0.3, law = \"normal\" }, iov = { var = 0.04 } "
        "}\n"
        "c = { value = 0.3, unit = \"1\", iiv = { sd = 0.3, law = \"logit\" }, iov = { sd = 0.2 } "
        "}\n"
        "d = { value = 2, unit = \"1\", iiv = { sd = 0.3, law = \"boxcox\", lambda = 0.5 }, iov = "
        "{ sd = 0.2 } }\n"
        "e = { value = 2, unit = \"1\", iov = { sd = 0.2 } }\n",
        "a + b + c + d + e");
    const CohortBlock block = draws(model, 100);
    const auto eta = [&](const char* name) { return etas(*model, block, name); };
    const auto kappa = [&](const char* name) {
        return column(block.iovs, 100, static_cast<std::size_t>(model->find_parameter(name)));
    };
    const auto check = [&](const char* name, auto law) {
        const auto value = individual(*model, block, name), h = eta(name), k = kappa(name);
        for (std::size_t s = 0; s < 100; ++s)
            CHECK(value[s] == doctest::Approx(law(h[s] + k[s])).epsilon(1e-14)); // rounding
    };
    check("a", [](double x) { return 2.0 * std::exp(x); });
    check("b", [](double x) { return 2.0 + x; });
    check("c", [](double x) { return 1.0 / (1.0 + 0.7 / 0.3 * std::exp(-x)); });
    check("d", [](double x) { return 2.0 * std::exp((std::sqrt(std::exp(x)) - 1.0) / 0.5); });
    check("e", [](double x) { return 2.0 * std::exp(x); });
    CHECK(model->parameters[1].iov->sd ==
          doctest::Approx(std::sqrt(std::log(1.04))).epsilon(1e-14));
    CHECK(model->parameters[2].iov->sd == doctest::Approx(0.2).epsilon(1e-15));
    CHECK(sd(kappa("a")) > 0.0);
    CHECK(typical_inputs(*model, {}).size() == model->inputs.size());
}

TEST_CASE("occasions have numbers of their own, alike in any range") {
    const auto model =
        good_model("a = { value = 2, unit = \"1\", iiv = { sd = 0.3 }, iov = { sd = 0.2 } }\n"
                   "b = { value = 2, unit = \"1\", iiv = { sd = 0.3 }, iov = { sd = 0.1 } }\n"
                   "[[omega]]\nof = [\"a\", \"b\"]\nlevel = \"occasion\"\ncorrelation = [[0.5]]\n",
                   "a + b");
    const Population population = read_well("size = 1000\n", *model, 7);
    const CohortBlock block = draw_all(population);
    const auto three = population.draw_occasions({0, 0, 1000}, 3);
    const auto part = population.draw_occasions({0, 500, 10}, 2);
    for (const char* name : {"a", "b"}) {
        const auto p = static_cast<std::size_t>(model->find_parameter(name));
        CHECK(occasion_of(three, *model, name, 0, 3, 1000) == column(block.iovs, 1000, p));
        for (std::uint64_t occasion : {0u, 1u}) {
            const auto whole = occasion_of(three, *model, name, occasion, 3, 1000);
            CHECK(occasion_of(part, *model, name, occasion, 2, 10) ==
                  std::vector<double>(whole.begin() + 500, whole.begin() + 510));
        }
    }
    // DESIGN: purpose iov/NAME, index = occasion × 4096
    const double z = sim::RandomStream({7, 0, 5}, sim::purpose_number("iov/a"), 2 * 4096).normal();
    CHECK(occasion_of(three, *model, "a", 2, 3, 1000)[5] ==
          doctest::Approx(0.2 * z).epsilon(1e-15));
    CHECK_THROWS_AS((void)population.draw_occasions({0, 0, 1}, 1u << 21), std::invalid_argument);
    const Population alike = read_well("size = 10\nvariability = \"none\"\n", *model, 7);
    for (double effect : alike.draw_occasions({0, 0, 10}, 2))
        CHECK(effect == 0.0);
}

TEST_CASE("what iov does not take is told") {
    const auto told = [](const char* effects) {
        return mistakes(fmt::format("a = {{ value = 1, unit = \"1\", {} }}\n", effects), "a");
    };
    CHECK(told("iov = 0.3").find("a bare 0.3 may mean several things") != std::string::npos);
    CHECK(told("iiv = { sd = 0.3 }, iov = { sd = 0.2, law = \"normal\" }")
              .find("enters by law \"lognormal\"") != std::string::npos);
    CHECK(told("iiv = { sd = 0.3, law = \"boxcox\", lambda = 0.5 }, iov = { sd = 0.2, lambda = 0.5 "
               "}")
              .find("'lambda' is that of iiv") != std::string::npos);
    CHECK(told("iiv = { sd = 0.3, law = \"normal\" }, iov = { cv = 0.2 }")
              .find("'cv' is a reading of law \"lognormal\"") != std::string::npos);
    CHECK(told("iiv = { sd = 0.3 }, iov = { sd = 0.2, law = \"student\", df = 5 }") == "");
    CHECK(told("iiv = { sd = 0.3, law = \"student\", df = 4 }, iov = { cv = 0.2 }") == "");
    CHECK(mistakes("a = { value = 1, unit = \"1\", iiv = { sd = 0.3 } }\n"
                   "b = { value = 1, unit = \"1\", iiv = { sd = 0.3 }, iov = { sd = 0.1 } }\n"
                   "[[omega]]\nof = [\"a\", \"b\"]\nlevel = \"occasion\"\ncorrelation = [[0.5]]\n",
                   "a + b")
              .find("'a' has no iov") != std::string::npos);
}

TEST_SUITE("slow") {
    TEST_CASE("the variances between subjects and between occasions are recovered") {
        // 250,000 subjects × 4 occasions. Oracle: analysis of variance; the mean square within
        // subjects has an expectation of the occasions' variance w, between subjects of b + w/4;
        // of N normal numbers the relative standard error of a variance is √(2/N).
        const auto model = good_model(
            "a = { value = 2, unit = \"1\", iiv = { sd = 0.3 }, iov = { sd = 0.15 } }\n"
            "b = { value = 2, unit = \"1\", iiv = { sd = 0.4 }, iov = { sd = 0.2 } }\n"
            "[[omega]]\nof = [\"a\", \"b\"]\ncorrelation = [[-0.4]]\n"
            "[[omega]]\nof = [\"a\", \"b\"]\nlevel = \"occasion\"\ncorrelation = [[0.6]]\n",
            "a + b");
        constexpr std::uint64_t n = 250'000, n_occasions = 4;
        const Population population = read_well(fmt::format("size = {}\n", n), *model, 7);
        const CohortBlock block = draw_all(population);
        const auto all = population.draw_occasions({0, 0, n}, n_occasions);
        for (const auto& [name, between, within] :
             {std::tuple{"a", 0.3, 0.15}, std::tuple{"b", 0.4, 0.2}}) {
            CAPTURE(name);
            const auto eta = etas(*model, block, name);
            std::vector<double> means(n, 0.0);
            double square_within = 0.0;
            for (std::uint64_t s = 0; s < n; ++s) {
                const auto p = static_cast<std::uint64_t>(model->find_parameter(name));
                double values[n_occasions];
                for (std::uint64_t k = 0; k < n_occasions; ++k) {
                    values[k] = eta[s] + all[(p * n_occasions + k) * n + s];
                    means[s] += values[k] / n_occasions;
                }
                for (double value : values)
                    square_within += (value - means[s]) * (value - means[s]);
            }
            constexpr double n_within = static_cast<double>(n * (n_occasions - 1));
            const double w = within * within, b = between * between + w / n_occasions;
            CHECK(std::abs(square_within / n_within - w) < 4.0 * w * std::sqrt(2.0 / n_within));
            const double variance = sd(means) * sd(means);
            CHECK(std::abs(variance - b) < 4.0 * b * std::sqrt(2.0 / static_cast<double>(n)));
        }
        const double root_n = std::sqrt(static_cast<double>(n));
        const auto first_a = occasion_of(all, *model, "a", 0, n_occasions, n),
                   first_b = occasion_of(all, *model, "b", 0, n_occasions, n),
                   last_a = occasion_of(all, *model, "a", 3, n_occasions, n);
        CHECK(std::abs(correlation(first_a, first_b) - 0.6) < 4.0 * 0.64 / root_n);
        CHECK(std::abs(correlation(first_a, last_a)) < 4.0 / root_n);
        CHECK(std::abs(correlation(first_a, etas(*model, block, "a"))) < 4.0 / root_n);
        CHECK(std::abs(correlation(etas(*model, block, "a"), etas(*model, block, "b")) + 0.4) <
              4.0 * 0.84 / root_n);
        CHECK(ks_distance(last_a, [](double x) { return phi(x / 0.15); }) < ks_critical(n));
    }
}
