#include "molar.hpp"
#include "names_of.hpp"

#include <gemel/pkpd/dosing.hpp>
#include <gemel/sim/units.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace gemel::pkpd {
namespace {

using sim::Dimension;
using sim::Quantity;
using sim::Unit;

/// Two times closer than this part of an interval are one: start + i·every rounds.
constexpr double same_time = 1e-9;
/// More planned doses than this in one line are taken for a slip of units.
constexpr double most_doses = 1e6;

class Planner {
public:
    Planner(const Model& model,
            double duration,
            sim::DiagnosticList& diagnostics,
            const FindPolicyColumn& find_policy)
        : model_(model),
          duration_(duration),
          diagnostics_(diagnostics),
          find_policy_(find_policy) {}

    /// What one entry gives to a regimen; nothing after a mistake.
    std::vector<sim::Record> records(const DoseWords& words) const;
    /// What one entry with `when` does; nothing after a mistake.
    std::optional<sim::Trigger> trigger(const DoseWords& words) const;

private:
    std::optional<sim::Record> dose(const DoseWords& words) const;
    std::optional<sim::Record> change(const DoseWords& words) const;
    std::optional<double> value_to_set(const DoseWords& words, int state) const;
    std::optional<int> target(const DoseWords& words) const;
    std::optional<int> default_target(const DoseWords& words) const;
    std::optional<double> in_state(const Quantity& amount, int state) const;
    std::optional<double> amount(const DoseWords& words, const Quantity& dose, int state) const;
    bool find_amount(const DoseWords& words, sim::Record& record) const;
    bool follow_policy(const DoseWords& words, sim::Record& record) const;
    bool scale_by_patient(const DoseWords& words, sim::Record& record) const;
    bool infuse(const DoseWords& words, sim::Record& record) const;
    bool infuse_as_modelled(const DoseWords& words, sim::Record& record) const;
    bool schedule(const DoseWords& words, sim::Record& record) const;
    bool schedule_after_crossing(const DoseWords& words, sim::Record& record) const;
    bool compare(const TriggerWords& words, sim::Trigger& trigger) const;
    bool bound(const DoseWords& words, sim::Trigger& trigger) const;
    std::string time_text(double time) const {
        return fmt::format("{:.6g} {}", time, model_.system.time_unit.text);
    }

