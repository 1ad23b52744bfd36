#include "study_runs.hpp"

#include <gemel/scenarios/plan.hpp>
#include <gemel/sim/solver.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

using namespace gemel;
using namespace gemel::tests;

namespace {

/// Amount in plasma at a time, by the rate constant of elimination.
using Amount = std::function<double(double k, double t)>;

double left(double k, double since) {
    return since >= 0.0 ? std::exp(-k * since) : 0.0;
}

/// Of tests/studies/regimens.toml, arm by arm, in mg: superposition, geometric series, R/k.
const Amount amounts[] = {
    [](double k, double t) {
        return 100.0 / (1.0 - std::exp(-12.0 * k)) * left(k, std::fmod(t, 12.0));
    },
    [](double k, double t) {
        return 30.0 * left(k, t) + 100.0 / (1.0 - std::exp(-12.0 * k)) * left(k, t - 6.0);
    },
    [](double k, double t) { return 20.0 / k * left(k, t - 10.0); },
    [](double k, double t) {
        if (t >= 24.0) return 10.0 * left(k, t - 24.0);
        return 100.0 * left(k, t) * (t >= 8.0 ? 0.25 : t >= 4.0 ? 0.5 : 1.0);
    },
    [](double k, double t) {
        if (t >= 36.0) return 50.0 * left(k, t - 36.0);
        return 100.0 * (left(k, t) + left(k, t - 24.0));
    },
    [](double k, double t) { return t < 12.0 ? 100.0 * left(k, t) : 0.0; },
    [](double k, double t) { return 100.0 * (left(k, t + 24.0) + left(k, t + 12.0)); },
};

/// Of tests/studies/switched.toml: what comes while the state is off is lost, and it begins from 0.
double switched_plasma(double k, double t) {
    if (t >= 36.0) return 60.0 * left(k, t - 36.0);
    if (t >= 20.0) return t < 26.0 ? 80.0 * left(k, t - 20.0) : 0.0;
    if (t >= 13.0 || (t >= 4.0 && t < 10.0)) return 0.0;
    if (t >= 10.0) return 50.0 / k * (left(k, std::max(0.0, t - 11.0)) - left(k, t - 10.0));
    return 100.0 * left(k, t);
}

/// Absorbed since `begin` of what the depot then holds.
double absorbed(double amount, double ka, double k, double since) {
    return amount * ka / (ka - k) * (std::exp(-k * since) - std::exp(-ka * since));
}

double switched_absorbed(double ka, double k, double t) {
    if (t < 1.0) return absorbed(100.0, ka, k, t);
    return t < 2.0 ? 0.0 : absorbed(100.0 * std::exp(-2.0 * ka), ka, k, t - 2.0);
}

double switched_depot(double ka, double k, double t) {
    if (t < 2.0) return absorbed(100.0, ka, k, t);
    return absorbed(100.0, ka, k, 2.0) * std::exp(-k * (t - 2.0));
}

} // namespace

TEST_CASE("states that a regimen switches off and on follow closed forms in every solver") {
    const TemporaryFolder folder;
    const double times[] = {0.0, 1.5, 3.0, 6.0, 10.5, 12.0, 15.0, 24.0, 30.0, 40.0};
    std::size_t n_solvers = 0;
    for (const sim::Solver& solver : sim::solvers()) {
        const std::string_view name = solver.name;
        // A rate that depends on a switch is no linear one.
        if (name.starts_with("exact")) continue;
        ++n_solvers;
        CAPTURE(name);
        const scenarios::Study study =
            load("switched.toml", {"study.rtol=1e-9", "study.solver=" + std::string(name)});
        CHECK(run(study, folder / "switched.h5").n_failed == 0);
        const io::ResultReader results(folder / "switched.h5");
        const std::vector<double> cl = results.reals("parameters/CL", -1, 0, 20),
                                  v = results.reals("parameters/V", -1, 0, 20),
                                  ka = results.reals("parameters/ka", -1, 0, 20);
        for (int arm = 0; arm < 3; ++arm) {
            CAPTURE(study.arms[static_cast<std::size_t>(arm)].name);
            const std::vector<double> cp = results.reals("Cp", arm, 0, 20);
            for (std::size_t s = 0; s < 20; ++s)
                for (std::size_t i = 0; i < std::size(times); ++i) {
                    CAPTURE(times[i]);
                    const double k = cl[s] / v[s];
                    const double amount = arm == 0   ? switched_plasma(k, times[i])
                                          : arm == 1 ? switched_absorbed(ka[s], k, times[i])
                                                     : switched_depot(ka[s], k, times[i]);
                    // Steps of 1e-9, some hundred of them
                    CHECK(cp[s * std::size(times) + i] ==
                          doctest::Approx(amount / v[s]).epsilon(1e-6).scale(1e-3));
                }
        }
    }
    CHECK(n_solvers >= 4);
}

