#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/sim/timeline.hpp>

#include <optional>
#include <string>
#include <vector>

/// Doses as people write them, and what they become: nominal records. Lag, bioavailability and
/// overlap are the engine's; nothing here computes a time that depends on a patient.
namespace gemel::pkpd {

/// One `{ dose = "100 mg", start = "0 h", every = "24 h", until = "14 d" }`.
struct DoseWords {
    sim::SourceSpan span; ///< of the table
    sim::Quantity dose;   ///< an amount; NaN where its text was wrong, which is reported already
    std::optional<sim::Unit> per;    ///< "kg" or "m2": the dose is per that much of the patient
    std::string dose_text;           ///< as written, for messages
    std::string route, into;         ///< at most one; neither: the default route
    std::optional<sim::Quantity> at; ///< `at` or `start`; absent: 0
    std::optional<sim::Quantity> every, until, lasting; ///< `lasting` is written `for`
    std::optional<std::int64_t> count;
    std::optional<sim::Quantity> infuse_over, rate;
    bool is_duration_modelled = false, is_rate_modelled = false; ///< infuse_over or rate = "model"
    sim::SourceSpan dose_span, route_span, repeat_span, time_span, infusion_span;
};

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

/// The keys of a dose; fills `dose` while reading.
void describe_dose(io::Fields& fields, DoseWords& dose);

/// A regimen met with a model: records, and the planned times that name its intervals.
struct Regimen {
    std::string name;
    std::vector<sim::Record> records;
    std::vector<double> dose_times; ///< every planned dose, sorted, equal times once, in model time
    double last_interval = 0.0;     ///< `every` of the last dose; 0 if it is not repeated
};

/// Doses fall at start ≤ t < until, and t < duration, the end of the study in model time, which
/// also ends what `every` repeats without count, until or for. `count` includes the first dose.
/// A dose "per kg" is multiplied by the covariate WT, one "per m2" by BSA.
/// Mistakes: no such route or state, a dose whose dimension the state cannot take (mass into nmol
/// needs a molar mass), a dose after the end of the study, repeats without `every`, …
Regimen plan_doses(const std::string& name,
                   const std::vector<DoseWords>& doses,
                   const Model& model,
                   double duration,
                   sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
