#include "derivatives.hpp"
#include "learners/problems.hpp"
#include "marginal.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

/// Derivatives of predictions against differences of their values.
namespace gemel::learners {
namespace {

std::vector<SubjectPredictions> predictions_at(FitEngine& engine,
                                               std::span<const double> at,
                                               Derivatives::Order order,
                                               std::size_t effect,
                                               double value) {
    Derivatives::Request request;
    for (std::size_t s = 0; s < engine.data.n_subjects(); ++s)
        request.subjects.push_back(s);
    request.effects.assign(engine.data.n_subjects() * engine.data.max_effects, 0.0);
    for (std::size_t s = 0; s < engine.data.n_subjects(); ++s)
        request.effects[s * engine.data.max_effects + effect] = value;
    request.order = order;
    std::vector<SubjectPredictions> found(engine.data.n_subjects());
    engine.derivatives.evaluate(request, at, engine.scale.point(at), found);
    return found;
}

TEST_CASE("derivatives stay right when what was given has long been absorbed") {
    // After ten days nothing is left of depot and gut. Steps that the states alone would allow are
    // beyond the stability of explicit methods there.
    const FitSetup setup = warfarin_pkpd();
    FitEngine engine(setup, {1});
    REQUIRE(engine.derivatives.is_symbolic());
    std::vector<double> values = engine.scale.values(engine.scale.fixed);
    const double typical[] = {1.35, 0.994, 0.1344, 7.706, 0.9926, 1.103, 0.05283, 96.71};
    std::ranges::copy(typical, values.begin());
    const std::vector<double> at = engine.scale.place(values);
    const std::vector<SubjectPredictions> exact =
        predictions_at(engine, at, Derivatives::Order::first, 0, 0.0);
    for (std::size_t e = 0; e < engine.data.n_eta(); ++e) {
        CAPTURE(e);
        // Values near 100 with errors of 1e-6 by the solver: 1e-4/1e-2 in a difference; truncation
        // takes a few hundredths of a per cent.
        constexpr double step = 1e-2;
        const auto up = predictions_at(engine, at, Derivatives::Order::value, e, step),
                   down = predictions_at(engine, at, Derivatives::Order::value, e, -step);
        for (std::size_t s = 0; s < engine.data.n_subjects(); ++s) {
            const Eigen::VectorXd expected = (up[s].f - down[s].f) / (2.0 * step);
            const Eigen::VectorXd error =
                exact[s].first.col(static_cast<Eigen::Index>(e)) - expected;
            CHECK(error.cwiseAbs().maxCoeff() < 1e-2 + 1e-3 * expected.cwiseAbs().maxCoeff());
        }
    }
}

} // namespace
} // namespace gemel::learners
