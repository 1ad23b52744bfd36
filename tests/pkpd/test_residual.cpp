#include "drawn.hpp"
#include "loaded.hpp"

#include <gemel/pkpd/residual.hpp>

#include <fmt/format.h>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

double observed(const ResidualError& error, double value, double score) {
    observe(error, {&value, 1}, {&score, 1});
    return value;
}

using ErrorLaw = ResidualError::Law;

ResidualError error_of(ErrorLaw law, double additive, double proportional, double exponent = 1.0) {
    ResidualError error;
    error.law = law;
    error.additive = additive;
    error.proportional = proportional;
    error.exponent = exponent;
    return error;
}

/// Two outputs, whose errors a test says.
std::string two_outputs(const std::string& error_of_a,
                        const std::string& error_of_b,
                        const std::string& more = "") {
    return fmt::format(R"(gemel = "model/1"
[model]
name = "residual"
source = "test"
time = "h"
equations = """
d/dt(x) = -k * x
A = x / 10[L]
B = x / 20[L]
"""
[routes.iv]
into = "x"
[states]
x = {{ unit = "mg" }}
[outputs.A]
unit = "mg/L"
error = {{ {} }}
[outputs.B]
unit = "mg/L"
error = {{ {} }}
[parameters]
k = {{ value = 1, unit = "1/h" }}
{})",
                       error_of_a,
                       error_of_b,
                       more);
}

std::shared_ptr<const Model> good(const std::string& text) {
    const Loaded loaded = load_text(text, "residual.toml");
    REQUIRE(loaded.messages == "");
    return loaded.model;
}

std::string told(const std::string& text) {
    return load_text(text, "residual.toml").messages;
}

/// Scores of `n` subjects, one column per sample.
std::vector<std::vector<double>> many_scores(const ResidualLaw& law, std::uint64_t n) {
    std::vector<std::vector<double>> columns;
    for (std::uint64_t s = 0; s < n; ++s) {
        const std::vector<double> scores = law.scores({3, 0, s});
        columns.resize(scores.size());
        for (std::size_t i = 0; i < scores.size(); ++i)
            columns[i].push_back(scores[i]);
    }
    return columns;
}

const char* const joined = "[[residual_correlation]]\nof = [\"A\", \"B\"]\ncorrelation = [[0.6]]\n";

} // namespace

TEST_CASE("a measurement is the value and its error by each law") {
    // Oracle: the definitions in docs/guide/models.md.
    const double f = 4.0, z = -1.5;
    const auto close = [](double x) { return doctest::Approx(x).epsilon(1e-15); };
    CHECK(observed({}, f, z) == f);
    CHECK(observed(error_of(ErrorLaw::additive, 0.5, 0.0), f, z) == close(f + 0.5 * z));
    CHECK(observed(error_of(ErrorLaw::proportional, 0.0, 0.2), f, z) == close(f * (1.0 + 0.2 * z)));
    CHECK(observed(error_of(ErrorLaw::combined1, 0.5, 0.2), f, z) == close(f + (0.5 + 0.8) * z));
    CHECK(observed(error_of(ErrorLaw::combined2, 0.5, 0.2), f, z) ==
          close(f + std::sqrt(0.25 + 0.64) * z));
    CHECK(observed(error_of(ErrorLaw::power, 0.0, 0.2, 0.5), f, z) == close(f + 0.2 * 2.0 * z));
    ResidualError lognormal;
    lognormal.law = ErrorLaw::lognormal;
    lognormal.log_sd = 0.3;
    CHECK(observed(lognormal, f, z) == close(f * std::exp(0.3 * z)));
    // An effect may be negative: its error is as wide as that of its opposite.
    CHECK(observed(error_of(ErrorLaw::proportional, 0.0, 0.2), -f, z) == close(-f + 0.8 * z));
    CHECK(std::isnan(observed(error_of(ErrorLaw::additive, 0.5, 0.0), std::nan(""), z)));
}

