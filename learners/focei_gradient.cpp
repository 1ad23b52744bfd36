#include "focei_gradient.hpp"

#include <algorithm>

namespace gemel::learners {
namespace {

Eigen::Index to_row(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

} // namespace

FoceiGradient::FoceiGradient(const FitData& data,
                             const FitScale& scale,
                             const MuReference& mu,
                             const Modes& modes)
    : data_(data),
      scale_(scale),
      mu_(mu),
      modes_(modes),
      changes_(scale) {
    const std::size_t b = data.max_effects, n = b + mu.extra().size();
    inverse_.reserve(b * b);
    mixed_.reserve(n * b);
    for (std::vector<double>* of_directions : {&trace_, &slope_, &first_})
        of_directions->reserve(n);
    half_.reserve(b);
    pull_.reserve(b);
    spread_.reserve(data.max_measured);
}

void FoceiGradient::begin(std::span<const double> at, const EffectPrior& prior) {
    changes_.set(at, prior);
}

void FoceiGradient::add_measurements(std::size_t subject) {
    const SubjectPredictions& p = modes_.predictions[subject];
    const std::vector<LossTerm>& terms = modes_.modes[subject].terms;
    mixed_.assign(n_ * b_, 0.0);
    trace_.assign(n_, 0.0);
    slope_.assign(n_, 0.0);
    first_.resize(n_);
    half_.resize(b_);
    spread_.resize(terms.size());
    for (std::size_t j = 0; j < terms.size(); ++j) {
        const LossTerm& term = terms[j];
        for (std::size_t l = 0; l < n_; ++l)
            first_[l] = p.first(to_row(j), to_row(l));
        double spread = 0.0;
        for (std::size_t k = 0; k < b_; ++k) {
            half_[k] = 0.0;
            for (std::size_t l = 0; l < b_; ++l)
                half_[k] += inverse_[k * b_ + l] * first_[l];
            spread += half_[k] * first_[k];
        }
        spread_[j] = spread;
        for (std::size_t l = 0; l < n_; ++l) {
            double* mixed = mixed_.data() + l * b_;
            double curved = 0.0;
            for (std::size_t k = 0; k < b_; ++k) {
                const double second = p.second(to_row(j), to_row(k * n_ + l));
                mixed[k] += term.ff * first_[k] * first_[l] + term.f * second;
                curved += second * half_[k];
            }
            slope_[l] += term.f * first_[l];
            trace_[l] += term.info_f * first_[l] * spread + 2.0 * term.info * curved;
        }
    }
}

void FoceiGradient::set_pull(const SubjectMode& mode) {
    pull_.assign(trace_.begin(), trace_.begin() + static_cast<std::ptrdiff_t>(b_));
    if (root_.factor(mode.observed))
        root_.solve(pull_.data());
    else
        system_.solve(mode.observed, pull_.data());
}

/// All that roots multiply: of effects e, tr(H⁻¹ P) + eᵀ P e − pullᵀ P e = Σ P(i, j)·square(i, j).
void FoceiGradient::set_squares(const FitSubject& of, const SubjectMode& mode) {
    const auto add = [&](std::size_t first, std::size_t width, std::vector<double>& square) {
        for (std::size_t i = 0; i < width; ++i)
            for (std::size_t j = 0; j < width; ++j) {
                const double from = mode.effects(to_row(first + i)) - pull_[first + i];
                square[i * width + j] +=
                    from * mode.effects(to_row(first + j)) + inverse_[(first + i) * b_ + first + j];
            }
    };
    const std::size_t q = data_.n_eta(), r = data_.n_kappa();
    eta_.assign(q * q, 0.0);
    kappa_.assign(r * r, 0.0);
    add(0, q, eta_);
    for (std::size_t o = 0; r > 0 && o < of.n_occasions; ++o)
        add(q + o * r, r, kappa_);
}

double FoceiGradient::of_direction(std::size_t direction) const {
    double sum = 2.0 * slope_[direction] + trace_[direction];
    for (std::size_t k = 0; k < b_; ++k)
        sum -= pull_[k] * mixed_[direction * b_ + k];
    return sum;
}

double FoceiGradient::of_root(const PriorChange& change, std::size_t n_occasions) const {
    const std::vector<double>& square = change.is_subject ? eta_ : kappa_;
    double sum =
        change.of_determinant * (change.is_subject ? 1.0 : static_cast<double>(n_occasions));
    for (std::size_t i = 0; i < square.size(); ++i)
        sum += change.of_precision.data()[i] * square[i];
    return sum;
}

double FoceiGradient::of_error(std::size_t subject, const FitScale::Coordinate& c) const {
    const std::vector<Measurement>& measured = data_.subjects[subject].measured;
    const SubjectPredictions& p = modes_.predictions[subject];
    const auto number = static_cast<std::size_t>(c.error);
    double sum = 0.0;
    for (std::size_t j = 0; j < measured.size(); ++j) {
        if (measured[j].place != c.output) continue;
        const LossTerm& term = modes_.modes[subject].terms[j];
        double pulled = 0.0;
        for (std::size_t k = 0; k < b_; ++k)
            pulled += pull_[k] * p.first(to_row(j), to_row(k));
        sum +=
            2.0 * term.by[number] + term.info_by[number] * spread_[j] - term.f_by[number] * pulled;
    }
    return sum;
}

void FoceiGradient::set(std::size_t subject,
                        std::span<const double> at,
                        const PopulationPoint& point,
                        double* gradient) {
    const FitSubject& of = data_.subjects[subject];
    const SubjectMode& mode = modes_.modes[subject];
    b_ = of.n_effects;
    n_ = modes_.predictions[subject].n_directions;
    inverse_.resize(b_ * b_);
    root_.factor(mode.expected);
    root_.invert(inverse_.data());
    add_measurements(subject);
    set_pull(mode);
    set_squares(of, mode);
    mu_.slope(at, point, subject, of_mu_);
    for (std::size_t k = 0; k < mu_.mu().size(); ++k) {
        double& sum = gradient[mu_.mu()[k]] = 0.0;
        for (std::size_t e = 0; e < data_.n_eta(); ++e)
            sum += of_mu_(to_row(e), to_row(k)) * of_direction(e);
    }
    for (std::size_t k = 0; k < mu_.extra().size(); ++k)
        gradient[mu_.extra()[k]] = of_direction(b_ + k);
    for (std::size_t k = 0; k < scale_.size(); ++k) {
        const FitScale::Coordinate& c = scale_.coordinates[k];
        if (c.kind == FitScale::Kind::root)
            gradient[k] = of_root(changes_[k], of.n_occasions);
        else if (c.kind == FitScale::Kind::error)
            gradient[k] = of_error(subject, c) * (c.transform == FitScale::Transform::logarithm
                                                      ? from_scale(c.transform, at[k])
                                                      : 1.0);
    }
}

} // namespace gemel::learners
