#include "data_reading.hpp"
#include "molar.hpp"
#include "names_of.hpp"

#include <gemel/pkpd/dosing.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

/// Rows that dose, reset or switch become nominal records.
namespace gemel::pkpd {
namespace {

constexpr int most_additional = 1000000;
/// Additional doses closer to a reset than this part of an interval fall together with it.
constexpr double closest_dose = 1e-9;

bool begins_with_letter(const std::string& text) {
    if (text.empty()) return false;
    const char c = text.front();
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/// Additional doses that would come at `time` or later are not given.
void cancel_pending(std::span<sim::Record> records, double time) {
    for (sim::Record& record : records) {
        if (record.count <= 1) continue;
        const double n = std::ceil((time - record.time) / record.interval - closest_dose);
        record.count =
            static_cast<std::int64_t>(std::clamp(n, 1.0, static_cast<double>(record.count)));
    }
}

class RecordMaker {
public:
    RecordMaker(DataTable& table, DataSet& data) : table_(table), data_(data) {
        const int route = model().find_route("");
        default_state_ = route < 0 ? -1 : model().routes[static_cast<std::size_t>(route)].state;
        factors_.resize(model().system.states.size());
    }

    void add_row(DataSubject& subject, std::size_t i, int evid, bool begins_period);
    void begin_subject() {
        off_.clear();
        first_of_period_ = 0;
    }
    void add_notes();

private:
    const Model& model() const { return table_.model; }
    const sim::State& state(int s) const {
        return model().system.states[static_cast<std::size_t>(s)];
    }
    std::string text(std::size_t row, DataRole role) const { return table_.cell(row, role).text; }
    int n_compartments() const {
        return model().system.n_own_states() - model().system.n_kept_states;
    }

    void add(DataSubject& subject, std::size_t i, sim::Record record);
    void reset(DataSubject& subject, std::size_t i, bool begins_period);
    void dose(DataSubject& subject, std::size_t i);
    bool is_rest(std::size_t row);
    void tell_rest(std::size_t row);
    void change(DataSubject& subject, std::size_t i);
    void note_ignored(std::size_t row);
    void check_compartment(std::size_t row);
    std::string compartment(std::size_t row) const {
        return table_.is_missing(row, DataRole::cmt) ? "" : text(row, DataRole::cmt);
    }
    bool is_negative(std::size_t row) const { return compartment(row).starts_with('-'); }
    bool is_observed(std::size_t row) {
        return table_.is_missing(row, DataRole::amt) || table_.number(row, DataRole::amt) == 0.0;
    }
    bool is_not_used(std::size_t row) const;
    void tell_negative(std::size_t row);

    std::optional<int> target(std::size_t row);
    std::optional<int> by_number(std::size_t row, int number);
    std::optional<int> by_name(std::size_t row);
    std::optional<double> amount(std::size_t row);
    std::optional<double> factor(std::size_t row, int state);
    bool read_infusion(std::size_t row, sim::Record& record);
    bool read_rate(std::size_t row, double rate, sim::Record& record);
    bool read_duration(std::size_t row, double duration, sim::Record& record);
    bool read_modelled(std::size_t row, double rate, sim::Record& record);
    bool read_repeats(std::size_t row, bool is_constant, sim::Record& record);
    bool read_steady(std::size_t row, int ss, bool is_constant, sim::Record& record);
    bool check_running(std::size_t row, const sim::Record& record);
    std::optional<double> interval(std::size_t row);
    const sim::Unit* time_unit(DataRole role);
    const sim::Unit* rate_unit();

    bool tell(std::size_t row,
              DataRole role,
              const std::string& kind,
              const std::string& message,
              const std::string& help = {}) {
        table_.mistakes.add(kind, table_.place(row, role), message, help);
        return false;
    }

    DataTable& table_;
    DataSet& data_;
    int default_state_ = -1;
    std::size_t first_of_period_ = 0; ///< of the subject's records: since time began anew
    std::set<int> off_;               ///< the subject's states that are switched off
    std::vector<std::optional<double>> factors_; ///< of amounts, [n_states]
    std::optional<sim::Unit> derived_rate_unit_;
    std::size_t n_default_ = 0;
    NotedRows ignored_ii_, ignored_on_others_, not_switched_;
};

void RecordMaker::add(DataSubject& subject, std::size_t i, sim::Record record) {
    record.time = subject.times[i];
    subject.records.push_back(record);
    subject.record_rows.push_back(static_cast<int>(i));
}

void RecordMaker::reset(DataSubject& subject, std::size_t i, bool begins_period) {
    if (begins_period) {
        cancel_pending(std::span(subject.records).subspan(first_of_period_), subject.times[i - 1]);
        first_of_period_ = subject.records.size();
        subject.new_periods.push_back(first_of_period_);
    }
    off_.clear();
    const std::size_t row = subject.first_row + i;
    if (is_negative(row)) not_switched_.add(table_.place(row, DataRole::cmt).line);
    sim::Record record;
    record.kind = sim::RecordKind::reset;
    record.begins_period = begins_period; // doses that a lag holds back are the engine's
    add(subject, i, record);
}

/// An SS of nothing at all: AMT, RATE and II are 0, and written.
bool RecordMaker::is_rest(std::size_t row) {
    const auto is_zero = [&](DataRole role) {
        return table_.number(row, role).value_or(0.0) == 0.0;
    };
    return !table_.is_missing(row, DataRole::amt) && table_.number(row, DataRole::amt) == 0.0 &&
           table_.whole(row, DataRole::ss).value_or(0) > 0 && is_zero(DataRole::rate) &&
           is_zero(DataRole::dur) && is_zero(DataRole::ii);
}

void RecordMaker::tell_rest(std::size_t row) {
    tell(row,
         DataRole::ss,
         "SS of nothing",
         fmt::format("SS is {} without AMT, RATE and II: NONMEM computes where the model rests "
                     "without doses, which is not understood here",
                     text(row, DataRole::ss)),
         "say in the model where its states begin, as in response(0) = …; a dose has its AMT");
}

/// A dose into a compartment that is off switches it on when it comes: the engine does.
void RecordMaker::dose(DataSubject& subject, std::size_t i) {
    const std::size_t row = subject.first_row + i;
    const std::optional<int> into = target(row);
    if (is_negative(row)) tell_negative(row);
    if (is_rest(row)) return tell_rest(row);
    const std::optional<double> given = amount(row);
    sim::Record record;
    const bool are_repeats_right = read_repeats(row, given == 0.0, record);
    if (!into || !given) return;
    record.state = *into;
    const std::optional<double> in_state = factor(row, *into);
    if (in_state) record.amount = *given * *in_state;
    const bool is_infusion_right = read_infusion(row, record);
    if (!in_state || !is_infusion_right || !are_repeats_right) return;
    if (!check_running(row, record)) return;
    add(subject, i, record);
}

/// EVID 2: a compartment is switched, or covariates change and nothing else.
void RecordMaker::change(DataSubject& subject, std::size_t i) {
    const std::size_t row = subject.first_row + i;
    if (table_.words.are_profiles || compartment(row).empty() || compartment(row) == "0") return;
    const bool is_off = is_negative(row);
    const std::optional<int> which = target(row);
    if (!which || (!is_off && !off_.contains(*which))) return;
    sim::Record record;
    record.kind = is_off ? sim::RecordKind::switch_off : sim::RecordKind::switch_on;
    record.state = *which;
    if (is_off)
        off_.insert(*which);
    else
        off_.erase(*which);
    add(subject, i, record);
}

void RecordMaker::note_ignored(std::size_t row) {
    bool is_ignored = false;
    for (const DataRole role : {DataRole::rate, DataRole::dur, DataRole::addl, DataRole::ss})
        is_ignored = is_ignored || table_.number(row, role).value_or(0.0) != 0.0;
    if (is_ignored) ignored_on_others_.add(table_.place(row, DataRole::id).line);
}

/// Of an observation: where outputs are not told apart by it, it must be one of the model's.
void RecordMaker::check_compartment(std::size_t row) {
    const DataColumnWords* words = table_.column(DataRole::cmt).words;
    const bool names_outputs = words != nullptr && !words->outputs.empty();
    const std::string name = compartment(row);
    const bool is_output = model().find_output(name) >= 0;
    if (is_negative(row))
        tell_negative(row);
    else if (!names_outputs && !is_output && !name.empty() && name != "0" && !is_not_used(row))
        target(row);
}

/// What DVID says is no output of the model may be of another compartment, too.
bool RecordMaker::is_not_used(std::size_t row) const {
    const DataColumnWords* words = table_.column(DataRole::dvid).words;
    return words != nullptr && table_.has(DataRole::dvid) &&
           std::ranges::any_of(words->outputs, [&](const DataOutputWords& output) {
               return output.output == "none" && output.value == text(row, DataRole::dvid);
           });
}

void RecordMaker::tell_negative(std::size_t row) {
    tell(row,
         DataRole::cmt,
         "negative CMT",
         fmt::format("CMT is {} on a row that {}",
                     compartment(row),
                     is_observed(row) ? "observes" : "doses"),
         "a compartment is switched off by a row of its own: EVID 2 with the negative number");
}

/// Profiles have doses and no compartments.
std::optional<int> RecordMaker::target(std::size_t row) {
    if (table_.words.are_profiles) return 0;
    const std::string name = compartment(row);
    if (begins_with_letter(name.starts_with('-') ? name.substr(1) : name)) return by_name(row);
    const std::optional<int> number = table_.whole(row, DataRole::cmt);
    if (!number) return std::nullopt;
    if (*number != 0) return by_number(row, *number);
    ++n_default_;
    if (default_state_ >= 0) return default_state_;
    tell(row,
         DataRole::cmt,
         "no CMT",
         fmt::format("this row names no compartment, and the model {} has no default route",
                     model().id),
         "write a column CMT: the number of a d/dt line of the model, or the name of a state");
    return std::nullopt;
}

std::optional<int> RecordMaker::by_number(std::size_t row, int number) {
    const int s = std::abs(number) - 1;
    if (s < n_compartments()) return s;
    std::vector<std::string> names;
    for (int i = 0; i < n_compartments(); ++i)
        names.push_back(fmt::format("{} {}", i + 1, state(i).name));
    tell(row,
         DataRole::cmt,
         "CMT",
         fmt::format("CMT is {}, but the model {} has {}",
                     text(row, DataRole::cmt),
                     model().id,
                     counted(static_cast<std::size_t>(n_compartments()), "compartment")),
         fmt::format("compartments are numbered as the model's d/dt lines: {}{}",
                     fmt::join(names, ", "),
                     is_observed(row)
                         ? fmt::format("; what another number observes is said by CMT = {{ "
                                       "outputs = {{ {} = {{ output = \"…\" }} }} }}",
                                       number)
                         : ""));
    return std::nullopt;
}

std::optional<int> RecordMaker::by_name(std::size_t row) {
    std::string name = text(row, DataRole::cmt);
    if (name.starts_with('-')) name.erase(0, 1);
    std::vector<std::string> known;
    for (int i = 0; i < n_compartments(); ++i) {
        if (is_same_name(state(i).name, name)) return i;
        known.push_back(state(i).name);
    }
    for (const Route& route : model().routes) {
        if (is_same_name(route.name, name)) return route.state;
        known.push_back(route.name);
    }
    if (is_observed(row))
        for (const sim::NamedExpr& output : model().system.outputs)
            known.push_back(output.name);
    tell(row,
         DataRole::cmt,
         "CMT",
         fmt::format("the model {} has no state{} '{}'",
                     model().id,
                     is_observed(row) ? ", route or output" : " or route",
                     name),
         sim::suggest(name, known));
    return std::nullopt;
}

/// Nothing after a mistake, and where the row gives no amount, which is one.
std::optional<double> RecordMaker::amount(std::size_t row) {
    const bool is_missing = table_.is_missing(row, DataRole::amt);
    const std::optional<double> value = table_.number(row, DataRole::amt);
    if (!is_missing && !value) return std::nullopt;
    const double given = value.value_or(0.0);
    const double rate = table_.number(row, DataRole::rate).value_or(0.0);
    const bool is_constant = given == 0.0 && (rate > 0.0 || rate == sim::modelled_rate) &&
                             table_.whole(row, DataRole::ss).value_or(0) > 0;
    if (is_constant || given > 0.0) return given;
    if (given < 0.0)
        tell(row,
             DataRole::amt,
             "negative AMT",
             fmt::format("the amount is {}; a dose is positive", text(row, DataRole::amt)));
    else
        tell(row,
             DataRole::amt,
             "no amount",
             is_missing ? "this row doses, but its amount is missing"
                        : "this row doses, but its amount is 0",
             "write the amount; a row that gives nothing, such as a placebo's, has EVID 2 (or 3 to "
             "reset)");
    return std::nullopt;
}

std::optional<double> RecordMaker::factor(std::size_t row, int s) {
    std::optional<double>& known = factors_[static_cast<std::size_t>(s)];
    if (known) return known;
    const sim::State& into = state(s);
    const sim::Unit* unit = table_.unit(DataRole::amt, into.unit.text);
    if (unit == nullptr) return std::nullopt;
    const double molar_mass =
        model().molar_mass.empty() ? 0.0 : model().molar_mass[static_cast<std::size_t>(s)];
    known = convert_molar(1.0, *unit, into.unit, molar_mass);
    if (!known)
        tell(row,
             DataRole::amt,
             fmt::format("unit of amount {}", s),
             fmt::format("amounts are in {} ({}), which cannot go into the state {} in {} ({})",
                         unit->text,
                         unit->dimension.name(),
                         into.name,
                         into.unit.text,
                         into.unit.dimension.name()),
             help_for_units(*unit, into.unit, "AMT, and the compartment"));
    return known;
}

const sim::Unit* RecordMaker::time_unit(DataRole role) {
    if (table_.column(role).unit) return &*table_.column(role).unit;
    if (!table_.words.has_clock && table_.column(DataRole::time).unit)
        return &*table_.column(DataRole::time).unit;
    return table_.unit(role, "h");
}

/// That of AMT per that of TIME, where it is not said.
const sim::Unit* RecordMaker::rate_unit() {
    if (table_.column(DataRole::rate).unit) return &*table_.column(DataRole::rate).unit;
    const auto& amount = table_.column(DataRole::amt).unit;
    const auto& time = table_.column(DataRole::time).unit;
    if (table_.words.has_clock || !amount || !time) return table_.unit(DataRole::rate, "mg/h");
    derived_rate_unit_ = *amount / *time;
    return &*derived_rate_unit_;
}

bool RecordMaker::read_infusion(std::size_t row, sim::Record& record) {
    const double rate = table_.number(row, DataRole::rate).value_or(0.0);
    const double duration = table_.number(row, DataRole::dur).value_or(0.0);
    if (rate != 0.0 && duration != 0.0)
        return tell(row,
                    DataRole::dur,
                    "rate and duration",
                    fmt::format("this row gives a rate ({}) and a duration ({})",
                                text(row, DataRole::rate),
                                text(row, DataRole::dur)),
                    "keep one; the other is 0 or '.'");
    if (rate == 0.0 && duration == 0.0) return true;
    record.kind = sim::RecordKind::infuse;
    if (state(record.state).n_kept > 0)
        return tell(
            row,
            rate != 0.0 ? DataRole::rate : DataRole::dur,
            "infusion into transit",
            fmt::format("doses into '{}' come by way of transit compartments, which take no "
                        "infusions",
                        state(record.state).name),
            "give it at once, or into another compartment");
    return rate != 0.0 ? read_rate(row, rate, record) : read_duration(row, duration, record);
}

bool RecordMaker::read_rate(std::size_t row, double rate, sim::Record& record) {
    if (rate == sim::modelled_rate || rate == sim::modelled_duration)
        return read_modelled(row, rate, record);
    if (rate < 0.0)
        return tell(row,
                    DataRole::rate,
                    "negative RATE",
                    fmt::format("RATE is {}", text(row, DataRole::rate)),
                    "a rate is positive; -1 takes the model's rate(…), -2 its duration(…)");
    const sim::Unit* unit = rate_unit();
    if (unit == nullptr) return false;
    const sim::Unit in_time = *unit * model().system.time_unit;
    const double molar_mass = model().molar_mass.empty()
                                  ? 0.0
                                  : model().molar_mass[static_cast<std::size_t>(record.state)];
    const auto factor = convert_molar(1.0, in_time, state(record.state).unit, molar_mass);
    if (!factor)
        return tell(row,
                    DataRole::rate,
                    "unit of RATE",
                    fmt::format("RATE is in {}, which does not fit the state {} in {}",
                                unit->text,
                                state(record.state).name,
                                state(record.state).unit.text),
                    "a rate is an amount per time, such as mg/h");
    record.rate = rate * *factor;
    return true;
}

bool RecordMaker::read_modelled(std::size_t row, double rate, sim::Record& record) {
    const bool by_rate = rate == sim::modelled_rate;
    record.rate = rate;
    const sim::State& into = state(record.state);
    if (table_.words.are_profiles) return true; // it is not known
    if ((by_rate ? into.modelled_rate : into.modelled_duration).is_set()) return true;
    return tell(row,
                DataRole::rate,
                "modelled " + into.name,
                fmt::format("RATE is {}, but the model {} does not define {}({})",
                            by_rate ? -1 : -2,
                            model().id,
                            by_rate ? "rate" : "duration",
                            into.name),
                fmt::format("write {}({}) = … in the model's equations, or the number itself here",
                            by_rate ? "rate" : "duration",
                            into.name));
}

bool RecordMaker::read_duration(std::size_t row, double duration, sim::Record& record) {
    if (duration < 0.0)
        return tell(row,
                    DataRole::dur,
                    "negative duration",
                    fmt::format("{} is {}; a duration is positive",
                                table_.column(DataRole::dur).header,
                                text(row, DataRole::dur)));
    const sim::Unit* unit = time_unit(DataRole::dur);
    if (unit == nullptr) return false;
    record.duration = time_in({duration, *unit}, model().system.time_unit);
    return true;
}

bool RecordMaker::check_running(std::size_t row, const sim::Record& record) {
    const double n = n_running(record);
    if (!(n > sim::most_running)) return true;
    return tell(row,
                record.rate != 0.0 ? DataRole::rate : DataRole::dur,
                "infusions at once",
                fmt::format("at the steady state {:.3g} of these infusions would run at once; at "
                            "most {:.0f} are understood",
                            n,
                            sim::most_running),
                "check the unit of the rate or duration, that of AMT and that of II");
}

std::optional<double> RecordMaker::interval(std::size_t row) {
    if (table_.is_missing(row, DataRole::ii)) return 0.0;
    const std::optional<double> value = table_.number(row, DataRole::ii);
    if (!value || *value == 0.0) return value;
    if (*value < 0.0) {
        tell(row,
             DataRole::ii,
             "negative II",
             fmt::format("the interval II is {}; it is positive", text(row, DataRole::ii)));
        return std::nullopt;
    }
    const sim::Unit* unit = time_unit(DataRole::ii);
    if (unit == nullptr) return std::nullopt;
    return time_in({*value, *unit}, model().system.time_unit);
}

bool RecordMaker::read_repeats(std::size_t row, bool is_constant, sim::Record& record) {
    const std::optional<int> addl = table_.whole(row, DataRole::addl);
    const std::optional<int> ss = table_.whole(row, DataRole::ss);
    const std::optional<double> every = interval(row);
    if (!addl || !ss || !every) return false;
    record.interval = *every;
    record.count = 1 + std::max(*addl, 0);
    if (*addl < 0)
        return tell(row,
                    DataRole::addl,
                    "negative ADDL",
                    fmt::format("ADDL is {}; it counts the doses after this one",
                                text(row, DataRole::addl)));
    if (*addl > most_additional)
        return tell(row,
                    DataRole::addl,
                    "large ADDL",
                    fmt::format("ADDL is {}; at most {} are understood",
                                text(row, DataRole::addl),
                                most_additional),
                    "it counts the doses after this one; the interval between them is II");
    if (*addl > 0 && *every == 0.0)
        return tell(row,
                    DataRole::addl,
                    "ADDL without II",
                    fmt::format("ADDL asks for {}, but no interval is given",
                                counted(static_cast<std::size_t>(*addl), "further dose")),
                    "write the interval between them in a column II");
    if (*addl == 0 && *ss == 0 && *every > 0.0) {
        ignored_ii_.add(table_.place(row, DataRole::ii).line);
        record.interval = 0.0;
    }
    return read_steady(row, *ss, is_constant, record);
}

bool RecordMaker::read_steady(std::size_t row, int ss, bool is_constant, sim::Record& record) {
    if (ss == 0) return true;
    if (ss < 1 || ss > 3)
        return tell(row,
                    DataRole::ss,
                    "SS",
                    fmt::format("SS is {}, which is not understood", text(row, DataRole::ss)),
                    "1: the steady state replaces what there is; 2: it is added to it");
    // 3 is 1 to NONMEM, with another first guess of the steady state.
    record.steady = ss == 2 ? sim::SteadyState::adds : sim::SteadyState::replaces;
    if (is_constant && record.interval != 0.0)
        return tell(
            row,
            DataRole::ii,
            "constant infusion",
            "an infusion without amount has been running for ever, so that II has no meaning",
            "write II 0, or the amount of each infusion");
    if (!is_constant && record.interval == 0.0)
        return tell(row,
                    DataRole::ss,
                    "SS without II",
                    fmt::format("SS is {}, but no interval is given", ss),
                    "write the interval between the past doses in a column II; for a constant "
                    "infusion AMT is 0 and RATE positive");
    return true;
}

void RecordMaker::add_row(DataSubject& subject, std::size_t i, int evid, bool begins_period) {
    const std::size_t row = subject.first_row + i;
    if (evid == 0 || evid == 2) note_ignored(row);
    if (evid == 0 && !table_.words.are_profiles) check_compartment(row);
    if (evid == 2) change(subject, i);
    if (evid == 3 || evid == 4) reset(subject, i, begins_period);
    if (evid == 1 || evid == 4) dose(subject, i);
}

void RecordMaker::add_notes() {
    if (n_default_ > 0 && default_state_ >= 0)
        data_.notes.push_back(
            fmt::format("{} no compartment: it is {}, that of the default route",
                        n_default_ == 1 ? "1 row names" : counted(n_default_, "row") + " name",
                        state(default_state_).name));
    if (ignored_ii_.n > 0)
        data_.notes.push_back(fmt::format("II is ignored on {} without ADDL and SS{}",
                                          counted(ignored_ii_.n, "dose row"),
                                          ignored_ii_.where()));
    if (ignored_on_others_.n > 0)
        data_.notes.push_back(
            fmt::format("RATE, duration, ADDL or SS are ignored on {} that give{} no dose{}",
                        counted(ignored_on_others_.n, "row"),
                        ignored_on_others_.n == 1 ? "s" : "",
                        ignored_on_others_.where()));
    if (not_switched_.n > 0)
        data_.notes.push_back(fmt::format("a negative CMT switches nothing off on {}{}: a row of "
                                          "its own after it, with EVID 2, does",
                                          counted(not_switched_.n, "reset"),
                                          not_switched_.where()));
    std::vector<std::string> undosed;
    for (const DataSubject& subject : data_.subjects)
        if (std::ranges::none_of(subject.records, is_dose)) undosed.push_back(subject.id);
    if (undosed.empty()) return;
    const std::size_t n = undosed.size();
    if (n == data_.subjects.size()) {
        data_.notes.push_back("no row of this file doses anybody");
        return;
    }
    if (n > 5) undosed.resize(5);
    data_.notes.push_back(
        fmt::format("{} no dose: ID {}{}",
                    n == 1 ? "1 subject receives" : counted(n, "subject") + " receive",
                    fmt::join(undosed, ", "),
                    n > 5 ? ", …" : ""));
}

} // namespace

void make_records(DataTable& table,
                  const std::vector<int>& evids,
                  const std::vector<bool>& begins_period,
                  DataSet& data) {
    RecordMaker maker(table, data);
    for (DataSubject& subject : data.subjects) {
        maker.begin_subject();
        for (std::size_t i = 0; i < subject.n_rows; ++i)
            maker.add_row(
                subject, i, evids[subject.first_row + i], begins_period[subject.first_row + i]);
    }
    maker.add_notes();
}

} // namespace gemel::pkpd
