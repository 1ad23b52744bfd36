#include "solve/expansion.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace gemel::sim;

namespace {

/// Two states; modifiers of each.
struct Subject {
    double bioavailability[2] = {1.0, 1.0};
    double lag[2] = {0.0, 0.0};
    double modelled_rate[2] = {0.0, 0.0};
    double modelled_duration[2] = {0.0, 0.0};
    double input[2] = {70.0, 1.0};

    DoseModifiers modifiers() const {
        return {bioavailability, lag, modelled_rate, modelled_duration};
    }
    SubjectDoses with(const Timeline& timeline) const {
        return {.timeline = &timeline, .modifiers = modifiers(), .inputs = input};
    }
};

Record bolus(double time, double amount) {
    Record r;
    r.time = time;
    r.amount = amount;
    return r;
}

Record infusion(double time, double amount, double duration, double rate) {
    Record r = bolus(time, amount);
    r.kind = RecordKind::infuse;
    r.duration = duration;
    r.rate = rate;
    return r;
}

std::vector<Event> events_of(const Timeline& timeline, const Subject& subject) {
    Expansion expansion;
    REQUIRE(expand(subject.with(timeline), expansion));
    return expansion.events;
}

bool is(const Event& e, double time, EventKind kind, double value) {
    return e.time == time && e.kind == kind && e.value == value;
}

} // namespace

TEST_CASE("repeats fall at multiples of the interval, shifted by the lag, up to the end") {
    Timeline timeline{{bolus(0.0, 100.0)}, 48.0};
    timeline.records[0].interval = 24.0;
    timeline.records[0].count = 10;
    Subject subject;
    CHECK(events_of(timeline, subject).size() == 3); // 0, 24 and, at the end, 48
    subject.lag[0] = 0.5;
    const auto events = events_of(timeline, subject);
    REQUIRE(events.size() == 2);
    CHECK(is(events[1], 24.5, EventKind::add, 100.0));
}

TEST_CASE("bioavailability acts on a bolus' amount, a timed infusion's rate, a rated infusion's "
          "duration") {
    const Timeline timeline{
        {bolus(0.0, 100.0), infusion(1.0, 100.0, 4.0, 0.0), infusion(10.0, 100.0, 0.0, 20.0)},
        100.0};
    Subject subject;
    subject.bioavailability[0] = 0.5;
    const auto events = events_of(timeline, subject);
    REQUIRE(events.size() == 5);
    CHECK(is(events[0], 0.0, EventKind::add, 50.0));
    CHECK(is(events[1], 1.0, EventKind::rate_on, 12.5)); // 100·0.5/4
    CHECK(is(events[2], 5.0, EventKind::rate_off, 12.5));
    CHECK(is(events[3], 10.0, EventKind::rate_on, 20.0));
    CHECK(is(events[4], 12.5, EventKind::rate_off, 20.0)); // 100·0.5/20 = 2.5
}

TEST_CASE("modelled rates and durations come from the subject") {
    const Timeline timeline{
        {infusion(0.0, 100.0, 0.0, modelled_rate), infusion(20.0, 100.0, 0.0, modelled_duration)},
        100.0};
    Subject subject;
    subject.modelled_rate[0] = 10.0;
    subject.modelled_duration[0] = 8.0;
    const auto events = events_of(timeline, subject);
    REQUIRE(events.size() == 4);
    CHECK(is(events[1], 10.0, EventKind::rate_off, 10.0));
    CHECK(is(events[2], 20.0, EventKind::rate_on, 12.5));

    Expansion none;
    subject.modelled_rate[0] = 0.0;
    CHECK_FALSE(expand(subject.with(timeline), none));
}

TEST_CASE("an amount may be per input, such as a dose per kg") {
    Timeline timeline{{bolus(0.0, 2.0)}, 10.0};
    timeline.records[0].amount_factor = 0;
    CHECK(is(events_of(timeline, {})[0], 0.0, EventKind::add, 140.0));
}

TEST_CASE("at equal times infusions end first, then records act in their order") {
    const Timeline timeline{{bolus(5.0, 1.0), infusion(0.0, 10.0, 5.0, 0.0), bolus(5.0, 2.0)},
                            10.0};
    const auto events = events_of(timeline, {});
    REQUIRE(events.size() == 4);
    CHECK(is(events[1], 5.0, EventKind::rate_off, 2.0));
    CHECK(is(events[2], 5.0, EventKind::add, 1.0));
    CHECK(is(events[3], 5.0, EventKind::add, 2.0));
}

