#include "modes.hpp"

#include <cmath>
#include <limits>

namespace gemel::learners {
namespace {

constexpr double infinite_value = std::numeric_limits<double>::infinity();
constexpr int most_evaluations = 100;      ///< of a subject's search
constexpr int most_noisy_evaluations = 40; ///< the same where values have a solver's errors
constexpr int rough_evaluations = 4;
constexpr double newton_from = 1e-2; ///< decrement below which the full Hessian is worth its solves

Eigen::Index as_row(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

} // namespace

EffectPrior::EffectPrior(const FitData& data, const PopulationPoint& point) : data_(data) {
    const auto invert =
        [&](const Eigen::MatrixXd& covariance, Eigen::MatrixXd& inverse, double& log_determinant) {
            if (covariance.rows() == 0) return;
            const Eigen::LLT<Eigen::MatrixXd> root(covariance);
            is_proper_ = is_proper_ && root.info() == Eigen::Success;
            inverse = root.solve(Eigen::MatrixXd::Identity(covariance.rows(), covariance.cols()));
            log_determinant = 0.0;
            for (Eigen::Index i = 0; i < covariance.rows(); ++i)
                log_determinant += 2.0 * std::log(root.matrixLLT()(i, i));
        };
    invert(point.omega, omega_inverse_, log_det_omega_);
    invert(point.pi, pi_inverse_, log_det_pi_);
}

double EffectPrior::log_determinant(std::size_t subject) const {
    const double n =
        data_.n_kappa() == 0 ? 0.0 : static_cast<double>(data_.subjects[subject].n_occasions);
    return log_det_omega_ + n * log_det_pi_;
}

double EffectPrior::square(std::size_t subject, const double* effects) const {
    double sum = 0.0;
    const auto add = [&](const Eigen::MatrixXd& inverse, const double* x) {
        for (Eigen::Index i = 0; i < inverse.rows(); ++i) {
            double row = 0.0;
            for (Eigen::Index j = 0; j < inverse.cols(); ++j)
                row += inverse(j, i) * x[j];
            sum += row * x[i];
        }
    };
    add(omega_inverse_, effects);
    if (data_.n_kappa() > 0)
        for (std::size_t o = 0; o < data_.subjects[subject].n_occasions; ++o)
            add(pi_inverse_, effects + data_.n_eta() + o * data_.n_kappa());
    return sum;
}

void EffectPrior::add_precision(std::size_t subject, Eigen::MatrixXd& to) const {
    const auto q = as_row(data_.n_eta()), r = as_row(data_.n_kappa());
    to.topLeftCorner(q, q) += omega_inverse_;
    if (r > 0)
        for (std::size_t o = 0; o < data_.subjects[subject].n_occasions; ++o)
            to.block(q + as_row(o) * r, q + as_row(o) * r, r, r) += pi_inverse_;
}

void EffectPrior::add_precision_times(std::size_t subject,
                                      const double* effects,
                                      Eigen::VectorXd& to) const {
    const auto q = as_row(data_.n_eta()), r = as_row(data_.n_kappa());
    const Eigen::Map<const Eigen::VectorXd> all(effects, as_row(data_.subjects[subject].n_effects));
    to.head(q).noalias() += omega_inverse_ * all.head(q);
    if (r > 0)
        for (std::size_t o = 0; o < data_.subjects[subject].n_occasions; ++o)
            to.segment(q + as_row(o) * r, r).noalias() +=
                pi_inverse_ * all.segment(q + as_row(o) * r, r);
}

Modes::Modes(const FitData& data, Derivatives& derivatives)
    : modes(data.n_subjects()),
      predictions(data.n_subjects()),
      data_(data),
      derivatives_(derivatives),
      searches_(data.n_subjects()),
      gradients_(data.n_subjects()) {
    for (std::size_t s = 0; s < data.n_subjects(); ++s)
        modes[s].terms.resize(data.subjects[s].measured.size());
}

namespace {

/// A value's term where its variance is that without effects.
LossTerm term_of_fixed_sd(const Measurement& measured, double f, double s) {
    LossTerm term;
    const double e = measured.value - f;
    term.loss = std::log(s) + 0.5 * e * e / (s * s);
    term.f = -e / (s * s);
    term.ff = term.info = 1.0 / (s * s);
    return term;
}

} // namespace

void Modes::weigh(std::size_t subject, const PopulationPoint& point, const EffectPrior& prior) {
    const FitSubject& of = data_.subjects[subject];
    const SubjectPredictions& predicted = predictions[subject];
    SubjectMode& mode = modes[subject];
    const auto b = as_row(of.n_effects);
    Eigen::VectorXd& gradient = gradients_[subject];
    gradient.setZero(b);
    mode.expected.setZero(b, b);
    mode.observed.setZero(b, b);
    mode.value = 0.5 * prior.square(subject, mode.effects.data());
    prior.add_precision_times(subject, mode.effects.data(), gradient);
    for (std::size_t i = 0; i < of.measured.size(); ++i) {
        const Measurement& measured = of.measured[i];
        const auto j = as_row(i);
        const bool is_fixed = interaction_ == Interaction::at_typical && measured.censoring == 0;
        LossTerm& term = mode.terms[i];
        term = is_fixed ? term_of_fixed_sd(measured, predicted.f(j), typical_sds[subject][i])
                        : loss_term(point.errors[measured.place], measured, predicted.f(j));
        mode.value += term.loss;
        for (Eigen::Index k = 0; k < b; ++k) {
            const double first = predicted.first(j, k);
            gradient(k) += term.f * first;
            for (Eigen::Index l = 0; l <= k; ++l) {
                const double square = first * predicted.first(j, l);
                const double curved =
                    predicted.has_second
                        ? term.f * predicted.second(j, k * as_row(predicted.n_directions) + l)
                        : 0.0;
                mode.observed(k, l) += term.ff * square + curved;
                mode.expected(k, l) +=
                    term.info * square + (measured.censoring != 0 ? curved : 0.0);
            }
        }
    }
    mode.observed.triangularView<Eigen::StrictlyUpper>() =
        mode.observed.transpose().triangularView<Eigen::StrictlyUpper>();
    mode.expected.triangularView<Eigen::StrictlyUpper>() =
        mode.expected.transpose().triangularView<Eigen::StrictlyUpper>();
    prior.add_precision(subject, mode.observed);
    prior.add_precision(subject, mode.expected);
    if (!std::isfinite(mode.value)) mode.value = infinite_value;
}

/// Newton's step by the full Hessian where it is one of a minimum, else by the expected one.
void Modes::take_step(std::size_t subject, Search& search) {
    const SubjectMode& mode = modes[subject];
    const Eigen::VectorXd& gradient = gradients_[subject];
    Eigen::LLT<Eigen::MatrixXd> root;
    if (search.wants_second) root.compute(mode.observed);
    if (!search.wants_second || root.info() != Eigen::Success) {
        Eigen::MatrixXd expected = mode.expected;
        root.compute(expected);
        for (double damping = 1e-6; root.info() != Eigen::Success && damping < 1e12;
             damping *= 10.0) {
            expected = mode.expected;
            expected.diagonal().array() += damping * (1.0 + expected.diagonal().array().abs());
            root.compute(expected);
        }
    }
    search.step = -root.solve(gradient);
    search.decrement = -gradient.dot(search.step);
    search.accepted = mode.effects;
    search.value = mode.value;
    search.has_value = true;
    search.scale = 1.0;
    search.n_halvings = 0;
}

/// After an evaluation at a trial point: accepted and a new step, or half of it.
void Modes::judge(std::size_t subject, const PopulationPoint& point, const EffectPrior& prior) {
    Search& search = searches_[subject];
    SubjectMode& mode = modes[subject];
    ++mode.n_evaluations;
    if (predictions[subject].is_finite)
        weigh(subject, point, prior);
    else
        mode.value = infinite_value;
    // A solver's errors look like changes of the value.
    const double slack = (noise_ > 0.0 ? 100.0 * noise_ : 1e-12) * (1.0 + std::abs(search.value));
    const int most = effort_ == Effort::rough ? rough_evaluations
                     : noise_ > 0.0           ? most_noisy_evaluations
                                              : most_evaluations;
    const bool is_better =
        !search.has_value ? std::isfinite(mode.value) : mode.value <= search.value + slack;
    if (is_better) {
        const bool had_second = search.wants_second;
        // Steps end where they change no digit of the objective's square root.
        const double tolerance = noise_ > 0.0 ? noise_ : 1e-17;
        const double last_tolerance = noise_ > 0.0 ? 10.0 * noise_ : 1e-8;
        take_step(subject, search);
        mode.is_converged = search.decrement < (search.is_last ? last_tolerance : tolerance) *
                                                   (1.0 + std::abs(mode.value));
        search.wants_second =
            search.wants_second || (effort_ == Effort::full && search.decrement < newton_from);
        const bool is_over = mode.is_converged || search.is_last || mode.n_evaluations >= most;
        search.is_done = is_over && (had_second || effort_ == Effort::rough);
        if (mode.n_evaluations >= most) search.wants_second = search.is_last = true;
    } else if (!search.has_value) {
        // The start has no value: nothing can be sought from there.
        search.is_done = true;
    } else if (search.is_last) {
        // Back to the accepted point, once: what is known must be known of it.
        search.is_done = search.scale == 0.0;
        search.scale = 0.0;
    } else {
        search.scale *= 0.5;
        ++search.n_halvings;
        // Rounding alone is left of the step: the accepted point is evaluated for the last time.
        if (search.n_halvings > (noise_ > 0.0 ? 8 : 30) || mode.n_evaluations >= most) {
            search.scale = 0.0;
            search.wants_second = search.is_last = true;
        }
    }
    if (search.is_done) return;
    mode.effects = search.accepted + search.scale * search.step;
}

void Modes::set_typical_sds(std::span<const double> at, const PopulationPoint& point) {
    Derivatives::Request request;
    for (std::size_t s = 0; s < data_.n_subjects(); ++s)
        request.subjects.push_back(s);
    request.effects.assign(data_.n_subjects() * data_.max_effects, 0.0);
    request.order = Derivatives::Order::value;
    derivatives_.evaluate(request, at, point, predictions);
    typical_sds.resize(data_.n_subjects());
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        typical_sds[s].clear();
        for (std::size_t i = 0; i < data_.subjects[s].measured.size(); ++i)
            typical_sds[s].push_back(
                point.errors[data_.subjects[s].measured[i].place].sd(predictions[s].f(as_row(i))));
    }
}

void Modes::linearise(std::span<const double> at, const PopulationPoint& point) {
    set_typical_sds(at, point);
    Derivatives::Request request;
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        request.subjects.push_back(s);
        modes[s].effects.setZero(as_row(data_.subjects[s].n_effects));
    }
    request.effects.assign(data_.n_subjects() * data_.max_effects, 0.0);
    derivatives_.evaluate(request, at, point, predictions);
}

