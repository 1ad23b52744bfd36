#include "learners/problems.hpp"
#include "marginal.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>

namespace gemel::learners {
namespace {

std::vector<double> place_of(const FitEngine& engine, const std::vector<double>& values) {
    return engine.scale.place(values);
}

TEST_CASE("probe") {
    const FitSetup setup = theophylline();
    FitEngine engine(setup, {1});
    std::printf("%s %s %s\n", engine.predictor.solver().c_str(), engine.mu.text().c_str(), "");
    const auto at = place_of(engine, {1.590, 31.81, 2.752, .6343, .1384, .2629, .6944});
    for (const Method method :
         {Method::focei, Method::foce, Method::fo, Method::laplace, Method::agq}) {
        Marginal marginal(engine, method);
        const auto t0 = std::chrono::steady_clock::now();
        double v = 0;
        for (int i = 0; i < 10; ++i)
            v = marginal.value(at);
        const auto t1 = std::chrono::steady_clock::now();
        std::printf("%s %.5f  %.3f ms solver %.3f s total %ld\n",
                    std::string(name(method)).c_str(),
                    v,
                    std::chrono::duration<double>(t1 - t0).count() * 100,
                    engine.count().seconds,
                    (long)engine.count().n_solves);
    }
    Marginal m(engine, Method::focei);
    Eigen::VectorXd g;
    m.value(at, g);
    for (std::size_t k = 0; k < engine.scale.size(); ++k) {
        auto x = at;
        x[k] += 1e-4;
        const double up = m.value(x);
        x[k] -= 2e-4;
        const double down = m.value(x);
        std::printf("%zu %.6f %.6f\n", k, g(static_cast<Eigen::Index>(k)), (up - down) / 2e-4);
    }
}

} // namespace
} // namespace gemel::learners
