#include "error_law.hpp"

#include <gemel/sim/random.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace gemel::learners {
namespace {

using Law = pkpd::ResidualError::Law;

constexpr double infinite = std::numeric_limits<double>::infinity();

/// φ(z)/Φ(z); below −30 by its continued fraction (Abramowitz & Stegun 26.2.14), where Φ has lost
/// its digits.
double inverse_mills(double z) {
    if (z < -30.0) {
        const double x = -z;
        return x + 1.0 / (x + 2.0 / (x + 3.0 / (x + 4.0 / (x + 5.0 / x))));
    }
    constexpr double root_two_pi = 2.506628274631000502;
    return std::exp(-0.5 * z * z) / (root_two_pi * sim::normal_probability(z));
}

/// log Φ(z), with all its digits in the lower tail.
double log_normal_probability(double z) {
    if (z > -30.0) return std::log(sim::normal_probability(z));
    constexpr double half_log_two_pi = 0.91893853320467274178;
    return -0.5 * z * z - half_log_two_pi - std::log(inverse_mills(z));
}

/// log(Φ(high) − Φ(low)), taken in the lower half, where Φ has all its digits.
double log_between(double low, double high) {
    if (low > 0.0) return log_between(-high, -low);
    const double most = log_normal_probability(high);
    return most + std::log1p(-std::exp(log_normal_probability(low) - most));
}

/// A probability of a censored measurement and its derivatives by z of the limit.
struct CensoredTerm {
    double loss = 0.0, z = 0.0, zz = 0.0; ///< −log P; derivatives by z
};

CensoredTerm beyond(double z) {
    const double mills = inverse_mills(z);
    return {-log_normal_probability(z), -mills, mills * (z + mills)};
}

} // namespace

ErrorLaw error_law(const pkpd::ResidualError& error) {
    ErrorLaw law{error.law, error.additive, error.proportional, error.exponent};
    if (law.is_logarithmic()) law.additive = error.log_sd;
    return law;
}

double ErrorLaw::sd(double f) const {
    const double size = std::abs(f);
    switch (law) {
    case Law::none:
        return 0.0;
    case Law::additive:
    case Law::lognormal:
        return additive;
    case Law::proportional:
        return proportional * size;
    case Law::combined1:
        return additive + proportional * size;
    case Law::combined2:
        return std::sqrt(additive * additive + proportional * proportional * f * f);
    case Law::power:
        return proportional * std::pow(size, exponent);
    }
    return 0.0;
}

ErrorSd error_sd(const ErrorLaw& law, double f) {
    const double size = std::abs(f), sign = f < 0.0 ? -1.0 : 1.0;
    ErrorSd sd;
    sd.s = law.sd(f);
    switch (law.law) {
    case Law::none:
        break;
    case Law::additive:
    case Law::lognormal:
        sd.by[0] = 1.0;
        break;
    case Law::proportional:
    case Law::combined1:
        sd.f = sign * law.proportional;
        sd.by[0] = law.law == Law::combined1 ? 1.0 : 0.0;
        sd.by[1] = size;
        sd.f_by[1] = sign;
        break;
    case Law::combined2: {
        const double s = sd.s > 0.0 ? sd.s : std::numeric_limits<double>::min();
        const double bb = law.proportional * law.proportional;
        sd.f = bb * f / s;
        sd.ff = bb / s - bb * f * bb * f / (s * s * s);
        sd.by[0] = law.additive / s;
        sd.by[1] = law.proportional * f * f / s;
        sd.f_by[0] = -bb * f * law.additive / (s * s * s);
        sd.f_by[1] = 2.0 * law.proportional * f / s - bb * f * sd.by[1] / (s * s);
        break;
    }
    case Law::power: {
        if (size == 0.0) break;
        const double c = law.exponent, log_size = std::log(size);
        sd.f = c * sd.s / f;
        sd.ff = c * (c - 1.0) * sd.s / (f * f);
        sd.by[1] = sd.s / law.proportional;
        sd.by[2] = sd.s * log_size;
        sd.f_by[1] = sd.f / law.proportional;
        sd.f_by[2] = sd.s / f + sd.f * log_size;
        break;
    }
    }
    return sd;
}