    const Model& model_;
    double duration_;
    sim::DiagnosticList& diagnostics_;
    const FindPolicyColumn& find_policy_;
};

std::optional<int> Planner::default_target(const DoseWords& words) const {
    const int route = model_.find_route("");
    if (route >= 0) return model_.routes[static_cast<std::size_t>(route)].state;
    diagnostics_.add(words.span,
                     fmt::format("the model {} has no default route", model_.id),
                     fmt::format("say where the dose goes: route = …, {}",
                                 sim::suggest("", names_of(model_.routes))));
    return std::nullopt;
}

std::optional<int> Planner::target(const DoseWords& words) const {
    if (words.route.empty() && words.into.empty()) return default_target(words);
    const bool by_route = !words.route.empty();
    const std::string& wanted = by_route ? words.route : words.into;
    const int found = by_route ? model_.find_route(wanted) : model_.find_state(wanted);
    if (found >= 0) return by_route ? model_.routes[static_cast<std::size_t>(found)].state : found;
    diagnostics_.add(
        words.route_span,
        fmt::format("the model {} has no {} '{}'", model_.id, by_route ? "route" : "state", wanted),
        by_route ? sim::suggest(wanted, names_of(model_.routes))
                 : sim::suggest(wanted, names_of(model_.system.states)));
    return std::nullopt;
}

std::optional<double> Planner::in_state(const Quantity& amount, int state) const {
    const auto s = static_cast<std::size_t>(state);
    const double molar_mass = s < model_.molar_mass.size() ? model_.molar_mass[s] : 0.0;
    return convert_molar(amount.value, amount.unit, model_.system.states[s].unit, molar_mass);
}

bool is_mass_or_substance(const Dimension& dimension) {
    Dimension substance;
    substance.exponents[Dimension::substance] = 1;
    return dimension == sim::mass_dimension || dimension == substance;
}

std::optional<double>
Planner::amount(const DoseWords& words, const Quantity& dose, int state) const {
    const std::optional<double> value = in_state(dose, state);
    if (value) return value;
    const sim::State& into = model_.system.states[static_cast<std::size_t>(state)];
    const bool takes_amounts = is_amount(into.unit.dimension);
    diagnostics_.add(words.dose_span,
                     fmt::format("the dose \"{}\" cannot go into the state {}, which is in {} ({})",
                                 words.dose_text,
                                 into.name,
                                 into.unit.text,
                                 into.unit.dimension.name()),
                     !takes_amounts ? "doses go into states that are amounts"
                     : is_mass_or_substance(dose.unit.dimension) &&
                             is_mass_or_substance(into.unit.dimension)
                         ? fmt::format("between mass and substance the model needs molar_mass in "
                                       "[states] {}",
                                       into.name)
                         : fmt::format("write the dose in {} or a unit of the same kind; what is "
                                       "between the two depends on the product",
                                       into.unit.text));
    return std::nullopt;
}

/// Each subject's own amount: a column multiplies the record's.
bool Planner::follow_policy(const DoseWords& words, sim::Record& record) const {
    if (!find_policy_) {
        diagnostics_.add(words.policy->span,
                         "a dose by a policy stands in a study, which says what the policy is",
                         "write an amount, as in dose = \"30 mg\"");
        return false;
    }
    const std::optional<PolicyColumn> column = find_policy_(words);
    if (!column) return false;
    const std::optional<double> value =
        amount(words, {words.policy->times, column->unit}, record.state);
    if (!value) return false;
    record.amount = *value;
    record.amount_factor = column->input;
    return true;
}

bool Planner::find_amount(const DoseWords& words, sim::Record& record) const {
    if (words.policy) return follow_policy(words, record);
    if (words.is_constant_infusion()) return true;
    const std::optional<double> value = amount(words, words.dose, record.state);
    record.amount = value.value_or(0.0);
    return value.has_value();
}

bool Planner::scale_by_patient(const DoseWords& words, sim::Record& record) const {
    if (!words.per) return true;
    const bool by_weight = words.per->dimension == sim::mass_dimension;
    const std::string name = by_weight ? "WT" : "BSA";
    const int covariate = model_.find_covariate(name);
    const auto mistake = [&](const std::string& message, const std::string& help) {
        diagnostics_.add(words.dose_span, message, help);
        return false;
    };
    if (covariate < 0)
        return mistake(fmt::format("the dose \"{}\" needs the covariate {}, which the model {} "
                                   "does not have",
                                   words.dose_text,
                                   name,
                                   model_.id),
                       fmt::format("declare [covariates] {} = {{ unit = \"{}\" }} in the model",
                                   name,
                                   words.per->text));
    const Unit& unit = model_.covariates[static_cast<std::size_t>(covariate)].unit;
    if (!(unit.dimension == words.per->dimension))
        return mistake(fmt::format("the dose \"{}\" is per {}, but the covariate {} is in {} ({})",
                                   words.dose_text,
                                   words.per->text,
                                   name,
                                   unit.text,
                                   unit.dimension.name()),
                       "");
    for (std::size_t i = 0; i < model_.inputs.size(); ++i)
        if (model_.inputs[i].kind == InputSource::Kind::covariate &&
            model_.inputs[i].index == covariate)
            record.amount_factor = static_cast<int>(i);
    record.amount *= sim::conversion_factor(unit, *words.per);
    return record.amount_factor >= 0 ||
           mistake(
               fmt::format("the model {} declares {} but has no column for it", model_.id, name),
               "");
}

/// `rate = "model"`, `infuse_over = "model"`: the model defines rate(…) or duration(…) of the
/// state.
bool Planner::infuse_as_modelled(const DoseWords& words, sim::Record& record) const {
    const sim::State& into = model_.system.states[static_cast<std::size_t>(record.state)];
    const bool by_rate = words.is_rate_modelled;
    const char* const what = by_rate ? "rate" : "duration";
    record.kind = sim::RecordKind::infuse;
    record.rate = by_rate ? sim::modelled_rate : sim::modelled_duration;
    if ((by_rate ? into.modelled_rate : into.modelled_duration).is_set()) return true;
    diagnostics_.add(words.infusion_span,
                     fmt::format("the model {} does not define {}({})", model_.id, what, into.name),
                     by_rate ? "write a rate, as in rate = \"10 mg/h\""
                             : "write a time, as in infuse_over = \"30 min\"");
    return false;
}

bool Planner::infuse(const DoseWords& words, sim::Record& record) const {
    const sim::State& into = model_.system.states[static_cast<std::size_t>(record.state)];
    const bool is_infusion =
        words.is_rate_modelled || words.is_duration_modelled || words.infuse_over || words.rate;
    if (is_infusion && into.n_kept > 0) {
        diagnostics_.add(
            words.infusion_span,
            fmt::format("doses into '{}' come by way of transit compartments, which take no "
                        "infusions",
                        into.name),
            "give it at once, or into another state");
        return false;
    }
    if (words.is_rate_modelled || words.is_duration_modelled)
        return infuse_as_modelled(words, record);
    if (words.infuse_over) {
        record.kind = sim::RecordKind::infuse;
        record.duration = time_in(*words.infuse_over, model_.system.time_unit);
    }
    if (!words.rate) return true;
    record.kind = sim::RecordKind::infuse;
    // An amount per model time unit, converted as the amount it is.
    Quantity per_time = *words.rate;
    per_time.unit = per_time.unit * model_.system.time_unit;
    const std::optional<double> rate = in_state(per_time, record.state);
    if (rate)
        record.rate = *rate;
    else
        diagnostics_.add(
            words.infusion_span,
            fmt::format("the rate is in {}, which does not fit the state {} in {}",
                        words.rate->unit.text,
                        model_.system.states[static_cast<std::size_t>(record.state)].name,
                        model_.system.states[static_cast<std::size_t>(record.state)].unit.text),
            "give the rate in the kind of amount the dose is in");
    return rate.has_value();
}

/// Times count from the crossing.
bool Planner::schedule_after_crossing(const DoseWords& words, sim::Record& record) const {
    const Unit& unit = model_.system.time_unit;
    if (words.when->delay) record.time = time_in(*words.when->delay, unit);
    if (words.every) record.interval = time_in(*words.every, unit);
    record.count = words.count.value_or(1);
    if (static_cast<double>(record.count) <= most_doses) return true;
    diagnostics_.add(words.repeat_span,
                     fmt::format("this makes {} doses each time; at most {:.0f} are understood",
                                 record.count,
                                 most_doses));
    return false;
}

bool Planner::compare(const TriggerWords& words, sim::Trigger& trigger) const {
    if (!words.threshold) return false; // told already
    trigger.is_above = words.is_above;
    trigger.output = model_.find_output(words.output);
    if (trigger.output < 0) {
        diagnostics_.add(words.span,
                         fmt::format("the model {} has no output '{}'", model_.id, words.output),
                         sim::suggest(words.output, names_of(model_.system.outputs)));
        return false;
    }
    const Unit& unit = model_.system.outputs[static_cast<std::size_t>(trigger.output)].unit;
    if (!(words.threshold->unit.dimension == unit.dimension)) {
        diagnostics_.add(words.span,
                         fmt::format("{} is in {} ({}), and is compared with {}",
                                     words.output,
                                     unit.text,
                                     unit.dimension.name(),
                                     words.threshold->unit.dimension.name()),
                         fmt::format("write for example when = \"{} {} 1 {}\"",
                                     words.output,
                                     words.is_above ? '>' : '<',
                                     unit.text));
        return false;
    }
    trigger.threshold = words.threshold->in(unit);
    return true;
}

/// The window, and how often.
bool Planner::bound(const DoseWords& words, sim::Trigger& trigger) const {
    const Unit& unit = model_.system.time_unit;
    if (words.when->wait) trigger.wait = time_in(*words.when->wait, unit);
    if (words.when->at_most) trigger.count = *words.when->at_most;
    if (words.at) trigger.from = time_in(*words.at, unit);
    if (words.until) trigger.to = time_in(*words.until, unit);
    if (words.lasting) trigger.to = std::max(trigger.from, 0.0) + time_in(*words.lasting, unit);
    if (trigger.from < trigger.to && trigger.from < duration_) return true;
    diagnostics_.add(words.repeat_span.line > 0 ? words.repeat_span : words.span,
                     fmt::format("the watch from {} is over before it begins, or begins after the "
                                 "end of the study, {}",
                                 time_text(trigger.from),
                                 time_text(duration_)));
    return false;
}

std::optional<sim::Trigger> Planner::trigger(const DoseWords& words) const {
    sim::Trigger trigger;
    const bool is_compared = compare(*words.when, trigger);
    const bool is_bounded = bound(words, trigger);
    const std::optional<sim::Record> record = words.is_dose() ? dose(words) : change(words);
    if (!is_compared || !is_bounded || !record) return std::nullopt;
    trigger.record = *record;
    const sim::State& into = model_.system.states[static_cast<std::size_t>(record->state)];
    if (words.is_dose() && into.n_kept > 0) {
        diagnostics_.add(words.when->span,
                         fmt::format("doses into '{}' come by way of transit compartments, and "
                                     "cannot come when a level crosses a threshold",
                                     into.name),
                         "give it at a time, or into another state");
        return std::nullopt;
    }
    return trigger;
}

bool Planner::schedule(const DoseWords& words, sim::Record& record) const {
    if (words.when) return schedule_after_crossing(words, record);
    const Unit& unit = model_.system.time_unit;
    const auto time = [&](const std::optional<Quantity>& t) { return t ? time_in(*t, unit) : 0.0; };
    record.time = time(words.at);
    const double tolerance = same_time * duration_;
    if (record.time >= duration_ - tolerance) {
        diagnostics_.add(words.time_span.line > 0 ? words.time_span : words.span,
                         fmt::format("the {} at {} is not before the end of the study, {}",
                                     words.is_dose() ? "dose" : "record",
                                     time_text(record.time),
                                     time_text(duration_)),
                         "let it come earlier, or make the study's duration longer");
        return false;
    }
    if (!words.every) return true;
    record.interval = time(words.every);
    double end = duration_;
    if (words.until) end = std::min(end, time(words.until));
    if (words.lasting) end = std::min(end, record.time + time(words.lasting));
    double n = std::ceil((end - record.time) / record.interval - same_time);
    if (words.count) n = std::min(n, static_cast<double>(*words.count));
    if (!(n >= 1.0)) {
        diagnostics_.add(words.repeat_span,
                         fmt::format("repeats end before the first {}, so that there is none",
                                     words.is_dose() ? "dose" : "time"));
        return false;
    }
    if (n > most_doses) {
        diagnostics_.add(
            words.span,
            fmt::format("this makes {:.3g} times; at most {:.0f} are understood", n, most_doses),
            "check the units of `every` and of the study's duration");
        return false;
    }
    record.count = static_cast<std::int64_t>(n);
    return true;
}

std::optional<sim::Record> Planner::dose(const DoseWords& words) const {
    sim::Record record;
    record.steady = words.steady;
    const bool is_scheduled = schedule(words, record);
    const std::optional<int> state = target(words);
    if (!state || std::isnan(words.dose.value)) return std::nullopt;
    record.state = *state;
    if (!find_amount(words, record)) return std::nullopt;
    const bool is_scaled = scale_by_patient(words, record);
    const bool is_infused = infuse(words, record);
    if (!is_scheduled || !is_scaled || !is_infused) return std::nullopt;
    if (const double n = n_running(record); n > sim::most_running) {
        diagnostics_.add(words.infusion_span,
                         fmt::format("at the steady state {:.3g} of these infusions would run at "
                                     "once; at most {:.0f} are understood",
                                     n,
                                     sim::most_running),
                         "check the units of the infusion, of the dose and of `every`");
        return std::nullopt;
    }
    return record;
}

/// 0 is 0 in any unit.
std::optional<double> Planner::value_to_set(const DoseWords& words, int state) const {
    if (!words.set) return std::nullopt;
    const sim::State& into = model_.system.states[static_cast<std::size_t>(state)];
    if (words.set->value == 0.0 && words.set->unit.is_dimensionless()) return 0.0;
    if (const std::optional<double> value = in_state(*words.set, state)) {
        if (*value >= 0.0 || !is_amount(into.unit.dimension)) return value;
        diagnostics_.add(
            words.change_span,
            fmt::format("the amount \"{}\" that {} becomes is below 0", words.dose_text, into.name),
            "write an amount of 0 or more, as in set = \"0 mg\"");
        return std::nullopt;
    }
    diagnostics_.add(words.change_span,
                     fmt::format("the state {} is in {} ({}); \"{}\" is {}",
                                 into.name,
                                 into.unit.text,
                                 into.unit.dimension.name(),
                                 words.dose_text,
                                 words.set->unit.dimension.name()),
                     fmt::format("write for example set = \"10 {}\"", into.unit.text));
    return std::nullopt;
}

/// What is no dose. Of repeats the engine knows none.
std::optional<sim::Record> Planner::change(const DoseWords& words) const {
    sim::Record record;
    record.kind = words.kind;
    const bool is_scheduled = schedule(words, record);
    if (words.kind != sim::RecordKind::reset && words.kind != sim::RecordKind::discontinue) {
        if (words.into.empty()) return std::nullopt; // told already
        const std::optional<int> state = target(words);
        if (!state) return std::nullopt;
        record.state = *state;
    }
    if (words.kind == sim::RecordKind::multiply) record.amount = words.factor;
    if (words.kind == sim::RecordKind::set) {
        const std::optional<double> value = value_to_set(words, record.state);
        if (!value) return std::nullopt;
        record.amount = *value;
    }
    return is_scheduled ? std::optional(record) : std::nullopt;
}

std::vector<sim::Record> Planner::records(const DoseWords& words) const {
    const std::optional<sim::Record> planned = words.is_dose() ? dose(words) : change(words);
    if (!planned) return {};
    if (words.is_dose()) return {*planned};
    std::vector<sim::Record> each(static_cast<std::size_t>(planned->count), *planned);
    for (std::size_t i = 0; i < each.size(); ++i) {
        each[i].time += static_cast<double>(i) * planned->interval;
        each[i].interval = 0.0;
        each[i].count = 1;
    }
    return each;
}

/// Not the end of an infusion that has been running for ever.
bool is_planned_dose(const sim::Record& record) {
    return is_dose(record) && record.amount != 0.0;
}

double last_time(const sim::Record& record) {
    return record.time + static_cast<double>(record.count - 1) * record.interval;
}

/// Every planned time once; times that differ by rounding only are one.
std::vector<double> planned_times(const std::vector<sim::Record>& records, double tolerance) {
    std::vector<double> times;
    for (const sim::Record& record : records)
        for (std::int64_t i = 0; is_planned_dose(record) && i < record.count; ++i)
            times.push_back(record.time + static_cast<double>(i) * record.interval);
    std::sort(times.begin(), times.end());
    const auto is_same = [&](double a, double b) { return b - a <= tolerance; };
    times.erase(std::unique(times.begin(), times.end(), is_same), times.end());
    return times;
}

double last_interval(const std::vector<sim::Record>& records, double tolerance) {
    double latest = -std::numeric_limits<double>::infinity(), interval = 0.0;
    for (const sim::Record& record : records)
        if (is_planned_dose(record)) latest = std::max(latest, last_time(record));
    for (const sim::Record& record : records)
        if (is_planned_dose(record) && last_time(record) >= latest - tolerance &&
            record.interval > 0.0)
            interval = record.interval;
    return interval;
}

} // namespace

