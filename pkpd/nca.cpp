#include <gemel/pkpd/nca.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gemel::pkpd {

namespace {

/// A profile without missing points; indices of the measurable ones.
struct Cleaned {
    std::vector<double> time, concentration;
    std::vector<std::uint8_t> is_blq;
    std::vector<SlopePoint> slope;
    std::size_t first = 0, last = 0; ///< measurable; equal to size where there is none
    std::size_t peak = 0;            ///< the first of the highest measurable ones

    std::size_t size() const { return time.size(); }
    bool is_measurable() const { return first < size(); }
};

void check_profile(const NcaProfile& profile, const NcaOptions& options) {
    const std::size_t n = profile.time.size();
    const auto fits = [n](std::size_t size) { return size == 0 || size == n; };
    if (profile.concentration.size() != n || !fits(profile.is_blq.size()) ||
        !fits(profile.slope.size()))
        throw std::invalid_argument("a profile: times, concentrations and marks differ in length");
    for (std::size_t i = 0; i < n; ++i) {
        if (!std::isfinite(profile.time[i]) || (i > 0 && profile.time[i] <= profile.time[i - 1]))
            throw std::invalid_argument(
                fmt::format("a profile: time {} does not increase strictly", profile.time[i]));
        if (profile.concentration[i] < 0.0 || std::isinf(profile.concentration[i]))
            throw std::invalid_argument(fmt::format("a profile: the concentration {} is no finite "
                                                    "number from 0",
                                                    profile.concentration[i]));
    }
    if (options.slope_points < 2 || !(options.slope_tie >= 0.0))
        throw std::invalid_argument("lambda_z takes 2 points or more and a tie from 0");
}

Cleaned without_missing(const NcaProfile& profile) {
    Cleaned clean;
    for (std::size_t i = 0; i < profile.time.size(); ++i) {
        if (profile.time[i] < 0.0 || std::isnan(profile.concentration[i])) continue;
        clean.time.push_back(profile.time[i]);
        clean.concentration.push_back(profile.concentration[i]);
        clean.is_blq.push_back(profile.concentration[i] == 0.0 ||
                               (!profile.is_blq.empty() && profile.is_blq[i] != 0));
        clean.slope.push_back(profile.slope.empty() ? SlopePoint::automatic : profile.slope[i]);
    }
    return clean;
}

void find_measurable(Cleaned& clean) {
    clean.first = clean.last = clean.peak = clean.size();
    for (std::size_t i = 0; i < clean.size(); ++i) {
        if (clean.is_blq[i] != 0) continue;
        if (clean.first == clean.size()) clean.first = clean.peak = i;
        clean.last = i;
        if (clean.concentration[i] > clean.concentration[clean.peak]) clean.peak = i;
    }
}

BlqUse use_of(const Cleaned& clean, std::size_t i, const BlqRule& rule) {
    if (!clean.is_measurable()) return rule.first == BlqUse::drop ? BlqUse::zero : rule.first;
    if (rule.is_by_tmax) {
        if (i < clean.peak) return rule.first;
        return i < clean.last ? rule.middle : rule.last;
    }
    if (i < clean.first) return rule.first;
    return i < clean.last ? rule.middle : rule.last;
}

/// Concentrations below the limit as the rule says.
Cleaned with_rule(const Cleaned& clean, const BlqRule& rule) {
    Cleaned kept;
    for (std::size_t i = 0; i < clean.size(); ++i) {
        const BlqUse use = clean.is_blq[i] != 0 ? use_of(clean, i, rule) : BlqUse::value;
        if (use == BlqUse::drop) continue;
        double value = clean.concentration[i];
        if (clean.is_blq[i] != 0) value = use == BlqUse::zero ? 0.0 : rule.value;
        kept.time.push_back(clean.time[i]);
        kept.concentration.push_back(value);
        kept.is_blq.push_back(clean.is_blq[i]);
        kept.slope.push_back(clean.slope[i]);
    }
    find_measurable(kept);
    return kept;
}

/// Back to the time of a bolus along ln C of the first two points if they fall, else the first one.
double back_extrapolated(std::span<const double> time, std::span<const double> concentration) {
    if (time.empty()) return NcaResult::not_known;
    if (time.size() < 2 || !(concentration[0] > concentration[1]) || !(concentration[1] > 0.0))
        return concentration[0];
    const double slope = std::log(concentration[0] / concentration[1]) / (time[1] - time[0]);
    return concentration[0] * std::exp(slope * time[0]);
}

/// The concentration the curve starts with, where none was measured at the dose.
double start_of(const Cleaned& clean, const NcaProfile& profile) {
    if (profile.route == NcaRoute::bolus) {
        const std::size_t skip = !clean.time.empty() && clean.time.front() == 0.0 ? 1 : 0;
        return back_extrapolated(std::span(clean.time).subspan(skip),
                                 std::span(clean.concentration).subspan(skip));
    }
    if (!std::isnan(profile.before)) return profile.before;
    if (!profile.is_steady && !profile.follows_doses) return 0.0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < clean.size(); ++i)
        if (!(clean.time[i] > profile.tau)) least = std::min(least, clean.concentration[i]);
    return std::isinf(least) ? 0.0 : least;
}