TEST_CASE("rows of inputs at one time hold from their place among records and samples on") {
    // Order of the file: dose 0 (row 0), dose 1 (row 1), sample, dose 2 (row 2), after all row 3.
    const Timeline timeline{{bolus(5.0, 7.0)}, 10.0};
    SubjectTimeline own;
    own.records = {bolus(5.0, 10.0), bolus(5.0, 10.0), bolus(5.0, 10.0)};
    own.samples = {{5.0, 2}};
    own.switches = {
        {5.0, RowPlace::among, 1, 0}, {5.0, RowPlace::among, 2, 1}, {5.0, RowPlace::after}};
    CHECK_NOTHROW(validate(own, timeline, 1, 0));
    const double none[] = {0.0, 0.0, 0.0, 0.0}, share[] = {1.0, 0.5, 0.25, 0.125};
    const SubjectDoses subject{
        .timeline = &timeline, .own = &own, .modifiers = {share, none, none, none, 4}};
    Expansion expansion;
    REQUIRE(expand(subject, expansion));
    std::vector<std::pair<EventKind, double>> got;
    for (const Event& event : expansion.events)
        got.emplace_back(event.kind, event.kind == EventKind::row ? event.which : event.value);
    const std::vector<std::pair<EventKind, double>> expected{{EventKind::add, 7.0},
                                                             {EventKind::add, 10.0},
                                                             {EventKind::row, 1.0},
                                                             {EventKind::add, 5.0},
                                                             {EventKind::observe, 0.0},
                                                             {EventKind::row, 2.0},
                                                             {EventKind::add, 2.5},
                                                             {EventKind::row, 3.0}};
    CHECK(got == expected);

    own.switches[1].n_samples = 2; // there is one
    CHECK_THROWS_AS(validate(own, timeline, 1, 0), std::invalid_argument);
    own.switches[1] = {5.0, RowPlace::before};
    CHECK_THROWS_AS(validate(own, timeline, 1, 0), std::invalid_argument);
}

TEST_CASE("doses a lag holds back do not come into a new period, and those of the arm do") {
    Timeline timeline{{bolus(10.0, 7.0)}, 20.0};
    SubjectTimeline own;
    Record reset = bolus(10.5, 0.0);
    reset.kind = RecordKind::reset;
    reset.begins_period = true;
    own.records = {bolus(10.0, 1.0), reset, bolus(10.5, 2.0)};
    Subject subject;
    subject.lag[0] = 1.0;
    SubjectDoses doses = subject.with(timeline);
    doses.own = &own;
    Expansion expansion;
    REQUIRE(expand(doses, expansion));
    REQUIRE(expansion.events.size() == 3);
    CHECK(expansion.events[0].kind == EventKind::reset);
    CHECK(is(expansion.events[1], 11.0, EventKind::add, 7.0));
    CHECK(is(expansion.events[2], 11.5, EventKind::add, 2.0));
    own.records[1].begins_period = false;
    REQUIRE(expand(doses, expansion));
    CHECK(expansion.events.size() == 4);
}

TEST_CASE("a steady state of more infusions at once than can be kept refuses the subject") {
    // Duration amount/rate over the interval: 1e5 run at once at the most.
    Timeline timeline{{infusion(0.0, 1e5, 0.0, 1.0)}, 2.0};
    timeline.records[0].interval = 1.0;
    timeline.records[0].steady = SteadyState::replaces;
    const Subject subject;
    Expansion expansion;
    CHECK(expand(subject.with(timeline), expansion));
    timeline.records[0].amount = 1.1e5;
    CHECK_FALSE(expand(subject.with(timeline), expansion));
}

TEST_CASE("an infusion shorter than the clock's resolution delivers its amount at once") {
    const Timeline timeline{{infusion(1000.0, 10.0, 1e-15, 0.0)}, 2000.0};
    const auto events = events_of(timeline, {});
    REQUIRE(events.size() == 1);
    CHECK(is(events[0], 1000.0, EventKind::add, 10.0));
}

TEST_CASE("modifiers that are no number refuse the subject, but only where a record needs them") {
    Timeline timeline{{bolus(0.0, 1.0)}, 10.0};
    Expansion events;
    Subject subject;
    subject.lag[1] = std::numeric_limits<double>::quiet_NaN();
    CHECK(expand(subject.with(timeline), events));
    subject.lag[0] = -1.0;
    CHECK_FALSE(expand(subject.with(timeline), events));
    subject.lag[0] = 0.0;
    subject.bioavailability[0] = std::numeric_limits<double>::infinity();
    CHECK_FALSE(expand(subject.with(timeline), events));
}

TEST_CASE("records that mean nothing are refused by name") {
    Timeline timeline{{bolus(0.0, 1.0)}, 10.0};
    CHECK_NOTHROW(validate(timeline, 1, 0));
    CHECK_THROWS_AS(validate(timeline, 0, 0), std::invalid_argument);
    timeline.records[0].count = 2;
    CHECK_THROWS_AS(validate(timeline, 1, 0), std::invalid_argument);
    timeline.records[0] = infusion(0.0, 1.0, 0.0, 0.0);
    CHECK_THROWS_AS(validate(timeline, 1, 0), std::invalid_argument);
}
