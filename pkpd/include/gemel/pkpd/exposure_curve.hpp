#pragma once

#include <limits>
#include <vector>

/// A concentration curve between and beyond its points, and the areas under it. Theory manual:
/// exposure.md.
namespace gemel::pkpd {

/// How a concentration runs between two points.
enum class AreaRule {
    linear_up_log_down, ///< logarithmic where it falls, linear where it rises or meets 0
    linear,
    linear_log ///< linear up to tmax, logarithmic after it
};

/// Concentrations from the dose (time 0) to the last measurable one. Beyond it the curve falls with
/// lambda_z from `end`; without lambda_z it is not known there.
struct ExposureCurve {
    std::vector<double> time;          ///< since the dose, strictly increasing, [n]
    std::vector<double> concentration; ///< not negative, [n]
    AreaRule rule = AreaRule::linear_up_log_down;
    double tmax = 0.0; ///< where linear_log changes
    double lambda_z = std::numeric_limits<double>::quiet_NaN();
    double end = std::numeric_limits<double>::quiet_NaN(); ///< of the extrapolation; NaN: the last
                                                           ///< concentration
};

/// @returns NaN before the first time, and after the last one without lambda_z
double value_at(const ExposureCurve& curve, double time);

/// ∫ C dt and ∫ t·C dt over [from, to]; `to` may be infinite.
/// @returns NaN where the window leaves the curve, as value_at does
///
/// Source: Gibaldi and Perrier (1982), Pharmacokinetics, 2nd ed., appendix D; Purves (1992),
/// J Pharmacokinet Biopharm 20:211–226.
double area(const ExposureCurve& curve, double from, double to);
double moment_area(const ExposureCurve& curve, double from, double to);

/// How long the curve is above a threshold within [from, to].
double time_above(const ExposureCurve& curve, double threshold, double from, double to);

} // namespace gemel::pkpd