/// From the dose to the last measurable point.
ExposureCurve curve_of(const Cleaned& clean, const NcaProfile& profile, AreaRule rule) {
    ExposureCurve curve;
    curve.rule = rule;
    if (clean.size() == 0) return curve;
    const bool is_bolus = profile.route == NcaRoute::bolus;
    const bool has_start = clean.time.front() == 0.0 && !(is_bolus && clean.is_blq.front() != 0);
    if (!has_start) {
        curve.time.push_back(0.0);
        curve.concentration.push_back(start_of(clean, profile));
    }
    const std::size_t n = clean.is_measurable() ? clean.last + 1 : clean.size();
    for (std::size_t i = !has_start && clean.time.front() == 0.0 ? 1 : 0; i < n; ++i) {
        curve.time.push_back(clean.time[i]);
        curve.concentration.push_back(clean.concentration[i]);
    }
    if (clean.is_measurable()) curve.tmax = clean.time[clean.peak];
    return curve;
}

/// The points that may serve lambda_z: all marked to be used, or the measurable ones after tmax.
TerminalSlope
terminal_slope(const Cleaned& clean, const NcaProfile& profile, const NcaOptions& options) {
    const bool is_manual = std::any_of(clean.slope.begin(), clean.slope.end(), [](SlopePoint use) {
        return use == SlopePoint::use;
    });
    const bool has_peak = options.slope_from_tmax || profile.route == NcaRoute::bolus;
    std::vector<double> time, concentration;
    for (std::size_t i = 0; i < clean.size(); ++i) {
        const bool may = is_manual ? clean.slope[i] == SlopePoint::use
                                   : clean.slope[i] == SlopePoint::automatic &&
                                         (i > clean.peak || (has_peak && i == clean.peak));
        if (!may || clean.is_blq[i] != 0) continue;
        time.push_back(clean.time[i]);
        concentration.push_back(clean.concentration[i]);
    }
    if (!is_manual) return best_slope(time, concentration, options.slope_points, options.slope_tie);
    const TerminalSlope line = slope_of(time, concentration);
    return line.lambda_z > 0.0 ? line : TerminalSlope{};
}

void put_slope(const TerminalSlope& line, NcaResult& result) {
    result.lambda_z_n_points = static_cast<double>(line.n_points);
    if (line.n_points == 0) return;
    result.lambda_z = line.lambda_z;
    result.half_life = std::log(2.0) / line.lambda_z;
    result.lambda_z_time_first = line.first;
    result.lambda_z_time_last = line.last;
    result.lambda_z_corrxy = line.corrxy;
    result.r_squared = line.r_squared;
    result.adj_r_squared = line.adj_r_squared;
    result.span_ratio = (line.last - line.first) / result.half_life;
    result.clast_pred = std::exp(line.intercept - line.lambda_z * result.tlast);
}

/// The last time before anything could be measured; 0 where it could from the start.
double lag_of(const Cleaned& measured) {
    return measured.first > 0 ? measured.time[measured.first - 1] : 0.0;
}

void put_points(const Cleaned& clean, const NcaProfile& profile, NcaResult& result) {
    if (!clean.is_measurable()) {
        if (clean.size() > 0) result.cmax = 0.0;
        return;
    }
    result.cmax = clean.concentration[clean.peak];
    result.tmax = clean.time[clean.peak];
    result.tlast = clean.time[clean.last];
    result.clast_obs = clean.concentration[clean.last];
    if (profile.route == NcaRoute::bolus) result.c0 = result.curve.concentration.front();
    if (profile.route == NcaRoute::infusion && profile.duration > 0.0)
        result.ceoi = value_at(result.curve, profile.duration);
}

