#include "data_reading.hpp"
#include "molar.hpp"
#include "names_of.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>

/// Rows that observe: which output, in which unit, censored or not.
namespace gemel::pkpd {
namespace {

/// An output and what a number of the file is in its unit.
struct Target {
    int output = -1;
    std::optional<double> factor; ///< none: told, or not needed
};

class ObservationMaker {
public:
    ObservationMaker(DataTable& table, const std::vector<int>& evids, DataSet& data)
        : table_(table),
          evids_(evids),
          data_(data) {
        if (table.words.are_profiles) {
            choose_curve();
            return;
        }
        choose_key();
        find_outputs();
        if (!has_key_ && table.has(DataRole::cmt) && table.has(DataRole::dv)) check_compartments();
    }

    DataObservation read(std::size_t row);
    void add_notes();

private:
    void choose_key();
    void find_outputs();
    void choose_curve();
    std::vector<std::string> values_observed(DataRole key);
    bool is_read(std::size_t row);
    bool is_word_for_below(std::size_t row) const;
    void read_profile(std::size_t row, DataObservation& observation);
    void tell_curve(DataRole key, const std::vector<std::string>& values);
    void check_compartments();
    Target target_of(const std::string& output,
                     const std::optional<sim::Unit>& unit,
                     const sim::SourceSpan& span);
    Target single_target(std::size_t row);
    Target target(std::size_t row, bool has_value);
    void tell_no_output(std::size_t row);
    std::vector<std::string> values_of_key() const;
    bool uses(std::size_t row, const DataObservation& observation);
    void censor(std::size_t row, DataObservation& observation, double factor);
    std::optional<double>
    limit(std::size_t row, DataRole role, const DataObservation& observation, double factor);
    std::optional<int> censoring(std::size_t row);
    std::string output_names() const {
        return sim::suggest("", names_of(table_.model.system.outputs));
    }

