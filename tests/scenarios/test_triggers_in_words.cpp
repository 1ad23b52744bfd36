#include "study_runs.hpp"

#include <gemel/scenarios/plan.hpp>
#include <gemel/sim/solver.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace gemel;
using namespace gemel::tests;

namespace {

/// One patient of tests/studies/triggers.toml: everything is a logarithm.
struct Patient {
    double k = 0.0, v = 0.0;

    double falls_for(double from, double to) const { return std::log(from / to) / k; }
    double left(double since) const { return since >= 0.0 ? std::exp(-k * since) : 0.0; }

    /// Each bolus of `rescue` stands on the threshold.
    std::vector<double> rescues() const {
        std::vector<double> times;
        for (double t = falls_for(100.0 / v, 1.0); t < 48.0; t += falls_for(1.0 + 60.0 / v, 1.0))
            times.push_back(t);
        return times;
    }
    /// 5 h after the last, or when the level falls to 1 mg/L, whichever is later.
    std::vector<double> spaced() const {
        std::vector<double> times;
        double t = falls_for(100.0 / v, 1.0), level = 1.0;
        while (times.size() < 4 && t <= 72.0) {
            times.push_back(t);
            level += 10.0 / v;
            t += std::max(5.0, falls_for(level, 1.0));
            level = std::min(1.0, level * left(5.0));
        }
        return times;
    }
    double emptied(double t) const {
        const double again = 100.0 * left(t - 30.0);
        return t < falls_for(200.0 / v, 2.0) ? 200.0 * left(t) : again;
    }
    double stop() const { return 1.0 - std::log(1.0 - 2.0 * k * v / 20.0) / k; }

    double level(std::size_t arm, double t) const {
        const auto boluses = [&](const std::vector<double>& times, double dose) {
            double amount = 100.0 * left(t);
            for (const double at : times)
                amount += dose * left(t - at);
            return amount / v;
        };
        if (arm == 0) return boluses(rescues(), 60.0);
        if (arm == 1) return boluses(spaced(), 10.0);
        if (arm == 3) return emptied(t) / v;
        if (arm == 4) return boluses({}, 0.0);
        // An infusion of 20 mg/h that ends early, or at 48 h if 2 mg/L is never reached.
        const bool is_reached = 2.0 * k * v < 20.0 && stop() < 48.0;
        const double ends = is_reached ? stop() : 48.0;
        const double run = 20.0 / (k * v) * -std::expm1(-k * std::min(t, ends));
        const double late = is_reached || t < 60.0 ? 0.0 : 100.0 / v * left(t - 60.0);
        return run * left(std::max(0.0, t - ends)) + late;
    }
};

} // namespace

TEST_CASE("doses that come when a level crosses a threshold follow logarithms in every solver") {
    const TemporaryFolder folder;
    const double times[] = {0.0, 3.0, 12.0, 30.0, 72.0};
    for (const sim::Solver& solver : sim::solvers()) {
        if (std::string_view(solver.name).ends_with("-split")) continue; // nothing drives anything
        CAPTURE(solver.name);
        if (solver.order == 0) continue; // a switch is not linear
        const scenarios::Study study =
            load("triggers.toml", {"study.rtol=1e-9", "study.solver=" + std::string(solver.name)});
        CHECK(run(study, folder / "triggers.h5").n_failed == 0);
        const io::ResultReader results(folder / "triggers.h5");
        const std::vector<double> cl = results.reals("parameters/CL", -1, 0, 20),
                                  v = results.reals("parameters/V", -1, 0, 20);
        for (std::size_t arm = 0; arm < 5; ++arm) {
            CAPTURE(study.arms[arm].name);
            const int number = static_cast<int>(arm);
            const std::vector<double> cp = results.reals("Cp", number, 0, 20),
                                      n = results.reals("outcomes/rescues", number, 0, 20),
                                      early = results.reals("outcomes/early", number, 0, 20);
            for (std::size_t s = 0; s < 20; ++s) {
                const Patient patient{cl[s] / v[s], v[s]};
                for (std::size_t i = 0; i < std::size(times); ++i)
                    // Steps of 1e-9, some hundred of them
                    CHECK(cp[s * std::size(times) + i] ==
                          doctest::Approx(patient.level(arm, times[i])).epsilon(1e-6).scale(1e-3));
                const std::vector<double> rescues = arm == 0   ? patient.rescues()
                                                    : arm == 1 ? patient.spaced()
                                                               : std::vector<double>{};
                CHECK(n[s] == rescues.size());
                CHECK(early[s] == std::count_if(rescues.begin(), rescues.end(), [](double t) {
                          return t <= 20.0;
                      }));
            }
        }
    }
}

TEST_CASE("check and results tell of what comes when a level crosses a threshold") {
    const TemporaryFolder folder;
    const scenarios::Study study = load("triggers.toml");
    const std::string plan = scenarios::describe_plan(study);
    CAPTURE(plan);
    for (const char* line : {"arm       rescue: rescue, 1 dose time, when Cp < 1 mg/L\n",
                             "arm       stopped: stopped, 2 dose times, when Cp > 2000 ug/L\n"})
        CHECK(plan.find(line) != std::string::npos);
    run(study, folder / "triggers.h5");
    const io::ResultReader results(folder / "triggers.h5");
    const std::uint64_t n = results.axis_size("event");
    using Texts = std::vector<std::string>;
    CHECK(results.texts("events/EVENT", -1, 0, n) == Texts{"dose",
                                                           "dose",
                                                           "dose",
                                                           "dose",
                                                           "dose",
                                                           "dose",
                                                           "dose",
                                                           "dose",
                                                           "dose",
                                                           "stop",
                                                           "switch off"});
    CHECK(results.texts("events/WHEN", -1, 0, n) == Texts{"",
                                                          "",
                                                          "",
                                                          "",
                                                          "",
                                                          "",
                                                          "",
                                                          "Cp < 1 mg/L",
                                                          "Cp < 1[mg/L]",
                                                          "Cp > 2000 ug/L",
                                                          "Cp < 2 mg/L"});
}