/// The fall to the first point below the limit after tlast.
double area_after_last(const Cleaned& clean) {
    if (!clean.is_measurable()) return 0.0;
    double sum = 0.0;
    for (std::size_t i = clean.last; i + 1 < clean.size(); ++i)
        sum += (clean.time[i + 1] - clean.time[i]) * 0.5 *
               (clean.concentration[i] + clean.concentration[i + 1]);
    return sum;
}

double percent_beyond(double whole, double part) {
    return 100.0 * (whole - part) / whole;
}

void put_areas(const Cleaned& clean, NcaResult& r) {
    const double k = r.lambda_z, last = r.curve.time.back();
    r.auclast = area(r.curve, 0.0, last);
    r.aumclast = moment_area(r.curve, 0.0, last);
    r.aucall = r.auclast + area_after_last(clean);
    r.aucinf_obs = r.auclast + r.clast_obs / k;
    r.aucinf_pred = r.auclast + r.clast_pred / k;
    r.aumcinf_obs = r.aumclast + r.clast_obs * r.tlast / k + r.clast_obs / (k * k);
    r.aumcinf_pred = r.aumclast + r.clast_pred * r.tlast / k + r.clast_pred / (k * k);
    r.aucpext_obs = percent_beyond(r.aucinf_obs, r.auclast);
    r.aucpext_pred = percent_beyond(r.aucinf_pred, r.auclast);
    r.aumcpext_obs = percent_beyond(r.aumcinf_obs, r.aumclast);
    r.aumcpext_pred = percent_beyond(r.aumcinf_pred, r.aumclast);
}

void put_back_extrapolation(const Cleaned& clean, NcaResult& r) {
    const bool was_measured = clean.time.front() == 0.0 && clean.is_blq.front() == 0;
    if (was_measured || r.curve.time.size() < 2) return;
    const double back = area(r.curve, 0.0, r.curve.time[1]);
    r.aucpbext_obs = 100.0 * back / r.aucinf_obs;
    r.aucpbext_pred = 100.0 * back / r.aucinf_pred;
}

void put_residence(const NcaProfile& profile, NcaResult& r) {
    const double in_syringe = profile.route == NcaRoute::infusion ? 0.5 * profile.duration : 0.0;
    r.mrt_last = r.aumclast / r.auclast - in_syringe;
    r.mrt_obs = r.aumcinf_obs / r.aucinf_obs - in_syringe;
    r.mrt_pred = r.aumcinf_pred / r.aucinf_pred - in_syringe;
    r.thalf_eff_obs = std::log(2.0) * r.mrt_obs;
}

void put_clearance(const NcaProfile& profile, NcaResult& r) {
    const bool is_iv = profile.route != NcaRoute::extravascular;
    const double cl_obs = profile.dose / r.aucinf_obs, cl_pred = profile.dose / r.aucinf_pred;
    (is_iv ? r.cl_obs : r.cl_f_obs) = cl_obs;
    (is_iv ? r.cl_pred : r.cl_f_pred) = cl_pred;
    (is_iv ? r.vz_obs : r.vz_f_obs) = cl_obs / r.lambda_z;
    (is_iv ? r.vz_pred : r.vz_f_pred) = cl_pred / r.lambda_z;
    if (!is_iv) return;
    r.vss_obs = cl_obs * r.mrt_obs;
    r.vss_pred = cl_pred * r.mrt_pred;
}

/// The lowest concentration of the interval: of its points, of its start and of its end.
double least_within(const NcaResult& r, double tau) {
    double least = std::isnan(r.ctrough) ? std::numeric_limits<double>::infinity() : r.ctrough;
    for (std::size_t i = 0; i < r.curve.time.size(); ++i)
        if (r.curve.time[i] <= tau) least = std::min(least, r.curve.concentration[i]);
    return std::isinf(least) ? NcaResult::not_known : least;
}

void put_interval(const NcaProfile& profile, NcaResult& r) {
    const double tau = profile.tau;
    r.auctau = area(r.curve, 0.0, tau);
    r.aumctau = moment_area(r.curve, 0.0, tau);
    r.cav = r.auctau / tau;
    r.ctrough = value_at(r.curve, tau);
    r.cmin = least_within(r, tau);
    r.deg_fluc = 100.0 * (r.cmax - r.cmin) / r.cav;
    r.swing = 100.0 * (r.cmax - r.cmin) / r.cmin;
    r.ptr = r.cmax / r.ctrough;
    r.accumulation_index = -1.0 / std::expm1(-r.lambda_z * tau);
}

