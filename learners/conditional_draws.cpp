#include "conditional_draws.hpp"

#include "pareto_shape.hpp"
#include "small_systems.hpp"

#include <gemel/sim/parallel.hpp>
#include <gemel/sim/random.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

namespace gemel::learners {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();
constexpr std::size_t n_groups = 8; ///< of draws, each with its own shift

Eigen::Index ix(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

/// Of errors of one number: which, and its value.
ErrorNumber part_of_one(const ErrorLaw& law) {
    return law.law == pkpd::ResidualError::Law::proportional ? ErrorNumber::proportional
                                                             : ErrorNumber::additive;
}

double number_of(const ErrorLaw& law) {
    return part_of_one(law) == ErrorNumber::proportional ? law.proportional : law.additive;
}

} // namespace

std::vector<char> direct_coordinates(const FitEngine& engine, std::span<const double> at) {
    constexpr double hardly_varies = 0.03; ///< sd of η, on the scale of effects
    const FitData& data = engine.data;
    const PopulationPoint point = engine.scale.point(at);
    std::vector<char> is_direct(engine.scale.size(), 0);
    for (const std::size_t k : engine.mu.extra())
        is_direct[k] = 1;
    for (const std::size_t k : engine.mu.mu()) {
        const std::size_t parameter = engine.scale.coordinates[k].parameter;
        const auto eta = std::ranges::find(data.eta_parameters, parameter);
        if (eta == data.eta_parameters.end()) continue;
        const auto e = static_cast<Eigen::Index>(eta - data.eta_parameters.begin());
        is_direct[k] =
            std::sqrt(point.omega(e, e)) < hardly_varies * data.effect_scale[parameter] ? 1 : 0;
    }
    return is_direct;
}

ConditionalDraws::ConditionalDraws(FitEngine& engine,
                                   int n_draws,
                                   std::vector<char> is_direct,
                                   std::uint64_t seed,
                                   std::vector<std::size_t> subjects)
    : engine_(engine),
      n_draws_((static_cast<std::size_t>(n_draws) + n_groups - 1) / n_groups * n_groups),
      n_effects_(engine.data.max_effects),
      points_(n_draws_ / n_groups, n_effects_),
      is_direct_(std::move(is_direct)),
      seed_(seed),
      subjects_(std::move(subjects)),
      point_(engine.scale.fixed),
      prior_(engine.data),
      loss_of_(engine.data),
      changes_(engine.scale),
      mu_(engine.data.n_eta()),
      workspaces_(static_cast<std::size_t>(sim::workers(engine.execution.n_threads))) {
    const FitData& data = engine.data;
    if (subjects_.empty()) {
        subjects_.resize(data.n_subjects());
        std::iota(subjects_.begin(), subjects_.end(), std::size_t{0});
    }
    for (std::size_t k = 0; k < engine.scale.size(); ++k)
        if (is_direct_[k] != 0) direct_.push_back(k);
    for (const std::size_t s : subjects_)
        for (std::size_t d = 0; d < n_draws_; ++d) {
            task_subjects_.push_back(s);
            task_first_.push_back(n_values_);
            n_values_ += data.subjects[s].measured.size();
        }
    const std::size_t n = task_subjects_.size();
    drawn_effects_.assign(n * n_effects_, 0.0);
    effects_.assign(n * n_effects_, 0.0);
    drawn_mu_.resize(subjects_.size() * data.n_eta());
    for (std::vector<double>* column : {&log_q_, &weights_, &log_terms_})
        column->resize(n);
    predictions_.resize(n_values_);
    slopes_.resize(direct_.size());
    for (std::vector<double>& slope : slopes_)
        slope.resize(n_values_);
    values_.resize(subjects_.size());
    has_statistics_ = data.n_censored == 0 &&
                      std::ranges::all_of(engine.scale.fixed.errors, [](const ErrorLaw& law) {
                          return law.law == pkpd::ResidualError::Law::additive ||
                                 law.law == pkpd::ResidualError::Law::proportional ||
                                 law.is_logarithmic();
                      });
    for (const FitSubject& subject : data.subjects) {
        std::vector<double>& counts = n_of_.emplace_back(data.outputs.size(), 0.0);
        for (const Measurement& measured : subject.measured)
            counts[measured.place] += 1.0;
    }
}

void ConditionalDraws::find_statistics() {
    if (!has_statistics_) return;
    const FitData& data = engine_.data;
    const std::size_t n_outputs = data.outputs.size();
    squares_.assign(task_subjects_.size() * n_outputs, 0.0);
    log_size_.assign(task_subjects_.size(), 0.0);
    for (std::size_t t = 0; t < task_subjects_.size(); ++t) {
        const double* f = predictions_.data() + task_first_[t];
        double product = 1.0;
        for (const Measurement& measured : data.subjects[task_subjects_[t]].measured) {
            const ErrorLaw& law = engine_.scale.fixed.errors[measured.place];
            double e = measured.value - (law.is_logarithmic() ? std::log(*f) : *f);
            if (law.law == pkpd::ResidualError::Law::proportional) {
                e /= *f;
                product *= std::abs(*f);
                if (!(product > 1e-200 && product < 1e200)) {
                    log_size_[t] += std::log(product);
                    product = 1.0;
                }
            }
            squares_[t * n_outputs + measured.place] += e * e;
            ++f;
        }
        log_size_[t] += std::log(product);
    }
}

double ConditionalDraws::loss_by_statistics(std::size_t task,
                                            std::span<const double> log_sds,
                                            std::span<const double> precisions) const {
    const std::size_t n_outputs = log_sds.size();
    double sum = log_size_[task];
    for (std::size_t o = 0; o < n_outputs; ++o)
        sum += n_of_[task_subjects_[task]][o] * log_sds[o] +
               0.5 * squares_[task * n_outputs + o] * precisions[o];
    return sum;
}

/// Standard normal numbers of a subject's draws, [n_effects × n_draws].
void ConditionalDraws::draw_normals(std::size_t subject,
                                    std::uint32_t round,
                                    std::vector<double>& normals) const {
    const FitSubject& of = engine_.data.subjects[subject];
    sim::RandomStream shifts({seed_, round, of.key}, sim::purpose_number("fit/draws"));
    normals.resize(of.n_effects * n_draws_);
    for (std::size_t e = 0; e < of.n_effects; ++e)
        for (std::size_t g = 0; g < n_groups; ++g)
            points_.shifted(e,
                            static_cast<std::uint64_t>(shifts.uniform() * 0x1p64),
                            normals.data() + e * n_draws_ + g * points_.size());
    sim::normal_quantiles(normals);
}

void ConditionalDraws::draw(std::span<const double> at,
                            const std::vector<ProposalMixture>& proposals,
                            std::uint32_t round) {
    const FitData& data = engine_.data;
    const PopulationPoint point = engine_.scale.point(at);
    const EffectPrior prior(data, point);
    sim::parallel_for(subjects_.size(), engine_.execution.n_threads, [&](std::size_t i, int) {
        const std::size_t s = subjects_[i], b = data.subjects[s].n_effects;
        engine_.mu.centre(point.theta, s, drawn_mu_.data() + i * data.n_eta());
        std::vector<double> normals, z(b);
        draw_normals(s, round, normals);
        const DrawLaws laws(proposals[i], points_.size());
        ProposalDensity density(proposals[i], laws, prior.log_determinant(s));
        const Eigen::MatrixXd population_root = effect_covariance(data, s, point).llt().matrixL();
        for (std::size_t d = 0; d < n_draws_; ++d) {
            const DrawLaws::Law law = laws.of(d % points_.size());
            for (std::size_t e = 0; e < b; ++e)
                z[e] = law.width * normals[e * n_draws_ + d];
            const std::size_t t = i * n_draws_ + d;
            double* effects = drawn_effects_.data() + t * n_effects_;
            if (law.part == nullptr)
                std::fill_n(effects, b, 0.0);
            else
                std::copy_n(law.part->centre.data(), b, effects);
            add_product(law.part == nullptr ? population_root : law.part->root, z.data(), effects);
            log_q_[t] = density.log_density(effects, prior.square(s, effects));
        }
    });
    effects_ = drawn_effects_;
    drawn_theta_ = solved_theta_ = point.theta;
    has_slopes_ = false;
    solve(point.theta, predictions_);
}

void ConditionalDraws::take_logarithms(std::vector<double>& predictions) const {
    const FitData& data = engine_.data;
    if (std::ranges::count(data.is_logarithmic, 0) ==
        static_cast<std::ptrdiff_t>(data.is_logarithmic.size()))
        return;
    for (std::size_t t = 0; t < task_subjects_.size(); ++t) {
        double* f = predictions.data() + task_first_[t];
        for (const Measurement& measured : data.subjects[task_subjects_[t]].measured) {
            if (data.is_logarithmic[measured.place] != 0) *f = std::log(*f);
            ++f;
        }
    }
}

void ConditionalDraws::solve(std::span<const double> theta, std::vector<double>& predictions) {
    engine_.predictor.predict({task_subjects_, theta, effects_, n_effects_, task_first_},
                              predictions);
    if (&predictions == &predictions_) find_statistics();
}

/// Effects that keep μ + η where typical values are mu-referenced and not direct.
void ConditionalDraws::shift_effects(const PopulationPoint& point) {
    const FitData& data = engine_.data;
    theta_ = point.theta;
    for (const std::size_t k : direct_) {
        const std::size_t parameter = engine_.scale.coordinates[k].parameter;
        theta_[parameter] = drawn_theta_[parameter];
    }
    for (std::size_t i = 0; i < subjects_.size(); ++i) {
        engine_.mu.centre(theta_, subjects_[i], mu_.data());
        for (std::size_t e = 0; e < data.n_eta(); ++e) {
            const double shift = mu_[e] - drawn_mu_[i * data.n_eta() + e];
            for (std::size_t t = i * n_draws_; t < (i + 1) * n_draws_; ++t)
                effects_[t * n_effects_ + e] = drawn_effects_[t * n_effects_ + e] - shift;
        }
    }
}

/// Predictions of all draws, where direct typical values moved: at a change of others φ stays.
void ConditionalDraws::solve_direct(const PopulationPoint& point) {
    const bool is_solved = std::ranges::all_of(direct_, [&](std::size_t k) {
        const std::size_t parameter = engine_.scale.coordinates[k].parameter;
        return point.theta[parameter] == solved_theta_[parameter];
    });
    if (is_solved) return;
    solve(point.theta, predictions_);
    solved_theta_ = point.theta;
    has_slopes_ = false;
}

/// The same, and their slopes by direct typical values.
void ConditionalDraws::solve_extra(std::span<const double> at, const PopulationPoint& point) {
    solve_direct(point);
    if (direct_.empty() || has_slopes_) return;
    other_.resize(n_values_);
    theta_ = point.theta;
    for (std::size_t i = 0; i < direct_.size(); ++i) {
        const FitScale::Coordinate& c = engine_.scale.coordinates[direct_[i]];
        const double base = engine_.predictor.has_steps() ? 1e-3 : 1e-4;
        const double h = c.transform == FitScale::Transform::none
                             ? base * std::max(std::abs(at[direct_[i]]), 1e-2)
                             : base;
        theta_[c.parameter] = from_scale(c.transform, at[direct_[i]] + h);
        solve(theta_, slopes_[i]);
        theta_[c.parameter] = from_scale(c.transform, at[direct_[i]] - h);
        solve(theta_, other_);
        theta_[c.parameter] = point.theta[c.parameter];
        take_logarithms(slopes_[i]);
        take_logarithms(other_);
        for (std::size_t j = 0; j < n_values_; ++j)
            slopes_[i][j] = (slopes_[i][j] - other_[j]) / (2.0 * h);
    }
    has_slopes_ = true;
}

/// Of the point: what all subjects' weights and gradients take from it.
bool ConditionalDraws::set_laws(std::span<const double> at,
                                const PopulationPoint& point,
                                bool with_gradient) {
    const FitData& data = engine_.data;
    prior_.set(point);
    if (!prior_.is_proper()) return false;
    loss_of_.set(point.errors);
    log_sds_.clear();
    precisions_.clear();
    for (const ErrorLaw& law : point.errors) {
        const double sd = number_of(law);
        log_sds_.push_back(std::log(sd));
        precisions_.push_back(1.0 / (sd * sd));
    }
    if (!with_gradient) return true;
    gradients_.setZero(ix(engine_.scale.size()), ix(subjects_.size()));
    changes_.set(at, prior_);
    for (Workspace& workspace : workspaces_) {
        workspace.by_error.resize(data.outputs.size() * n_error_numbers);
        workspace.by_direct.resize(direct_.size());
    }
    return true;
}

double ConditionalDraws::weigh(std::span<const double> at,
                               const PopulationPoint& point,
                               bool with_gradient,
                               Eigen::VectorXd& gradient) {
    const FitData& data = engine_.data;
    if (!set_laws(at, point, with_gradient)) return -minus_infinity;
    const auto weigh_subject = [&](std::size_t i, int worker) {
        const std::size_t s = subjects_[i];
        const FitSubject& of = data.subjects[s];
        double largest = minus_infinity;
        for (std::size_t t = i * n_draws_; t < (i + 1) * n_draws_; ++t) {
            const double sum =
                0.5 * prior_.square(s, effects_.data() + t * n_effects_) +
                (has_statistics_ ? loss_by_statistics(t, log_sds_, precisions_)
                                 : loss_of_(of, predictions_.data() + task_first_[t]));
            log_terms_[t] = std::isfinite(sum) ? -sum - log_q_[t] : minus_infinity;
            largest = std::max(largest, log_terms_[t]);
        }
        double total = 0.0;
        for (std::size_t t = i * n_draws_; t < (i + 1) * n_draws_; ++t)
            total += weights_[t] =
                largest == minus_infinity ? 0.0 : std::exp(log_terms_[t] - largest);
        for (std::size_t t = i * n_draws_; t < (i + 1) * n_draws_; ++t)
            weights_[t] = total > 0.0 ? weights_[t] / total : 0.0;
        values_[i] = -2.0 * (largest + std::log(total / static_cast<double>(n_draws_)) -
                             0.5 * prior_.log_determinant(s) - of.sum_log_values);
        if (with_gradient && total > 0.0)
            add_gradient(i, at, point, workspaces_[static_cast<std::size_t>(worker)]);
    };
    sim::parallel_for(subjects_.size(),
                      engine_.execution.n_threads,
                      std::ref(weigh_subject)); // a copy would be on the heap
    const double sum = sim::ordered_sum(values_);
    if (with_gradient) gradient = gradients_.rowwise().sum();
    return std::isfinite(sum) ? sum : -minus_infinity;
}

void ConditionalDraws::add_error_slopes(std::size_t task,
                                        const PopulationPoint& point,
                                        double weight,
                                        std::vector<double>& by_error,
                                        std::vector<double>& by_direct) const {
    const FitData& data = engine_.data;
    if (has_statistics_ && direct_.empty()) {
        for (std::size_t o = 0; o < data.outputs.size(); ++o) {
            const double sd = number_of(point.errors[o]);
            by_error[o * n_error_numbers +
                     static_cast<std::size_t>(part_of_one(point.errors[o]))] +=
                weight *
                (n_of_[task_subjects_[task]][o] -
                 squares_[task * data.outputs.size() + o] / (sd * sd)) /
                sd;
        }
        return;
    }
    const std::vector<Measurement>& all = data.subjects[task_subjects_[task]].measured;
    for (std::size_t j = 0; j < all.size(); ++j) {
        const Measurement& measured = all[j];
        const ErrorLaw& law = point.errors[measured.place];
        const double f = predictions_[task_first_[task] + j],
                     value = data.is_logarithmic[measured.place] != 0 ? std::log(f) : f;
        double by[n_error_numbers];
        loss_by_error(law, measured, value, by);
        for (std::size_t p = 0; p < n_error_numbers; ++p)
            by_error[measured.place * n_error_numbers + p] += weight * by[p];
        if (direct_.empty()) continue;
        const double slope = loss_term(law, measured, value).f;
        for (std::size_t i = 0; i < direct_.size(); ++i)
            by_direct[i] += weight * slope * slopes_[i][task_first_[task] + j];
    }
}

/// Fisher's identity: the gradient of the log-likelihood is the mean of the complete data's.
void ConditionalDraws::add_gradient(std::size_t slot,
                                    std::span<const double> at,
                                    const PopulationPoint& point,
                                    Workspace& workspace) {
    const FitData& data = engine_.data;
    const FitSubject& of = data.subjects[subjects_[slot]];
    const auto b = ix(of.n_effects), q = ix(data.n_eta()), r = ix(data.n_kappa());
    workspace.mean.setZero(b);
    workspace.square.setZero(b, b);
    std::ranges::fill(workspace.by_error, 0.0);
    std::ranges::fill(workspace.by_direct, 0.0);
    for (std::size_t t = slot * n_draws_; t < (slot + 1) * n_draws_; ++t) {
        const double weight = weights_[t];
        if (!(weight > 1e-14)) continue;
        const double* effects = effects_.data() + t * n_effects_;
        for (Eigen::Index i = 0; i < b; ++i)
            workspace.mean(i) += weight * effects[i];
        add_square(weight, effects, workspace.square);
        add_error_slopes(t, point, weight, workspace.by_error, workspace.by_direct);
    }
    fill_upper(workspace.square);
    auto gradient = gradients_.col(ix(slot));
    workspace.pull.noalias() = prior_.omega_inverse() * workspace.mean.head(q);
    engine_.mu.slope(at, point, subjects_[slot], workspace.slope);
    for (std::size_t k = 0; k < engine_.mu.mu().size(); ++k)
        if (is_direct_[engine_.mu.mu()[k]] == 0)
            gradient(ix(engine_.mu.mu()[k])) =
                -2.0 * workspace.slope.col(ix(k)).dot(workspace.pull);
    for (std::size_t i = 0; i < direct_.size(); ++i)
        gradient(ix(direct_[i])) = 2.0 * workspace.by_direct[i];
    for (std::size_t k = 0; k < engine_.scale.size(); ++k) {
        const FitScale::Coordinate& c = engine_.scale.coordinates[k];
        if (c.kind == FitScale::Kind::error) {
            const double factor = c.transform == FitScale::Transform::logarithm
                                      ? from_scale(c.transform, at[k])
                                      : 1.0;
            gradient(ix(k)) =
                2.0 * factor *
                workspace.by_error[c.output * n_error_numbers + static_cast<std::size_t>(c.error)];
        } else if (c.kind == FitScale::Kind::root) {
            const PriorChange& change = changes_[k];
            double sum = 0.0;
            for (std::size_t o = 0; o < (change.is_subject ? 1 : of.n_occasions); ++o) {
                const Eigen::Index first = change.is_subject ? 0 : q + ix(o) * r;
                const Eigen::Index width = change.is_subject ? q : r;
                sum += change.of_determinant +
                       change.of_precision
                           .cwiseProduct(workspace.square.block(first, first, width, width))
                           .sum();
            }
            gradient(ix(k)) = sum;
        }
    }
}

double ConditionalDraws::weigh_at(std::span<const double> at) {
    engine_.scale.set_point(at, point_);
    return weigh(at, point_, false, unused_);
}

double ConditionalDraws::value(std::span<const double> at) {
    engine_.scale.set_point(at, point_);
    shift_effects(point_);
    solve_direct(point_);
    return weigh(at, point_, false, unused_);
}

double ConditionalDraws::value(std::span<const double> at, Eigen::VectorXd& gradient) {
    engine_.scale.set_point(at, point_);
    shift_effects(point_);
    solve_extra(at, point_);
    return weigh(at, point_, true, gradient);
}

Eigen::MatrixXd ConditionalDraws::hessian(std::span<const double> at) {
    const auto n = ix(at.size());
    Eigen::MatrixXd hessian(n, n);
    std::vector<double> moved(at.begin(), at.end());
    Eigen::VectorXd up, down;
    for (std::size_t k = 0; k < at.size(); ++k) {
        const double h = 1e-3 * std::max(0.1, std::min(1.0, std::abs(at[k])));
        moved[k] = at[k] + h;
        value(moved, up);
        moved[k] = at[k] - h;
        value(moved, down);
        moved[k] = at[k];
        hessian.col(ix(k)) = (up - down) / (2.0 * h);
    }
    return 0.5 * (hessian + hessian.transpose());
}

std::size_t ConditionalDraws::slot_of(std::size_t subject) const {
    return static_cast<std::size_t>(std::ranges::find(subjects_, subject) - subjects_.begin());
}

ConditionalMoments ConditionalDraws::moments(std::size_t subject) const {
    const std::size_t first = slot_of(subject) * n_draws_;
    return weighted_moments(draws_from(first), engine_.data.subjects[subject].n_effects);
}

ProposalMixture ConditionalDraws::mixture(std::size_t subject) const {
    const std::size_t first = slot_of(subject) * n_draws_;
    return fit_mixture(draws_from(first), engine_.data.subjects[subject].n_effects);
}

std::vector<ProposalMixture> ConditionalDraws::adapted() const {
    std::vector<ProposalMixture> proposals;
    for (const std::size_t s : subjects_)
        proposals.push_back({{{1.0, proposal_of(moments(s))}}});
    return proposals;
}

double ConditionalDraws::effective_draws(std::size_t subject) const {
    const std::size_t first = slot_of(subject) * n_draws_;
    double square = 0.0;
    for (std::size_t t = first; t < first + n_draws_; ++t)
        square += weights_[t] * weights_[t];
    return 1.0 / square;
}

double ConditionalDraws::least_effective_share() const {
    double least = 1.0;
    for (const std::size_t s : subjects_)
        least = std::min(least, effective_draws(s) / static_cast<double>(n_draws_));
    return least;
}

void Likelihood::add_up() {
    minus_two_ll = sim::ordered_sum(by_subject);
    double variance = 0.0;
    for (const double error : standard_errors)
        variance += error * error;
    standard_error = std::sqrt(variance);
}

namespace {

/// Of weights whose sum is 1, the squared relative error of their mean: by what the groups' differ.
double variance_of_mean(const std::vector<double>& weights) {
    const std::size_t n = weights.size() / n_groups;
    double square = 0.0;
    for (std::size_t g = 0; g < n_groups; ++g) {
        const double sum =
            std::accumulate(weights.data() + g * n, weights.data() + (g + 1) * n, 0.0);
        square += (sum - 1.0 / n_groups) * (sum - 1.0 / n_groups);
    }
    return square * n_groups / (n_groups - 1.0);
}

} // namespace

Likelihood ConditionalDraws::likelihood() const {
    Likelihood result;
    result.method = "importance sampling";
    for (std::size_t i = 0; i < subjects_.size(); ++i) {
        const auto first = weights_.begin() + static_cast<std::ptrdiff_t>(i * n_draws_);
        const std::vector<double> weights(first, first + static_cast<std::ptrdiff_t>(n_draws_));
        result.effective_draws.push_back(effective_draws(subjects_[i]));
        result.k_hat.push_back(pareto_shape(weights));
        // Of −2·log of a mean, by the delta method.
        result.standard_errors.push_back(2.0 * std::sqrt(variance_of_mean(weights)));
        double n_values = 0.0;
        for (const Measurement& measured : engine_.data.subjects[subjects_[i]].measured)
            n_values += measured.censoring == 0 ? 1.0 : 0.0;
        result.by_subject.push_back(values_[i] + n_values * std::log(2.0 * std::numbers::pi));
    }
    result.add_up();
    return result;
}

} // namespace gemel::learners
