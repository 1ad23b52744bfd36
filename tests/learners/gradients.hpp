#pragma once

#include "marginal.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <vector>

/// Gradients of objectives against differences of their values.
namespace gemel::learners {

inline void check_gradient(const FitSetup& setup, Method method, double tolerance) {
    FitEngine engine(setup, {1});
    Marginal marginal(engine, method);
    std::vector<double> at = engine.scale.start();
    Eigen::VectorXd gradient;
    CAPTURE(name(method));
    // More tasks of a subject may be solved in another way, whose rounding differs.
    CHECK(marginal.value(at, gradient) == doctest::Approx(marginal.value(at)).epsilon(1e-12));
    CHECK(gradient.isApprox(marginal.gradients_by_subject().rowwise().sum()));
    for (std::size_t k = 0; k < at.size(); ++k) {
        constexpr double step = 1e-4;
        std::vector<double> up = at, down = at;
        up[k] += step;
        down[k] -= step;
        const double expected = (marginal.value(up) - marginal.value(down)) / (2.0 * step);
        CAPTURE(k);
        CHECK(gradient(static_cast<Eigen::Index>(k)) ==
              doctest::Approx(expected).epsilon(tolerance).scale(10.0));
    }
}

/// Second differences within a gradient have errors near 1e-7 of the objective's terms.
inline void check_analytic(const FitSetup& setup) {
    for (const Method method : {Method::focei, Method::foce, Method::fo})
        check_gradient(setup, method, 1e-5);
}

/// Differences of values that hold second differences have errors of 1e-8/1e-4.
inline void check_tangents(const FitSetup& setup, std::initializer_list<Method> methods) {
    for (const Method method : methods)
        check_gradient(setup, method, 2e-4);
}

} // namespace gemel::learners
