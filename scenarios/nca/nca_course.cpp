#include "nca/nca_course.hpp"

#include <gemel/pkpd/dosing.hpp>

#include <algorithm>
#include <cmath>

namespace gemel::scenarios {

namespace {

/// Sums of intervals reach a time but for rounding.
bool is_at(double time, double other) {
    return std::abs(time - other) <= 1e-12 * std::max(std::abs(time), std::abs(other));
}

ProfileDose profile_dose(const sim::Record& record) {
    ProfileDose dose;
    dose.time = record.time;
    dose.is_steady = record.steady != sim::SteadyState::none;
    if (dose.is_steady && record.interval > 0.0) dose.tau = record.interval;
    if (record.amount > 0.0) dose.amount = record.amount;
    if (record.kind != sim::RecordKind::infuse) return dose;
    dose.duration = record.duration;
    if (record.rate > 0.0) dose.duration = dose.amount / record.rate;
    if (record.rate < 0.0) dose.duration = pkpd::NcaResult::not_known;
    return dose;
}

/// Doses in time; those of one time are one.
void join(std::vector<CourseDose>& doses) {
    std::ranges::stable_sort(
        doses, [](const CourseDose& a, const CourseDose& b) { return a.dose.time < b.dose.time; });
    std::vector<CourseDose> joined;
    for (const CourseDose& dose : doses) {
        if (joined.empty() || joined.back().dose.time != dose.dose.time) {
            joined.push_back(dose);
            continue;
        }
        joined.back().dose.amount += dose.dose.amount;
        joined.back().rank = std::min(joined.back().rank, dose.rank);
    }
    doses = std::move(joined);
}

/// Two steady states of doses a day that are half a day apart are one of doses every half day.
void interleave(std::vector<CourseDose>& doses) {
    std::vector<double> taus;
    for (const CourseDose& dose : doses)
        taus.push_back(dose.dose.tau);
    for (std::size_t k = 0; k < doses.size(); ++k) {
        const double now = doses[k].dose.time;
        const auto take = [&](double next) {
            if (next > now && next < now + taus[k] && !is_at(next, now + taus[k]))
                doses[k].dose.tau = std::min(doses[k].dose.tau, next - now);
        };
        if (k + 1 < doses.size() && !std::isnan(taus[k + 1])) take(doses[k + 1].dose.time);
        for (std::size_t j = k; j-- > 0 && now - doses[j].dose.time < taus[k];)
            take(doses[j].dose.time + taus[j]);
    }
}

} // namespace

DoseCourse::DoseCourse(const SubjectRecords& subject) : new_periods_(subject.new_periods) {
    for (std::size_t i = 0; i < subject.records.size(); ++i)
        if (subject.records[i].kind == sim::RecordKind::reset)
            resets_.push_back({period_of(i + 1), i, subject.records[i].time});
    std::ranges::stable_sort(resets_, [](const Reset& a, const Reset& b) {
        return a.period != b.period ? a.period < b.period : a.time < b.time;
    });
    parts_.resize(resets_.size() + 1);
    for (std::size_t i = 0; i < subject.records.size(); ++i)
        if (pkpd::is_dose(subject.records[i])) add_doses(subject, i);
    for (CoursePart& part : parts_) {
        join(part.doses);
        interleave(part.doses);
    }
}

std::size_t DoseCourse::period_of(std::size_t n_before) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(new_periods_, [&](std::size_t reset) { return reset < n_before; }));
}

void DoseCourse::add_doses(const SubjectRecords& subject, std::size_t record) {
    CourseDose dose{profile_dose(subject.records[record]), record + 1};
    place(dose, record);
    dose.rank = 0;
    for (std::int64_t k = 1; k < subject.records[record].count; ++k) {
        dose.dose.time = subject.records[record].time +
                         static_cast<double>(k) * subject.records[record].interval;
        if (is_cancelled(subject, record, dose.dose.time)) return;
        place(dose, record);
    }
}

bool DoseCourse::is_cancelled(const SubjectRecords& subject,
                              std::size_t record,
                              double time) const {
    if (!subject.cancels_pending) return false;
    for (std::size_t i = 0; i < subject.records.size(); ++i) {
        const sim::Record& other = subject.records[i];
        const bool ends = other.kind == sim::RecordKind::reset ||
                          (pkpd::is_dose(other) && other.steady == sim::SteadyState::replaces);
        const double begin = subject.records[record].time;
        const bool is_later = other.time > begin || (other.time == begin && i > record);
        if (ends && is_later && (other.time < time || is_at(other.time, time))) return true;
    }
    return false;
}

void DoseCourse::place(const CourseDose& dose, std::size_t record) {
    const std::size_t period = period_of(record + 1);
    std::size_t part = 0;
    for (const Reset& reset : resets_) {
        const bool is_same = reset.period == period && is_at(reset.time, dose.dose.time);
        const bool is_before =
            reset.period < period ||
            (reset.period == period && reset.time < dose.dose.time && !is_same) ||
            (is_same && reset.record < record);
        if (is_same && !is_before) return; // it takes the dose away
        part += is_before ? 1 : 0;
    }
    parts_[part].doses.push_back(dose);
}

std::size_t DoseCourse::part_of(double time, std::size_t n_before) const {
    const std::size_t period = period_of(n_before);
    return static_cast<std::size_t>(std::ranges::count_if(resets_, [&](const Reset& reset) {
        if (reset.period != period) return reset.period < period;
        return reset.time < time || (reset.time == time && reset.record < n_before);
    }));
}

std::size_t DoseCourse::n_doses_before(std::size_t part, double time, std::size_t n_before) const {
    const std::vector<CourseDose>& doses = parts_[part].doses;
    const auto at = std::ranges::lower_bound(
        doses, time, {}, [](const CourseDose& dose) { return dose.dose.time; });
    const bool is_seen = at != doses.end() && at->dose.time == time && at->rank <= n_before;
    return static_cast<std::size_t>(at - doses.begin()) + (is_seen ? 1 : 0);
}

std::vector<SubjectProfile> profiles_with_doses(const DoseCourse& course,
                                                const std::vector<std::string>& notes) {
    std::vector<SubjectProfile> profiles(course.parts().size());
    for (std::size_t p = 0; p < profiles.size(); ++p) {
        profiles[p].notes = notes;
        for (const CourseDose& dose : course.parts()[p].doses)
            profiles[p].doses.push_back(dose.dose);
    }
    return profiles;
}

std::vector<Occasion> occasions_of(const DoseCourse& course,
                                   const std::vector<SubjectProfile>& parts) {
    const bool has_doses = std::ranges::any_of(
        course.parts(), [](const CoursePart& part) { return !part.doses.empty(); });
    std::vector<Occasion> occasions;
    std::size_t number = 0;
    for (std::size_t p = 0; p < parts.size(); ++p) {
        if (has_doses ? parts[p].doses.empty() : parts[p].time.empty()) continue;
        ++number;
        if (!parts[p].time.empty()) occasions.push_back({p, number});
    }
    return occasions;
}

} // namespace gemel::scenarios
