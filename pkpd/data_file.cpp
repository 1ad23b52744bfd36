#include "data_reading.hpp"
#include "molar.hpp"

#include <gemel/pkpd/dosing.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace gemel::pkpd {
namespace {

void carry(const DataTable& table, DataSet& data) {
    for (const int at : table.carried()) {
        CarriedColumn column;
        column.header = table.header()[static_cast<std::size_t>(at)].text;
        for (std::size_t row = 0; row < table.n_rows(); ++row)
            column.text.push_back(table.cell(row, at).text);
        data.carried.push_back(std::move(column));
    }
}

void find_extent(DataSet& data) {
    bool is_first = true;
    for (const DataSubject& subject : data.subjects)
        for (const double time : subject.times) {
            data.first_time = is_first ? time : std::min(data.first_time, time);
            data.last_time = is_first ? time : std::max(data.last_time, time);
            is_first = false;
        }
}

void add_notes_of_format(const DataTable& table, const OpenedData& opened, DataSet& data) {
    data.notes.insert(data.notes.end(), table.notes().begin(), table.notes().end());
    data.notes.insert(data.notes.end(), opened.notes.begin(), opened.notes.end());
    if (table.has_decimal_comma()) data.notes.push_back("numbers have a decimal comma");
    if (opened.n_empty > 0)
        data.notes.push_back(fmt::format("{} left out",
                                         opened.n_empty == 1
                                             ? "1 empty row is"
                                             : counted(opened.n_empty, "empty row") + " are"));
    if (opened.n_ignored > 0)
        data.notes.push_back(fmt::format("{} beginning with '{}' {} left out",
                                         counted(opened.n_ignored, "row"),
                                         table.words.ignore,
                                         opened.n_ignored == 1 ? "is" : "are"));
    if (table.has(DataRole::date) && !table.words.has_clock)
        data.notes.push_back(
            "DATE is not used: " + how_to_set(table.words, "clock = true", "--clock") +
            " makes times of it");
    std::vector<std::string> headers;
    for (const CarriedColumn& column : data.carried)
        if (column.header != data.occasion) headers.push_back(column.header);
    if (!headers.empty())
        data.notes.push_back(
            fmt::format("carried along and not used: {}", fmt::join(headers, ", ")));
    const bool has_iov =
        std::ranges::any_of(table.model.parameters,
                            [](const Parameter& parameter) { return parameter.iov.has_value(); });
    if (has_iov && data.occasion.empty())
        data.notes.push_back("effects of occasions (iov) are drawn once for each subject: "
                             "occasion = \"…\" in [data] names the column that tells them apart");
}

} // namespace

std::string help_for_units(const sim::Unit& from, const sim::Unit& to, const std::string& column) {
    // With some molar mass they would meet.
    if (convert_molar(1.0, from, to, 1.0))
        return fmt::format(
            "between {} and {} the model needs the molar_mass of its states", from.text, to.text);
    const sim::Dimension per_mass = sim::dimensionless / sim::mass_dimension;
    if (from.dimension == to.dimension * per_mass)
        return fmt::format("{} is what was given: the amount per body weight times the weight",
                           column.substr(0, column.find(',')));
    return fmt::format("check the unit of {}", column);
}

std::size_t DataSet::n_doses() const {
    std::size_t n = 0;
    for (const DataSubject& subject : subjects)
        n += static_cast<std::size_t>(std::ranges::count_if(subject.records, is_dose));
    return n;
}

std::size_t DataSet::n_observations() const {
    std::size_t n = 0;
    for (const DataSubject& subject : subjects)
        n += static_cast<std::size_t>(
            std::ranges::count_if(subject.observations, [](const DataObservation& observation) {
                return !observation.is_missing;
            }));
    return n;
}

void read_rows(DataTable& table, const OpenedData& opened, DataSet& data) {
    data.columns = table.described();
    data.header = table.header().front().span;
    if (table.has(DataRole::dv)) data.dv_header = table.header(DataRole::dv).span;
    for (std::size_t row = 0; row < table.n_rows(); ++row)
        data.lines.push_back(table.place(row, DataRole::id).line);
    find_subjects(table, data);
    const std::vector<int> evids = read_evids(table, data);
    const std::vector<bool> begins_period = read_times(table, evids, data);
    make_records(table, evids, begins_period, data);
    make_observations(table, evids, data);
    make_covariates(table, evids, data);
    make_occasions(table, data);
    carry(table, data);
    find_extent(data);
    add_notes_of_format(table, opened, data);
}

std::shared_ptr<DataSet> begin_data(const OpenedData& opened) {
    auto data = std::make_shared<DataSet>();
    data->file = opened.csv.file;
    data->path = opened.path;
    return data;
}

bool has_rows(const DataTable& table, sim::DiagnosticList& diagnostics) {
    if (table.n_rows() > 0) return true;
    diagnostics.add({table.file(), 0, 0, 1},
                    "this file has no rows of data below its header",
                    "write a row for each dose and each observation");
    return false;
}

std::shared_ptr<const DataSet>
read_data(const DataWords& words, const Model& model, sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    std::optional<OpenedData> opened = open_data(words, diagnostics);
    if (!opened) return nullptr;
    const auto data = begin_data(*opened);
    data->ignores_doses = words.ignores_doses;
    DataMistakes mistakes(diagnostics);
    DataTable table(words, model, std::move(opened->csv), opened->separator, mistakes);
    const bool has_essential =
        table.has(DataRole::id) && table.has(DataRole::time) && table.has(DataRole::amt);
    const bool is_empty = diagnostics.size() == n_before && !has_rows(table, diagnostics);
    if (has_essential && !is_empty) read_rows(table, *opened, *data);
    mistakes.add_rest();
    return diagnostics.size() == n_before ? data : nullptr;
}

} // namespace gemel::pkpd