    DataTable& table_;
    const std::vector<int>& evids_;
    DataSet& data_;
    DataRole key_ = DataRole::dvid; ///< the column whose values name outputs
    bool has_key_ = false;
    std::vector<std::pair<std::string, Target>> outputs_; ///< by the key's value
    std::optional<Target> single_;
    bool is_no_output_told_ = false;
    std::set<std::string> told_values_; ///< of the key, that stand for no output
    NotedRows codes_;                   ///< values such as −99
    std::size_t n_on_doses_ = 0, n_switched_off_ = 0, n_missing_ = 0;
};

/// The distinct values of the key on rows that observe.
std::vector<std::string> ObservationMaker::values_of_key() const {
    std::set<std::string> values;
    for (std::size_t row = 0; row < table_.n_rows(); ++row)
        if (evids_[row] == 0 && !table_.is_missing(row, key_))
            values.insert(table_.cell(row, key_).text);
    return {values.begin(), values.end()};
}

/// DVID names outputs where it says so, or where it has several values; else CMT if it says so, or
/// holds names of outputs.
void ObservationMaker::choose_key() {
    for (const DataRole role : {DataRole::cmt, DataRole::dvid}) {
        const DataColumnWords* words = table_.column(role).words;
        if (!table_.has(role) || words == nullptr || words->outputs.empty()) continue;
        key_ = role;
        has_key_ = true;
    }
    if (!has_key_) has_key_ = table_.has(DataRole::dvid) && values_of_key().size() > 1;
    if (has_key_ || !table_.has(DataRole::cmt)) return;
    key_ = DataRole::cmt;
    const std::vector<std::string> values = values_of_key();
    has_key_ = !values.empty() && std::ranges::all_of(values, [&](const std::string& value) {
        return table_.model.find_output(value) >= 0;
    });
}

void ObservationMaker::find_outputs() {
    if (!has_key_) return;
    if (const DataColumnWords* words = table_.column(key_).words; words != nullptr)
        for (const DataOutputWords& output : words->outputs)
            outputs_.emplace_back(output.value, target_of(output.output, output.unit, output.span));
    if (!outputs_.empty()) return;
    for (const std::string& value : values_of_key())
        if (table_.model.find_output(value) >= 0)
            outputs_.emplace_back(value, target_of(value, std::nullopt, table_.header(key_).span));
}

/// Values of several compartments would become one output's.
void ObservationMaker::check_compartments() {
    const io::CsvCell* first = nullptr;
    for (std::size_t row = 0; row < table_.n_rows(); ++row) {
        const bool observes = evids_[row] == 0 && !table_.is_missing(row, DataRole::dv) &&
                              !table_.is_missing(row, DataRole::cmt);
        if (!observes || table_.whole(row, DataRole::mdv) == 1) continue;
        const io::CsvCell& cell = table_.cell(row, DataRole::cmt);
        if (first == nullptr) first = &cell;
        if (cell.text == first->text) continue;
        table_.mistakes.add(
            "compartments of DV",
            cell.span,
            fmt::format("DV is observed in CMT {} here, but in CMT {} on line {}; which outputs "
                        "these are is not said",
                        cell.text,
                        first->text,
                        first->span.line),
            fmt::format("write CMT = {{ outputs = {{ {} = {{ output = \"…\", unit = \"…\" }}, {} = "
                        "{{ … }} }} }} in [data.columns]; {}",
                        first->text,
                        cell.text,
                        output_names()));
        return;
    }
}

Target ObservationMaker::target_of(const std::string& output,
                                   const std::optional<sim::Unit>& unit,
                                   const sim::SourceSpan& span) {
    Target target;
    if (output == "none") return target;
    target.output = table_.model.find_output(output);
    if (target.output < 0) {
        table_.mistakes.add("output " + output,
                            span,
                            fmt::format("the model {} has no output '{}'", table_.model.id, output),
                            sim::suggest(output, names_of(table_.model.system.outputs)));
        return target;
    }
    if (!table_.has(DataRole::dv)) return target;
    const sim::NamedExpr& meant =
        table_.model.system.outputs[static_cast<std::size_t>(target.output)];
    const sim::Unit* found = unit ? &*unit : table_.unit(DataRole::dv, meant.unit.text);
    if (found == nullptr) return target;
    target.factor = convert_molar(1.0, *found, meant.unit, common_molar_mass(table_.model));
    if (!target.factor)
        table_.mistakes.add("unit of " + output,
                            unit ? span : table_.header(DataRole::dv).span,
                            fmt::format("DV is in {} ({}), but the output {} is in {} ({})",
                                        found->text,
                                        found->dimension.name(),
                                        output,
                                        meant.unit.text,
                                        meant.unit.dimension.name()),
                            help_for_units(*found, meant.unit, "DV"));
    return target;
}

void ObservationMaker::tell_no_output(std::size_t row) {
    if (is_no_output_told_) return;
    is_no_output_told_ = true;
    table_.mistakes.add("which output",
                        table_.place(row, DataRole::dv),
                        fmt::format("which of the model's {} was measured here is not said",
                                    counted(table_.model.system.outputs.size(), "output")),
                        "write DV = { output = \"…\", unit = \"…\" } in [data.columns]; " +
                            output_names());
}

/// The output DV names, or the model's only one.
Target ObservationMaker::single_target(std::size_t row) {
    if (single_) return *single_;
    const FoundColumn& dv = table_.column(DataRole::dv);
    const bool is_named = dv.words != nullptr && !dv.words->output.empty();
    const auto& outputs = table_.model.system.outputs;
    if (is_named)
        single_ = target_of(dv.words->output, std::nullopt, dv.words->output_span);
    else if (outputs.size() == 1)
        single_ = target_of(outputs[0].name, std::nullopt, table_.header(DataRole::dv).span);
    else
        tell_no_output(row);
    return single_.value_or(Target{});
}

Target ObservationMaker::target(std::size_t row, bool has_value) {
    if (!has_key_) return has_value ? single_target(row) : Target{};
    const io::CsvCell& cell = table_.cell(row, key_);
    for (const auto& [value, target] : outputs_)
        if (value == cell.text) return target;
    std::vector<std::string> known;
    for (const auto& [value, target] : outputs_)
        known.push_back(value);
    if (!told_values_.insert(cell.text).second) return {};
    const std::string key = table_.column(key_).header;
    table_.mistakes.add(
        "value of " + key,
        cell.span,
        table_.is_missing(cell)
            ? fmt::format("{} is missing on a row that observes", key)
            : fmt::format("{} is '{}', and which output that is is not said", key, cell.text),
        table_.is_missing(cell)
            ? "write which output the row observes"
            : fmt::format(
                  "write {0} = {{ outputs = {{ {1} = {{ output = \"…\", unit = \"…\" }} }} }} in "
                  "[data.columns]{2}{3}",
                  name(key_),
                  cell.text,
                  known.empty() ? "" : fmt::format("; known so far: {}", fmt::join(known, ", ")),
                  known.empty() ? "; " + output_names() : ""));
    return {};
}

/// Whether MDV lets the value be used.
bool ObservationMaker::uses(std::size_t row, const DataObservation& observation) {
    const std::optional<int> mdv = table_.whole(row, DataRole::mdv);
    if (!mdv || !table_.has(DataRole::mdv)) return true;
    const bool is_missing = observation.dv != observation.dv;
    if (*mdv != 0 && *mdv != 1) {
        table_.mistakes.add(
            "MDV",
            table_.place(row, DataRole::mdv),
            fmt::format("MDV is {}; it is 0 or 1", table_.cell(row, DataRole::mdv).text),
            *mdv == 100 || *mdv == 101
                ? "NONMEM leaves a row with MDV 100 or 101 out while it estimates, "
                  "and takes it for 0 or 1 in its tables; nothing is estimated "
                  "here: write 0 or 1"
                : "1: the row carries no value to be used");
        return true;
    }
    if (*mdv == 0 && is_missing && observation.cens == 0 &&
        !table_.is_missing(row, DataRole::mdv) && table_.has(DataRole::dv) &&
        table_.is_missing(row, DataRole::dv))
        table_.mistakes.add("MDV 0",
                            table_.place(row, DataRole::dv),
                            "MDV is 0, but the value is missing",
                            "write the value, or MDV 1");
    n_switched_off_ += *mdv == 1 && !is_missing ? 1 : 0;
    return *mdv == 0;
}

std::optional<int> ObservationMaker::censoring(std::size_t row) {
    if (table_.is_missing(row, DataRole::cens)) return 0;
    const std::string& text = table_.cell(row, DataRole::cens).text;
    if (text == "Y" || text == "N") return text == "Y" ? 1 : 0;
    const std::optional<int> cens = table_.whole(row, DataRole::cens);
    if (!cens || (*cens >= -1 && *cens <= 1)) return cens;
    table_.mistakes.add("CENS",
                        table_.place(row, DataRole::cens),
                        fmt::format("{} is {}", table_.column(DataRole::cens).header, *cens),
                        "1: the value is below the limit; -1: above; 0: it is a value");
    return std::nullopt;
}

/// What LLOQ, ULOQ or LIMIT says in the output's unit; in DV's unit unless it has its own.
std::optional<double> ObservationMaker::limit(std::size_t row,
                                              DataRole role,
                                              const DataObservation& observation,
                                              double factor) {
    const std::optional<double> value = table_.number(row, role);
    const std::optional<sim::Unit>& unit = table_.column(role).unit;
    if (!value || !unit) return value ? std::optional(*value * factor) : std::nullopt;
    const sim::NamedExpr& meant =
        table_.model.system.outputs[static_cast<std::size_t>(observation.output)];
    const std::optional<double> converted =
        convert_molar(*value, *unit, meant.unit, common_molar_mass(table_.model));
    if (!converted)
        table_.mistakes.add("unit of " + name(role) + " " + meant.name,
                            table_.header(role).span,
                            fmt::format("{} is in {} ({}), but the output {} is in {} ({})",
                                        table_.column(role).header,
                                        unit->text,
                                        unit->dimension.name(),
                                        meant.name,
                                        meant.unit.text,
                                        meant.unit.dimension.name()),
                            help_for_units(*unit, meant.unit, name(role)));
    return converted.value_or(0.0); // told
}

/// The limit is that of LLOQ, or of ULOQ for a value above, where there is one, otherwise DV itself
/// (as Monolix and nlmixr2 write it); LIMIT is the other end of the interval.
void ObservationMaker::censor(std::size_t row, DataObservation& observation, double factor) {
    if (factor != factor) return; // values that are not used need no limit
    observation.cens = censoring(row).value_or(0);
    if (observation.cens == 0) return;
    const bool is_below = observation.cens > 0;
    const DataRole role = is_below ? DataRole::lloq : DataRole::uloq;
    observation.limit = limit(row, role, observation, factor).value_or(observation.dv);
    observation.dv = observation.limit;
    observation.other_limit = limit(row, DataRole::limit, observation, factor).value_or(no_value);
    if (observation.limit != observation.limit)
        table_.mistakes.add(
            "CENS without limit",
            table_.place(row, DataRole::cens),
            "this value is censored, but its limit is not said",
            fmt::format("write the limit of quantification in DV, or in a column {}",
                        is_below ? "LLOQ" : "ULOQ"));
}

DataObservation ObservationMaker::read(std::size_t row) {
    DataObservation observation;
    observation.row = row;
    observation.evid = evids_[row];
    if (table_.words.are_profiles) {
        read_profile(row, observation);
        return observation;
    }
    const std::optional<double> value =
        evids_[row] == 0 ? table_.number(row, DataRole::dv) : std::nullopt;
    const bool is_censored =
        evids_[row] == 0 && table_.has(DataRole::dv) && censoring(row).value_or(0) != 0;
    Target target;
    if (evids_[row] == 0) target = this->target(row, value.has_value() || is_censored);
    observation.output = target.output;
    const double factor = target.factor.value_or(no_value);
    observation.dv = value ? *value * factor : no_value;
    if (evids_[row] == 0) {
        censor(row, observation, factor);
        if (!uses(row, observation)) observation.dv = no_value;
    }
    observation.is_missing = observation.dv != observation.dv;
    n_missing_ += observation.is_missing && evids_[row] == 0 ? 1 : 0;
    if (!observation.is_missing && value && is_code_for_missing(*value))
        codes_.add(table_.place(row, DataRole::dv).line, table_.cell(row, DataRole::dv).text);
    return observation;
}

/// The values of a key on rows with something in DV, as they appear.
std::vector<std::string> ObservationMaker::values_observed(DataRole key) {
    std::vector<std::string> values;
    for (std::size_t row = 0; table_.has(key) && row < table_.n_rows(); ++row) {
        if (evids_[row] != 0 || table_.is_missing(row, DataRole::dv) ||
            table_.whole(row, DataRole::mdv) != 0)
            continue;
        const std::string& value = table_.cell(row, key).text;
        if (std::ranges::find(values, value) == values.end()) values.push_back(value);
    }
    return values;
}

/// Of profiles: the key is DVID or CMT where observations differ by it, or where the curve is one
/// of its values.
void ObservationMaker::choose_curve() {
    const std::string& curve = table_.words.curve.value;
    for (const DataRole role : {DataRole::dvid, DataRole::cmt}) {
        const std::vector<std::string> values = values_observed(role);
        const bool is_there = std::ranges::find(values, curve) != values.end();
        if (!is_there && (values.size() < 2 || !curve.empty())) continue;
        key_ = role;
        has_key_ = true;
        if (!is_there) tell_curve(role, values);
        return;
    }
    if (curve.empty()) return;
    const bool is_by_cmt = values_observed(DataRole::dvid).empty() && table_.has(DataRole::cmt);
    const DataRole role = is_by_cmt ? DataRole::cmt : DataRole::dvid;
    tell_curve(role, values_observed(role));
}

void ObservationMaker::tell_curve(DataRole key, const std::vector<std::string>& values) {
    const DataCurveWords& curve = table_.words.curve;
    if (curve.value.empty())
        table_.mistakes.add("curves",
                            table_.header(key).span,
                            fmt::format("observations of several kinds, {} {}",
                                        table_.column(key).header,
                                        fmt::join(values, ", ")),
                            fmt::format("choose one: --curve {}", values.front()));
    else
        table_.mistakes.add(
            "curves",
            curve.span,
            fmt::format(
                "the file has no {} '{}'", table_.has(key) ? name(key) : "DVID", curve.value),
            values.empty() ? "" : fmt::format("it has {}", fmt::join(values, ", ")));
}

/// Of profiles: whether the row observes the curve that is asked for.
bool ObservationMaker::is_read(std::size_t row) {
    return evids_[row] == 0 && table_.has(DataRole::dv) &&
           (!has_key_ || table_.cell(row, key_).text == table_.words.curve.value) &&
           table_.whole(row, DataRole::mdv) == 0;
}

/// "BLQ", "<0.1" and the like.
bool ObservationMaker::is_word_for_below(std::size_t row) const {
    const std::string& text = table_.cell(row, DataRole::dv).text;
    return text.starts_with('<') ||
           std::ranges::any_of(std::array{"BLQ", "BQL", "BLOQ", "LLOQ"},
                               [&](const char* word) { return is_same_name(text, word); });
}

/// A profile may say by a word, and without a limit, that a value is below the limit.
void ObservationMaker::read_profile(std::size_t row, DataObservation& observation) {
    observation.dv = observation.limit = observation.other_limit = no_value;
    observation.is_missing = true;
    if (!is_read(row)) return;
    observation.output = 0;
    const bool is_word = is_word_for_below(row);
    const std::optional<double> value = is_word ? std::nullopt : table_.number(row, DataRole::dv);
    const std::optional<double> lloq = table_.number(row, DataRole::lloq);
    const bool is_below = is_word || censoring(row) == 1 || (value && lloq && *value < *lloq);
    if (value && *value < 0.0)
        table_.mistakes.add(
            "below 0",
            table_.place(row, DataRole::dv),
            fmt::format("the concentration {} is below 0", table_.cell(row, DataRole::dv).text),
            "what is below the limit is 0, or BLQ");
    observation.is_missing = !value && !is_below;
    observation.cens = is_below ? 1 : 0;
    observation.limit = is_below ? lloq.value_or(no_value) : no_value;
    observation.dv = value.value_or(is_below ? 0.0 : no_value);
    n_missing_ += observation.is_missing ? 1 : 0;
}

void ObservationMaker::add_notes() {
    for (std::size_t row = 0; row < table_.n_rows(); ++row)
        if (evids_[row] == 1 || evids_[row] == 4) {
            const bool has_value =
                !table_.is_missing(row, DataRole::dv) && table_.number(row, DataRole::dv) != 0.0;
            n_on_doses_ += has_value ? 1 : 0;
            if (!table_.is_missing(row, DataRole::mdv) && table_.whole(row, DataRole::mdv) == 0)
                table_.mistakes.add("MDV on dose",
                                    table_.place(row, DataRole::mdv),
                                    "MDV is 0, but this row doses and observes nothing",
                                    "write MDV 1; an observation at the same time is a row of its "
                                    "own");
        }
    if (codes_.n > 0)
        data_.notes.push_back(fmt::format("DV is {} on {}{}: {}",
                                          codes_.first_text,
                                          counted(codes_.n, "row"),
                                          codes_.where(),
                                          how_to_say_missing(table_.words, codes_.first_text)));
    if (n_on_doses_ > 0)
        data_.notes.push_back(fmt::format("DV is ignored on {}", counted(n_on_doses_, "dose row")));
    if (n_switched_off_ > 0)
        data_.notes.push_back(
            fmt::format("MDV 1 leaves out {} of DV", counted(n_switched_off_, "value")));
    if (n_missing_ > 0)
        data_.notes.push_back(fmt::format(
            "{} no value to be used",
            n_missing_ == 1 ? "1 observation has" : counted(n_missing_, "observation") + " have"));
}

} // namespace

void make_observations(DataTable& table, const std::vector<int>& evids, DataSet& data) {
    ObservationMaker maker(table, evids, data);
    for (DataSubject& subject : data.subjects) {
        std::size_t n_records = 0;
        for (std::size_t i = 0; i < subject.n_rows; ++i) {
            const std::size_t row = subject.first_row + i;
            while (n_records < subject.record_rows.size() &&
                   subject.record_rows[n_records] <= static_cast<int>(i))
                ++n_records;
            if (evids[row] != 0 && evids[row] != 2) continue;
            DataObservation observation = maker.read(row);
            observation.time = subject.times[i];
            observation.n_records_before = static_cast<int>(n_records);
            subject.observations.push_back(observation);
        }
    }
    maker.add_notes();
}

} // namespace gemel::pkpd
