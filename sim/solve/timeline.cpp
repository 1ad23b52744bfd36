#include <gemel/sim/timeline.hpp>

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <stdexcept>

namespace gemel::sim {
namespace {

[[noreturn]] void refuse(std::size_t index, const char* what, double value) {
    throw std::invalid_argument(fmt::format("timeline: record {}: {} is {}", index, what, value));
}

bool is_above_zero(double x) {
    return std::isfinite(x) && x > 0.0;
}

bool is_dose(const Record& r) {
    return r.kind == RecordKind::add || r.kind == RecordKind::infuse;
}

/// An infusion that has been running for ever.
bool is_constant(const Record& r) {
    return r.steady != SteadyState::none && r.kind == RecordKind::infuse && r.interval == 0.0 &&
           r.amount == 0.0 && r.rate != 0.0 && r.rate != modelled_duration && r.count == 1;
}

void check_infusion(std::size_t i, const Record& r) {
    if (r.rate == 0.0 && !is_above_zero(r.duration)) refuse(i, "duration", r.duration);
    if (r.rate != 0.0 && r.rate != modelled_rate && r.rate != modelled_duration &&
        !is_above_zero(r.rate))
        refuse(i, "rate", r.rate);
}

void check(std::span<const Record> records, double start, int n_states, int n_inputs) {
    for (std::size_t i = 0; i < records.size(); ++i) {
        const Record& r = records[i];
        if (!std::isfinite(r.time) || r.time < start) refuse(i, "time", r.time);
        if (r.state < 0 || r.state >= n_states) refuse(i, "state", r.state);
        if (!std::isfinite(r.amount)) refuse(i, "amount", r.amount);
        if (r.amount_factor < -1 || r.amount_factor >= n_inputs)
            refuse(i, "amount_factor", r.amount_factor);
        if (r.count < 1 || (r.count > 1 && !is_dose(r)))
            refuse(i, "count", static_cast<double>(r.count));
        if (r.count > 1 && !is_above_zero(r.interval)) refuse(i, "interval", r.interval);
        if (r.steady != SteadyState::none && !is_dose(r))
            refuse(i, "steady", static_cast<double>(r.steady));
        if (r.steady != SteadyState::none && !is_above_zero(r.interval) && !is_constant(r))
            refuse(i, "interval", r.interval);
        if (r.kind == RecordKind::infuse) check_infusion(i, r);
    }
}

void check(const Trigger& trigger, int n_states, int n_inputs) {
    const auto refuse_trigger = [](const char* what, double value) {
        throw std::invalid_argument(fmt::format("timeline: trigger: {} is {}", what, value));
    };
    check({&trigger.record, 1}, 0.0, n_states, n_inputs);
    if (trigger.record.steady != SteadyState::none)
        refuse_trigger("steady", static_cast<double>(trigger.record.steady));
    if (!std::isfinite(trigger.threshold)) refuse_trigger("threshold", trigger.threshold);
    if (!(trigger.wait >= 0.0 && std::isfinite(trigger.wait))) refuse_trigger("wait", trigger.wait);
    if (trigger.count < 1) refuse_trigger("count", static_cast<double>(trigger.count));
    if (!(trigger.from < trigger.to)) refuse_trigger("end of its window", trigger.to);
}

void check_time(const char* what, double time, double last, const Timeline& timeline) {
    if (!(time >= last && time <= timeline.end))
        throw std::invalid_argument(fmt::format(
            "timeline: the {} at {} stands before {} or after {}", what, time, last, timeline.end));
}

bool is_in_order(const RowSwitch& s, const RowSwitch& next) {
    return next.time > s.time || next.place >= s.place;
}

void check_switches(const SubjectTimeline& own, const Timeline& timeline) {
    RowSwitch last{.time = timeline.start};
    std::size_t n_records = 0, n_samples = 0; // of those `among`
    for (const RowSwitch& s : own.switches) {
        check_time("row of inputs", s.time, last.time, timeline);
        const bool is_among = s.place == RowPlace::among;
        const bool counts = s.n_records >= n_records && s.n_records <= own.records.size() &&
                            s.n_samples >= n_samples && s.n_samples <= own.samples.size();
        if (!is_in_order(last, s) || (is_among && !counts))
            throw std::invalid_argument(
                fmt::format("timeline: the row of inputs at {} has no place there: after {} "
                            "records and {} samples",
                            s.time,
                            s.n_records,
                            s.n_samples));
        if (is_among) {
            n_records = s.n_records;
            n_samples = s.n_samples;
        }
        last = s;
    }
}

} // namespace

void validate(const Timeline& timeline, int n_states, int n_inputs) {
    if (!std::isfinite(timeline.start))
        throw std::invalid_argument(fmt::format("timeline: start is {}", timeline.start));
    if (!std::isfinite(timeline.end) || timeline.end < timeline.start)
        throw std::invalid_argument(fmt::format("timeline: end is {}", timeline.end));
    check(timeline.records, timeline.start, n_states, n_inputs);
    for (const Trigger& trigger : timeline.triggers)
        check(trigger, n_states, n_inputs);
}

void validate(const SubjectTimeline& own, const Timeline& timeline, int n_states, int n_inputs) {
    check(own.records, timeline.start, n_states, n_inputs);
    double last = timeline.start;
    for (const OwnSample& sample : own.samples) {
        check_time("sample", sample.time, last, timeline);
        last = sample.time;
    }
    check_switches(own, timeline);
}

} // namespace gemel::sim