double loss(const ErrorLaw& law, const Measurement& measured, double f) {
    const double s = law.sd(f);
    if (!(s > 0.0) || !(std::abs(f) < infinite)) return infinite;
    if (measured.censoring == 0) {
        const double r = (measured.value - f) / s;
        return std::log(s) + 0.5 * r * r;
    }
    const double z = (measured.limit - f) / s;
    if (std::isnan(measured.other_limit))
        return -log_normal_probability(measured.censoring > 0 ? z : -z);
    const double other = (measured.other_limit - f) / s;
    return -log_between(std::min(z, other), std::max(z, other));
}

void LossSum::set(const std::vector<ErrorLaw>& errors) {
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
        Output& output = outputs_[o] = {};
        output.law = errors[o];
        const double a = errors[o].additive, b = errors[o].proportional;
        switch (errors[o].law) {
        case Law::additive:
        case Law::lognormal:
            output.constant = a * a;
            break;
        case Law::combined1:
            output.slope = 2.0 * a * b;
            [[fallthrough]];
        case Law::combined2:
            output.constant = a * a;
            [[fallthrough]];
        case Law::proportional:
            output.curve = b * b;
            break;
        case Law::power:
            output.is_power = true;
            break;
        case Law::none:
            break;
        }
    }
}

/// Logarithms of variances are taken of their products, as far as those are numbers.
double LossSum::operator()(const FitSubject& subject, const double* f) const {
    constexpr double largest = 1e200, smallest = 1e-200;
    double sum = 0.0, squares = 0.0, product = 1.0;
    for (const Measurement& measured : subject.measured) {
        const Output& output = outputs_[measured.place];
        const double value = output.law.is_logarithmic() ? std::log(*f) : *f;
        ++f;
        if (measured.censoring != 0) {
            sum += loss(output.law, measured, value);
            continue;
        }
        const double size = std::abs(value), e = measured.value - value;
        double variance = output.constant + size * (output.slope + size * output.curve);
        if (output.is_power) {
            const double s = output.law.sd(value);
            variance = s * s;
        }
        squares += e * e / variance;
        product *= variance;
        if (!(product < largest && product > smallest)) {
            if (!(variance > 0.0)) return infinite;
            sum += 0.5 * std::log(product);
            product = 1.0;
        }
    }
    sum += 0.5 * (squares + std::log(product));
    return std::isnan(sum) ? infinite : sum;
}