TEST_CASE("a value beyond a limit of quantification is told as the limit") {
    const double nan = std::nan("");
    double below = 0.05, at = 0.1, at_upper = 5.0, above = 5.1, none = -3.0, missing = nan;
    const QuantificationLimits limits{0.1, 5.0};
    CHECK(censor(limits, below) == Censoring::below_limit);
    CHECK(below == 0.1);
    CHECK(censor(limits, at) == Censoring::quantified);
    CHECK(censor(limits, at_upper) == Censoring::quantified);
    CHECK(censor(limits, above) == Censoring::above_limit);
    CHECK(above == 5.0);
    CHECK(censor({}, none) == Censoring::quantified);
    CHECK(none == -3.0);
    CHECK(censor(limits, missing) == Censoring::quantified);
    CHECK(std::isnan(missing));
    double high = 7.0;
    CHECK(censor({nan, 5.0}, high) == Censoring::above_limit);
    // Monolix: CENS 1 is left-censored, -1 right-censored.
    CHECK(cens_of(Censoring::below_limit) == 1);
    CHECK(cens_of(Censoring::above_limit) == -1);
    CHECK(cens_of(Censoring::quantified) == 0);
    const auto model =
        good(two_outputs("law = \"additive\", additive = 1, lloq = \"100 ug/L\", uloq = 20",
                         "law = \"additive\", additive = 1, lloq = 0.2"));
    CHECK(model->residual_errors[0].limits.lower == doctest::Approx(0.1).epsilon(1e-15));
    CHECK(model->residual_errors[0].limits.upper == 20.0);
    CHECK(model->residual_errors[1].limits.lower == 0.2);
    CHECK_FALSE(model->residual_errors[1].limits.has_upper());
}

TEST_CASE("a sample has its own number, which no other sample changes") {
    const auto alone =
        good(two_outputs("law = \"additive\", additive = 1", "law = \"additive\", additive = 1"));
    const ResidualLaw one(*alone, {{0, 1.0}, {0, 2.0}});
    const ResidualLaw more(*alone, {{1, 0.5}, {0, 1.0}, {1, 1.0}, {0, 2.0}, {0, 3.0}});
    for (std::uint64_t s = 0; s < 20; ++s) {
        const sim::RandomStream::Key key{3, 0, s};
        const auto a = one.scores(key), b = more.scores(key);
        CHECK(a[0] == b[1]);
        CHECK(a[1] == b[3]);
        CHECK(b[4] == sim::RandomStream(key, sim::purpose_number("residual/A"), 2).normal());
        CHECK(b[2] == sim::RandomStream(key, sim::purpose_number("residual/B"), 1).normal());
    }
    // Nor is an output's part of a group touched by further samples or by the one behind it.
    const std::string error = "law = \"additive\", additive = 1, autocorrelation = { half_time = "
                              "\"2 h\" }";
    const auto group = good(two_outputs(error, error, joined));
    const ResidualLaw first(*group, {{0, 1.0}, {0, 4.0}});
    const ResidualLaw both(*group, {{0, 1.0}, {0, 4.0}, {0, 5.0}, {1, 1.0}, {1, 4.0}});
    for (std::uint64_t s = 0; s < 20; ++s) {
        const auto a = first.scores({3, 0, s}), b = both.scores({3, 0, s});
        CHECK(a[0] == b[0]);
        CHECK(b[1] == doctest::Approx(a[1]).epsilon(1e-14)); // rounding of a zero of the root
    }
}

TEST_CASE("an autocorrelated error is the recursion of a first-order process") {
    // Oracle: e(t + d) = φ·e(t) + √(1 − φ²)·z, φ = 2^(−d/half-time).
    const auto model = good(two_outputs(
        "law = \"additive\", additive = 1, autocorrelation = { half_time = \"120 min\" }",
        "law = \"additive\", additive = 1"));
    CHECK(model->residual_errors[0].half_time == doctest::Approx(2.0).epsilon(1e-15));
    const double times[] = {0.0, 1.0, 1.5, 6.0, 24.0};
    std::vector<ResidualSample> samples;
    for (double time : times)
        samples.push_back({0, time});
    const ResidualLaw law(*model, samples);
    const sim::RandomStream::Key key{3, 0, 11};
    const auto scores = law.scores(key);
    sim::RandomStream own(key, sim::purpose_number("residual/A"), 0);
    double expected = own.normal();
    CHECK(scores[0] == expected);
    for (std::size_t k = 1; k < samples.size(); ++k) {
        const double phi_k = std::exp2(-(times[k] - times[k - 1]) / 2.0);
        expected = phi_k * expected + std::sqrt(1.0 - phi_k * phi_k) * own.normal();
        CHECK(scores[k] == doctest::Approx(expected).epsilon(1e-12)); // rounding of the root
    }
}

