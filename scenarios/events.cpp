#include "provenance.hpp"

#include <fmt/format.h>

namespace gemel::scenarios {

namespace {

struct EventRow {
    const Arm* arm = nullptr;
    const sim::Record* record = nullptr;
};

std::vector<EventRow> rows_of(const Study& study) {
    std::vector<EventRow> rows;
    for (const Arm& arm : study.arms)
        for (const sim::Record& record : regimen_of(study, arm).records)
            rows.push_back({&arm, &record});
    return rows;
}

const sim::State& state_of(const Study& study, const EventRow& row) {
    return study.model->system.states[static_cast<std::size_t>(row.record->state)];
}

/// The unit of one row's amount: the state's, per unit of what multiplies it.
std::string amount_unit(const Study& study, const EventRow& row) {
    const sim::Unit& unit = state_of(study, row).unit;
    if (row.record->amount_factor < 0) return unit.text;
    return (unit /
            study.model->system.inputs[static_cast<std::size_t>(row.record->amount_factor)].unit)
        .text;
}

/// One unit for the column where all rows agree.
std::string common_amount_unit(const Study& study, const std::vector<EventRow>& rows) {
    for (const EventRow& row : rows)
        if (amount_unit(study, row) != amount_unit(study, rows.front())) return "1";
    return amount_unit(study, rows.front());
}

template <class Get>
auto column(const std::vector<EventRow>& rows, Get get) {
    std::vector<decltype(get(rows.front()))> values;
    for (const EventRow& row : rows)
        values.push_back(get(row));
    return values;
}

} // namespace

void declare_events(const Study& study, io::Layout& file) {
    const std::vector<EventRow> rows = rows_of(study);
    if (rows.empty()) return;
    file.add(io::Axis{
        .name = "event", .long_name = "number of the planned record", .count = rows.size()});
    const std::string time = study.model->system.time_unit.text;
    const auto add = [&](const char* name,
                         io::ValueType type,
                         std::string unit,
                         const char* about) {
        file.add({fmt::format("events/{}", name), type, {"event"}, std::move(unit), about, {}, {}});
    };
    add("ARM", io::ValueType::text, "1", "arm");
    add("TIME", io::ValueType::real, time, "of the first dose");
    add("AMT", io::ValueType::real, common_amount_unit(study, rows), "amount of each dose");
    add("AMT_unit", io::ValueType::text, "1", "unit of AMT in this row");
    add("CMT", io::ValueType::text, "1", "compartment");
    add("DUR", io::ValueType::real, time, "duration of the infusion; 0: bolus or by RATE");
    add("RATE", io::ValueType::real, "1", "of the infusion, AMT_unit per time; -1, -2: modelled");
    add("II", io::ValueType::real, time, "interval of repeats");
    add("ADDL", io::ValueType::integer, "1", "further doses after the first");
}

void write_events(const Study& study, io::ResultFile& file) {
    const std::vector<EventRow> rows = rows_of(study);
    if (rows.empty()) return;
    const auto reals = [&](const char* name, double sim::Record::*member) {
        const auto values = column(rows, [&](const EventRow& row) { return row.record->*member; });
        file.write_all(fmt::format("events/{}", name), std::span<const double>(values));
    };
    file.write_all("events/ARM", column(rows, [](const EventRow& row) { return row.arm->name; }));
    reals("TIME", &sim::Record::time);
    reals("AMT", &sim::Record::amount);
    file.write_all("events/AMT_unit",
                   column(rows, [&](const EventRow& row) { return amount_unit(study, row); }));
    file.write_all("events/CMT",
                   column(rows, [&](const EventRow& row) { return state_of(study, row).name; }));
    reals("DUR", &sim::Record::duration);
    reals("RATE", &sim::Record::rate);
    reals("II", &sim::Record::interval);
    const auto further = column(
        rows, [](const EventRow& row) { return static_cast<std::int64_t>(row.record->count - 1); });
    file.write_all("events/ADDL", std::span<const std::int64_t>(further));
}

} // namespace gemel::scenarios