void Modes::find(std::span<const double> at,
                 const PopulationPoint& point,
                 Interaction interaction,
                 std::span<const double> starts,
                 bool with_extra,
                 Effort effort) {
    interaction_ = interaction;
    effort_ = effort;
    noise_ = derivatives_.noise();
    if (interaction == Interaction::at_typical) set_typical_sds(at, point);
    const EffectPrior prior(data_, point);
    const std::size_t d = data_.max_effects;
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        SubjectMode& mode = modes[s];
        mode.effects.setZero(as_row(data_.subjects[s].n_effects));
        for (std::size_t e = 0; !starts.empty() && e < data_.subjects[s].n_effects; ++e)
            mode.effects(as_row(e)) = starts[s * d + e];
        mode.n_evaluations = 0;
        mode.is_converged = false;
        searches_[s] = {};
        searches_[s].wants_second = !starts.empty() && effort == Effort::full;
    }
    for (bool is_any = true; is_any;) {
        is_any = false;
        for (const bool second : {false, true}) {
            Derivatives::Request& request = second ? request_second_ : request_;
            request.subjects.clear();
            request.effects.clear();
            request.order = second ? Derivatives::Order::second : Derivatives::Order::first;
            request.with_extra = second && with_extra;
            for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
                if (searches_[s].is_done || searches_[s].wants_second != second) continue;
                request.subjects.push_back(s);
                request.effects.resize(request.subjects.size() * d, 0.0);
                std::copy_n(modes[s].effects.data(),
                            modes[s].effects.size(),
                            request.effects.end() - static_cast<std::ptrdiff_t>(d));
            }
        }
        for (const bool second : {false, true}) {
            const Derivatives::Request& request = second ? request_second_ : request_;
            if (request.subjects.empty()) continue;
            is_any = true;
            derivatives_.evaluate(request, at, point, predictions);
            for (const std::size_t s : request.subjects)
                judge(s, point, prior);
        }
    }
}

} // namespace gemel::learners
