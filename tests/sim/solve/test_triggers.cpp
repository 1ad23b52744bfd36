#include "sim/solve/problems.hpp"

#include <gemel/sim/ode_system.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

using namespace gemel::sim;

namespace {

constexpr double volume = 20.0, k_el = 0.3;

/// One compartment, A' = −k·A, C = A/V: everything about it is a logarithm.
struct Decay {
    Problem p;
    Term a;
    explicit Decay(double end, double sd = 0.0) : p("decay", end) {
        const Term v = p.input("V", volume, sd), k = p.input("k", k_el, sd);
        a = p.dosed_state("central");
        p.rate(a, -(k * a));
        p.output("C", a / v);
        p.output("amount", a);
    }
    int add_elsewhere() {
        const Term other = p.dosed_state("elsewhere");
        p.rate(other, -other);
        return 1;
    }
    Trigger& when(bool is_above, double threshold) {
        Trigger& trigger = p.timeline.triggers.emplace_back();
        trigger.threshold = threshold;
        trigger.is_above = is_above;
        return trigger;
    }
    Trigger& dose_below(double threshold, double amount) {
        Trigger& trigger = when(false, threshold);
        trigger.record.amount = amount;
        return trigger;
    }
};

/// Solves by every solver that applies and hands the result over, with a tolerance: of closed forms
/// rounding, and the smallest step by which a crossing is located, over some ten crossings; of
/// steps, errors of some tens of rtol in all steps between crossings, of which each moves the next.
template <class Check>
void by_every_solver(const Problem& p, double rtol, const Check& check) {
    const CompiledSystem system = compile(p.system);
    SolverOptions options;
    options.rtol = rtol;
    int n = 0;
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult result = solve(solver, system, p, p.medians, options);
        REQUIRE(name(result.status[0]) == "ok");
        check(result, solver.order == 0 ? 1e-10 : 1e3 * rtol);
        ++n;
    }
    CHECK(n >= 5);
}

} // namespace

TEST_CASE("a dose comes each time the level falls below: times are logarithms") {
    // From (D + V·c) each time down to V·c: the period is ln((D + V·c)/(V·c))/k.
    constexpr double dose = 100.0, threshold = 2.0;
    Decay d(48.0);
    d.p.bolus(d.a, dose);
    d.dose_below(threshold, dose);
    d.p.functional(FunctionalKind::times_acted, 0, 0.0, 48.0);
    d.p.functional(FunctionalKind::times_acted, 0, 20.0, 48.0);
    d.p.functional(FunctionalKind::minimum, 0, 0.0, 48.0);
    d.p.functional(FunctionalKind::maximum, 0, 10.0, 48.0);
    std::vector<double> times{0.0, 5.0, 17.0, 30.3, 48.0}, expected;
    d.p.sample_output(0, times);
    const double bottom = threshold * volume, first = std::log(dose / bottom) / k_el;
    const double period = std::log((dose + bottom) / bottom) / k_el;
    int n = 0, n_late = 0;
    for (double t = first; t < 48.0; t += period, ++n)
        n_late += t >= 20.0;
    for (double t : times)
        expected.push_back(t < first ? dose / volume * std::exp(-k_el * t)
                                     : (dose + bottom) / volume *
                                           std::exp(-k_el * std::fmod(t - first, period)));
    by_every_solver(d.p, 1e-9, [&](const BlockResult& result, double tolerance) {
        CHECK(result.functionals[0] == n);
        CHECK(result.functionals[1] == n_late);
        CHECK(result.functionals[2] == doctest::Approx(threshold).epsilon(tolerance));
        CHECK(result.functionals[3] ==
              doctest::Approx(threshold + dose / volume).epsilon(tolerance));
        for (std::size_t i = 0; i < times.size(); ++i)
            CHECK(result.sampled[0][i] == doctest::Approx(expected[i]).epsilon(tolerance));
    });
}

