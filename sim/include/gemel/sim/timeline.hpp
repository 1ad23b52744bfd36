#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
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
};
inline constexpr double modelled_rate = -1.0;
inline constexpr double modelled_duration = -2.0;

/// Shared by all subjects of an arm; immutable while a run uses it. Records at equal times act in
/// the order they stand here. Events come before observations at the same time: a sampled value is
/// the value just after (docs/decisions/event_order.md).
struct Timeline {
    std::vector<Record> records;
    double end = 0.0; ///< last time of interest
};

/// What a record becomes for one subject: sorted by (time, order).
enum class EventKind : std::uint8_t { add, rate_on, rate_off };
struct Event {
    double time = 0.0;
    EventKind kind = EventKind::add;
    int state = 0;
    double value = 0.0; ///< amount to add, or rate to add (rate_off: to take away)
    int record = -1;    ///< of the timeline, that it comes from
};

/// One subject's modifiers of doses, per state: [n_states] each.
struct DoseModifiers {
    const double* bioavailability = nullptr;
    const double* lag = nullptr;
    const double* modelled_rate = nullptr;
    const double* modelled_duration = nullptr;
};

/// Derivatives of what a record becomes for one subject, by one input: the same for every repeat.
struct DoseDerivative {
    double time = 0.0;   ///< of when a dose comes
    double end = 0.0;    ///< of when an infusion ends
    double amount = 0.0; ///< of what comes at once
    double rate = 0.0;   ///< of an infusion's rate
};

/// @param modifiers      of the subject
/// @param by_input       derivatives of the modifiers by the input
/// @param inputs         value of input i at inputs[i · input_stride]
/// @param input          the input, in case it multiplies the amount
/// @returns derivatives; all 0 where expand() would refuse the record
DoseDerivative derivative_of_dose(const Record& record,
                                  const DoseModifiers& modifiers,
                                  const DoseModifiers& by_input,
                                  const double* inputs,
                                  std::ptrdiff_t input_stride,
                                  int input);

/// Expands records for one subject: repeats, lag, bioavailability (on a bolus the amount; on an
/// infusion given by duration the rate, on one given by rate the duration; modelled: as NONMEM),
/// amounts per input. Events after `timeline.end` are left out; those at the end are kept.
/// At equal times infusions end first (handing over leaves no rounding residue), then records act
/// in their order; an infusion too short for the clock to see is a bolus.
///
/// A dose of 0 is left out, unless it has a derivative.
///
/// @param inputs       value of input i at inputs[i · input_stride]
/// @param derivatives  of the doses, record by record, the same number for each; may be empty
/// @returns false if a modifier is not finite, a lag or bioavailability is negative, or a modelled
///          rate or duration is not positive; only modifiers of states that records name count
bool expand(const Timeline& timeline,
            const DoseModifiers& modifiers,
            const double* inputs,
            std::ptrdiff_t input_stride,
            std::vector<Event>& events,
            std::span<const DoseDerivative> derivatives = {});

/// @throws std::invalid_argument naming the first record that means nothing: a time, amount, count,
///         interval, rate or duration out of range, or no such state or input
void validate(const Timeline& timeline, int n_states, int n_inputs);

} // namespace gemel::sim
