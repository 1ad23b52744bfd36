#include "data_reading.hpp"
#include "table_cells.hpp"

#include <gemel/pkpd/data_profiles.hpp>

#include <fmt/format.h>

/// Data files without a model: what stages ask a model for is the file's own.
namespace gemel::pkpd {
namespace {

/// One compartment that takes every dose and one output that is every observation.
Model model_of_profiles() {
    Model model;
    model.id = "of the file";
    model.system.time_unit = *sim::parse_unit("h");
    sim::State dosed;
    dosed.name = "dosed";
    model.system.states.push_back(dosed);
    sim::NamedExpr observed;
    observed.name = "observed";
    model.system.outputs.push_back(observed);
    model.routes.push_back({"", "", 0, true});
    return model;
}

/// The file's units are the model's, so that numbers stay as they are.
void settle_units(DataTable& table, Model& model, ProfileSet& set) {
    const auto settle = [&](DataRole role, const char* otherwise, sim::Unit& unit) {
        const std::optional<sim::Unit> declared = table.column(role).unit;
        unit = declared.value_or(*sim::parse_unit(otherwise));
        if (table.has(role)) table.assume_unit(role, unit);
        return declared;
    };
    sim::Unit time;
    set.time = settle(DataRole::time, "h", time);
    if (table.words.has_clock) set.time = model.system.time_unit;
    if (time.dimension == sim::time_dimension && !table.words.has_clock)
        model.system.time_unit = time;
    set.dose = settle(DataRole::amt, "mg", model.system.states[0].unit);
    set.concentration = settle(DataRole::dv, "mg/L", model.system.outputs[0].unit);
}

int find_slope_marks(const DataTable& table) {
    for (const int at : table.carried())
        if (is_same_name(split_header(table.header()[static_cast<std::size_t>(at)].text).name,
                         "LZ"))
            return at;
    return -1;
}

void read_slope_marks(DataTable& table, ProfileSet& set) {
    const int at = find_slope_marks(table);
    if (at < 0) return;
    for (std::size_t row = 0; row < table.n_rows(); ++row) {
        const double mark = table.number(table.cell(row, at), "LZ").value_or(0.0);
        if (mark != 0.0 && mark != 1.0 && mark != -1.0)
            table.mistakes.add("LZ",
                               table.cell(row, at).span,
                               fmt::format("LZ is {}", table.cell(row, at).text),
                               "1: the point serves lambda_z; -1: it does not; 0: it is not said");
        set.slope_marks.push_back(mark > 0.0 ? 1 : mark < 0.0 ? -1 : 0);
    }
}

void name_groups(const DataTable& table, ProfileSet& set) {
    for (const DataGroupWords& group : table.words.groups)
        set.groups.push_back(group.column);
    for (const DataSubject& subject : set.data->subjects) {
        set.group_texts.push_back(table.owner(subject.first_row));
        set.group_texts.back().pop_back(); // the ID
    }
}

/// Two at one time are a trough and a peak, if a dose stands between them.
void check_samples(DataTable& table, const DataSet& data) {
    for (const DataSubject& subject : data.subjects) {
        const DataObservation* before = nullptr;
        for (const DataObservation& observation : subject.observations) {
            if (observation.is_missing) continue;
            if (before != nullptr && before->time == observation.time &&
                before->n_records_before == observation.n_records_before)
                table.mistakes.add("two concentrations",
                                   table.place(observation.row, DataRole::time),
                                   fmt::format("two concentrations of subject {} at time {}",
                                               fmt::join(table.owner(observation.row), ", "),
                                               table.cell(observation.row, DataRole::time).text),
                                   "keep one, or tell profiles apart with --group");
            before = &observation;
        }
    }
}

} // namespace

std::optional<ProfileSet> read_profiles(DataWords words, sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    words.are_profiles = true;
    std::optional<OpenedData> opened = open_data(words, diagnostics);
    if (!opened) return std::nullopt;
    const auto data = begin_data(*opened);
    DataMistakes mistakes(diagnostics);
    Model model = model_of_profiles();
    DataTable table(words, model, std::move(opened->csv), opened->separator, mistakes);
    ProfileSet set;
    set.data = data;
    settle_units(table, model, set);
    const bool has_essential =
        table.has(DataRole::id) && table.has(DataRole::time) && table.has(DataRole::dv);
    const bool is_empty = diagnostics.size() == n_before && !has_rows(table, diagnostics);
    if (has_essential && !is_empty) {
        table.gather();
        read_rows(table, *opened, *data);
        read_slope_marks(table, set);
        check_samples(table, *data);
        name_groups(table, set);
    }
    mistakes.add_rest();
    if (diagnostics.size() == n_before && data->n_observations() == 0)
        diagnostics.add({data->file, 0, 0, 1}, "this file has no concentration");
    if (diagnostics.size() != n_before) return std::nullopt;
    return set;
}

} // namespace gemel::pkpd
