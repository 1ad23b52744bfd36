#include <gemel/sim/timeline.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gemel::sim {
namespace {

/// A number with its derivative by one input, so that doses and their derivatives are one formula.
struct Dual {
    double value = 0.0;
    double derivative = 0.0;
};
Dual operator-(Dual a) {
    return {-a.value, -a.derivative};
}
Dual operator*(Dual a, Dual b) {
    return {a.value * b.value, a.derivative * b.value + a.value * b.derivative};
}
Dual operator/(Dual a, Dual b) {
    const double quotient = a.value / b.value;
    return {quotient, (a.derivative - quotient * b.derivative) / b.value};
}
double value_of(double x) {
    return x;
}
double value_of(Dual x) {
    return x.value;
}

template <class Number>
bool is_positive(Number x) {
    return std::isfinite(value_of(x)) && value_of(x) > 0.0;
}

/// What modifies the doses into one state.
template <class Number>
struct Modifiers {
    Number bioavailability{1.0}, lag{0.0}, rate{0.0}, duration{0.0};
};

/// One record's dose for one subject, after bioavailability. Number is double or Dual.
template <class Number>
struct Dose {
    Number amount{};   ///< what reaches the state
    Number rate{};     ///< of an infusion
    Number duration{}; ///< of an infusion
};

/// F acts on the rate where the duration is prescribed, on the duration where the rate is.
template <class Number>
bool shape_infusion(const Record& record,
                    const Modifiers<Number>& modifiers,
                    Number given,
                    Dose<Number>& dose) {
    const bool is_by_rate = record.rate != 0.0 && record.rate != modelled_duration;
    if (is_by_rate) {
        const Number rate = record.rate == modelled_rate ? modifiers.rate : Number{record.rate};
        if (!is_positive(rate)) return false;
        dose.rate = value_of(given) < 0.0 ? -rate : rate;
        dose.duration = dose.amount / dose.rate;
    } else {
        dose.duration =
            record.rate == modelled_duration ? modifiers.duration : Number{record.duration};
        if (!is_positive(dose.duration)) return false;
        dose.rate = dose.amount / dose.duration;
    }
    return std::isfinite(value_of(dose.rate)) && std::isfinite(value_of(dose.duration));
}

/// @param given  the amount of the record, times its factor
template <class Number>
bool shape(const Record& record,
           const Modifiers<Number>& modifiers,
           Number given,
           Dose<Number>& dose) {
    const double fraction = value_of(modifiers.bioavailability), lag = value_of(modifiers.lag);
    dose.amount = given * modifiers.bioavailability;
    if (!std::isfinite(value_of(dose.amount)) || !(fraction >= 0.0) || !(lag >= 0.0) ||
        !std::isfinite(lag))
        return false;
    return record.kind != RecordKind::infuse || shape_infusion(record, modifiers, given, dose);
}

double factor_of(const Record& record, const double* inputs, std::ptrdiff_t input_stride) {
    return record.amount_factor < 0 ? 1.0 : inputs[record.amount_factor * input_stride];
}

Modifiers<double> modifiers_of(const DoseModifiers& all, int state, const Modifiers<double>& none) {
    const auto at = [state](const double* column, double otherwise) {
        return column ? column[state] : otherwise;
    };
    return {at(all.bioavailability, none.bioavailability),
            at(all.lag, none.lag),
            at(all.modelled_rate, none.rate),
            at(all.modelled_duration, none.duration)};
}

Modifiers<Dual> with_derivatives(const Modifiers<double>& value, const Modifiers<double>& slope) {
    return {{value.bioavailability, slope.bioavailability},
            {value.lag, slope.lag},
            {value.rate, slope.rate},
            {value.duration, slope.duration}};
}

void append(int index,
            const Record& record,
            const Dose<double>& dose,
            double time,
            double end,
            std::vector<Event>& events) {
    const double off = time + dose.duration;
    // A bolus, or an infusion too short for the clock to see.
    if (record.kind == RecordKind::add || off <= time) {
        events.push_back({time, EventKind::add, record.state, dose.amount, index});
        return;
    }
    events.push_back({time, EventKind::rate_on, record.state, dose.rate, index});
    if (off <= end) events.push_back({off, EventKind::rate_off, record.state, dose.rate, index});
}

/// By time; at equal times infusions end before anything begins, so that one infusion handing over
/// to the next leaves no rounding residue; otherwise in record order (the sort is stable).
bool is_before(const Event& a, const Event& b) {
    if (a.time != b.time) return a.time < b.time;
    return a.kind == EventKind::rate_off && b.kind != EventKind::rate_off;
}

bool has_amount(std::span<const DoseDerivative> derivatives) {
    return std::any_of(derivatives.begin(), derivatives.end(), [](const DoseDerivative& d) {
        return d.amount != 0.0;
    });
}

bool expand_record(const Timeline& timeline,
                   int index,
                   const DoseModifiers& modifiers,
                   double factor,
                   bool keeps_empty,
                   std::vector<Event>& events) {
    const Record& record = timeline.records[static_cast<std::size_t>(index)];
    const Modifiers<double> own = modifiers_of(modifiers, record.state, {});
    Dose<double> dose;
    if (!shape(record, own, record.amount * factor, dose)) return false;
    if (dose.amount == 0.0 && !keeps_empty) return true;
    for (std::int64_t k = 0; k < record.count; ++k) {
        const double time = record.time + static_cast<double>(k) * record.interval + own.lag;
        if (!(time <= timeline.end)) break;
        append(index, record, dose, time, timeline.end, events);
    }
    return true;
}

[[noreturn]] void refuse(std::size_t index, const char* what, double value) {
    throw std::invalid_argument(fmt::format("timeline: record {}: {} is {}", index, what, value));
}

} // namespace

DoseDerivative derivative_of_dose(const Record& record,
                                  const DoseModifiers& modifiers,
                                  const DoseModifiers& by_input,
                                  const double* inputs,
                                  std::ptrdiff_t input_stride,
                                  int input) {
    const Modifiers<Dual> own = with_derivatives(modifiers_of(modifiers, record.state, {}),
                                                 modifiers_of(by_input, record.state, {0.0}));
    const Dual factor{factor_of(record, inputs, input_stride),
                      record.amount_factor == input ? 1.0 : 0.0};
    Dose<Dual> dose;
    if (!shape(record, own, Dual{record.amount} * factor, dose)) return {};
    const double lag = own.lag.derivative;
    return {lag, lag + dose.duration.derivative, dose.amount.derivative, dose.rate.derivative};
}

bool expand(const Timeline& timeline,
            const DoseModifiers& modifiers,
            const double* inputs,
            std::ptrdiff_t input_stride,
            std::vector<Event>& events,
            std::span<const DoseDerivative> derivatives) {
    events.clear();
    const std::size_t n_records = timeline.records.size();
    for (std::size_t i = 0; i < n_records; ++i) {
        const std::size_t each = derivatives.size() / n_records;
        if (!expand_record(timeline,
                           static_cast<int>(i),
                           modifiers,
                           factor_of(timeline.records[i], inputs, input_stride),
                           has_amount(derivatives.subspan(i * each, each)),
                           events))
            return false;
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
        if (r.kind > RecordKind::infuse) refuse(i, "kind", static_cast<double>(r.kind));
        if (r.steady != SteadyState::none) refuse(i, "steady", static_cast<double>(r.steady));
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
