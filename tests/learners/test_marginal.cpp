#include "learners/problems.hpp"
#include "marginal.hpp"
#include "minimise.hpp"
#include "saem.hpp"
#include "conditional_draws.hpp"

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

TEST_CASE("probe2") {
    const FitSetup setup = theophylline();
    FitEngine engine(setup, {1});
    const std::size_t C = 17, n = 12 * C, d = 3;
    std::vector<std::size_t> subjects, first;
    std::vector<double> effects(n * d, 0.1), values(n * 11);
    for (std::size_t t = 0; t < n; ++t) { subjects.push_back(t / C); first.push_back(t * 11); }
    const auto theta = engine.scale.fixed.theta;
    for (int i = 0; i < 5000; ++i) engine.predictor.predict({subjects, theta, effects, d, first}, values);
    std::printf("%.3f us per solve, %.3f s\n", 1e6 * engine.predictor.count().seconds / (5000.0 * n), engine.predictor.count().seconds);
}

TEST_CASE("probe3") {
    for (int which = 0; which < 3; ++which) {
    const FitSetup setup = which == 0 ? theophylline() : phenobarbital(which == 2);
    FitEngine engine(setup, {1});
    std::printf("%s\n", engine.mu.text().c_str());
    Marginal marginal(engine, Method::focei);
    SmoothFunction f;
    f.value = [&](std::span<const double> at) { return marginal.value(at); };
    f.gradient = [&](std::span<const double> at, Eigen::VectorXd& g) { return marginal.value(at, g); };
    f.curvature = [&] { const auto& g = marginal.gradients_by_subject(); return Eigen::MatrixXd(0.5 * g * g.transpose()); };
    MinimiseOptions options;
    for (const auto& c : engine.scale.coordinates) { options.lower.push_back(c.lower); options.upper.push_back(c.upper); }
    options.watch = [&](int i, double v, std::span<const double>) { std::printf("%d %.5f\n", i, v); return true; };
    const auto t0 = std::clock();
    const Minimum m = minimise(f, engine.scale.start(), options);
    std::printf("%.5f %s iterations %d evaluations %ld CPU %.3f solver %.3f solves %ld\n", m.value, m.reason.c_str(), m.n_iterations, (long)marginal.n_evaluations(), double(std::clock()-t0)/CLOCKS_PER_SEC, engine.count().seconds, (long)engine.count().n_solves);
    for (double v : engine.scale.values(engine.scale.point(m.at))) std::printf(" %.6g", v);
    std::printf("\n");
    }
}