namespace {

/// Of a value: log s + e²/2s².
void add_value(const ErrorSd& sd, double e, LossTerm& term) {
    const double i = 1.0 / sd.s, r = e * i, g = sd.f * i; // g: s_f/s
    term.loss = std::log(sd.s) + 0.5 * r * r;
    term.f = g - r * i - r * r * g;
    term.ff = sd.ff * i - g * g + i * i + 4.0 * r * i * g - r * r * (sd.ff * i - 3.0 * g * g);
    term.info = i * i + 2.0 * g * g;
    term.info_f = -2.0 * g * i * i + 4.0 * g * (sd.ff * i - g * g);
    for (int k = 0; k < n_error_numbers; ++k) {
        const double p = sd.by[k] * i, fp = sd.f_by[k] * i;
        term.by[k] = p - r * r * p;
        term.f_by[k] = fp - g * p + 2.0 * r * i * p - r * r * (fp - 3.0 * g * p);
        term.info_by[k] = -2.0 * p * i * i + 4.0 * g * (fp - g * p);
    }
}

/// Of a limit: the chain rule through z = (limit − f)/s.
void add_limit(
    const ErrorSd& sd, const CensoredTerm& censored, double z, double sign, LossTerm& term) {
    const double i = 1.0 / sd.s, g = sd.f * i;
    const double z_f = -i - z * g;
    const double z_ff = 2.0 * g * i + 2.0 * z * g * g - z * sd.ff * i;
    term.f += sign * censored.z * z_f;
    term.ff += censored.zz * z_f * z_f + sign * censored.z * z_ff;
    for (int k = 0; k < n_error_numbers; ++k) {
        const double z_p = -z * sd.by[k] * i;
        const double z_fp = sd.by[k] * i * i - z_p * g - z * sd.f_by[k] * i + z * g * sd.by[k] * i;
        term.by[k] += sign * censored.z * z_p;
        term.f_by[k] += censored.zz * z_f * z_p + sign * censored.z * z_fp;
    }
}

/// Between two limits, −log(Φ(z) − Φ(z₂)): by differences over steps at which rounding and
/// truncation are alike.
LossTerm between_limits(const ErrorLaw& law, const Measurement& measured, double f) {
    LossTerm term;
    term.loss = loss(law, measured, f);
    const double step = 1e-4 * law.sd(f);
    const auto shifted = [&](double by) { return loss(law, measured, f + by); };
    term.f = (shifted(step) - shifted(-step)) / (2.0 * step);
    term.ff = (shifted(step) - 2.0 * term.loss + shifted(-step)) / (step * step);
    for (int k = 0; k < n_error_numbers; ++k) {
        ErrorLaw up = law, down = law;
        double* numbers[2][n_error_numbers] = {
            {&up.additive, &up.proportional, &up.exponent},
            {&down.additive, &down.proportional, &down.exponent}};
        const double size = 1e-4 * std::abs(*numbers[0][k]);
        if (size == 0.0) continue;
        *numbers[0][k] += size;
        *numbers[1][k] -= size;
        term.by[k] = (loss(up, measured, f) - loss(down, measured, f)) / (2.0 * size);
        const auto across = [&](const ErrorLaw& moved) {
            return loss(moved, measured, f + step) - loss(moved, measured, f - step);
        };
        term.f_by[k] = (across(up) - across(down)) / (4.0 * size * step);
    }
    return term;
}

} // namespace

LossTerm loss_term(const ErrorLaw& law, const Measurement& measured, double f) {
    LossTerm term;
    const ErrorSd sd = error_sd(law, f);
    if (!(sd.s > 0.0) || !(std::abs(f) < infinite)) {
        term.loss = infinite;
        return term;
    }
    if (measured.censoring == 0) {
        add_value(sd, measured.value - f, term);
        return term;
    }
    if (!std::isnan(measured.other_limit)) {
        term = between_limits(law, measured, f);
    } else {
        const double z = (measured.limit - f) / sd.s, sign = measured.censoring > 0 ? 1.0 : -1.0;
        const CensoredTerm censored = beyond(sign * z);
        term.loss = censored.loss;
        add_limit(sd, censored, z, sign, term);
    }
    term.info = term.ff;
    return term;
}

void loss_by_error(const ErrorLaw& law,
                   const Measurement& measured,
                   double f,
                   double (&by)[n_error_numbers]) {
    if (measured.censoring != 0) {
        std::ranges::copy(loss_term(law, measured, f).by, by);
        return;
    }
    std::ranges::fill(by, 0.0);
    const double size = std::abs(f), s = law.sd(f), r = (measured.value - f) / s,
                 share = (1.0 - r * r) / s;
    double& by_additive = by[static_cast<int>(ErrorNumber::additive)];
    double& by_proportional = by[static_cast<int>(ErrorNumber::proportional)];
    switch (law.law) {
    case Law::none:
        break;
    case Law::additive:
    case Law::lognormal:
        by_additive = share;
        break;
    case Law::combined1:
        by_additive = share;
        by_proportional = size * share;
        break;
    case Law::proportional:
        by_proportional = size * share;
        break;
    case Law::combined2:
        by_additive = law.additive / s * share;
        by_proportional = law.proportional * f * f / s * share;
        break;
    case Law::power:
        by_proportional = s / law.proportional * share;
        by[static_cast<int>(ErrorNumber::exponent)] = size > 0.0 ? s * std::log(size) * share : 0.0;
        break;
    }
}

} // namespace gemel::learners