TEST_CASE("an infusion ends where the level rises above, and no dose comes after") {
    // C = R/(k·V)·(1 − e^(−k·t)) up to c at t = −ln(1 − c·k·V/R)/k, then it decays; a bolus planned
    // for t = 20 does not come.
    constexpr double speed = 30.0, threshold = 4.0;
    Decay d(24.0);
    d.p.infuse(d.a, speed * 15.0, 15.0, 0.0);
    d.p.bolus(d.a, 1000.0, 20.0);
    Trigger& stop = d.when(true, threshold);
    stop.record.kind = RecordKind::discontinue;
    d.p.sample_output(0, {1.0, 10.0, 24.0});
    d.p.functional(FunctionalKind::time_of_maximum, 0, 0.0, 24.0);
    const double at = -std::log(1.0 - threshold * k_el * volume / speed) / k_el;
    by_every_solver(d.p, 1e-9, [&](const BlockResult& result, double tolerance) {
        const std::vector<double>& c = result.sampled[0];
        CHECK(c[0] ==
              doctest::Approx(speed / (k_el * volume) * -std::expm1(-k_el)).epsilon(tolerance));
        CHECK(c[1] ==
              doctest::Approx(threshold * std::exp(-k_el * (10.0 - at))).epsilon(tolerance));
        CHECK(c[2] ==
              doctest::Approx(threshold * std::exp(-k_el * (24.0 - at))).epsilon(tolerance));
        CHECK(result.functionals[0] == doctest::Approx(at).epsilon(tolerance));
    });
}

TEST_CASE("discontinued at a time: what runs ends, and no planned dose comes after it") {
    // A bolus every 6 h beside 5/h for 24 h, both until 10 h: then C decays from what it is there.
    Decay d(24.0);
    d.p.bolus(d.a, 20.0, 0.0, 6.0, 4);
    d.p.infuse(d.a, 120.0, 24.0, 0.0);
    d.p.timeline.records.push_back({.time = 10.0, .kind = RecordKind::discontinue});
    d.p.sample_output(1, {10.0, 13.0, 24.0});
    const double at_stop = 20.0 * (std::exp(-k_el * 10.0) + std::exp(-k_el * 4.0)) -
                           5.0 / k_el * std::expm1(-k_el * 10.0);
    by_every_solver(d.p, 1e-9, [&](const BlockResult& result, double tolerance) {
        const double since[] = {0.0, 3.0, 14.0};
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(result.sampled[0][i] ==
                  doctest::Approx(at_stop * std::exp(-k_el * since[i])).epsilon(tolerance));
    });
}

TEST_CASE("a trigger that waits comes again while its comparison holds") {
    // Doses too small to reach the threshold: one at the crossing, then one every 3 h.
    constexpr double dose = 10.0, threshold = 2.0;
    Decay d(24.0);
    d.p.bolus(d.a, 100.0);
    d.dose_below(threshold, dose).wait = 3.0;
    d.p.sample_output(1, {24.0});
    d.p.functional(FunctionalKind::times_acted, 0, 0.0, 24.0);
    const double first = std::log(100.0 / (threshold * volume)) / k_el;
    double amount = 100.0 * std::exp(-k_el * 24.0);
    int n = 0;
    for (double t = first; t <= 24.0; t += 3.0, ++n)
        amount += dose * std::exp(-k_el * (24.0 - t));
    by_every_solver(d.p, 1e-9, [&](const BlockResult& result, double tolerance) {
        CHECK(result.functionals[0] == n);
        CHECK(result.sampled[0][0] == doctest::Approx(amount).epsilon(tolerance));
    });
}

TEST_CASE("without a wait the level must have been on the other side in between") {
    // The dose goes elsewhere, so that the level stays below: it is the only one.
    Decay d(24.0);
    d.p.bolus(d.a, 100.0);
    d.dose_below(2.0, 10.0).record.state = d.add_elsewhere();
    d.p.functional(FunctionalKind::times_acted, 0, 0.0, 24.0);
    by_every_solver(
        d.p, 1e-6, [&](const BlockResult& result, double) { CHECK(result.functionals[0] == 1.0); });
}

