#include "flip_flop.hpp"
#include "learners/problems.hpp"
#include "simulated.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace gemel::learners {
namespace {

/// Where theophylline is in flip-flop: ka below CL/V.
std::vector<double> flipped(const FitEngine& engine, double ka, double v, double cl) {
    PopulationPoint point = engine.scale.fixed;
    for (std::size_t p = 0; p < engine.data.n_parameters(); ++p) {
        const std::string& name = engine.data.model().parameters[p].name;
        point.theta[p] = name == "ka" ? ka : name == "V" ? v : cl;
    }
    return engine.scale.place(point);
}

} // namespace

TEST_SUITE_BEGIN("flip-flop");

TEST_CASE("rates of absorption and elimination are told apart") {
    const FitSetup setup = theophylline();
    const FitEngine engine(setup, {1});
    const auto rates = [&](double ka, double v, double cl) {
        return find_flip_flop(engine.data, engine.scale.point(flipped(engine, ka, v, cl)));
    };
    CHECK(!rates(1.5, 30.0, 2.5));
    const std::optional<FlipFlop> found = rates(0.1, 2.0, 3.0);
    REQUIRE(found);
    CHECK(found->absorption == doctest::Approx(0.1).epsilon(1e-6));
    CHECK(found->elimination == doctest::Approx(1.5).epsilon(1e-6));
}

TEST_CASE("a typical patient's curve is the same with its two rates exchanged") {
    // The closed form of one compartment is symmetric in ka and CL/V where V goes with ka.
    const FitSetup setup = theophylline();
    FitEngine engine(setup, {1});
    const std::vector<double> at = flipped(engine, 0.1, 2.0, 3.0);
    const std::optional<std::vector<double>> other =
        with_rates_exchanged(engine.data, engine.scale, at, engine.scale.start());
    REQUIRE(other);
    const PopulationPoint there = engine.scale.point(*other);
    CHECK(!find_flip_flop(engine.data, there));
    const auto before = typical_predictions(engine, engine.scale.point(at)),
               after = typical_predictions(engine, there);
    for (std::size_t s = 0; s < before.size(); ++s)
        for (std::size_t i = 0; i < before[s].size(); ++i)
            // Rates are found by differences at small amounts, to about 1e-9.
            CHECK(after[s][i] == doctest::Approx(before[s][i]).epsilon(1e-7));
    CHECK(!with_rates_exchanged(engine.data, engine.scale, *other, engine.scale.start()));
}

TEST_CASE("a search that ends in flip-flop goes to the better of the two curves") {
    // Data of fast absorption, started where it is slow.
    FitSetup setup = theophylline();
    setup.options.method = Method::focei;
    setup.options.n_draws = 0;
    const FitResult best = fit(setup, {1});
    for (FitNumber& number : setup.numbers)
        if (number.law.name == "ka")
            number.start = 0.09;
        else if (number.law.name == "V")
            number.start = 1.8;
    const FitResult result = fit(setup, {1});
    CHECK(result.objective <= best.objective + 0.01);
    CHECK(std::ranges::any_of(result.warnings, [](const FitWarning& warning) {
        return warning.what.find("flip-flop") != std::string::npos;
    }));
}

TEST_SUITE_END();

} // namespace gemel::learners