TEST_CASE("probe4") {
    for (int which = 0; which < 3; ++which) {
    const FitSetup setup = which == 0 ? theophylline() : phenobarbital(which == 2);
    for (int seed = 1; seed <= 3; ++seed) {
    FitEngine engine(setup, {1});
    auto t0 = std::clock();
    const SaemResult r = saem(engine, engine.scale.start(), seed);
    std::printf("%s CPU %.3f solver %.3f solves %ld iterations %zu\n", r.reason.c_str(), double(std::clock()-t0)/CLOCKS_PER_SEC, engine.count().seconds, (long)engine.count().n_solves, r.trace.size());
    for (double v : engine.scale.values(engine.scale.point(r.at))) std::printf(" %.6g", v);
    std::printf("\n");
    t0 = std::clock();
    Modes modes(engine.data, engine.derivatives);
    modes.find(r.at, engine.scale.point(r.at));
    ConditionalDraws draws(engine, 2000, r.is_direct, 1);
    auto at = r.at;
    draws.draw(at, proposals_at(engine.data, modes, engine.scale.point(at)), 0);
    double v0 = draws.value(at); std::printf("IS %.4f +- %.4f ess %.3f ", v0 , draws.likelihood().standard_error, draws.least_effective_share());
    Eigen::VectorXd g; draws.value(at, g);
    const Likelihood lk = draws.likelihood(); std::printf("-2LL %.4f kmax %.3f\n", lk.minus_two_ll, *std::max_element(lk.k_hat.begin(), lk.k_hat.end()));
    SmoothFunction f;
    f.value = [&](std::span<const double> x) { return draws.value(x); };
    f.gradient = [&](std::span<const double> x, Eigen::VectorXd& gr) { return draws.value(x, gr); };
 std::printf("direct"); for (char c : r.is_direct) std::printf(" %d", c); std::printf("\n");
    f.curvature = [&] { const auto& gs = draws.gradients_by_subject(); return Eigen::MatrixXd(0.5 * gs * gs.transpose()); };
    MinimiseOptions options;
    for (const auto& c : engine.scale.coordinates) { options.lower.push_back(c.lower); options.upper.push_back(c.upper); }
    options.max_iterations = 8;
    for (int round = 1; round < 3; ++round) {
    const Minimum m = minimise(f, at, options);
    at = m.at;
    std::printf("polished %.4f %s %d CPU %.3f -2LL %.4f\n", m.value, m.reason.c_str(), m.n_iterations, double(std::clock()-t0)/CLOCKS_PER_SEC, draws.likelihood().minus_two_ll);
    for (double v : engine.scale.values(engine.scale.point(at))) std::printf(" %.6g", v);
    std::printf("\n");
    draws.value(at);
    draws.draw(at, draws.adapted(), 0);
    v0 = draws.value(at); std::printf("IS %.4f +- %.4f ess %.3f\n", v0 , draws.likelihood().standard_error, draws.least_effective_share());
    }
    }}
}

TEST_CASE("probe5") {
    for (int which = 0; which < 2; ++which) {
    const FitSetup setup = warfarin_pk(which == 0 ? R"(law = "combined1", additive = 0.3, proportional = 0.1)" : R"(law = "combined2", additive = 0.3, proportional = 0.1)");
    for (int seed = 1; seed <= 3; ++seed) {
    FitEngine engine(setup, {1});
    auto t0 = std::clock();
    const SaemResult r = saem(engine, engine.scale.start(), seed);
    std::printf("%s CPU %.3f solver %.3f solves %ld iterations %zu\n", r.reason.c_str(), double(std::clock()-t0)/CLOCKS_PER_SEC, engine.count().seconds, (long)engine.count().n_solves, r.trace.size());
    for (double v : engine.scale.values(engine.scale.point(r.at))) std::printf(" %.6g", v);
    std::printf("\n");
    t0 = std::clock();
    Modes modes(engine.data, engine.derivatives);
    modes.find(r.at, engine.scale.point(r.at));
    ConditionalDraws draws(engine, 10000, std::vector<char>(engine.scale.size(), 0), 1);
    auto at = r.at;
    draws.draw(at, proposals_of(r.moments), 0);
    double v0 = draws.value(at); std::printf("IS %.4f +- %.4f ess %.3f ", v0 , draws.likelihood().standard_error, draws.least_effective_share());
    Eigen::VectorXd g; draws.value(at, g);
    const Likelihood lk = draws.likelihood(); std::printf("-2LL %.4f kmax %.3f\n", lk.minus_two_ll, *std::max_element(lk.k_hat.begin(), lk.k_hat.end()));
    SmoothFunction f;
    f.value = [&](std::span<const double> x) { return draws.value(x); };
    f.gradient = [&](std::span<const double> x, Eigen::VectorXd& gr) { return draws.value(x, gr); };
 std::printf("direct"); for (char c : r.is_direct) std::printf(" %d", c); std::printf("\n");
    f.curvature = [&] { const auto& gs = draws.gradients_by_subject(); return Eigen::MatrixXd(0.5 * gs * gs.transpose()); };
    MinimiseOptions options;
    for (const auto& c : engine.scale.coordinates) { options.lower.push_back(c.lower); options.upper.push_back(c.upper); }
    options.max_iterations = 8;
    for (int round = 1; round < 2; ++round) {
    const Minimum m = minimise(f, at, options);
    at = m.at;
    std::printf("polished %.4f %s %d CPU %.3f -2LL %.4f\n", m.value, m.reason.c_str(), m.n_iterations, double(std::clock()-t0)/CLOCKS_PER_SEC, draws.likelihood().minus_two_ll);
    for (double v : engine.scale.values(engine.scale.point(at))) std::printf(" %.6g", v);
    std::printf("\n");
    draws.value(at);
    draws.draw(at, draws.adapted(), 0);
    v0 = draws.value(at); std::printf("IS %.4f +- %.4f ess %.3f\n", v0 , draws.likelihood().standard_error, draws.least_effective_share());
    }
    }}
}

