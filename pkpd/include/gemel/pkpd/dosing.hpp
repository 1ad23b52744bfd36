#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/sim/timeline.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Doses as people write them, and what they become: nominal records. Lag, bioavailability and
/// overlap are the engine's; nothing here computes a time that depends on a patient.
namespace gemel::pkpd {

/// `when = "Cp < 2 mg/L"`: what else an entry says comes each time a level crosses a threshold, not
/// at a time; `at`, `until` and `for` are the window in which it may.
struct TriggerWords {
    sim::SourceSpan span; ///< of the comparison
    std::string text;     ///< as written
    std::string name;     ///< for outcomes; may be empty
    std::string output;
    bool is_above = false;
    std::optional<sim::Quantity> threshold; ///< absent where its text was wrong
    std::optional<sim::Quantity> wait, delay;
    std::optional<std::int64_t> at_most;
};

/// `dose = { policy = "iwpc", times = 2 }`: each subject's own amount, which a policy of the study
/// gives.
struct PolicyDoseWords {
    std::string policy;
    sim::SourceSpan span;                 ///< of its name
    double times = 1.0;                   ///< that much of it
    std::optional<sim::Quantity> lasting; ///< of a dose per time: the amount for so long
};

/// One `{ dose = "100 mg", start = "0 h", every = "24 h", until = "14 d" }`, or what else happens
/// to a subject: `{ reset = true, at = "24 h" }`, `{ set = "0 mg", into = "central", at = "24 h"
/// }`, `{ switch = "off", into = "central", at = "24 h" }`.
struct DoseWords {
    sim::SourceSpan span; ///< of the table
    /// add: a dose, also if it is infused; otherwise what happens instead of one.
    sim::RecordKind kind = sim::RecordKind::add;
    /// An amount; NaN where its text was wrong, which is reported already; 0 of a constant
    /// infusion, which has a rate and a steady state alone.
    sim::Quantity dose;
    std::optional<sim::Unit> per; ///< "kg" or "m2": the dose is per that much of the patient
    std::optional<PolicyDoseWords> policy;              ///< in place of an amount, which is then 1
    std::string dose_text;                              ///< as written, for messages
    std::string route, into;                            ///< at most one; neither: the default route
    std::optional<sim::Quantity> at;                    ///< `at` or `start`; absent: 0
    std::optional<sim::Quantity> every, until, lasting; ///< `lasting` is written `for`
    std::optional<std::int64_t> count;
    std::optional<sim::Quantity> infuse_over, rate;
    bool is_duration_modelled = false, is_rate_modelled = false; ///< infuse_over or rate = "model"
    sim::SteadyState steady = sim::SteadyState::none;
    std::optional<sim::Quantity> set; ///< of kind set; absent where its text was wrong
    double factor = 1.0;              ///< of kind multiply
    std::optional<TriggerWords> when; ///< absent: it comes at a time
    sim::SourceSpan dose_span, route_span, repeat_span, time_span, infusion_span, change_span;

    bool is_dose() const { return kind == sim::RecordKind::add; }
    bool is_constant_infusion() const { return is_dose() && dose.value == 0.0; }
};

/// Where a subject's amount by a policy stands.
struct PolicyColumn {
    int input = 0;  ///< of the system the doses are for, after the model's own inputs
    sim::Unit unit; ///< an amount
};
/// Of an entry with a policy; nothing after a mistake, which it tells.
using FindPolicyColumn = std::function<std::optional<PolicyColumn>(const DoseWords& words)>;

/// "100 mg", "0.4 mg/kg", "75 mg/m2" into amount and `per`; nothing (and `why`) if it is no dose.
struct DoseAmount {
    sim::Quantity amount;
    std::optional<sim::Unit> per;
};
std::optional<DoseAmount> parse_dose(const std::string& text, std::string* why = nullptr);

/// Mass, substance, international units, cells or copies.
bool is_amount(const sim::Dimension& dimension);

/// A time in the model's unit, exact where the units are whole multiples (168 h are 7 d).
double time_in(const sim::Quantity& time, const sim::Unit& unit);

/// The keys of an entry of a regimen; fills `dose` while reading.
void describe_dose(io::Fields& fields, DoseWords& dose);

/// A regimen met with a model: records, and the planned times that name its intervals.
struct Regimen {
    std::string name;
    std::vector<sim::Record> records; ///< those of one entry together, entries in their order
    std::vector<double> dose_times; ///< every planned dose, sorted, equal times once, in model time
    double last_interval = 0.0;     ///< `every` of the last dose; 0 if it is not repeated
    double first_time = 0.0;        ///< of the first record, or 0 if none comes before
    std::optional<sim::PendingDoses> pending = {}; ///< absent: as the study says
    std::vector<sim::Trigger> triggers = {};
    std::vector<TriggerWords> trigger_words = {}; ///< [triggers]

    /// The trigger of a name, or −1.
    int find_trigger(const std::string& trigger) const;
};

/// Whether a record gives something, unlike a reset and its like.
bool is_dose(const sim::Record& record);

/// The states that records switch off or on, which their system must know: sim::with_switches().
std::vector<int> switched_states(std::span<const sim::Record> records);
std::vector<int> switched_states(const Regimen& regimen);

/// How many of a steady state's infusions run at once, where the record itself says how long each
/// lasts; 0 where it does not.
double n_running(const sim::Record& record);

/// Doses fall at start ≤ t < until, and t < duration, the end of the study in model time, which
/// also ends what `every` repeats without count, until or for. `count` includes the first dose.
/// A dose "per kg" is multiplied by the covariate WT, one "per m2" by BSA.
/// A dose by a policy is multiplied by the column that `find_policy` names; without it there are no
/// policies.
/// What is repeated and no dose becomes a record each time.
/// Mistakes: no such route or state, a dose whose dimension the state cannot take (mass into nmol
/// needs a molar mass), a dose after the end of the study, repeats without `every`, …
Regimen plan_doses(const std::string& name,
                   const std::vector<DoseWords>& doses,
                   const Model& model,
                   double duration,
                   sim::DiagnosticList& diagnostics,
                   const FindPolicyColumn& find_policy = {});

} // namespace gemel::pkpd