std::vector<int> switched_states(std::span<const sim::Record> records) {
    std::set<int> states;
    for (const sim::Record& record : records)
        if (record.kind == sim::RecordKind::switch_off || record.kind == sim::RecordKind::switch_on)
            states.insert(record.state);
    return {states.begin(), states.end()};
}

std::vector<int> switched_states(const Regimen& regimen) {
    std::vector<sim::Record> all = regimen.records;
    for (const sim::Trigger& trigger : regimen.triggers)
        all.push_back(trigger.record);
    return switched_states(all);
}

bool is_dose(const sim::Record& record) {
    return record.kind == sim::RecordKind::add || record.kind == sim::RecordKind::infuse;
}

double n_running(const sim::Record& record) {
    const bool is_periodic = record.steady != sim::SteadyState::none && record.interval > 0.0;
    if (!is_periodic || record.kind != sim::RecordKind::infuse) return 0.0;
    if (record.rate == 0.0) return record.duration / record.interval;
    if (record.rate < 0.0 || record.amount_factor >= 0) return 0.0;
    return record.amount / record.rate / record.interval;
}

int Regimen::find_trigger(const std::string& trigger) const {
    for (std::size_t i = 0; i < trigger_words.size(); ++i)
        if (trigger_words[i].name == trigger) return static_cast<int>(i);
    return -1;
}

