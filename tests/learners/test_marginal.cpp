#include "learners/gradients.hpp"
#include "learners/linear_toy.hpp"
#include "learners/problems.hpp"
#include "marginal.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

namespace gemel::learners {
namespace {

/// The objective that NONMEM prints, without n·log 2π.
double objective_at(const FitSetup& setup,
                    Method method,
                    const std::vector<double>& values,
                    int nodes = 0) {
    FitEngine engine(setup, {1});
    Marginal marginal(engine, method, nodes);
    return marginal.value(engine.scale.place(values));
}

double log_two_pi(double n) {
    return n * std::log(2.0 * std::numbers::pi);
}

TEST_CASE("FOCEI's objective is NONMEM's and nlmixr2's at their own estimates") {
    // nlmixr2 7.0.2 FOCEI, OFV 116.8038; estimates are printed to four digits, near an optimum.
    CHECK(std::abs(objective_at(theophylline(),
                                Method::focei,
                                {31.82, 2.751, 1.591, .1386, .2623, .6361, .6938}) -
                   116.8038) < 2e-3);
    // NONMEM, example pheno: OFV 730.8947 and 586.27606.
    CHECK(std::abs(objective_at(phenobarbital(false),
                                Method::focei,
                                {.00581756, 1.44555, .3332, .4489, .1281}) -
                   730.8947) < 2e-3);
    CHECK(std::abs(objective_at(phenobarbital(true),
                                Method::focei,
                                {.00469555, .984258, .15892, .17132, .16705, .11507}) -
                   586.27606) < 2e-3);
}

TEST_CASE("quadrature gives the exact likelihood of published maxima") {
    // Independent adaptive Gauss-Hermite integrations with 15 nodes: -2LL 360.70, 1013.85, 870.77
    // to ±0.02, ±0.03, ±0.03 at these estimates, which are printed to four digits.
    CHECK(std::abs(objective_at(theophylline(),
                                Method::agq,
                                {31.62, 2.750, 1.583, .1360, .2652, .6365, .6959},
                                11) +
                   log_two_pi(132) - 360.70) < 0.02);
    CHECK(std::abs(
              objective_at(
                  phenobarbital(false), Method::agq, {.0056141, 1.4201, .3912, .4430, .1234}, 15) +
              log_two_pi(155) - 1013.85) < 0.03);
    CHECK(std::abs(objective_at(phenobarbital(true),
                                Method::agq,
                                {.0046168, .97524, .15867, .1702, .1669, .1151},
                                15) +
                   log_two_pi(155) - 870.77) < 0.03);
}

TEST_CASE("FO, FOCE, FOCEI and Laplace are one where the model is linear and its error additive") {
    // y = V + η + ε: all integrals are normal, and so are equal to rounding.
    const FitSetup setup = linear_toy();
    const std::vector<double> values{1.0, 6.0, 1.5, 0.8};
    const double fo = objective_at(setup, Method::fo, values);
    for (const Method method : {Method::foce, Method::focei, Method::laplace, Method::agq})
        CHECK(objective_at(setup, method, values) == doctest::Approx(fo).epsilon(1e-9));
}

TEST_CASE("the objective is a function of the place alone") {
    const FitSetup setup = theophylline();
    FitEngine engine(setup, {1});
    Marginal marginal(engine, Method::focei);
    const std::vector<double> start = engine.scale.start();
    const double first = marginal.value(start);
    for (double shift : {0.5, -0.7, 0.1}) {
        std::vector<double> other = start;
        for (double& x : other)
            x += shift;
        marginal.value(other);
    }
    CHECK(marginal.value(start) == first);
}

TEST_CASE("gradients of FOCEI, FOCE and FO are those of their values") {
    check_analytic(theophylline());
    check_analytic(theophylline(R"(law = "combined2", additive = 0.3, proportional = 0.1)"));
    check_analytic(theophylline(R"(law = "combined1", additive = 0.3, proportional = 0.1)"));
    check_analytic(theophylline(R"(law = "combined2", additive = 0.3, proportional = 0.1)",
                                R"({ value = 1.5, unit = "1/h" })"));
    check_analytic(phenobarbital(true));
}

TEST_CASE("these gradients hold for correlated effects and for effects of occasions") {
    check_analytic(correlated());
    check_analytic(two_occasions());
}

TEST_CASE("gradients hold where steps are taken") {
    // Values carry the solver's errors, 1e-8 of terms near 100, in differences over 2e-4.
    const FitSetup setup = elimination_that_saturates();
    for (const Method method : {Method::focei, Method::foce, Method::fo})
        check_gradient(setup, method, 1e-3);
}

TEST_CASE("gradients along the tangents of modes are those of the values") {
    check_tangents(theophylline(R"(law = "combined2", additive = 0.3, proportional = 0.1)"),
                   {Method::laplace, Method::agq});
    check_tangents(correlated(), {Method::laplace, Method::agq});
    check_tangents(two_occasions(), {Method::laplace});
    for (const bool is_between : {false, true})
        check_tangents(with_limit(is_between), {Method::focei, Method::foce, Method::laplace});
}

TEST_CASE("a change of a typical value that is mu-referenced is told from one that is not") {
    const FitSetup of_all = theophylline();
    FitEngine plain(of_all, {1});
    CHECK(plain.mu.mu().size() == 3);
    CHECK(plain.mu.extra().empty());
    const FitSetup setup =
        theophylline(R"(law = "additive", additive = 0.7)", R"({ value = 1.5, unit = "1/h" })");
    FitEngine other(setup, {1});
    CHECK(other.mu.mu().size() == 2);
    REQUIRE(other.mu.extra().size() == 1);
    CHECK(other.data.model()
              .parameters[other.scale.coordinates[other.mu.extra()[0]].parameter]
              .name == "ka");
}

TEST_CASE("individual estimates are NONMEM's") {
    // ETA of the first three infants in NONMEM's pheno.phi at its FOCEI optimum, five decimals.
    const FitSetup setup = phenobarbital(true);
    FitEngine engine(setup, {1});
    const std::vector<double> at = engine.scale.place(
        std::vector<double>{.00469555, .984258, .15892, .171317, .167049, .11507});
    Modes modes(engine.data, engine.derivatives);
    modes.find(at, engine.scale.point(at));
    const double expected[3][2] = {{-.04386, .00543}, {-.16632, -.13183}, {.09593, .13087}};
    for (std::size_t s = 0; s < 3; ++s)
        for (Eigen::Index e = 0; e < 2; ++e) {
            CAPTURE(s);
            CHECK(std::abs(modes.modes[s].effects(e) - expected[s][e]) < 5e-5);
        }
    // ETC: sds .158 .085 of the first infant.
    const Eigen::MatrixXd covariance = modes.modes[0].expected.inverse();
    CHECK(std::sqrt(covariance(0, 0)) == doctest::Approx(.158).epsilon(.005));
    CHECK(std::sqrt(covariance(1, 1)) == doctest::Approx(.085).epsilon(.01));
}

TEST_CASE("modes of theophylline are those of an independent search") {
    // η of V, CL, ka at the exact maximum, four decimals at estimates of four digits.
    const FitSetup setup = theophylline();
    FitEngine engine(setup, {1});
    const std::vector<double> at =
        engine.scale.place(std::vector<double>{31.62, 2.750, 1.583, .1360, .2652, .6365, .6959});
    Modes modes(engine.data, engine.derivatives);
    modes.find(at, engine.scale.point(at));
    const std::pair<std::size_t, std::vector<double>> expected[] = {
        {0, {-.0855, -.4745, .0906}}, {8, {.0048, .0465, 1.3661}}, {11, {-.1955, -.1255, -.5143}}};
    for (const auto& [s, of] : expected)
        for (std::size_t e = 0; e < 3; ++e) {
            CAPTURE(s);
            CHECK(std::abs(modes.modes[s].effects(static_cast<Eigen::Index>(e)) - of[e]) < 4e-4);
        }
}

TEST_CASE("nodes of Gauss-Hermite quadrature integrate polynomials exactly") {
    // Moments of the standard normal law: 1, 1, 3, 15, 105.
    const HermiteRule rule = hermite_rule(6);
    double moments[5] = {};
    for (std::size_t i = 0; i < rule.nodes.size(); ++i)
        for (int k = 0; k < 5; ++k)
            moments[k] += std::exp(rule.log_weights[i]) * std::pow(rule.nodes[i], 2 * k);
    const double expected[] = {1.0, 1.0, 3.0, 15.0, 105.0};
    for (int k = 0; k < 5; ++k)
        CHECK(moments[k] == doctest::Approx(expected[k]).epsilon(1e-12));
}

} // namespace
} // namespace gemel::learners
