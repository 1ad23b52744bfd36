#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

/// What happens to a subject in time, as nominal records: what was prescribed, before lag and
/// bioavailability. The solvers own what records mean (docs/theory/events.md).
namespace gemel::sim {

enum class RecordKind : std::uint8_t {
    add,        ///< an amount at once
    infuse,     ///< an amount at a constant rate
    set,        ///< the state becomes the amount (no bioavailability, no lag)
    multiply,   ///< the state is multiplied by the amount
    reset,      ///< all states become their initial values, all running infusions stop
    switch_off, ///< the state becomes 0 and stays there until a dose or `switch_on`
    switch_on,  ///< the state takes part again, from 0
    discontinue ///< running infusions end, and doses planned by now do not come any more
};

/// Whether a dose stands at the end of infinitely many like it, one interval apart.
enum class SteadyState : std::uint8_t {
    none,
    replaces, ///< the periodic solution replaces what there is (SS = 1)
    adds,     ///< … is added to what there is (SS = 2)
};

/// One nominal record. Plain data.
struct Record {
    double time = 0.0; ///< of the first dose
    RecordKind kind = RecordKind::add;
    int state = 0;
    double amount = 0.0;    ///< in the state's unit
    int amount_factor = -1; ///< input whose value multiplies the amount (dose per kg), or −1
    double duration = 0.0;  ///< of an infusion, > 0; 0: given by `rate`
    double rate = 0.0;      ///< of an infusion, > 0; modelled_rate or modelled_duration otherwise
    double interval = 0.0;  ///< between repeats
    std::int64_t count = 1; ///< how many times in all
    /// Of add and infuse, with an interval. An infusion by rate with amount 0 and no interval has
    /// been running for ever and ends at the record.
    SteadyState steady = SteadyState::none;
    /// Of a reset: time begins anew, so that doses still to come of the subject's own records
    /// before it do not come, whatever the timeline's `pending`.
    bool begins_period = false;

    bool operator==(const Record&) const = default;
};
inline constexpr double modelled_rate = -1.0;
inline constexpr double modelled_duration = -2.0;
/// Infusions of a steady state that run at once; a subject that would need more is refused.
inline constexpr double most_running = 1e5;

/// What becomes of doses still to come (repeats, and doses delayed by a lag) of earlier records
/// when a record resets the subject or puts it into a steady state.
enum class PendingDoses : std::uint8_t {
    given,     ///< they come when they are due
    cancelled, ///< they do not come
};

/// A record that comes when a level crosses a threshold: at the moment at which a comparison of an
/// output with a number becomes true. True from the start of its window, it must become false
/// first. One that waits comes again, its wait after it came last, if the comparison still holds
/// then; without a wait the comparison must have been false in between. Doses in steady states are
/// found without triggers.
struct Trigger {
    int output = 0;
    double threshold = 0.0; ///< in the output's unit
    bool is_above = false;  ///< output > threshold; otherwise output < threshold
    Record record;          ///< its time counts from the crossing, ≥ 0; not of a steady state
    double from = -std::numeric_limits<double>::infinity(); ///< its window: from ≤ t < to
    double to = std::numeric_limits<double>::infinity();
    double wait = 0.0; ///< it comes at least so long after it came last
    std::int64_t count = std::numeric_limits<std::int64_t>::max(); ///< it comes at most so often

    bool operator==(const Trigger&) const = default;
};

/// Shared by all subjects of an arm; immutable while a run uses it. Records at equal times act in
/// the order they stand here. Events come before observations at the same time: a sampled value is
/// the value just after (docs/decisions/event_order.md).
struct Timeline {
    std::vector<Record> records;
    double end = 0.0;   ///< last time of interest
    double start = 0.0; ///< where subjects begin with their initial values
    PendingDoses pending = PendingDoses::given;
    std::vector<Trigger> triggers = {};

    bool operator==(const Timeline&) const = default;
};

/// Which of what happens at its time sees a new row of inputs.
enum class RowPlace : std::uint8_t {
    before, ///< all of it
    among,  ///< the subject's own records and samples that stand after it
    after,  ///< nothing (NOCB)
};

/// From here on the subject's next row of inputs holds.
struct RowSwitch {
    double time = 0.0;
    RowPlace place = RowPlace::before;
    /// Of `among`: how many of the subject's own records and samples stand before it.
    std::size_t n_records = 0, n_samples = 0;
};

/// A time at which a subject's own outputs are taken.
struct OwnSample {
    double time = 0.0;
    /// How many of the subject's own records stand before it: of what happens at the same time, it
    /// sees what these do, and not what later ones do.
    std::size_t n_before = 0;
};

/// What one subject has for itself, beside what it shares with its arm. Plain data.
struct SubjectTimeline {
    std::vector<Record> records;    ///< act after the shared ones at equal times
    std::vector<OwnSample> samples; ///< times not decreasing
    /// [n_rows − 1], times not decreasing, nor places at one time, nor counts of those `among`.
    std::vector<RowSwitch> switches;
    /// Initial values hold here, if this is later than the timeline's start; but at the latest at
    /// the first shared record.
    double begin = -std::numeric_limits<double>::infinity();
};

/// @throws std::invalid_argument naming the first record or trigger that means nothing: a time,
///         amount, count, interval, rate or duration out of range, or no such state or input
void validate(const Timeline& timeline, int n_states, int n_inputs);
/// Likewise, and of samples and switches whose times decrease or leave [start, end], and of
/// switches whose places decrease.
void validate(const SubjectTimeline& own, const Timeline& timeline, int n_states, int n_inputs);

} // namespace gemel::sim