/// Clearance and volumes from one interval of a steady state; what is beyond it then belongs to
/// earlier doses as much as to this one.
void put_steady_state(const NcaProfile& profile, NcaResult& r) {
    const bool is_iv = profile.route != NcaRoute::extravascular;
    const double clearance = profile.dose / r.auctau;
    (is_iv ? r.cl_ss : r.cl_f_ss) = clearance;
    (is_iv ? r.vz_ss : r.vz_f_ss) = clearance / r.lambda_z;
    const double in_syringe = profile.route == NcaRoute::infusion ? 0.5 * profile.duration : 0.0;
    r.mrt_ss = (r.aumctau + profile.tau * (r.aucinf_obs - r.auctau)) / r.auctau - in_syringe;
    if (is_iv) r.vss_ss = clearance * r.mrt_ss;
}

void put_per_dose(double dose, NcaResult& r) {
    if (!(dose > 0.0)) return;
    r.cmax_dn = r.cmax / dose;
    r.auclast_dn = r.auclast / dose;
    r.aucinf_obs_dn = r.aucinf_obs / dose;
    r.auctau_dn = r.auctau / dose;
}

void put_windows(const NcaProfile& profile, const NcaOptions& options, NcaResult& r) {
    const double end = std::isnan(profile.tau) ? r.tlast : profile.tau;
    for (const NcaWindow& window : options.partials)
        r.partial_aucs.push_back(area(r.curve, window.from, window.to));
    for (const double threshold : options.thresholds)
        r.times_above.push_back(time_above(r.curve, threshold, 0.0, end));
}

void note_quality(const NcaOptions& options, NcaResult& r) {
    if (std::isnan(r.lambda_z)) {
        r.notes.push_back(
            fmt::format("no lambda_z: no decline over {} points", options.slope_points));
        return;
    }
    if (r.r_squared < options.least_r_squared)
        r.notes.push_back(fmt::format("r_squared below {:g}", options.least_r_squared));
    if (r.span_ratio < options.least_span_ratio)
        r.notes.push_back(fmt::format("span_ratio below {:g}", options.least_span_ratio));
    if (r.aucpext_obs > options.most_extrapolated)
        r.notes.push_back(fmt::format("more than {:g} % extrapolated", options.most_extrapolated));
}

/// Nothing was measurable: areas to the last point are 0, nothing beyond them is known.
void put_nothing(const Cleaned& clean, const NcaOptions& options, NcaResult& r) {
    r.lambda_z_n_points = 0.0;
    if (clean.size() > 0) r.auclast = r.aucall = r.aumclast = 0.0;
    r.partial_aucs.assign(options.partials.size(), NcaResult::not_known);
    r.times_above.assign(options.thresholds.size(), NcaResult::not_known);
    r.notes.push_back(clean.size() == 0 ? "no concentration" : "no measurable concentration");
}

} // namespace

NcaResult analyse(const NcaProfile& profile, const NcaOptions& options) {
    check_profile(profile, options);
    Cleaned measured = without_missing(profile);
    find_measurable(measured);
    const Cleaned clean = with_rule(measured, options.blq);
    NcaResult result;
    result.curve = curve_of(clean, profile, options.rule);
    put_points(clean, profile, result);
    if (!clean.is_measurable()) {
        put_nothing(clean, options, result);
        return result;
    }
    if (profile.route == NcaRoute::extravascular) result.tlag = lag_of(measured);
    put_slope(terminal_slope(clean, profile, options), result);
    result.curve.lambda_z = result.lambda_z;
    put_areas(clean, result);
    if (profile.route == NcaRoute::bolus) put_back_extrapolation(clean, result);
    put_residence(profile, result);
    result.tss_90 = std::log(10.0) / result.lambda_z;
    if (!std::isnan(profile.tau)) put_interval(profile, result);
    if (profile.is_steady)
        put_steady_state(profile, result);
    else if (!profile.follows_doses)
        put_clearance(profile, result);
    put_per_dose(profile.dose, result);
    put_windows(profile, options, result);
    note_quality(options, result);
    if (profile.follows_doses && !profile.is_steady)
        result.notes.push_back("no clearance: earlier doses are still there");
    return result;
}

void compare_with_first(NcaResult& later, const NcaResult& first) {
    later.accumulation_auc = later.auctau / first.auctau;
    later.accumulation_cmax = later.cmax / first.cmax;
}

} // namespace gemel::pkpd
