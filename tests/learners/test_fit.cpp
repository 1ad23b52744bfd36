#include "learners/problems.hpp"

#include <gemel/sim/native_code.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gemel::learners {
namespace {

double sd_of(const FitResult& result, const char* method, std::size_t number) {
    for (const Uncertainty& uncertainty : result.uncertainties)
        if (uncertainty.method == method)
            return std::sqrt(uncertainty.covariance(static_cast<Eigen::Index>(number),
                                                    static_cast<Eigen::Index>(number)));
    return std::nan("");
}

FitSetup with_method(FitSetup setup, Method method, std::uint64_t seed = 1) {
    setup.options.method = method;
    setup.options.seed = seed;
    return setup;
}

void start_at(FitSetup& setup, const std::string& name, double value) {
    for (FitNumber& number : setup.numbers)
        if (number.law.name == name) number.start = value;
}

bool warns(const FitResult& result, const std::string& word) {
    return std::ranges::any_of(result.warnings, [&](const FitWarning& warning) {
        return warning.what.find(word) != std::string::npos;
    });
}

std::string refusal(const FitSetup& setup) {
    try {
        fit(setup, {1});
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return {};
}

TEST_CASE("FOCEI ends where NONMEM and nlmixr2 end") {
    // OFV 116.803 (nlmixr2), 730.895 and 586.276 (NONMEM): within 0.005.
    FitSetup setup = with_method(theophylline(), Method::focei);
    setup.options.n_draws = 0;
    CHECK(std::abs(fit(setup, {1}).objective - 116.803) < 0.005);
    setup = with_method(phenobarbital(false), Method::focei);
    setup.options.n_draws = 0;
    CHECK(std::abs(fit(setup, {1}).objective - 730.895) < 0.005);
    setup = with_method(phenobarbital(true), Method::focei);
    setup.options.n_draws = 0;
    const FitResult result = fit(setup, {1});
    CHECK(std::abs(result.objective - 586.276) < 0.005);
    // NONMEM: estimates .00469555 .984258 .15892 .17132 .16705 .11507; its sandwich's errors
    // 2.10e-4, .0269, .0838 within 5 %.
    const double expected[] = {.00469555, .984258, .15892, .17132, .16705, .11507};
    for (std::size_t i = 0; i < 6; ++i)
        CHECK(result.values[i] == doctest::Approx(expected[i]).epsilon(i < 2 ? 2e-3 : 1e-2));
    CHECK(sd_of(result, "sandwich", 0) == doctest::Approx(2.10e-4).epsilon(0.05));
    CHECK(sd_of(result, "sandwich", 1) == doctest::Approx(.0269).epsilon(0.05));
    CHECK(sd_of(result, "sandwich", 2) == doctest::Approx(.0838).epsilon(0.05));
}

TEST_CASE("FOCEI of indomethacin ends at its published likelihood") {
    // -2LL -176.79 of FOCEI by an independent program, two decimals.
    FitSetup setup = with_method(indomethacin(), Method::focei);
    setup.options.n_draws = 0;
    CHECK(std::abs(fit(setup, {1}).objective + 66.0 * std::log(2.0 * 3.14159265358979) + 176.79) <
          0.01);
}

TEST_CASE("a value at its bound is held while the errors of the others are found") {
    // Oracle: the fit in which it is fixed there.
    FitSetup setup = with_method(theophylline(), Method::focei);
    setup.options.n_draws = 0;
    REQUIRE(setup.numbers[0].law.name == "V");
    setup.numbers[0].start = 29.0;
    setup.numbers[0].upper = 30.0;
    const FitResult bounded = fit(setup, {1});
    CHECK(bounded.values[0] == doctest::Approx(30.0));
    CHECK(warns(bounded, "V ended at its upper bound"));
    setup.numbers[0].start = 30.0;
    setup.numbers[0].is_fixed = true;
    const FitResult fixed = fit(setup, {1});
    // A search ends where a step would gain less than 1e-4 of the objective: within 1 % of a
    // standard error, over which standard errors change by a tenth of that.
    for (const char* method : {"observed information", "sandwich", "linearised"}) {
        CAPTURE(method);
        CHECK(std::isnan(sd_of(bounded, method, 0)));
        for (std::size_t i = 1; i < setup.numbers.size(); ++i)
            CHECK(sd_of(bounded, method, i) ==
                  doctest::Approx(sd_of(fixed, method, i - 1)).epsilon(2e-3));
    }
    CHECK(bounded.uncertainties.front().held == std::vector<std::string>{"V"});
}

TEST_CASE("SAEM ends at the exact maximum of theophylline") {
    // -2LL 360.70; the gap aimed at is 0.3. Thetas within 0.1 standard errors, .193 .046 .084 of
    // their logarithms.
    const FitResult result = fit(with_method(theophylline(), Method::saem), {1});
    REQUIRE(result.likelihoods.size() == 1);
    CHECK(std::abs(result.likelihoods[0].minus_two_ll - 360.70) <
          0.3 + 2.0 * result.likelihoods[0].standard_error);
    CHECK(result.likelihoods[0].standard_error < 0.1);
    CHECK(std::abs(std::log(result.values[0] / 31.62)) < 0.0046);
    CHECK(std::abs(std::log(result.values[1] / 2.750)) < 0.0084);
    CHECK(std::abs(std::log(result.values[2] / 1.583)) < 0.0193);
    // Errors by Louis' identity and by linearisation agree within a tenth.
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(sd_of(result, "observed information (Louis)", i) ==
              doctest::Approx(sd_of(result, "linearised", i)).epsilon(0.1));
    CHECK(!warns(result, "flip-flop"));
}

TEST_CASE("SAEM from the flip-flop basin says where it is") {
    FitSetup setup = with_method(theophylline(), Method::saem);
    start_at(setup, "ka", 0.09);
    start_at(setup, "V", 1.8);
    CHECK(warns(fit(setup, {1}), "flip-flop"));
}

TEST_CASE("a fit has the same bits whatever the number of threads") {
    for (const Method method : {Method::saem, Method::focei}) {
        FitSetup setup = with_method(phenobarbital(true), method);
        setup.options.n_exploration = 30;
        setup.options.n_smoothing = 10;
        setup.options.n_draws = 300;
        const FitResult one = fit(setup, {1});
        for (const int threads : {2, 3}) {
            const FitResult other = fit(setup, {threads});
            CHECK(one.values == other.values);
            CHECK(one.likelihoods[0].minus_two_ll == other.likelihoods[0].minus_two_ll);
            CHECK(one.uncertainties[0].covariance == other.uncertainties[0].covariance);
            CHECK(one.individuals[7].mode == other.individuals[7].mode);
        }
    }
}

TEST_CASE("data that tell nothing are refused in words") {
    FitSetup setup = with_method(theophylline(), Method::focei);
    const auto with_data = [&](auto change) {
        pkpd::DataSet data = *setup.data;
        for (pkpd::DataSubject& subject : data.subjects)
            for (pkpd::DataObservation& observation : subject.observations)
                change(subject, observation);
        FitSetup changed = setup;
        changed.data = std::make_shared<const pkpd::DataSet>(std::move(data));
        return changed;
    };
    CHECK(refusal(with_data([](const auto&, pkpd::DataObservation& o) {
              o.cens = 1;
              o.limit = 0.1;
          })).find("all 132 measurements are censored") != std::string::npos);
    CHECK(refusal(with_data([](const auto&, pkpd::DataObservation& o) {
              o.dv = 3.0;
          })).find("a constant has neither a course nor an error") != std::string::npos);
    CHECK(refusal(with_data([&](const pkpd::DataSubject& subject, pkpd::DataObservation& o) {
              if (subject.id != "1" || o.time < 20.0) o.is_missing = true;
          })).find("1 measurement cannot tell 7 numbers") != std::string::npos);
    CHECK(refusal(with_data([](const auto&, pkpd::DataObservation& o) {
              o.is_missing = true;
          })).find("no measurement") != std::string::npos);
}

TEST_CASE("what a model cannot be fitted by is refused in words") {
    // Rows at time 0, where nothing is absorbed yet, under a proportional error.
    CHECK(refusal(with_method(theophylline(R"(law = "proportional", proportional = 0.1)"),
                              Method::focei))
              .find("its error there is 0") != std::string::npos);
    FitSetup singular =
        with_method(theophylline(R"(law = "additive", additive = 0.7)",
                                 R"({ value = 1.5, unit = "1/h", iiv = { sd = 0.6 } })",
                                 "[[omega]]\nof = [\"V\", \"CL\"]\ncorrelation = [[1.0]]\n"),
                    Method::focei);
    CHECK(refusal(singular).find("singular at the start") != std::string::npos);
    CHECK(refusal(with_method(not_read(), Method::focei)).find("depends on?") != std::string::npos);
}

TEST_CASE("censored measurements count by their probability") {
    // M3 of a limit that hides nothing but what is far below it changes next to nothing; one that
    // hides a third of the data still finds the clearance.
    FitSetup setup = with_method(theophylline(), Method::focei);
    setup.options.n_draws = 0;
    pkpd::DataSet data = *setup.data;
    std::size_t n = 0;
    for (pkpd::DataSubject& subject : data.subjects)
        for (pkpd::DataObservation& observation : subject.observations)
            if (observation.dv < 2.0) {
                observation.cens = 1;
                observation.limit = 2.0;
                ++n;
            }
    REQUIRE(n > 15);
    setup.data = std::make_shared<const pkpd::DataSet>(std::move(data));
    const FitResult result = fit(setup, {1});
    CHECK(result.is_converged);
    CHECK(result.values[1] == doctest::Approx(2.75).epsilon(0.1));
    CHECK(std::ranges::any_of(result.notes, [](const std::string& note) {
        return note.find("Laplace") != std::string::npos;
    }));
}

} // namespace

TEST_SUITE_BEGIN("slow");

namespace {

/// By the first covariance that there is; NaN where there is no such number.
double relative_error(const FitResult& result, const FitSetup& setup, const std::string& name) {
    for (std::size_t i = 0; i < setup.numbers.size(); ++i)
        if (setup.numbers[i].law.name == name)
            return sd_of(result, result.uncertainties.at(0).method.c_str(), i) / result.values[i];
    return std::nan("");
}

/// How many seeds of five end within the gap, and the largest gap. Native code, as in `gemel fit`,
/// changes no bit.
std::pair<int, double> seeds_within(const FitSetup& setup, double exact, double gap) {
    const sim::NativeCode code({});
    const FitExecution execution{0, sim::ExecutorChoice::automatic, &code};
    int n = 0;
    double largest = 0.0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        FitSetup seeded = with_method(setup, Method::saem, seed);
        // Eight effects want more draws than three.
        seeded.options.n_draws = setup.model->parameters.size() > 4 ? 5000 : 2000;
        const FitResult result = fit(seeded, execution);
        const double found = result.likelihoods.at(0).minus_two_ll - exact;
        // Whatever becomes of other values: 8 % for theophylline by an independent program, 4.5 %
        // for phenobarbital by NONMEM, 5 % for warfarin.
        if (const double error = relative_error(result, setup, "CL"); !std::isnan(error))
            CHECK(error < 0.12);
        MESSAGE("seed ", seed, ": ", found, " +- ", result.likelihoods[0].standard_error);
        n += found <= gap ? 1 : 0;
        largest = std::max(largest, found);
    }
    return {n, largest};
}

TEST_CASE("SAEM of five seeds ends within the bands of exact maxima") {
    // Exact -2LL by independent quadrature and importance sampling; bands of the field's
    // acceptance: 0.3, and 1.0 where the reference itself is known to 0.2.
    CHECK(seeds_within(theophylline(), 360.70, 0.3).first == 5);
    CHECK(seeds_within(phenobarbital(false), 1013.85, 0.3).first == 5);
    CHECK(seeds_within(phenobarbital(true), 870.77, 0.3).first == 5);
    CHECK(seeds_within(
              warfarin_pk(R"(law = "combined1", additive = 0.3, proportional = 0.1)"), 696.2, 1.0)
              .first == 5);
    CHECK(seeds_within(
              warfarin_pk(R"(law = "combined2", additive = 0.3, proportional = 0.1)"), 686.35, 1.0)
              .first == 5);
}

TEST_CASE("SAEM of warfarin's PK/PD from default starts ends within 1.5") {
    // Reference 2225.5, standard error 0.5.
    const auto [n, largest] = seeds_within(warfarin_pkpd(), 2225.5, 1.5);
    CHECK(n >= 4);
    CHECK(largest < 5.0);
}

} // namespace

TEST_SUITE_END();

} // namespace gemel::learners
