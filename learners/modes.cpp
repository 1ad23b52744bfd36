#include "modes.hpp"

#include "small_systems.hpp"

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

void EffectPrior::invert(const Eigen::MatrixXd& covariance,
                         Eigen::MatrixXd& inverse,
                         double& log_determinant) {
    if (covariance.rows() == 0) return;
    is_proper_ = root_.factor(covariance) && is_proper_;
    inverse.resize(covariance.rows(), covariance.cols());
    root_.invert(inverse.data());
    log_determinant = root_.log_determinant();
}

void EffectPrior::set(const PopulationPoint& point) {
    is_proper_ = true;
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
    const auto add = [&](const Eigen::MatrixXd& inverse, std::size_t first) {
        double* sum = to.data() + first;
        for (Eigen::Index j = 0; j < inverse.cols(); ++j)
            for (Eigen::Index i = 0; i < inverse.rows(); ++i)
                sum[i] += inverse(i, j) * effects[first + static_cast<std::size_t>(j)];
    };
    add(omega_inverse_, 0);
    if (data_.n_kappa() > 0)
        for (std::size_t o = 0; o < data_.subjects[subject].n_occasions; ++o)
            add(pi_inverse_, data_.n_eta() + o * data_.n_kappa());
}

Modes::Modes(const FitData& data, Derivatives& derivatives)
    : modes(data.n_subjects()),
      predictions(data.n_subjects()),
      typical_sds(data.n_subjects()),
      typical(data.n_subjects()),
      data_(data),
      derivatives_(derivatives),
      prior_(data),
      searches_(data.n_subjects()),
      gradients_(data.n_subjects()) {
    for (std::size_t s = 0; s < data.n_subjects(); ++s)
        modes[s].terms.resize(data.subjects[s].measured.size());
    for (Derivatives::Request* request : {&request_, &request_second_}) {
        request->subjects.reserve(data.n_subjects());
        request->effects.reserve(data.n_subjects() * data.max_effects);
    }
}

namespace {

/// A value's term where its variance is that without effects.
LossTerm term_of_fixed_sd(const Measurement& measured, double f, const ErrorSd& sd) {
    LossTerm term;
    const double s = sd.s, e = measured.value - f;
    term.loss = std::log(s) + 0.5 * e * e / (s * s);
    term.f = -e / (s * s);
    term.ff = term.info = 1.0 / (s * s);
    const LossBySd by = loss_by_sd(term, s);
    for (int k = 0; k < n_error_numbers; ++k) {
        term.by[k] = by.loss * sd.by[k];
        term.f_by[k] = by.f * sd.by[k];
        term.info_by[k] = by.info * sd.by[k];
    }
    return term;
}

} // namespace

namespace {

/// Lower triangles of Hessians, and the gradient.
void add_measurement(const SubjectPredictions& predicted,
                     Eigen::Index j,
                     const LossTerm& term,
                     bool is_censored,
                     Eigen::VectorXd& gradient,
                     SubjectMode& mode) {
    const Eigen::Index b = gradient.size(), m = predicted.first.rows(),
                       n = as_row(predicted.n_directions);
    const double* first = predicted.first.data() + j;
    for (Eigen::Index l = 0; l < b; ++l) {
        const double of_l = first[l * m];
        gradient(l) += term.f * of_l;
        double* observed = mode.observed.data() + l * b;
        double* expected = mode.expected.data() + l * b;
        for (Eigen::Index k = l; k < b; ++k) {
            const double square = of_l * first[k * m];
            observed[k] += term.ff * square;
            expected[k] += term.info * square;
        }
        if (!predicted.has_second) continue;
        const double* second = predicted.second.data() + j;
        for (Eigen::Index k = l; k < b; ++k) {
            const double curved = term.f * second[(k * n + l) * m];
            observed[k] += curved;
            if (is_censored) expected[k] += curved;
        }
    }
}

} // namespace

void Modes::weigh(std::size_t subject, const PopulationPoint& point) {
    const FitSubject& of = data_.subjects[subject];
    const SubjectPredictions& predicted = predictions[subject];
    SubjectMode& mode = modes[subject];
    const auto b = as_row(of.n_effects);
    Eigen::VectorXd& gradient = gradients_[subject];
    gradient.setZero(b);
    mode.expected.setZero(b, b);
    mode.observed.setZero(b, b);
    mode.value = 0.5 * prior_.square(subject, mode.effects.data());
    prior_.add_precision_times(subject, mode.effects.data(), gradient);
    for (std::size_t i = 0; i < of.measured.size(); ++i) {
        const Measurement& measured = of.measured[i];
        const auto j = as_row(i);
        const bool is_fixed = interaction_ == Interaction::at_typical && measured.censoring == 0;
        LossTerm& term = mode.terms[i];
        term = is_fixed ? term_of_fixed_sd(measured, predicted.f(j), typical_sds[subject][i])
                        : loss_term(point.errors[measured.place], measured, predicted.f(j));
        mode.value += term.loss;
        add_measurement(predicted, j, term, measured.censoring != 0, gradient, mode);
    }
    fill_upper(mode.observed);
    fill_upper(mode.expected);
    prior_.add_precision(subject, mode.observed);
    prior_.add_precision(subject, mode.expected);
    if (!std::isfinite(mode.value)) mode.value = infinite_value;
}

/// Newton's step by the full Hessian where it is one of a minimum, else by the expected one.
void Modes::take_step(std::size_t subject, Search& search) {
    const SubjectMode& mode = modes[subject];
    const Eigen::VectorXd& gradient = gradients_[subject];
    bool is_solved = search.wants_second && root_.factor(mode.observed);
    if (!is_solved) is_solved = root_.factor(mode.expected);
    for (double damping = 1e-6; !is_solved && damping < 1e12; damping *= 10.0)
        is_solved = root_.factor(mode.expected, damping);
    search.step = -gradient;
    root_.solve(search.step.data());
    search.decrement = -gradient.dot(search.step);
    search.accepted = mode.effects;
    search.value = mode.value;
    search.has_value = true;
    search.scale = 1.0;
    search.n_halvings = 0;
}