TEST_CASE("a comparison that holds from the start of the window must cease first") {
    // Below the threshold until the dose at 2 h: it comes once, when the level falls.
    Decay d(24.0);
    d.p.bolus(d.a, 100.0, 2.0);
    d.dose_below(2.0, 10.0).record.state = d.add_elsewhere();
    d.p.functional(FunctionalKind::times_acted, 0, 0.0, 24.0);
    d.p.functional(FunctionalKind::times_acted, 0, 0.0, 2.0);
    by_every_solver(d.p, 1e-6, [&](const BlockResult& result, double) {
        CHECK(result.functionals[0] == 1.0);
        CHECK(result.functionals[1] == 0.0);
    });
}

TEST_CASE("a jump over the threshold counts as a crossing") {
    // The bolus at 5 h lifts the level above 4: the state is halved at once, and only then.
    Decay d(10.0);
    d.p.bolus(d.a, 40.0);
    d.p.bolus(d.a, 100.0, 5.0);
    Trigger& halve = d.when(true, 4.0);
    halve.record.kind = RecordKind::multiply;
    halve.record.amount = 0.5;
    d.p.sample_output(1, {5.0});
    const double expected = 0.5 * (40.0 * std::exp(-k_el * 5.0) + 100.0);
    by_every_solver(d.p, 1e-9, [&](const BlockResult& result, double tolerance) {
        CHECK(result.sampled[0][0] == doctest::Approx(expected).epsilon(tolerance));
    });
}

TEST_CASE("count and window bound a trigger") {
    constexpr double dose = 100.0, threshold = 2.0;
    Decay d(48.0);
    d.p.bolus(d.a, dose);
    d.dose_below(threshold, dose).count = 3;
    d.p.functional(FunctionalKind::times_acted, 0, 0.0, 48.0);
    by_every_solver(
        d.p, 1e-6, [&](const BlockResult& result, double) { CHECK(result.functionals[0] == 3.0); });
    // The first crossing is at 3.05 h, outside; afterwards the level never rises again.
    d.p.timeline.triggers[0].from = 4.0;
    by_every_solver(
        d.p, 1e-6, [&](const BlockResult& result, double) { CHECK(result.functionals[0] == 0.0); });
    d.p.timeline.triggers[0].from = 0.0;
    d.p.timeline.triggers[0].to = 4.0;
    by_every_solver(
        d.p, 1e-6, [&](const BlockResult& result, double) { CHECK(result.functionals[0] == 1.0); });
}

TEST_CASE("what a trigger gives has lag, bioavailability, repeats and infusions like other doses") {
    // The same as written-out doses at the crossing's time, which is a logarithm.
    constexpr double threshold = 2.0;
    const double at = std::log(100.0 / (threshold * volume)) / k_el;
    const auto make = [&](bool by_trigger) {
        Decay d(40.0);
        d.p.definition(d.a).lag = d.p.input("lag", 0.7).expr;
        d.p.definition(d.a).bioavailability = d.p.input("F", 0.6).expr;
        Record record{.kind = RecordKind::infuse, .amount = 50.0, .duration = 1.5};
        record.interval = 4.0;
        record.count = 3;
        if (by_trigger) {
            Trigger& t = d.when(false, threshold);
            t.record = record;
            t.record.time = 0.5;
            t.count = 1;
        } else {
            record.time = at + 0.7 + 0.5;
            d.p.timeline.records.push_back(record);
        }
        d.p.bolus(d.a, 100.0 / 0.6);
        d.p.sample_output(0, {2.0, 6.0, 9.1, 14.2, 40.0});
        return d.p;
    };
    // The first dose lags by 0.7 h itself: so does the crossing.
    const CompiledSystem system = compile(make(true).system);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        SolverOptions options;
        options.rtol = 1e-9;
        const Problem one = make(true), other = make(false);
        const BlockResult a = solve(solver, system, one, one.medians, options);
        const BlockResult b = solve(solver, system, other, other.medians, options);
        REQUIRE(name(a.status[0]) == "ok");
        for (std::size_t i = 0; i < a.sampled[0].size(); ++i)
            CHECK(a.sampled[0][i] ==
                  doctest::Approx(b.sampled[0][i]).epsilon(solver.order == 0 ? 1e-10 : 1e-6));
    }
}

