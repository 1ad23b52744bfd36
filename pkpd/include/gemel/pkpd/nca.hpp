#pragma once

#include <gemel/pkpd/exposure_curve.hpp>
#include <gemel/sim/units.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Non-compartmental analysis of one concentration profile. Names are those of PKNCA, with the
/// CDISC codes beside them; formulas and sources: theory manual, exposure.md.
namespace gemel::pkpd {

enum class NcaRoute { extravascular, bolus, infusion };

/// What stands for a concentration below the limit of quantification.
enum class BlqUse { zero, drop, value };

/// By place: before the first, between, and after the last measurable concentration; or before and
/// after tmax, where `is_by_tmax`: then `first` holds before it and `middle` and `last` after it.
struct BlqRule {
    BlqUse first = BlqUse::zero;
    BlqUse middle = BlqUse::drop;
    BlqUse last = BlqUse::zero;
    double value = 0.0; ///< for BlqUse::value, half the limit for instance
    bool is_by_tmax = false;
};

/// Whether a point may serve lambda_z. Once any point is `use`, exactly those points do.
enum class SlopePoint : std::uint8_t { automatic, use, leave_out };

struct NcaWindow {
    double from = 0.0, to = 0.0; ///< since the dose
};

struct NcaOptions {
    AreaRule rule = AreaRule::linear_up_log_down;
    BlqRule blq;
    std::size_t slope_points = 3; ///< at least; 2 or more
    double slope_tie = 1e-4;      ///< adjusted R² that near to the best are equal: more points win
    bool slope_from_tmax = false; ///< tmax itself may serve lambda_z; always so for a bolus
    double least_r_squared = 0.9; ///< what follows is noted when it is not met
    double least_span_ratio = 2.0;
    double most_extrapolated = 20.0; ///< [%] of aucinf_obs
    std::vector<NcaWindow> partials; ///< windows of partial areas
    std::vector<double> thresholds;  ///< for the time above them
};

/// One subject's concentrations after one dose.
struct NcaProfile {
    std::vector<double> time;          ///< since the dose, strictly increasing, [n]
    std::vector<double> concentration; ///< not negative; NaN is missing, [n]
    std::vector<std::uint8_t> is_blq;  ///< [n], or empty: where the concentration is 0
    std::vector<SlopePoint> slope;     ///< [n], or empty: automatic
    NcaRoute route = NcaRoute::extravascular;
    double dose = std::numeric_limits<double>::quiet_NaN(); ///< NaN: not known
    double duration = 0.0;                                  ///< of the infusion
    /// To the next dose; NaN after a single one.
    double tau = std::numeric_limits<double>::quiet_NaN();
    bool is_steady = false;     ///< the interval is one of a steady state: clearance from auctau
    bool follows_doses = false; ///< earlier doses are still there: no clearance from aucinf
    /// Just before the dose, from earlier ones; NaN: nothing is known of it.
    double before = std::numeric_limits<double>::quiet_NaN();
};

/// NaN where the profile does not say.
struct NcaResult {
    static constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

    double cmax = not_known, tmax = not_known, tlag = not_known, c0 = not_known, ceoi = not_known;
    double tlast = not_known, clast_obs = not_known, clast_pred = not_known;
    double lambda_z = not_known, half_life = not_known;
    double lambda_z_n_points = not_known; ///< 0 where there is no lambda_z
    double lambda_z_time_first = not_known, lambda_z_time_last = not_known;
    double lambda_z_corrxy = not_known, r_squared = not_known, adj_r_squared = not_known;
    double span_ratio = not_known;
    double auclast = not_known, aucall = not_known, aucinf_obs = not_known, aucinf_pred = not_known;
    double aucpext_obs = not_known, aucpext_pred = not_known;
    double aucpbext_obs = not_known, aucpbext_pred = not_known;
    double aumclast = not_known, aumcinf_obs = not_known, aumcinf_pred = not_known;
    double aumcpext_obs = not_known, aumcpext_pred = not_known;
    double mrt_last = not_known, mrt_obs = not_known, mrt_pred = not_known;
    double thalf_eff_obs = not_known;
    double cl_obs = not_known, cl_pred = not_known, vz_obs = not_known, vz_pred = not_known;
    double vss_obs = not_known, vss_pred = not_known;
    double cl_f_obs = not_known, cl_f_pred = not_known, vz_f_obs = not_known, vz_f_pred = not_known;
    double auctau = not_known, aumctau = not_known, cav = not_known, cmin = not_known;
    double ctrough = not_known, deg_fluc = not_known, swing = not_known, ptr = not_known;
    double cl_ss = not_known, cl_f_ss = not_known, vz_ss = not_known, vz_f_ss = not_known;
    double mrt_ss = not_known, vss_ss = not_known;
    double accumulation_index = not_known, tss_90 = not_known;
    double accumulation_auc = not_known, accumulation_cmax = not_known;
    double cmax_dn = not_known, auclast_dn = not_known, aucinf_obs_dn = not_known;
    double auctau_dn = not_known;