/// After an evaluation at a trial point: accepted and a new step, or half of it.
void Modes::judge(std::size_t subject, const PopulationPoint& point) {
    Search& search = searches_[subject];
    SubjectMode& mode = modes[subject];
    ++mode.n_evaluations;
    if (predictions[subject].is_finite)
        weigh(subject, point);
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
        // Where half of a step is better than all of it, the expected Hessian is not the full one.
        const bool is_curved = search.n_halvings > 0;
        // Steps end where they change no digit of the objective's square root.
        const double tolerance = noise_ > 0.0 ? noise_ : 1e-17;
        const double last_tolerance = noise_ > 0.0 ? 10.0 * noise_ : 1e-8;
        take_step(subject, search);
        mode.is_converged = search.decrement < (search.is_last ? last_tolerance : tolerance) *
                                                   (1.0 + std::abs(mode.value));
        search.wants_second =
            search.wants_second ||
            (effort_ == Effort::full && (is_curved || search.decrement < newton_from));
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

/// All subjects, effects of 0.
Derivatives::Request& Modes::request_without_effects(Derivatives::Order order, bool with_extra) {
    request_.subjects.clear();
    for (std::size_t s = 0; s < data_.n_subjects(); ++s)
        request_.subjects.push_back(s);
    request_.effects.assign(data_.n_subjects() * data_.max_effects, 0.0);
    request_.order = order;
    request_.with_extra = with_extra;
    return request_;
}

void Modes::set_typical(std::span<const double> at,
                        const PopulationPoint& point,
                        bool with_slopes) {
    // Steps with sensitivities are others than without: values are the same, asked for slopes or
    // not.
    const auto order = with_slopes || derivatives_.is_symbolic() ? Derivatives::Order::first
                                                                 : Derivatives::Order::value;
    derivatives_.evaluate(request_without_effects(order, with_slopes), at, point, typical);
    set_typical_sds(typical, point);
}

void Modes::set_typical_sds(const std::vector<SubjectPredictions>& of,
                            const PopulationPoint& point) {
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        typical_sds[s].clear();
        for (std::size_t i = 0; i < data_.subjects[s].measured.size(); ++i)
            typical_sds[s].push_back(
                error_sd(point.errors[data_.subjects[s].measured[i].place], of[s].f(as_row(i))));
    }
}

void Modes::linearise(std::span<const double> at, const PopulationPoint& point, bool with_second) {
    for (std::size_t s = 0; s < data_.n_subjects(); ++s)
        modes[s].effects.setZero(as_row(data_.subjects[s].n_effects));
    const auto order = with_second ? Derivatives::Order::second : Derivatives::Order::first;
    derivatives_.evaluate(request_without_effects(order, with_second), at, point, predictions);
    set_typical_sds(predictions, point);
}

void Modes::place(std::span<const double> at,
                  const PopulationPoint& point,
                  Interaction interaction,
                  std::span<const double> effects) {
    interaction_ = interaction;
    if (interaction == Interaction::at_typical) set_typical(at, point, false);
    prior_.set(point);
    Derivatives::Request& request = request_without_effects(Derivatives::Order::second, false);
    request.effects.assign(effects.begin(), effects.end());
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        modes[s].effects.resize(as_row(data_.subjects[s].n_effects));
        std::copy_n(effects.begin() + static_cast<std::ptrdiff_t>(s * data_.max_effects),
                    data_.subjects[s].n_effects,
                    modes[s].effects.data());
    }
    derivatives_.evaluate(request, at, point, predictions);
    for (std::size_t s = 0; s < data_.n_subjects(); ++s)
        weigh(s, point);
}

void Modes::request_trials(bool with_extra) {
    for (const bool second : {false, true}) {
        Derivatives::Request& request = second ? request_second_ : request_;
        request.subjects.clear();
        request.effects.clear();
        request.order = second ? Derivatives::Order::second : Derivatives::Order::first;
        request.with_extra = second && with_extra;
        for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
            if (searches_[s].is_done || searches_[s].wants_second != second) continue;
            request.subjects.push_back(s);
            const Eigen::VectorXd& effects = modes[s].effects;
            request.effects.insert(
                request.effects.end(), effects.data(), effects.data() + effects.size());
            request.effects.resize(request.subjects.size() * data_.max_effects, 0.0);
        }
    }
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
    if (interaction == Interaction::at_typical) set_typical(at, point, with_extra);
    prior_.set(point);
    const std::size_t d = data_.max_effects;
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        SubjectMode& mode = modes[s];
        mode.effects.setZero(as_row(data_.subjects[s].n_effects));
        for (std::size_t e = 0; !starts.empty() && e < data_.subjects[s].n_effects; ++e)
            mode.effects(as_row(e)) = starts[s * d + e];
        mode.n_evaluations = 0;
        mode.is_converged = false;
        static_cast<SearchState&>(searches_[s]) = {};
        searches_[s].wants_second = !starts.empty() && effort == Effort::full;
    }
    for (bool is_any = true; is_any;) {
        is_any = false;
        request_trials(with_extra);
        for (const Derivatives::Request* request : {&request_, &request_second_}) {
            if (request->subjects.empty()) continue;
            is_any = true;
            derivatives_.evaluate(*request, at, point, predictions);
            for (const std::size_t s : request->subjects)
                judge(s, point);
        }
    }
}

} // namespace gemel::learners