TEST_CASE("mistakes of residual errors are told") {
    const std::string plain = "law = \"additive\", additive = 1";
    const auto group = [&](const char* of, const char* correlation) {
        return told(two_outputs(
            plain,
            plain,
            fmt::format("[[residual_correlation]]\nof = {}\ncorrelation = {}\n", of, correlation)));
    };
    CHECK(group("[\"A\", \"C\"]", "[[0.5]]").find("'C' is no output") != std::string::npos);
    CHECK(group("[\"A\"]", "[]").find("between at least two outputs") != std::string::npos);
    CHECK(group("[\"A\", \"A\"]", "[[0.5]]").find("named twice") != std::string::npos);
    CHECK(group("[\"A\", \"B\"]", "[[1.5]]").find("not positive semidefinite") !=
          std::string::npos);
    CHECK(group("[\"A\", \"B\"]", "[[0.5], [0.5]]").find("for 2 outputs") != std::string::npos);
    CHECK(told(two_outputs(plain, plain + ", autocorrelation = { half_time = \"2 h\" }", joined))
              .find("go in time in different ways") != std::string::npos);
    CHECK(told(two_outputs(plain, plain + ", lloq = \"2 h\"")).find("the output is") !=
          std::string::npos);
    CHECK(told(two_outputs(plain, plain + ", lloq = 0")).find("is above 0") != std::string::npos);
    CHECK(told(two_outputs(plain, plain + ", uloq = \"2 h\"")).find("uloq = ") !=
          std::string::npos);
    CHECK(told(two_outputs(plain, plain + ", lloq = 2, uloq = 1")).find("is not above the lower") !=
          std::string::npos);
    CHECK(told(two_outputs(plain, plain + ", autocorrelation = { half_time = \"2 mg\" }"))
              .find("half_time") != std::string::npos);
}

TEST_SUITE("slow") {
    TEST_CASE("a million errors of each law have its distribution") {
        // Oracle: the law of the measurement of 4, in closed form; Kolmogorov–Smirnov.
        constexpr std::uint64_t n = 1'000'000;
        const struct {
            const char* words;
            double sd;
        } laws[] = {{"law = \"additive\", additive = 0.5", 0.5},
                    {"law = \"proportional\", proportional = 0.2", 0.8},
                    {"law = \"combined1\", additive = 0.5, proportional = 0.2", 1.3},
                    {"law = \"combined2\", additive = 0.5, proportional = 0.2", std::sqrt(0.89)},
                    {"law = \"power\", proportional = 0.2, exponent = 0.5", 0.4}};
        const auto sample_of = [&](const std::string& words) {
            const auto model = good(two_outputs(words, "law = \"additive\", additive = 1"));
            const ResidualLaw law(*model, {{0, 1.0}});
            std::vector<double> sample(n);
            const double value = 4.0;
            for (std::uint64_t s = 0; s < n; ++s)
                law.observe({3, 0, s}, {&value, 1}, {&sample[s], 1});
            return sample;
        };
        for (const auto& law : laws) {
            CAPTURE(law.words);
            CHECK(ks_distance(sample_of(law.words),
                              [&](double y) { return phi((y - 4.0) / law.sd); }) < ks_critical(n));
        }
        CHECK(ks_distance(sample_of("law = \"lognormal\", sd = 0.3"),
                          [](double y) { return phi(std::log(y / 4.0) / 0.3); }) < ks_critical(n));
    }

    TEST_CASE("errors of two outputs go together at one time and decline in time") {
        // Oracle: R·2^(−Δt/half-time); standard error of a correlation r is (1 − r²)/√n.
        constexpr std::uint64_t n = 1'000'000;
        const std::string error =
            "law = \"additive\", additive = 1, autocorrelation = { half_time = \"4 h\" }";
        const auto model = good(two_outputs(error, error, joined));
        // Of different schedules; 4 h and 8 h are common.
        const std::vector<ResidualSample> samples{{0, 4.0}, {0, 8.0}, {1, 2.0}, {1, 4.0}, {1, 8.0}};
        const auto scores = many_scores(ResidualLaw(*model, samples), n);
        for (std::size_t i = 0; i < samples.size(); ++i) {
            CHECK(ks_distance(scores[i], phi) < ks_critical(n));
            for (std::size_t j = 0; j < i; ++j) {
                CAPTURE(i);
                CAPTURE(j);
                const double r = (samples[i].output == samples[j].output ? 1.0 : 0.6) *
                                 std::exp2(-std::abs(samples[i].time - samples[j].time) / 4.0);
                CHECK(std::abs(correlation(scores[i], scores[j]) - r) <
                      4.0 * (1.0 - r * r) / std::sqrt(static_cast<double>(n)));
            }
        }
        // Without autocorrelation only what is measured at one time goes together.
        const std::string plain = "law = \"additive\", additive = 1";
        const auto apart =
            many_scores(ResidualLaw(*good(two_outputs(plain, plain, joined)), samples), n);
        CHECK(std::abs(correlation(apart[0], apart[3]) - 0.6) < 4.0 * 0.64 / 1000.0);
        CHECK(std::abs(correlation(apart[0], apart[1])) < 4.0 / 1000.0);
        CHECK(std::abs(correlation(apart[0], apart[4])) < 4.0 / 1000.0);
    }
}