TEST_CASE("the first of two crossings comes first, and the other sees what it does") {
    // Falling from 5: at 3 the amount is set to 10 (C = 0.5), which passes 2 by a jump: the dose
    // comes at that same time.
    Decay d(10.0);
    d.p.bolus(d.a, 100.0);
    d.dose_below(2.0, 60.0);
    Trigger& set = d.when(false, 3.0);
    set.record.kind = RecordKind::set;
    set.record.amount = 10.0;
    set.count = 1;
    d.p.sample_output(1, {10.0});
    const double first = std::log(5.0 / 3.0) / k_el;
    // 70 from there on; below 40 at ln(70/40)/k later, when 60 more come, and so on.
    double time = first, amount = 70.0;
    while (time + std::log(amount / 40.0) / k_el < 10.0) {
        time += std::log(amount / 40.0) / k_el;
        amount = 100.0;
    }
    by_every_solver(d.p, 1e-9, [&](const BlockResult& result, double tolerance) {
        CHECK(result.sampled[0][0] ==
              doctest::Approx(amount * std::exp(-k_el * (10.0 - time))).epsilon(tolerance));
    });
}

TEST_CASE("two triggers that undo each other at one time act once each") {
    // C below 1 sets it to 3, C above 2 sets it to 0.5: at the crossing each comes once, and the
    // level stays at 0.5 from then on, below both.
    Decay d(10.0);
    d.p.bolus(d.a, 30.0);
    Trigger& up = d.when(false, 1.0);
    up.record = {.kind = RecordKind::set, .amount = 60.0};
    Trigger& down = d.when(true, 2.0);
    down.record = {.kind = RecordKind::set, .amount = 10.0};
    d.p.functional(FunctionalKind::times_acted, 0, 0.0, 10.0);
    d.p.functional(FunctionalKind::times_acted, 1, 0.0, 10.0);
    by_every_solver(d.p, 1e-6, [&](const BlockResult& result, double) {
        CHECK(result.functionals[0] == 1.0);
        CHECK(result.functionals[1] == 1.0);
    });
}

TEST_CASE("an output that mentions time is looked at as closely as it turns") {
    // 1 + sin(2π·t/T) with T far below a step: above 1.99 for a short while each turn.
    Decay d(10.0);
    d.p.bolus(d.a, 1.0);
    const Term wave = cos(d.p.number(20.0) * d.p.time());
    const int output = d.p.output("wave", wave);
    Trigger& trigger = d.when(true, 0.99);
    trigger.output = output;
    trigger.record = {.kind = RecordKind::add, .amount = 0.0};
    d.p.functional(FunctionalKind::times_acted, 0, 0.0, 10.0);
    // cos(20·t) = 1 at t = n·π/10, n ≥ 1 (at 0 it holds from the start): 31 of them up to 10, and
    // the one at 10.05 rises above at 10.0455.
    by_every_solver(d.p, 1e-6, [&](const BlockResult& result, double) {
        CHECK(result.functionals[0] == 31.0);
    });
}

TEST_CASE("resets, cancelled doses and switches: what a trigger takes away stays away") {
    for (const PendingDoses pending : {PendingDoses::given, PendingDoses::cancelled}) {
        // An infusion of 10/h runs from 0 to 12, and again from 16 to 28; the level rises above
        // 0.8 at t = −ln(1 − 0.8·k·V/10)/k, when everything is reset.
        Decay d(30.0);
        d.p.infuse(d.a, 120.0, 12.0, 0.0, 16.0, 2);
        d.p.timeline.pending = pending;
        Trigger& reset = d.when(true, 0.8);
        reset.record.kind = RecordKind::reset;
        reset.count = 1;
        d.p.sample_output(1, {10.0, 20.0, 30.0});
        const auto running = [](double hours) { return 10.0 / k_el * -std::expm1(-k_el * hours); };
        const bool comes = pending == PendingDoses::given;
        by_every_solver(d.p, 1e-9, [&](const BlockResult& result, double tolerance) {
            const std::vector<double>& amount = result.sampled[0];
            CHECK(amount[0] == 0.0);
            CHECK(amount[1] == doctest::Approx(comes ? running(4.0) : 0.0).epsilon(tolerance));
            CHECK(amount[2] == doctest::Approx(comes ? running(12.0) * std::exp(-k_el * 2.0) : 0.0)
                                   .epsilon(tolerance));
        });
    }
}