double time_in(const Quantity& time, const Unit& unit) {
    const double ratio = unit.factor / time.unit.factor;
    const auto is_whole = [](double x) {
        return x >= 1.0 && std::abs(x - std::round(x)) <= 1e-12 * x;
    };
    if (is_whole(ratio)) return time.value / std::round(ratio);
    if (is_whole(1.0 / ratio)) return time.value * std::round(1.0 / ratio);
    return time.in(unit);
}

Regimen plan_doses(const std::string& name,
                   const std::vector<DoseWords>& doses,
                   const Model& model,
                   double duration,
                   sim::DiagnosticList& diagnostics,
                   const FindPolicyColumn& find_policy) {
    Regimen regimen;
    regimen.name = name;
    const Planner planner(model, duration, diagnostics, find_policy);
    for (const DoseWords& words : doses) {
        if (words.when) {
            const std::optional<sim::Trigger> trigger = planner.trigger(words);
            if (!words.when->name.empty() && regimen.find_trigger(words.when->name) >= 0)
                diagnostics.add(words.when->span,
                                fmt::format("another entry of '{}' has the name '{}', too",
                                            name,
                                            words.when->name),
                                "names tell entries apart");
            if (trigger) regimen.triggers.push_back(*trigger);
            if (trigger) regimen.trigger_words.push_back(*words.when);
            continue;
        }
        for (const sim::Record& record : planner.records(words)) {
            regimen.records.push_back(record);
            regimen.first_time = std::min(regimen.first_time, record.time);
        }
    }
    const double tolerance = same_time * duration;
    regimen.dose_times = planned_times(regimen.records, tolerance);
    regimen.last_interval = last_interval(regimen.records, tolerance);
    return regimen;
}

} // namespace gemel::pkpd