TEST_CASE("check and results tell of switches") {
    const TemporaryFolder folder;
    const scenarios::Study study = load("switched.toml");
    const std::string plan = scenarios::describe_plan(study);
    CAPTURE(plan);
    CHECK(plan.find("arm       plasma: plasma, 4 dose times, 3 switch offs, 1 switch on\n") !=
          std::string::npos);
    run(study, folder / "switched.h5");
    const io::ResultReader results(folder / "switched.h5");
    const std::vector<std::string> events = results.texts("events/EVENT", -1, 0, 6);
    CHECK(events == std::vector<std::string>{
                        "dose", "switch off", "switch on", "dose", "switch off", "switch off"});
    CHECK(results.texts("events/CMT", -1, 0, 6)[4] == "central");
    CHECK(results.reals("events/TIME", -1, 0, 6)[5] == 26.0);
    CHECK(results.reals("events/EVID", -1, 0, 6)[5] == 2.0);
}

TEST_CASE("steady states, resets, changes and doses before 0 follow closed forms in every solver") {
    const TemporaryFolder folder;
    const double times[] = {0.0, 3.0, 6.0, 12.0, 30.0, 40.0};
    for (const sim::Solver& solver : sim::solvers()) {
        if (std::string_view(solver.name).ends_with("-split")) continue; // nothing drives anything
        CAPTURE(solver.name);
        const scenarios::Study study =
            load("regimens.toml", {"study.rtol=1e-9", "study.solver=" + std::string(solver.name)});
        CHECK(run(study, folder / "regimens.h5").n_failed == 0);
        const io::ResultReader results(folder / "regimens.h5");
        const std::vector<double> cl = results.reals("parameters/CL", -1, 0, 20),
                                  v = results.reals("parameters/V", -1, 0, 20);
        for (std::size_t arm = 0; arm < std::size(amounts); ++arm) {
            CAPTURE(study.arms[arm].name);
            const std::vector<double> cp = results.reals("Cp", static_cast<int>(arm), 0, 20);
            for (std::size_t s = 0; s < 20; ++s)
                for (std::size_t i = 0; i < std::size(times); ++i) {
                    CAPTURE(times[i]);
                    const double expected = amounts[arm](cl[s] / v[s], times[i]) / v[s];
                    // Steps of 1e-9, some hundred of them
                    CHECK(cp[s * std::size(times) + i] ==
                          doctest::Approx(expected).epsilon(1e-6).scale(1e-3));
                }
        }
    }
}

TEST_CASE("check and results tell of steady states and of what is no dose") {
    const TemporaryFolder folder;
    const scenarios::Study study = load("regimens.toml");
    const std::string plan = scenarios::describe_plan(study);
    for (const char* line : {"arm       steady: steady, 4 dose times, 1 steady state\n",
                             "arm       endless: endless, 0 dose times, 1 steady state\n",
                             "arm       dialysed: dialysed, 1 dose time, 1 set value, 2 "
                             "multiplications\n",
                             "arm       washed: washed, 3 dose times, 1 reset\n",
                             "arm       cancelled: cancelled, 2 dose times, 1 reset, pending doses "
                             "cancelled\n",
                             "begins    at -24 h, in every arm\n"}) {
        CAPTURE(plan);
        CHECK(plan.find(line) != std::string::npos);
    }
    run(study, folder / "regimens.h5");
    const io::ResultReader results(folder / "regimens.h5");
    const std::uint64_t n = results.axis_size("event");
    const auto integers = [&](const char* name) {
        return results.reals(std::string("events/") + name, -1, 0, n);
    };
    // Row by row as the study says.
    using Texts = std::vector<std::string>;
    using Numbers = std::vector<double>;
    CHECK(results.texts("events/EVENT", -1, 0, n) == Texts{"dose",
                                                           "dose",
                                                           "dose",
                                                           "dose",
                                                           "dose",
                                                           "multiply",
                                                           "multiply",
                                                           "set",
                                                           "dose",
                                                           "reset",
                                                           "dose",
                                                           "dose",
                                                           "reset",
                                                           "dose"});
    CHECK(integers("EVID") == Numbers{1, 1, 1, 1, 1, 2, 2, 2, 1, 3, 1, 1, 3, 1});
    CHECK(integers("SS") == Numbers{1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    CHECK(integers("AMT") == Numbers{100, 30, 100, 0, 100, 0.5, 0.5, 10, 100, 0, 50, 100, 0, 100});
    CHECK(integers("TIME") == Numbers{0, 0, 6, 10, 0, 4, 8, 24, 0, 36, 36, 0, 12, -24});
    CHECK(results.texts("events/CMT", -1, 0, n)[9] == "");
    CHECK(results.texts("events/AMT_unit", -1, 0, n)[5] == "1");
}
