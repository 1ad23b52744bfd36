#include "nca/nca_events.hpp"

#include <gemel/pkpd/dosing.hpp>

#include <algorithm>

namespace gemel::scenarios {

/// `/events`, column by column; those that the file lacks as what they would say.
struct EventColumns {
    EventColumns(const io::ResultReader& file, std::uint64_t n)
        : variables_(file.variables()),
          file_(file),
          n_(n) {
        arm = texts("ARM");
        unit = texts("AMT_unit");
        pending = texts("PENDING");
        time = reals("TIME");
        amount = reals("AMT");
        duration = reals("DUR");
        rate = reals("RATE");
        interval = reals("II");
        further = reals("ADDL");
        steady = reals("SS");
        subject = reals("SUBJECT");
        evid = reals("EVID");
    }

    std::vector<std::string> arm, unit, pending;
    std::vector<double> time, amount, duration, rate, interval, further, steady, subject, evid;

private:
    bool has(const std::string& path) const {
        return std::ranges::any_of(
            variables_, [&](const io::Variable& variable) { return variable.path == path; });
    }
    std::vector<std::string> texts(const std::string& name) const {
        const std::string path = "events/" + name;
        return has(path) ? file_.texts(path, -1, 0, n_) : std::vector<std::string>(n_);
    }
    std::vector<double> reals(const std::string& name) const {
        const std::string path = "events/" + name;
        return has(path) ? file_.reals(path, -1, 0, n_) : std::vector<double>(n_, 0.0);
    }

    std::vector<io::Variable> variables_;
    const io::ResultReader& file_;
    std::uint64_t n_;
};

ResultDoses::ResultDoses(const io::ResultReader& file, const std::vector<std::string>& arms)
    : arms_(arms),
      of_arms_(arms.size()) {
    const std::vector<io::Variable> all = file.variables();
    const auto is_amounts = [](const io::Variable& variable) {
        return variable.path == "events/AMT";
    };
    if (std::ranges::any_of(all, is_amounts)) {
        const std::uint64_t n = file.axis_size("event");
        const EventColumns columns(file, n);
        for (std::size_t i = 0; i < n; ++i)
            if (const auto record = record_of(columns, i)) {
                SubjectRecords& records = records_of(columns, i);
                records.records.push_back(*record);
                records.cancels_pending = columns.pending[i] == "cancel";
            }
    }
    for (const SubjectRecords& records : of_arms_)
        courses_.emplace_back(records);
}

SubjectRecords& ResultDoses::records_of(const EventColumns& columns, std::size_t i) {
    if (columns.subject[i] > 0.0) return own_[static_cast<std::uint64_t>(columns.subject[i])];
    const auto at = std::ranges::find(arms_, columns.arm[i]);
    return of_arms_.at(static_cast<std::size_t>(at - arms_.begin()));
}

/// Doses and resets; of what else happens an analysis of curves knows nothing.
std::optional<sim::Record> ResultDoses::record_of(const EventColumns& columns, std::size_t i) {
    sim::Record record;
    record.time = columns.time[i];
    record.kind = sim::RecordKind::reset;
    if (columns.evid[i] != 1.0) {
        has_resets_ = has_resets_ || columns.evid[i] == 3.0;
        return columns.evid[i] == 3.0 ? std::optional(record) : std::nullopt;
    }
    const double given = columns.amount[i], rate = columns.rate[i];
    const bool is_infusion = columns.duration[i] != 0.0 || rate != 0.0;
    record.kind = is_infusion ? sim::RecordKind::infuse : sim::RecordKind::add;
    // The amount's unit may change, and with it the rate's, but not their ratio.
    record.duration = rate > 0.0 ? given / rate : columns.duration[i];
    record.rate = rate > 0.0 && given > 0.0 ? 0.0 : rate;
    record.amount = amount_of(given, columns.unit[i]);
    record.interval = columns.interval[i];
    record.count = 1 + static_cast<std::int64_t>(columns.further[i]);
    record.steady = static_cast<sim::SteadyState>(static_cast<int>(columns.steady[i]));
    ProfileDose kind;
    kind.duration = record.kind == sim::RecordKind::infuse ? 1.0 : 0.0;
    kinds_.push_back(kind);
    return record;
}

/// In the unit of the first amount that is a mass or a substance.
double ResultDoses::amount_of(double amount, const std::string& text) {
    const auto unit = sim::parse_unit(text);
    const bool is_amount = unit && !unit->is_dimensionless() && text.find('/') == std::string::npos;
    if (is_amount && !unit_) unit_ = unit;
    if (is_amount && unit->dimension == unit_->dimension)
        return amount * sim::conversion_factor(*unit, *unit_);
    has_unknown_amounts_ = true;
    return pkpd::NcaResult::not_known;
}

DoseCourse ResultDoses::course_of(std::size_t arm, std::uint64_t subject) const {
    const auto own = own_.find(subject);
    if (own == own_.end()) return courses_[arm];
    SubjectRecords both = of_arms_[arm]; // at equal times they act before the subject's own
    if (both.records.empty()) both.cancels_pending = own->second.cancels_pending;
    both.records.insert(both.records.end(), own->second.records.begin(), own->second.records.end());
    return DoseCourse(both);
}

} // namespace gemel::scenarios
