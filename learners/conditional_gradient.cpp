#include "conditional_gradient.hpp"

namespace gemel::learners {
namespace {

Eigen::Index to_row(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

} // namespace

ConditionalGradient::ConditionalGradient(const FitData& data,
                                         const FitScale& scale,
                                         const MuReference& mu,
                                         const Modes& modes)
    : data_(data),
      modes_(modes),
      chain_(data, scale, mu),
      row_(scale.size()) {
    const std::size_t b = data.max_effects, n = b + mu.extra().size();
    inverse_.reserve(b * b);
    mixed_.reserve(n * b);
    for (std::vector<double>* of_directions : {&trace_, &slope_, &first_})
        of_directions->reserve(n);
    half_.reserve(b);
    pull_.reserve(b);
    spread_.reserve(data.max_measured);
}

void ConditionalGradient::begin(std::span<const double> at,
                                const PopulationPoint& point,
                                const EffectPrior& prior,
                                Interaction interaction) {
    interaction_ = interaction;
    chain_.begin(at, point, prior);
}

void ConditionalGradient::add_measurements(std::size_t subject) {
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

/// Sds of errors are those without effects: they go with the prediction there, effects held.
void ConditionalGradient::add_typical(std::size_t subject) {
    const SubjectPredictions &p = modes_.predictions[subject], &typical = modes_.typical[subject];
    const std::vector<Measurement>& measured = data_.subjects[subject].measured;
    for (std::size_t j = 0; j < measured.size(); ++j) {
        if (measured[j].censoring != 0) continue;
        const ErrorSd& sd = modes_.typical_sds[subject][j];
        const LossBySd by = loss_by_sd(modes_.modes[subject].terms[j], sd.s);
        for (std::size_t l = 0; l < n_; ++l) {
            const double change = sd.f * typical.first(to_row(j), to_row(l));
            slope_[l] += by.loss * change;
            trace_[l] += by.info * change * spread_[j];
            for (std::size_t k = 0; k < b_; ++k)
                mixed_[l * b_ + k] += by.f * change * p.first(to_row(j), to_row(k));
        }
    }
}

/// x = L⁻¹·x
void ConditionalGradient::solve_observed(const SubjectMode& mode, double* x) {
    if (root_.factor(mode.observed))
        root_.solve(x);
    else
        system_.solve(mode.observed, x);
}

void ConditionalGradient::set_pull(const SubjectMode& mode) {
    pull_.assign(trace_.begin(), trace_.begin() + static_cast<std::ptrdiff_t>(b_));
    solve_observed(mode, pull_.data());
}

/// All that roots multiply: of effects e, tr(H⁻¹ P) + eᵀ P e − pullᵀ P e = Σ P(i, j)·square(i, j);
/// without curvature eᵀ P e alone.
void ConditionalGradient::set_squares(const FitSubject& of,
                                      const SubjectMode& mode,
                                      bool with_curvature) {
    const auto add = [&](std::size_t first, std::size_t width, std::vector<double>& square) {
        for (std::size_t i = 0; i < width; ++i)
            for (std::size_t j = 0; j < width; ++j) {
                double& sum = square[i * width + j];
                sum += mode.effects(to_row(first + i)) * mode.effects(to_row(first + j));
                if (!with_curvature) continue;
                sum += inverse_[(first + i) * b_ + first + j] -
                       pull_[first + i] * mode.effects(to_row(first + j));
            }
    };
    const std::size_t q = data_.n_eta(), r = data_.n_kappa();
    eta_.assign(q * q, 0.0);
    kappa_.assign(r * r, 0.0);
    add(0, q, eta_);
    for (std::size_t o = 0; r > 0 && o < of.n_occasions; ++o)
        add(q + o * r, r, kappa_);
}

double ConditionalGradient::of_direction(std::size_t direction) const {
    double sum = 2.0 * slope_[direction] + trace_[direction];
    for (std::size_t k = 0; k < b_; ++k)
        sum -= pull_[k] * mixed_[direction * b_ + k];
    return sum;
}

double ConditionalGradient::of_root(const PriorChange& change, std::size_t n_occasions) const {
    const std::vector<double>& square = change.is_subject ? eta_ : kappa_;
    double sum =
        change.of_determinant * (change.is_subject ? 1.0 : static_cast<double>(n_occasions));
    for (std::size_t i = 0; i < square.size(); ++i)
        sum += change.of_precision.data()[i] * square[i];
    return sum;
}

double ConditionalGradient::of_error(std::size_t subject, const FitScale::Coordinate& c) const {
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

/// What all derivatives of a subject rest on.
void ConditionalGradient::open(std::size_t subject) {
    const SubjectMode& mode = modes_.modes[subject];
    b_ = data_.subjects[subject].n_effects;
    n_ = modes_.predictions[subject].n_directions;
    inverse_.resize(b_ * b_);
    root_.factor(mode.expected);
    root_.invert(inverse_.data());
    add_measurements(subject);
    set_pull(mode);
    if (interaction_ == Interaction::at_typical) add_typical(subject);
}

void ConditionalGradient::set(std::size_t subject, double* gradient) {
    const FitSubject& of = data_.subjects[subject];
    open(subject);
    set_squares(of, modes_.modes[subject], true);
    chain_.add_up(
        subject,
        [&](std::size_t direction) { return of_direction(direction); },
        [&](const PriorChange& change) { return of_root(change, of.n_occasions); },
        [&](const FitScale::Coordinate& c) { return of_error(subject, c); },
        gradient);
}

/// Of the prior, ∂C⁻¹·b: its k-th.
double ConditionalGradient::mixed_of_root(const PriorChange& change,
                                          const SubjectMode& mode,
                                          std::size_t k) const {
    const std::size_t q = data_.n_eta(), width = change.is_subject ? q : data_.n_kappa();
    if (change.is_subject != (k < q)) return 0.0;
    const std::size_t first = change.is_subject ? 0 : k - (k - q) % width;
    double sum = 0.0;
    for (std::size_t i = 0; i < width; ++i)
        sum += change.of_precision(to_row(k - first), to_row(i)) * mode.effects(to_row(first + i));
    return sum;
}

double ConditionalGradient::mixed_of_error(std::size_t subject,
                                           const FitScale::Coordinate& c,
                                           std::size_t k) const {
    const std::vector<Measurement>& measured = data_.subjects[subject].measured;
    const SubjectPredictions& p = modes_.predictions[subject];
    double sum = 0.0;
    for (std::size_t j = 0; j < measured.size(); ++j)
        if (measured[j].place == c.output)
            sum += modes_.modes[subject].terms[j].f_by[static_cast<std::size_t>(c.error)] *
                   p.first(to_row(j), to_row(k));
    return sum;
}

/// Of the loss, by a number of an error law.
double ConditionalGradient::by_error(std::size_t subject, const FitScale::Coordinate& c) const {
    const std::vector<Measurement>& measured = data_.subjects[subject].measured;
    double sum = 0.0;
    for (std::size_t j = 0; j < measured.size(); ++j)
        if (measured[j].place == c.output)
            sum += modes_.modes[subject].terms[j].by[static_cast<std::size_t>(c.error)];
    return sum;
}

void ConditionalGradient::set_parts(std::size_t subject,
                                    double* gradient,
                                    Eigen::MatrixXd& slopes) {
    const FitSubject& of = data_.subjects[subject];
    open(subject);
    set_slopes(subject, slopes);
    set_squares(of, modes_.modes[subject], false);
    chain_.add_up(
        subject,
        [&](std::size_t direction) { return 2.0 * slope_[direction]; },
        [&](const PriorChange& change) { return of_root(change, of.n_occasions); },
        [&](const FitScale::Coordinate& c) { return 2.0 * by_error(subject, c); },
        gradient);
}

void ConditionalGradient::set_slopes(std::size_t subject, Eigen::MatrixXd& slopes) {
    const SubjectMode& mode = modes_.modes[subject];
    slopes.resize(to_row(b_), to_row(row_.size()));
    for (std::size_t k = 0; k < b_; ++k) {
        chain_.add_up(
            subject,
            [&](std::size_t direction) { return mixed_[direction * b_ + k]; },
            [&](const PriorChange& change) { return mixed_of_root(change, mode, k); },
            [&](const FitScale::Coordinate& c) { return mixed_of_error(subject, c, k); },
            row_.data());
        for (std::size_t i = 0; i < row_.size(); ++i)
            slopes(to_row(k), to_row(i)) = -row_[i];
    }
    for (Eigen::Index i = 0; i < slopes.cols(); ++i)
        solve_observed(mode, slopes.data() + i * slopes.rows());
}

} // namespace gemel::learners
