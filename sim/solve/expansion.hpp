#pragma once

#include <gemel/sim/timeline.hpp>

#include <cstddef>
#include <span>
#include <vector>

/// From nominal records to one subject's events: repeats, lag, bioavailability, steady states,
/// resets. Theory manual: events.md.
namespace gemel::sim {

enum class EventKind : std::uint8_t {
    add,         ///< value: the amount
    rate_on,     ///< value: the rate
    goes_on,     ///< value: the rate, of an infusion that runs already
    rate_change, ///< value: what its rate rises by
    rate_off,    ///< value: the rate
    set,         ///< value: what the state becomes
    multiply,    ///< value: the factor
    reset,
    replace_all, ///< by the steady state of number `which`; infusions stop
    add_all,     ///< the steady state of number `which`
    row,         ///< `which`: of the subject's rows of inputs, from now on
    observe,     ///< `which`: of the subject's own samples
    off,
    on,
    discontinue, ///< infusions end; what doses are still to come is the solver's to leave out
    leap,        ///< value: the time that it is from now on, hardly later
    stop,        ///< nothing happens, but steps end here
};

/// One thing that happens to one subject.
struct Event {
    double time = 0.0;
    EventKind kind = EventKind::add;
    int state = 0;
    double value = 0.0;
    int record = -1; ///< that it comes from: of the shared ones, then of the subject's own
    int dose = -1;   ///< of add, rate_on, rate_off, set, multiply: number of the dose
    /// Of stop: number of a corner that moves with an input.
    int which = -1; ///< of rate_change and rate_off, after changes: the dose it began with
    int repeat = 0; ///< of its record; below 0: a dose before the record's own
    int place = 0;  ///< among those at one time: that of its record or sample
};

/// One subject's modifiers of doses: of state s in row r at [s·state_stride + r].
struct DoseModifiers {
    const double* bioavailability = nullptr;
    const double* lag = nullptr;
    const double* modelled_rate = nullptr;
    const double* modelled_duration = nullptr;
    std::ptrdiff_t state_stride = 1;
};

/// Derivatives of what a record becomes for one subject, by one input.
struct DoseDerivative {
    double time = 0.0;   ///< of when the dose comes
    double end = 0.0;    ///< of when an infusion ends
    double amount = 0.0; ///< of what comes at once
    double rate = 0.0;   ///< of an infusion's rate
};

/// Doses one period apart, given for ever before `time`: what a steady state is made of.
struct SteadyPattern {
    double time = 0.0;   ///< of the record
    double period = 0.0; ///< 0: an infusion without end
    double phase = 0.0;  ///< of the doses within a period, in [0, period)
    int state = 0;
    double amount = 0.0;       ///< of a bolus
    double rate = 0.0;         ///< of an infusion; 0: a bolus
    double duration = 0.0;     ///< of an infusion
    int row = 0;               ///< of the subject, in force at the record
    int dose = -1;             ///< number of a dose like them
    std::vector<int> off = {}; ///< states that are switched off meanwhile
};

/// What one subject's events are made from.
struct SubjectDoses {
    const Timeline* timeline = nullptr;
    const SubjectTimeline* own = nullptr; ///< nullptr: nothing of its own
    DoseModifiers modifiers = {};
    const double* inputs = nullptr; ///< input i in row r at [i·input_stride + r]
    std::ptrdiff_t input_stride = 1;
    /// Time k of row r at [k·input_stride + r]: steps end there.
    const double* model_times = nullptr;
    int n_model_times = 0;
    /// By input w of time k in row r at [(w·n_model_times + k)·input_stride + r]
    const double* model_time_derivatives = nullptr;
    std::span<const DoseModifiers> by_input = {}; ///< [n_wrt] derivatives of the modifiers
    std::span<const int> wrt = {};                ///< [n_wrt] inputs
};

struct Expansion {
    std::vector<Event> events;               ///< in order of time
    std::vector<DoseDerivative> derivatives; ///< [n_doses × n_wrt]
    std::vector<double> corners;             ///< [n_corners × n_wrt] derivatives of their times
    std::vector<SteadyPattern> steady;
    std::vector<int> samples; ///< the subject's own samples that no event accompanies
    int n_doses = 0;

    /// Storage that the next expansion finds.
    struct Kept {
        std::vector<Event> events;
        std::vector<int> n_running, n_ends_to_skip, state_of; ///< [n_doses]
        std::vector<const Event*> resets;
    };
    Kept kept = {};
};

/// Events after `timeline.end` are left out; those at the end are kept. Times closer than steps can
/// be are one. At equal times: rows that hold from then on; ends of infusions (handing over leaves
/// no rounding residue); records, own samples and rows among them in their order; rows that hold
/// after. An infusion too short for the clock to see is a bolus. A dose of 0 is left out, unless it
/// has a derivative.
///
/// The lag is that of the row in force at the record, for all its repeats; bioavailability and
/// duration are those in force when a dose comes. A modelled rate is that of the row in force at
/// each moment, until the amount is in.
///
/// @returns false if a modifier is not finite, a lag or bioavailability is negative, a modelled
///          rate or duration is not positive, or more than `most_running` infusions of a steady
///          state run at once; only modifiers of states that records name count
bool expand(const SubjectDoses& subject, Expansion& expansion);

/// A record that comes at `now`, to which its times are relative. Its events join those of number
/// `next` on, after what is to happen at the same times. `index`: as of the subject's records.
/// @returns as expand()
bool expand_also(const SubjectDoses& subject,
                 Record record,
                 int index,
                 double now,
                 std::size_t next,
                 Expansion& expansion);

/// After the events of number `next` on that come no later.
void insert_in_time(const Event& event, std::size_t next, std::vector<Event>& events);

/// Leaves out, of the events of number `next` on, ends of infusions that have begun: into `state`,
/// or any if it is −1.
void end_infusions(std::vector<Event>& events, std::size_t next, int state);

} // namespace gemel::sim
