#include <gemel/pkpd/exposure_curve.hpp>

#include <algorithm>
#include <cmath>

namespace gemel::pkpd {

namespace {

constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

/// A stretch of the curve between two times.
struct Stretch {
    double from = 0.0, to = 0.0;
    double first = 0.0, last = 0.0; ///< concentrations
    bool is_log = false;

    double length() const { return to - from; }
};

bool is_log_between(const ExposureCurve& curve, std::size_t i) {
    const double first = curve.concentration[i], last = curve.concentration[i + 1];
    if (!(first > 0.0) || !(last > 0.0) || first == last) return false;
    if (curve.rule == AreaRule::linear_up_log_down) return last < first;
    return curve.rule == AreaRule::linear_log && curve.time[i] >= curve.tmax;
}

double end_of(const ExposureCurve& curve) {
    return std::isnan(curve.end) ? curve.concentration.back() : curve.end;
}

Stretch between(const ExposureCurve& curve, std::size_t i) {
    return {curve.time[i],
            curve.time[i + 1],
            curve.concentration[i],
            curve.concentration[i + 1],
            is_log_between(curve, i)};
}

double value_in(const Stretch& s, double time) {
    if (time == s.from) return s.first;
    if (time == s.to) return s.last;
    const double share = (time - s.from) / s.length();
    if (s.is_log) return s.first * std::exp(share * std::log(s.last / s.first));
    return s.first + share * (s.last - s.first);
}

Stretch part_of(const Stretch& s, double from, double to) {
    from = std::max(from, s.from);
    to = std::min(to, s.to);
    return {from, to, value_in(s, from), value_in(s, to), s.is_log};
}

/// (first − last)/ln(first/last), the mean of a logarithmic stretch. The difference of near numbers
/// is exact, and log1p keeps its digits.
double logarithmic_mean(double first, double last) {
    const double excess = (first - last) / last;
    return excess == 0.0 ? last : last * excess / std::log1p(excess);
}

double area_of(const Stretch& s) {
    if (s.is_log) return s.length() * logarithmic_mean(s.first, s.last);
    return s.length() * 0.5 * (s.first + s.last);
}

/// ∫₀¹ u·e^{−xu} du = (1 − (1 + x)·e^{−x})/x²; by its series where that cancels.
double first_moment_of_decay(double x) {
    if (std::abs(x) > 1.0) return (1.0 - (1.0 + x) * std::exp(-x)) / (x * x);
    double term = 1.0, sum = 0.5;
    for (int n = 1; n < 20; ++n) {
        term *= -x / n;
        sum += term / (n + 2);
    }
    return sum;
}

/// ∫ t·C dt = from·∫ C dt + ∫ (t − from)·C dt if logarithmic; of the chord of t·C if linear, as
/// published AUMC are (Gibaldi and Perrier; WinNonlin).
double moment_of(const Stretch& s) {
    if (!s.is_log) return s.length() * 0.5 * (s.from * s.first + s.to * s.last);
    const double fall = std::log(s.first / s.last);
    return s.from * area_of(s) + s.first * s.length() * s.length() * first_moment_of_decay(fall);
}

double tail_area(const ExposureCurve& curve, double from, double to) {
    const double k = curve.lambda_z, last = curve.time.back();
    const double at_from = end_of(curve) * std::exp(-k * (from - last));
    return at_from * -std::expm1(-k * (to - from)) / k;
}

double tail_moment(const ExposureCurve& curve, double from, double to) {
    const double k = curve.lambda_z, last = curve.time.back();
    const double at_from = end_of(curve) * std::exp(-k * (from - last));
    if (std::isinf(to)) return at_from * (from / k + 1.0 / (k * k));
    const double length = to - from;
    return from * tail_area(curve, from, to) +
           at_from * length * length * first_moment_of_decay(k * length);
}

double tail_above(const ExposureCurve& curve, double threshold, double from, double to) {
    if (!(threshold > 0.0)) return to - from;
    const double crossing =
        curve.time.back() + std::log(end_of(curve) / threshold) / curve.lambda_z;
    return std::clamp(crossing, from, to) - from;
}

double above_in(const Stretch& s, double threshold) {
    const bool starts = s.first > threshold, ends = s.last > threshold;
    if (starts && ends) return s.length();
    if (!starts && !ends) return 0.0;
    const double share = s.is_log && threshold > 0.0
                             ? std::log(threshold / s.first) / std::log(s.last / s.first)
                             : (threshold - s.first) / (s.last - s.first);
    return s.length() * (starts ? share : 1.0 - share);
}

/// The sum of `inside` over the stretches of a window and of `tail` beyond the last point.
template <class Inside, class Tail>
double sum_over(
    const ExposureCurve& curve, double from, double to, const Inside& inside, const Tail& tail) {
    if (curve.time.empty() || !(from >= curve.time.front()) || !(to >= from)) return not_known;
    const double last = curve.time.back();
    if (to > last && !(curve.lambda_z > 0.0)) return not_known;
    double sum = 0.0;
    for (std::size_t i = 0; i + 1 < curve.time.size(); ++i)
        if (curve.time[i + 1] > from && curve.time[i] < to)
            sum += inside(part_of(between(curve, i), from, to));
    return to > last ? sum + tail(std::max(from, last), to) : sum;
}

} // namespace

double value_at(const ExposureCurve& curve, double time) {
    if (curve.time.empty() || !(time >= curve.time.front())) return not_known;
    const double last = curve.time.back();
    if (time > last)
        return curve.lambda_z > 0.0 ? end_of(curve) * std::exp(-curve.lambda_z * (time - last))
                                    : not_known;
    if (time == last) return curve.concentration.back();
    const auto after = std::upper_bound(curve.time.begin(), curve.time.end(), time);
    return value_in(between(curve, static_cast<std::size_t>(after - curve.time.begin()) - 1), time);
}

double area(const ExposureCurve& curve, double from, double to) {
    return sum_over(
        curve, from, to, area_of, [&](double a, double b) { return tail_area(curve, a, b); });
}

double moment_area(const ExposureCurve& curve, double from, double to) {
    return sum_over(
        curve, from, to, moment_of, [&](double a, double b) { return tail_moment(curve, a, b); });
}

double time_above(const ExposureCurve& curve, double threshold, double from, double to) {
    return sum_over(
        curve,
        from,
        to,
        [&](const Stretch& s) { return above_in(s, threshold); },
        [&](double a, double b) { return tail_above(curve, threshold, a, b); });
}

} // namespace gemel::pkpd