TEST_CASE(
    "triggers of many patients: bits do not depend on the width, doses come at each own time") {
    Decay d(72.0, 0.4);
    d.p.bolus(d.a, 100.0);
    d.dose_below(1.5, 80.0);
    d.when(true, 6.0).record = {.kind = RecordKind::multiply, .amount = 0.8};
    d.p.sample(13);
    d.p.functional(FunctionalKind::times_acted, 0, 0.0, 72.0);
    constexpr int n = 50;
    const std::vector<double> inputs = d.p.patients(n);
    const CompiledSystem system = compile(d.p.system);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        std::vector<BlockResult> results;
        for (const int width : {1, 8, 32}) {
            SolverOptions options;
            options.width = width;
            results.push_back(solve(solver, system, d.p, inputs, options));
        }
        CHECK(results[0].sampled == results[1].sampled);
        CHECK(results[0].sampled == results[2].sampled);
        CHECK(results[0].functionals == results[2].functionals);
        for (int s = 0; s < n; ++s) {
            // The closed form, subject by subject; 100/V may lie above 6 from the start.
            const double v = inputs[static_cast<std::size_t>(s)];
            const double k = inputs[static_cast<std::size_t>(n + s)];
            const double bottom = 1.5 * v;
            double amount = 100.0, time = 0.0;
            int acted = 0;
            if (amount < bottom) continue; // holds from the start
            while (true) {
                time += std::log(amount / bottom) / k;
                if (time > 72.0) break;
                ++acted;
                amount = bottom + 80.0;
                if (amount / v > 6.0) amount *= 0.8;
            }
            CHECK(results[0].functionals[static_cast<std::size_t>(s)] == acted);
        }
    }
}

TEST_CASE("triggers that chase each other for ever end in a status") {
    // A dose of 1e-9 lifts the level by 5e-11 over the threshold each time.
    Decay d(1000.0);
    d.p.bolus(d.a, 100.0);
    d.dose_below(2.0, 1e-9);
    const CompiledSystem system = compile(d.p.system);
    const BlockResult result =
        solve(*find_solver("exact-closed-form"), system, d.p, d.p.medians, {});
    CHECK(name(result.status[0]) == "step_limit");
}

TEST_CASE("triggers that mean nothing are refused") {
    const auto refused = [](const auto& change) {
        Decay d(10.0);
        Trigger& trigger = d.dose_below(1.0, 10.0);
        change(d, trigger);
        const CompiledSystem system = compile(d.p.system);
        CHECK_THROWS_AS(
            (validate(d.p.timeline, 1, 2), validate(d.p.observation, system, d.p.timeline)),
            std::invalid_argument);
    };
    refused([](Decay&, Trigger& t) { t.output = 7; });
    refused([](Decay&, Trigger& t) { t.threshold = std::nan(""); });
    refused([](Decay&, Trigger& t) { t.wait = -1.0; });
    refused([](Decay&, Trigger& t) { t.count = 0; });
    refused([](Decay&, Trigger& t) { t.to = t.from; });
    refused([](Decay&, Trigger& t) { t.record.time = -1.0; });
    refused([](Decay&, Trigger& t) { t.record.state = 3; });
    refused([](Decay&, Trigger& t) {
        t.record.steady = SteadyState::replaces;
        t.record.interval = 8.0;
    });
    refused([](Decay& d, Trigger&) { d.p.functional(FunctionalKind::times_acted, 1, 0.0, 10.0); });
}

TEST_CASE("a trigger with derivatives says that there are none") {
    Decay d(10.0);
    d.dose_below(1.0, 10.0);
    const OdeSystem with = with_sensitivities(d.p.system, std::vector<std::string>{"k"});
    const CompiledSystem system = compile(with);
    Problem p = d.p;
    CHECK_THROWS_AS(solve(*find_solver("rodas5p"), system, p, p.medians, {}),
                    std::invalid_argument);
}
