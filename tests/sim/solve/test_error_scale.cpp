#include "lane_systems.hpp"
#include "solve/error_scale.hpp"

#include <doctest/doctest.h>

using namespace lane_systems;

namespace {

/// The scale of a state that takes doses, for one record.
double scale_of(const Record& record) {
    Builder b;
    b.add_state("y", b.constant(0.0), b.constant(0.0), true);
    const CompiledSystem system = b.compiled();
    const Timeline timeline{{record}, 48.0};
    Expansion expansion;
    REQUIRE(expand({.timeline = &timeline}, expansion));
    const double initial = 0.0;
    double scale = 0.0;
    ErrorScales(system.system).find(expansion.events, &initial, 1, timeline.end, &scale, 1);
    return scale;
}

Record infusion(double time, double amount, double duration, double interval, int count) {
    return {.time = time,
            .kind = RecordKind::infuse,
            .amount = amount,
            .duration = duration,
            .interval = interval,
            .count = count};
}

} // namespace

TEST_CASE("infusions that touch or overlap have the scale of one") {
    // By definition: 24 times 10 in an hour are 240 in a day. 1e-14: rounding of 24 sums.
    CHECK(scale_of(infusion(0.0, 240.0, 24.0, 0.0, 1)) == doctest::Approx(240.0).epsilon(1e-14));
    CHECK(scale_of(infusion(0.0, 10.0, 1.0, 1.0, 24)) == doctest::Approx(240.0).epsilon(1e-14));
    CHECK(scale_of(infusion(5.0, 10.0, 1.0, 1.0, 24)) == doctest::Approx(240.0).epsilon(1e-14));
    // Ends and beginnings that differ by rounding touch too.
    CHECK(scale_of(infusion(0.1, 10.0, 0.1, 0.1, 24)) == doctest::Approx(240.0).epsilon(1e-12));
    CHECK(scale_of(infusion(0.0, 10.0, 2.0, 1.0, 24)) == doctest::Approx(240.0).epsilon(1e-14));
}

TEST_CASE("infusions apart from each other count one by one, the last up to the end") {
    CHECK(scale_of(infusion(0.0, 10.0, 1.0, 2.0, 24)) == doctest::Approx(10.0).epsilon(1e-14));
    CHECK(scale_of(infusion(24.0, 240.0, 48.0, 0.0, 1)) == doctest::Approx(120.0).epsilon(1e-14));
}

TEST_CASE("a state without dose, baseline or declared scale follows its own size in every solver") {
    // Invariant: a receiver of 1e-12 of the dose is as accurate, relative to itself, as one of all
    // of it. Closed form: share·k/(k − c)·(e^{−ct} − e^{−kt}), dose 1. 30·rtol as in the battery.
    Builder b;
    const double k = 1.3, c = 0.21, share = 1e-12;
    b.add_state("source", b.mul(b.constant(-k), b.state(0)), b.constant(0.0), true);
    b.add_state("receiver",
                b.sub(b.mul(b.constant(share * k), b.state(0)), b.mul(b.constant(c), b.state(1))),
                b.constant(0.0));
    b.add_output("receiver", b.state(1));
    const CompiledSystem system = b.compiled();
    const Observation observation = on_grid(1, 1.0, 24.0);
    for (const Solver& solver : solvers()) {
        if (!solver.applies(system)) continue;
        CAPTURE(solver.name);
        const BlockResult result =
            solve(system, {}, daily(1.0, 1, 24.0), observation, {}, solver.name.data());
        REQUIRE(result.status[0] == SolverStatus::ok);
        for (std::size_t i = 1; i < observation.sampled[0].times.size(); ++i) {
            const double t = observation.sampled[0].times[i];
            const double exact = share * k / (k - c) * (std::exp(-c * t) - std::exp(-k * t));
            CHECK(result.sampled[0][i] == doctest::Approx(exact).scale(0.0).epsilon(3e-5));
        }
    }
}
