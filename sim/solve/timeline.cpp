#include <gemel/sim/timeline.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gemel::sim {
namespace {

/// One record's dose for one subject, after bioavailability.
struct Dose {
    double amount = 0.0;   ///< what reaches the state
    double rate = 0.0;     ///< of an infusion
    double duration = 0.0; ///< of an infusion
};

bool is_positive(double x) {
    return std::isfinite(x) && x > 0.0;
}

double amount_of(const Record& record, const double* inputs, std::ptrdiff_t input_stride) {
    if (record.amount_factor < 0) return record.amount;
    return record.amount * inputs[record.amount_factor * input_stride];
}

/// F acts on the rate where the duration is prescribed, on the duration where the rate is.
bool shape_infusion(const Record& record,
                    const DoseModifiers& modifiers,
                    double amount,
                    Dose& dose) {
    dose.duration = record.duration;
    double rate = record.rate;
    if (rate == modelled_duration) {
        dose.duration =
            modifiers.modelled_duration ? modifiers.modelled_duration[record.state] : 0.0;
        rate = 0.0;
    } else if (rate == modelled_rate) {
        rate = modifiers.modelled_rate ? modifiers.modelled_rate[record.state] : 0.0;
        if (!is_positive(rate)) return false;
    }
    if (rate == 0.0) {
        if (!is_positive(dose.duration)) return false;
        dose.rate = dose.amount / dose.duration;
    } else {
        if (!is_positive(rate)) return false;
        dose.rate = amount < 0.0 ? -rate : rate;
        dose.duration = dose.amount / dose.rate;
    }
    return std::isfinite(dose.rate) && std::isfinite(dose.duration);
}

void append(
    const Record& record, const Dose& dose, double time, double end, std::vector<Event>& events) {
    const double off = time + dose.duration;
    // A bolus, or an infusion too short for the clock to see.
    if (record.kind == RecordKind::add || off <= time) {
        events.push_back({time, EventKind::add, record.state, dose.amount});
        return;
    }
    events.push_back({time, EventKind::rate_on, record.state, dose.rate});
    if (off <= end) events.push_back({off, EventKind::rate_off, record.state, dose.rate});
}

/// By time; at equal times infusions end before anything begins, so that one infusion handing over
/// to the next leaves no rounding residue; otherwise in record order (the sort is stable).
bool is_before(const Event& a, const Event& b) {
    if (a.time != b.time) return a.time < b.time;
    return a.kind == EventKind::rate_off && b.kind != EventKind::rate_off;
}

bool expand_record(const Timeline& timeline,
                   const Record& record,
                   const DoseModifiers& modifiers,
                   double amount,
                   std::vector<Event>& events) {
    const double fraction =
        modifiers.bioavailability ? modifiers.bioavailability[record.state] : 1.0;
    const double lag = modifiers.lag ? modifiers.lag[record.state] : 0.0;
    Dose dose{amount * fraction, 0.0, 0.0};
    if (!std::isfinite(dose.amount) || !(fraction >= 0.0) || !(lag >= 0.0) || !std::isfinite(lag))
        return false;
    if (record.kind == RecordKind::infuse && !shape_infusion(record, modifiers, amount, dose))
        return false;
    if (dose.amount == 0.0) return true;
    for (std::int64_t k = 0; k < record.count; ++k) {
        const double time = record.time + static_cast<double>(k) * record.interval + lag;
        if (!(time <= timeline.end)) break;
        append(record, dose, time, timeline.end, events);
    }
    return true;
}

[[noreturn]] void refuse(std::size_t index, const char* what, double value) {
    throw std::invalid_argument(fmt::format("timeline: record {}: {} is {}", index, what, value));
}

} // namespace

bool expand(const Timeline& timeline,
            const DoseModifiers& modifiers,
            const double* inputs,
            std::ptrdiff_t input_stride,
            std::vector<Event>& events) {
    events.clear();
    for (const Record& record : timeline.records) {
        const double amount = amount_of(record, inputs, input_stride);
        if (!expand_record(timeline, record, modifiers, amount, events)) return false;
    }
    if (!std::is_sorted(events.begin(), events.end(), is_before))
        std::stable_sort(events.begin(), events.end(), is_before);
    return true;
}

void validate(const Timeline& timeline, int n_states, int n_inputs) {
    if (!std::isfinite(timeline.end) || timeline.end < 0.0)
        throw std::invalid_argument(fmt::format("timeline: end is {}", timeline.end));
    for (std::size_t i = 0; i < timeline.records.size(); ++i) {
        const Record& r = timeline.records[i];
        if (!std::isfinite(r.time) || r.time < 0.0) refuse(i, "time", r.time);
        if (r.state < 0 || r.state >= n_states) refuse(i, "state", r.state);
        if (!std::isfinite(r.amount)) refuse(i, "amount", r.amount);
        if (r.amount_factor < -1 || r.amount_factor >= n_inputs)
            refuse(i, "amount_factor", r.amount_factor);
        if (r.count < 1) refuse(i, "count", static_cast<double>(r.count));
        if (r.count > 1 && !is_positive(r.interval)) refuse(i, "interval", r.interval);
        if (r.kind == RecordKind::infuse && r.rate == 0.0 && !is_positive(r.duration))
            refuse(i, "duration", r.duration);
        if (r.kind == RecordKind::infuse && r.rate != 0.0 && r.rate != modelled_rate &&
            r.rate != modelled_duration && !is_positive(r.rate))
            refuse(i, "rate", r.rate);
    }
}

} // namespace gemel::sim
