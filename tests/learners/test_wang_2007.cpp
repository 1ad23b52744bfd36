#include "diagnostics.hpp"
#include "learners/gradients.hpp"
#include "learners/problems.hpp"
#include "marginal.hpp"

#include <doctest/doctest.h>

#include <cmath>

/// Objectives without a search: ten subjects, each measured at two times, of Wang (2007), J
/// Pharmacokinet Pharmacodyn 34:575-593. y = 10·exp(-ke·t), ke = 0.5·exp(η), var η 0.04. NONMEM's
/// numbers are those that nlmixr2 is tested against (test-focei-wang2007); power laws were checked
/// there by NONMEM 7.5.1.
namespace gemel::learners {
namespace {

FitSetup decay(const std::string& error) {
    return make_setup(R"toml(gemel = "model/1"
[model]
name = "exponential decay"
source = "Wang (2007), J Pharmacokinet Pharmacodyn 34:575-593"
time = "h"
equations = '''
d/dt(central) = -ke * central
Cp = central / V
'''
[routes.iv]
into = "central"
default = true
[parameters]
ke = { value = 0.5, unit = "1/h", iiv = { sd = 0.2 } }
V = { value = 1, unit = "L" }
[states]
central = { unit = "mg" }
[outputs]
Cp = { unit = "mg/L", error = { )toml" +
                          error + " } }\n",
                      data_words("wang_2007.csv"));
}

double objective_of(const FitSetup& setup, Method method, int nodes = 0) {
    FitEngine engine(setup, {1});
    Marginal marginal(engine, method, nodes);
    return marginal.value(engine.scale.start());
}

const std::string sd = "0.31622776601683794"; // of a variance of 0.1

TEST_CASE("objectives of ten subjects are NONMEM's for every law of error") {
    struct Anchor {
        std::string error;
        double focei, foce, fo;
    };
    const Anchor anchors[] = {
        {"law = \"additive\", additive = " + sd, -2.059, -2.059, 0.026},
        {"law = \"proportional\", proportional = " + sd, 39.458, 39.207, 39.213},
        {"law = \"combined2\", additive = " + sd + ", proportional = " + sd,
         39.735,
         39.499,
         39.505},
        {"law = \"combined1\", additive = " + sd + ", proportional = " + sd,
         43.554,
         43.394,
         43.398},
        {"law = \"power\", exponent = 0.5, proportional = " + sd, 9.966, 9.331, 9.651},
        {"law = \"lognormal\", sd = " + sd, 40.039, 40.039, 40.055}};
    for (const Anchor& anchor : anchors) {
        CAPTURE(anchor.error);
        const FitSetup setup = decay(anchor.error);
        // Printed to three decimals
        CHECK(std::abs(objective_of(setup, Method::focei) - anchor.focei) < 6e-4);
        CHECK(std::abs(objective_of(setup, Method::foce) - anchor.foce) < 6e-4);
        CHECK(std::abs(objective_of(setup, Method::fo) - anchor.fo) < 6e-4);
        check_analytic(setup);
        check_tangents(setup, {Method::laplace, Method::agq});
    }
}

TEST_CASE("Laplace and quadrature of ten subjects are those of an independent program") {
    // Full Hessian and 25 nodes, three decimals.
    const FitSetup setup = decay("law = \"proportional\", proportional = " + sd);
    CHECK(std::abs(objective_of(setup, Method::laplace) - 39.227) < 6e-4);
    CHECK(std::abs(objective_of(setup, Method::agq, 25) - 39.355) < 6e-4);
}

TEST_CASE("effects and residuals of ten subjects are NONMEM's") {
    const FitSetup setup = decay("law = \"proportional\", proportional = " + sd);
    FitEngine engine(setup, {1});
    const std::vector<double> at = engine.scale.start();
    const PopulationPoint point = engine.scale.point(at);
    Modes modes(engine.data, engine.derivatives);
    modes.find(at, point);
    const std::vector<ObservationDiagnostics> observations = observe(engine, point, modes);
    // Its FOCEI tables, five digits: ETA1, and of the second time IPRE, IWRES and CWRES. (Its
    // CWRESI takes the mean of the squared error's variance over the effects instead.)
    const double eta[] = {.071545,
                          .0057045,
                          .024947,
                          .03195,
                          -.0047874,
                          .0039789,
                          -.011804,
                          .0058801,
                          -.0031367,
                          -.00066641};
    const double ipred[] = {
        5.8445, 6.048, 5.9892, 5.9676, 6.0798, 6.0532, 6.101, 6.0474, 6.0748, 6.0673};
    const double iwres[] = {
        -1.1691, .21229, -.070055, -.18374, .3529, .23596, .44301, .20987, .33128, .29858};
    const double cwres[] = {
        -1.2221, .19366, -.10511, -.22425, .34381, .21888, .44045, .19108, .32066, .28571};
    for (std::size_t s = 0; s < 10; ++s) {
        CAPTURE(s);
        CHECK(std::abs(modes.modes[s].effects(0) - eta[s]) < 5e-5);
        const ObservationDiagnostics& of = observations[2 * s + 1];
        CHECK(std::abs(of.pred - 6.0653) < 6e-5);
        CHECK(std::abs(of.ipred - ipred[s]) < 3e-4);
        CHECK(std::abs(of.iwres - iwres[s]) < 1e-4);
        CHECK(std::abs(of.cwres - cwres[s]) < 1e-4);
    }
}

} // namespace
} // namespace gemel::learners