TEST_CASE("probe6") {
    for (int which = 0; which < 1; ++which) {
    const FitSetup setup = warfarin_pkpd();
    for (int seed = 1; seed <= 1; ++seed) {
    FitEngine engine(setup, {1});
    auto t0 = std::clock();
    const SaemResult r = saem(engine, engine.scale.start(), seed);
    std::printf("%s CPU %.3f solver %.3f solves %ld iterations %zu\n", r.reason.c_str(), double(std::clock()-t0)/CLOCKS_PER_SEC, engine.count().seconds, (long)engine.count().n_solves, r.trace.size());
    for (double v : engine.scale.values(engine.scale.point(r.at))) std::printf(" %.6g", v);
    std::printf("\n");
    t0 = std::clock();
    Modes modes(engine.data, engine.derivatives);
    modes.find(r.at, engine.scale.point(r.at));
    ConditionalDraws draws(engine, 4000, std::vector<char>(engine.scale.size(), 0), 1);
    auto at = r.at;
    draws.draw(at, proposals_of(r.moments), 0);
    double v0 = draws.value(at); std::printf("IS %.4f +- %.4f ess %.3f ", v0 , draws.likelihood().standard_error, draws.least_effective_share());
    Eigen::VectorXd g; draws.value(at, g);
    const Likelihood lk = draws.likelihood(); std::printf("-2LL %.4f kmax %.3f\n", lk.minus_two_ll, *std::max_element(lk.k_hat.begin(), lk.k_hat.end()));
    SmoothFunction f;
    f.value = [&](std::span<const double> x) { return draws.value(x); };
    f.gradient = [&](std::span<const double> x, Eigen::VectorXd& gr) { return draws.value(x, gr); };
 std::printf("direct"); for (char c : r.is_direct) std::printf(" %d", c); std::printf("\n");
    f.curvature = [&] { const auto& gs = draws.gradients_by_subject(); return Eigen::MatrixXd(0.5 * gs * gs.transpose()); };
    MinimiseOptions options;
    for (const auto& c : engine.scale.coordinates) { options.lower.push_back(c.lower); options.upper.push_back(c.upper); }
    options.max_iterations = 8;
    for (int round = 1; round < 1; ++round) {
    const Minimum m = minimise(f, at, options);
    at = m.at;
    std::printf("polished %.4f %s %d CPU %.3f -2LL %.4f\n", m.value, m.reason.c_str(), m.n_iterations, double(std::clock()-t0)/CLOCKS_PER_SEC, draws.likelihood().minus_two_ll);
    for (double v : engine.scale.values(engine.scale.point(at))) std::printf(" %.6g", v);
    std::printf("\n");
    draws.value(at);
    draws.draw(at, draws.adapted(), 0);
    v0 = draws.value(at); std::printf("IS %.4f +- %.4f ess %.3f\n", v0 , draws.likelihood().standard_error, draws.least_effective_share());
    }
    }}
}

