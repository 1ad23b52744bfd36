#pragma once

#include <gemel/sim/timeline.hpp>

#include <cmath>

/// From a record and what modifies doses into its state to the dose that a subject gets, with its
/// derivative by one input where that is asked for. Theory manual: events.md.
namespace gemel::sim {

/// A number with its derivative by one input, so that doses and their derivatives are one formula.
struct Dual {
    double value = 0.0;
    double derivative = 0.0;
};
inline Dual operator-(Dual a) {
    return {-a.value, -a.derivative};
}
inline Dual operator*(Dual a, Dual b) {
    return {a.value * b.value, a.derivative * b.value + a.value * b.derivative};
}
inline Dual operator/(Dual a, Dual b) {
    const double quotient = a.value / b.value;
    return {quotient, (a.derivative - quotient * b.derivative) / b.value};
}
inline double value_of(double x) {
    return x;
}
inline double value_of(Dual x) {
    return x.value;
}

template <class Number>
bool is_above_zero(Number x) {
    return std::isfinite(value_of(x)) && value_of(x) > 0.0;
}

/// What modifies a dose into one state.
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
        if (!is_above_zero(rate)) return false;
        dose.rate = value_of(given) < 0.0 ? -rate : rate;
        dose.duration = dose.amount / dose.rate;
    } else {
        dose.duration =
            record.rate == modelled_duration ? modifiers.duration : Number{record.duration};
        if (!is_above_zero(dose.duration)) return false;
        dose.rate = dose.amount / dose.duration;
    }
    return std::isfinite(value_of(dose.rate)) && std::isfinite(value_of(dose.duration));
}

inline bool is_lag(double lag) {
    return std::isfinite(lag) && lag >= 0.0;
}

/// @param given  the amount of the record, times its factor
template <class Number>
bool shape(const Record& record,
           const Modifiers<Number>& modifiers,
           Number given,
           Dose<Number>& dose) {
    dose.amount = given * modifiers.bioavailability;
    if (!std::isfinite(value_of(dose.amount)) || !(value_of(modifiers.bioavailability) >= 0.0))
        return false;
    return record.kind != RecordKind::infuse || shape_infusion(record, modifiers, given, dose);
}

inline Modifiers<Dual> with_derivatives(const Modifiers<double>& value,
                                        const Modifiers<double>& slope) {
    return {{value.bioavailability, slope.bioavailability},
            {value.lag, slope.lag},
            {value.rate, slope.rate},
            {value.duration, slope.duration}};
}

} // namespace gemel::sim
