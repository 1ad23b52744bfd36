#include "provenance.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gemel::scenarios {

namespace {

struct EventRow {
    const Arm* arm = nullptr; ///< none: all arms
    const sim::Record* record = nullptr;
    std::size_t subject = 0;                  ///< of a data file, from 1; 0: all subjects
    const pkpd::TriggerWords* when = nullptr; ///< none: at a time
};

std::vector<EventRow> rows_of(const Study& study) {
    std::vector<EventRow> rows;
    for (const Arm& arm : study.arms)
        for (const sim::Record& record : regimen_of(study, arm).records)
            rows.push_back({&arm, &record});
    for (const Arm& arm : study.arms) {
        const pkpd::Regimen& regimen = regimen_of(study, arm);
        for (std::size_t i = 0; i < regimen.triggers.size(); ++i)
            rows.push_back({&arm, &regimen.triggers[i].record, 0, &regimen.trigger_words[i]});
    }
    if (study.data == nullptr || study.data->ignores_doses) return rows;
    for (std::size_t s = 0; s < study.data->subjects.size(); ++s)
        for (const sim::Record& record : study.data->subjects[s].records)
            rows.push_back({nullptr, &record, s + 1});
    return rows;
}

bool has_triggers(const std::vector<EventRow>& rows) {
    return std::ranges::any_of(rows, [](const EventRow& row) { return row.when != nullptr; });
}

bool has_own(const std::vector<EventRow>& rows) {
    return rows.back().subject > 0;
}

std::string subject_id(const Study& study, const EventRow& row) {
    return row.subject > 0 ? study.data->subjects[row.subject - 1].id : "";
}

bool cancels_pending(const Study& study, const EventRow& row) {
    const sim::PendingDoses pending =
        row.arm != nullptr ? regimen_of(study, *row.arm).pending.value_or(study.pending)
                           : study.pending;
    return pending == sim::PendingDoses::cancelled;
}

bool has_cancelled(const Study& study, const std::vector<EventRow>& rows) {
    return std::ranges::any_of(rows,
                               [&](const EventRow& row) { return cancels_pending(study, row); });
}

const sim::State& state_of(const Study& study, const EventRow& row) {
    return study.model->system.states[static_cast<std::size_t>(row.record->state)];
}

/// What happens, and as NONMEM numbers it: 2 is what it knows no records of.
struct EventKind {
    const char* name;
    std::int64_t evid;
};

EventKind event_of(const sim::Record& record) {
    switch (record.kind) {
    case sim::RecordKind::add:
    case sim::RecordKind::infuse:
        return {"dose", 1};
    case sim::RecordKind::reset:
        return {"reset", 3};
    case sim::RecordKind::set:
        return {"set", 2};
    case sim::RecordKind::multiply:
        return {"multiply", 2};
    case sim::RecordKind::switch_off:
        return {"switch off", 2};
    case sim::RecordKind::discontinue:
        return {"stop", 2};
    case sim::RecordKind::switch_on:
        break;
    }
    return {"switch on", 2};
}

bool has_amount(const EventRow& row) {
    return pkpd::is_dose(*row.record) || row.record->kind == sim::RecordKind::set;
}

/// Of what multiplies a record's amount: an input of the model, or a policy's amount.
const sim::Unit& factor_unit(const Study& study, const sim::Record& record) {
    const auto input = static_cast<std::size_t>(record.amount_factor);
    const std::size_t n = study.model->inputs.size();
    return input < n ? study.model->system.inputs[input].unit : study.policy_uses[input - n].unit;
}

/// The unit of one row's amount: the state's, per unit of what multiplies it.
std::string amount_unit(const Study& study, const EventRow& row) {
    if (!has_amount(row)) return "1";
    const sim::Unit& unit = state_of(study, row).unit;
    if (row.record->amount_factor < 0) return unit.text;
    return (unit / factor_unit(study, *row.record)).text;
}

/// One unit for the column where all rows with amounts agree.
std::string common_amount_unit(const Study& study, const std::vector<EventRow>& rows) {
    std::string common;
    for (const EventRow& row : rows) {
        const bool is_number = row.record->kind == sim::RecordKind::multiply;
        if (!has_amount(row) && !is_number) continue;
        const std::string unit = amount_unit(study, row);
        if (!common.empty() && common != unit) return "1";
        common = unit;
    }
    return common.empty() ? "1" : common;
}

std::string compartment(const Study& study, const EventRow& row) {
    const bool is_of_all = row.record->kind == sim::RecordKind::reset ||
                           row.record->kind == sim::RecordKind::discontinue;
    return is_of_all ? "" : state_of(study, row).name;
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
    add("ARM", io::ValueType::text, "1", "arm; empty: all");
    if (has_own(rows)) {
        add("SUBJECT", io::ValueType::integer, "1", "number of the subject; 0: all");
        add("ID", io::ValueType::text, "1", "of the subject, in the data file");
    }
    add("TIME",
        io::ValueType::real,
        time,
        has_triggers(rows) ? "of the first dose; where WHEN is not empty, after the crossing"
                           : "of the first dose");
    if (has_triggers(rows))
        add("WHEN", io::ValueType::text, "1", "it comes each time this becomes true");
    add("EVID", io::ValueType::integer, "1", "1: dose; 3: reset; 2: what else happens, see EVENT");
    add("EVENT",
        io::ValueType::text,
        "1",
        "dose, reset, set, multiply, stop, switch off, switch on");
    add("AMT",
        io::ValueType::real,
        common_amount_unit(study, rows),
        "amount of each dose; what a state is set to or multiplied by");
    add("AMT_unit", io::ValueType::text, "1", "unit of AMT in this row");
    add("CMT", io::ValueType::text, "1", "compartment; of a reset empty");
    add("DUR", io::ValueType::real, time, "duration of the infusion; 0: bolus or by RATE");
    add("RATE", io::ValueType::real, "1", "of the infusion, AMT_unit per time; -1, -2: modelled");
    add("II", io::ValueType::real, time, "interval of repeats");
    add("ADDL", io::ValueType::integer, "1", "further doses after the first");
    add("SS",
        io::ValueType::integer,
        "1",
        "1: a steady state that replaces what there is; 2: that is added");
    if (has_cancelled(study, rows))
        add("PENDING",
            io::ValueType::text,
            "1",
            "doses still to come at a reset or SS 1: give, or cancel");
}

void write_events(const Study& study, io::ResultFile& file) {
    const std::vector<EventRow> rows = rows_of(study);
    if (rows.empty()) return;
    const auto reals = [&](const char* name, double sim::Record::*member) {
        const auto values = column(rows, [&](const EventRow& row) { return row.record->*member; });
        file.write_all(fmt::format("events/{}", name), std::span<const double>(values));
    };
    const auto texts = [&](const char* name, auto get) {
        file.write_all(fmt::format("events/{}", name), column(rows, get));
    };
    texts("ARM",
          [](const EventRow& row) { return row.arm != nullptr ? row.arm->name : std::string(); });
    if (has_own(rows)) {
        const std::vector<std::int64_t> subjects = column(
            rows, [](const EventRow& row) { return static_cast<std::int64_t>(row.subject); });
        file.write_all("events/SUBJECT", std::span<const std::int64_t>(subjects));
        texts("ID", [&](const EventRow& row) { return subject_id(study, row); });
    }
    if (has_cancelled(study, rows))
        texts("PENDING", [&](const EventRow& row) {
            return std::string(cancels_pending(study, row) ? "cancel" : "give");
        });
    reals("TIME", &sim::Record::time);
    if (has_triggers(rows))
        texts("WHEN", [](const EventRow& row) {
            return row.when != nullptr ? row.when->text : std::string();
        });
    const auto integers = [&](const char* name, auto get) {
        const std::vector<std::int64_t> values =
            column(rows, [&](const EventRow& row) { return std::int64_t{get(*row.record)}; });
        file.write_all(fmt::format("events/{}", name), std::span<const std::int64_t>(values));
    };
    integers("EVID", [](const sim::Record& record) { return event_of(record).evid; });
    texts("EVENT", [](const EventRow& row) { return std::string(event_of(*row.record).name); });
    reals("AMT", &sim::Record::amount);
    texts("AMT_unit", [&](const EventRow& row) { return amount_unit(study, row); });
    texts("CMT", [&](const EventRow& row) { return compartment(study, row); });
    reals("DUR", &sim::Record::duration);
    reals("RATE", &sim::Record::rate);
    reals("II", &sim::Record::interval);
    integers("ADDL", [](const sim::Record& record) { return record.count - 1; });
    integers("SS", [](const sim::Record& record) { return static_cast<int>(record.steady); });
}

} // namespace gemel::scenarios