TEST_CASE("probe7") {
    const FitSetup setup = warfarin_pkpd();
    FitEngine engine(setup, {1});
    std::printf("%s: %s\n", engine.predictor.solver().c_str(), engine.predictor.reason().c_str());
    const std::size_t C = 4, n = 32 * C, d = 8;
    std::vector<std::size_t> subjects, first;
    std::size_t nv = 0;
    for (std::size_t t = 0; t < n; ++t) { subjects.push_back(t / C); first.push_back(nv); nv += engine.data.subjects[t / C].measured.size(); }
    std::vector<double> effects(n * d, 0.1), values(nv);
    for (std::size_t t = 0; t < n * d; ++t) effects[t] = 0.1 * double((t * 7919) % 13) / 6.5 - 0.1;
    const auto theta = engine.scale.fixed.theta;
    for (int i = 0; i < 40; ++i) engine.predictor.predict({subjects, theta, effects, d, first}, values);
    std::printf("%.3f us per solve, %.3f s\n", 1e6 * engine.predictor.count().seconds / (40.0 * n), engine.predictor.count().seconds);
}

TEST_CASE("probe8") {
    FitSetup setup = warfarin_pkpd();
    setup.options.n_exploration = 120; setup.options.n_smoothing = 30;
    if (const char* solver = std::getenv("SOLVER")) setup.options.solver = solver;
    FitEngine engine(setup, {1});
    struct M : FitMonitor { FitEngine& e; SolverCount last; M(FitEngine& x) : e(x) {} void advance(const FitProgress& p) override { if (p.step % 10) return; auto c = e.count(); auto d = e.derivatives.count(); std::printf("%s %ld: %.2f us per solve, %ld solves; failed %ld, derivatives %.2f s %ld solves\n", p.phase.c_str(), (long)p.step, 1e6 * (c.seconds - last.seconds) / (c.n_solves - last.n_solves), long(c.n_solves - last.n_solves), long(c.n_failed - last.n_failed), d.seconds, (long)d.n_solves); last = c; } } m(engine);
    saem(engine, engine.scale.start(), 1, &m);
}

TEST_CASE("probe9") {
    for (int which = 0; which < 4; ++which) {
    FitSetup setup = which == 0 ? theophylline() : which < 3 ? phenobarbital(which == 2) : theophylline();
    setup.options.method = which == 1 ? Method::focei : Method::saem;
    if (which == 3) { for (auto& n : setup.numbers) { if (n.law.name == "ka") n.start = 0.09; if (n.law.name == "V") n.start = 1.8; } }
    const FitResult r = fit(setup, {1});
    std::printf("%s %d %s obj %.4f CPU %.3f solver %.3f\n", r.stop_reason.c_str(), r.is_converged, r.objective_name.c_str(), r.objective, r.total_seconds, r.solver_seconds);
    for (const auto& l : r.likelihoods) std::printf("%.4f +- %.4f\n", l.minus_two_ll, l.standard_error);
    for (std::size_t i = 0; i < r.values.size(); ++i) { std::printf("%s %.6g", setup.numbers[r.estimated[i]].law.name.c_str(), r.values[i]); for (const auto& u : r.uncertainties) if (u.is_usable) std::printf("  %.4g", std::sqrt(u.covariance(i, i))); std::printf("\n"); }
    for (const auto& u : r.uncertainties) std::printf("%s cond %.3g\n", u.method.c_str(), u.condition_number);
    for (const auto& n : r.notes) std::printf("note %s\n", n.c_str());
    for (const auto& n : r.warnings) std::printf("warning %s\n", n.what.c_str());
    }
}

TEST_CASE("probe10") {
    for (int k = 0; k < 10; ++k) {
    FitSetup setup = theophylline();
    FitEngine engine(setup, {1});
    auto t0 = std::clock();
    saem(engine, engine.scale.start(), k);
    std::printf("CPU %.3f solver %.3f\n", double(std::clock()-t0)/CLOCKS_PER_SEC, engine.count().seconds);
    }
}

} // namespace
} // namespace gemel::learners