    std::vector<double> partial_aucs; ///< as NcaOptions::partials
    std::vector<double> times_above;  ///< as NcaOptions::thresholds, to tau or else to tlast
    std::vector<std::string> notes;   ///< what to mind: a poor or missing lambda_z, extrapolation
    ExposureCurve curve;              ///< with lambda_z, from the dose
};

/// @throws std::invalid_argument if lengths differ, times do not increase strictly, a concentration
///         is negative or infinite, or a number of points or a tie is out of range
NcaResult analyse(const NcaProfile& profile, const NcaOptions& options = {});

/// Fills accumulation_auc and accumulation_cmax: one interval against the first.
void compare_with_first(NcaResult& later, const NcaResult& first);

/// The straight line through ln C of the points of lambda_z.
struct TerminalSlope {
    double lambda_z = NcaResult::not_known, intercept = NcaResult::not_known; ///< ln C at time 0
    double r_squared = NcaResult::not_known, adj_r_squared = NcaResult::not_known;
    double corrxy = NcaResult::not_known;
    std::size_t n_points = 0; ///< 0: there is none
    double first = NcaResult::not_known, last = NcaResult::not_known;
};

/// The declining line with the best adjusted R² among those that end with the last point and have
/// at least `least` points; the longest of those within `tie` of the best.
TerminalSlope best_slope(std::span<const double> time,
                         std::span<const double> concentration,
                         std::size_t least = 3,
                         double tie = 1e-4);
/// The line through all points, two or more.
TerminalSlope slope_of(std::span<const double> time, std::span<const double> concentration);

/// Units of a profile; none of `dose`: not known.
struct NcaUnits {
    sim::Unit time, concentration;
    std::optional<sim::Unit> dose;
};

/// A parameter as it is named, printed and documented.
struct NcaParameter {
    enum class Kind {
        time,
        rate, ///< 1/time
        concentration,
        area,          ///< concentration·time
        moment,        ///< concentration·time²
        clearance,     ///< dose/(concentration·time), as L/time where it is a volume in time
        volume,        ///< dose/concentration, as L where it is a volume
        per_dose,      ///< concentration/dose
        area_per_dose, ///< concentration·time/dose
        percent,
        number
    };
    const char* name;
    double NcaResult::*value;
    Kind kind;
    const char* cdisc; ///< PKPARMCD, "" if there is none
    const char* about;
};

/// All of them, in the order they are printed.
std::span<const NcaParameter> nca_parameters();

/// What a number of the parameter is multiplied by, and the unit it then has.
struct NcaScale {
    double factor = 1.0;
    std::string unit;
};
NcaScale nca_scale(NcaParameter::Kind kind, const NcaUnits& units);

/// Table of all parameters for the reference, as Markdown.
std::string nca_reference_page();

// ------------------------------------------------------------------------------------------------

/// A dose a profile is superposed for.
struct SuperposedDose {
    double time = 0.0;
    double share = 1.0; ///< of the dose the profile was measured after
};

/// The concentrations after several doses from those after one, kinetics being linear.
/// @param curve  after one dose, with lambda_z
/// @param times  [n]
/// @returns [n]; NaN where a curve is not known
/// Source: Gibaldi and Perrier (1982), Pharmacokinetics, 2nd ed., appendix on multiple dosing.
std::vector<double> superpose(const ExposureCurve& curve,
                              std::span<const SuperposedDose> doses,
                              std::span<const double> times);

/// At steady state, after infinitely many doses every `tau`.
/// @param times  within [0, tau], since the last dose, [n]
std::vector<double>
superpose_steady_state(const ExposureCurve& curve, double tau, std::span<const double> times);

// ------------------------------------------------------------------------------------------------

/// A concentration of a study in which a subject is sampled once or at some of the times.
struct SparseSample {
    std::string subject;
    double time = 0.0;
    double concentration = 0.0; ///< 0 below the limit
};

struct SparseArea {
    double auclast = NcaResult::not_known; ///< linear rule over the means, to the last one above 0
    double standard_error = NcaResult::not_known;
    double degrees = NcaResult::not_known; ///< of freedom, Satterthwaite; NaN where batches overlap
    double lower = NcaResult::not_known, upper = NcaResult::not_known; ///< 95 %, by Student's t
    std::size_t n_subjects = 0, n_times = 0;
};

/// The area under the mean curve. Where more than half of the samples of a time are 0 its mean is
/// 0, so that few measurable ones make no tail.
///
/// Source: Bailer (1988), J Pharmacokinet Biopharm 16:303–309 (each subject once); Nedelman and Jia
/// (1998), J Biopharm Stat 8:317–328, with the covariances of Holder (2001), J Biopharm Stat
/// 11:75–79 (batches).
SparseArea sparse_area(std::vector<SparseSample> samples);

} // namespace gemel::pkpd
