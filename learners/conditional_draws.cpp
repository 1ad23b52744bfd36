#include "conditional_draws.hpp"

#include <gemel/sim/parallel.hpp>
#include <gemel/sim/random.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace gemel::learners {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();
/// Of the laws that draws come from: widths about the centre with their shares; the rest is drawn
/// from the population.
constexpr double widths[] = {1.0, 1.6, 3.0}, shares[] = {0.6, 0.2, 0.1};
constexpr double share_of_population = 0.1;
constexpr int n_widths = 3;
constexpr int population_law = n_widths;
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

Eigen::MatrixXd
covariance_of(const FitData& data, std::size_t subject, const PopulationPoint& point) {
    const FitSubject& of = data.subjects[subject];
    Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(ix(of.n_effects), ix(of.n_effects));
    const auto q = ix(data.n_eta()), r = ix(data.n_kappa());
    covariance.topLeftCorner(q, q) = point.omega;
    for (std::size_t o = 0; r > 0 && o < of.n_occasions; ++o)
        covariance.block(q + ix(o) * r, q + ix(o) * r, r, r) = point.pi;
    return covariance;
}

} // namespace

std::vector<ConditionalProposal>
proposals_at(const FitData& data, const Modes& modes, const PopulationPoint& point) {
    std::vector<ConditionalProposal> proposals;
    for (std::size_t s = 0; s < data.n_subjects(); ++s) {
        const SubjectMode& mode = modes.modes[s];
        ConditionalProposal proposal{mode.effects, {}};
        const auto n = mode.effects.size();
        for (const bool is_observed : {modes.predictions[s].has_second, false}) {
            const Eigen::LLT<Eigen::MatrixXd> root(is_observed ? mode.observed : mode.expected);
            if (root.info() != Eigen::Success) continue;
            const Eigen::MatrixXd covariance = root.solve(Eigen::MatrixXd::Identity(n, n));
            const Eigen::LLT<Eigen::MatrixXd> of_inverse(covariance);
            if (of_inverse.info() != Eigen::Success) continue;
            proposal.root = of_inverse.matrixL();
            break;
        }
        if (proposal.root.rows() != n || !proposal.root.allFinite() ||
            !proposal.centre.allFinite()) {
            proposal.centre = Eigen::VectorXd::Zero(n);
            proposal.root = covariance_of(data, s, point).llt().matrixL();
        }
        proposals.push_back(std::move(proposal));
    }
    return proposals;
}

ConditionalDraws::ConditionalDraws(FitEngine& engine,
                                   int n_draws,
                                   std::vector<char> is_direct,
                                   std::uint64_t seed)
    : engine_(engine),
      n_draws_((static_cast<std::size_t>(n_draws) + n_groups - 1) / n_groups * n_groups),
      n_effects_(engine.data.max_effects),
      points_(n_draws_ / n_groups, n_effects_),
      is_direct_(std::move(is_direct)),
      seed_(seed) {
    const FitData& data = engine.data;
    for (std::size_t k = 0; k < engine.scale.size(); ++k)
        if (is_direct_[k] != 0) direct_.push_back(k);
    for (std::size_t s = 0; s < data.n_subjects(); ++s)
        for (std::size_t d = 0; d < n_draws_; ++d) {
            task_subjects_.push_back(s);
            task_first_.push_back(n_values_);
            n_values_ += data.subjects[s].measured.size();
        }
    const std::size_t n = task_subjects_.size();
    drawn_effects_.assign(n * n_effects_, 0.0);
    effects_.assign(n * n_effects_, 0.0);
    drawn_mu_.resize(data.n_subjects() * data.n_eta());
    for (std::vector<double>* column : {&log_q_, &weights_, &log_terms_})
        column->resize(n);
    predictions_.resize(n_values_);
    slopes_.resize(direct_.size());
    for (std::vector<double>& slope : slopes_)
        slope.resize(n_values_);
    by_subject_.resize(data.n_subjects());
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

namespace {

/// Which law each draw of a group comes from: its share of the points, one piece after another.
/// What was drawn is what the density says: shares are of the counts.
class DrawLaws {
public:
    explicit DrawLaws(std::size_t n) {
        double sum = 0.0;
        std::size_t before = 0;
        for (int k = 0; k <= n_widths; ++k) {
            sum += k < n_widths ? shares[k] : share_of_population;
            end_[k] = k == n_widths ? n : std::lround(sum * static_cast<double>(n));
            log_share_[k] = std::log(static_cast<double>(end_[k] - before) /
                                     static_cast<double>(n)); // −∞: no draw is
            before = end_[k];
        }
    }
    int of(std::size_t draw) const {
        int law = 0;
        while (draw >= end_[law])
            ++law;
        return law;
    }
    double log_share(int law) const { return log_share_[law]; }

private:
    std::size_t end_[n_widths + 1] = {};
    double log_share_[n_widths + 1] = {};
};

/// The density of one subject's draws, without (2π)^(−n/2), as the prior's.
class ProposalDensity {
public:
    ProposalDensity(const ConditionalProposal& proposal,
                    const DrawLaws& laws,
                    double log_determinant_of_population)
        : log_population_(laws.log_share(population_law) - 0.5 * log_determinant_of_population) {
        double log_root = 0.0;
        for (Eigen::Index i = 0; i < proposal.root.rows(); ++i)
            log_root += std::log(proposal.root(i, i));
        const double n = static_cast<double>(proposal.root.rows());
        for (int k = 0; k < n_widths; ++k)
            log_share_[k] = laws.log_share(k) - log_root - n * std::log(widths[k]);
    }

    /// @param square     |x|², x = L⁻¹(b − centre)
    /// @param of_population  b'·C⁻¹·b
    double log_density(double square, double of_population) const {
        double terms[n_widths + 1];
        for (int k = 0; k < n_widths; ++k)
            terms[k] = log_share_[k] - 0.5 * square / (widths[k] * widths[k]);
        terms[population_law] = log_population_ - 0.5 * of_population;
        const double largest = *std::max_element(terms, terms + n_widths + 1);
        double sum = 0.0;
        for (const double term : terms)
            sum += term == largest ? 1.0 : std::exp(term - largest);
        return largest + std::log(sum);
    }

private:
    double log_share_[n_widths] = {}, log_population_ = 0.0;
};

} // namespace

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
                            const std::vector<ConditionalProposal>& proposals,
                            std::uint32_t round) {
    const FitData& data = engine_.data;
    const PopulationPoint point = engine_.scale.point(at);
    const EffectPrior prior(data, point);
    const DrawLaws laws(points_.size());
    sim::parallel_for(data.n_subjects(), engine_.execution.n_threads, [&](std::size_t s, int) {
        engine_.mu.centre(point.theta, s, drawn_mu_.data() + s * data.n_eta());
        const std::size_t b = data.subjects[s].n_effects;
        std::vector<double> normals;
        draw_normals(s, round, normals);
        const Eigen::MatrixXd population_root = covariance_of(data, s, point).llt().matrixL();
        const ConditionalProposal& proposal = proposals[s];
        const ProposalDensity density(proposal, laws, prior.log_determinant(s));
        Eigen::VectorXd z(ix(b)), effects(ix(b)), x(ix(b));
        for (std::size_t d = 0; d < n_draws_; ++d) {
            for (std::size_t e = 0; e < b; ++e)
                z(ix(e)) = normals[e * n_draws_ + d];
            const int law = laws.of(d % points_.size());
            if (law != population_law) {
                x = widths[law] * z;
                effects.noalias() = proposal.root * x;
                effects += proposal.centre;
            } else {
                effects.noalias() = population_root * z;
                x = effects - proposal.centre;
                proposal.root.triangularView<Eigen::Lower>().solveInPlace(x);
            }
            const std::size_t t = s * n_draws_ + d;
            std::copy_n(effects.data(), b, drawn_effects_.data() + t * n_effects_);
            log_q_[t] = density.log_density(x.squaredNorm(), prior.square(s, effects.data()));
        }
    });
    effects_ = drawn_effects_;
    drawn_theta_ = point.theta;
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
    std::vector<double> theta = point.theta, mu(data.n_eta());
    for (const std::size_t k : direct_) {
        const std::size_t parameter = engine_.scale.coordinates[k].parameter;
        theta[parameter] = drawn_theta_[parameter];
    }
    for (std::size_t s = 0; s < data.n_subjects(); ++s) {
        engine_.mu.centre(theta, s, mu.data());
        for (std::size_t e = 0; e < data.n_eta(); ++e) {
            const double shift = mu[e] - drawn_mu_[s * data.n_eta() + e];
            for (std::size_t t = s * n_draws_; t < (s + 1) * n_draws_; ++t)
                effects_[t * n_effects_ + e] = drawn_effects_[t * n_effects_ + e] - shift;
        }
    }
}

/// Where direct typical values moved, predictions of all draws; and their slopes.
void ConditionalDraws::solve_extra(std::span<const double> at, const PopulationPoint& point) {
    if (direct_.empty()) return;
    solve(point.theta, predictions_);
    std::vector<double> other(n_values_);
    std::vector<double> theta = point.theta;
    for (std::size_t i = 0; i < direct_.size(); ++i) {
        const FitScale::Coordinate& c = engine_.scale.coordinates[direct_[i]];
        const double base = engine_.predictor.has_steps() ? 1e-3 : 1e-4;
        const double h = c.transform == FitScale::Transform::none
                             ? base * std::max(std::abs(at[direct_[i]]), 1e-2)
                             : base;
        theta[c.parameter] = from_scale(c.transform, at[direct_[i]] + h);
        solve(theta, slopes_[i]);
        theta[c.parameter] = from_scale(c.transform, at[direct_[i]] - h);
        solve(theta, other);
        theta[c.parameter] = point.theta[c.parameter];
        take_logarithms(slopes_[i]);
        take_logarithms(other);
        for (std::size_t j = 0; j < n_values_; ++j)
            slopes_[i][j] = (slopes_[i][j] - other[j]) / (2.0 * h);
    }
}

double ConditionalDraws::weigh(std::span<const double> at,
                               const PopulationPoint& point,
                               bool with_gradient,
                               Eigen::VectorXd& gradient) {
    const FitData& data = engine_.data;
    const EffectPrior prior(data, point);
    if (!prior.is_proper()) return -minus_infinity;
    if (with_gradient) gradients_.setZero(ix(engine_.scale.size()), ix(data.n_subjects()));
    const LossSum loss_of(data, point.errors);
    std::vector<double> log_sds, precisions; // of errors of one number
    for (const ErrorLaw& law : point.errors) {
        const double sd = number_of(law);
        log_sds.push_back(std::log(sd));
        precisions.push_back(1.0 / (sd * sd));
    }
    sim::parallel_for(data.n_subjects(), engine_.execution.n_threads, [&](std::size_t s, int) {
        const FitSubject& of = data.subjects[s];
        double largest = minus_infinity;
        for (std::size_t t = s * n_draws_; t < (s + 1) * n_draws_; ++t) {
            const double sum =
                0.5 * prior.square(s, effects_.data() + t * n_effects_) +
                (has_statistics_ ? loss_by_statistics(t, log_sds, precisions)
                                 : loss_of(of, predictions_.data() + task_first_[t]));
            log_terms_[t] = std::isfinite(sum) ? -sum - log_q_[t] : minus_infinity;
            largest = std::max(largest, log_terms_[t]);
        }
        double total = 0.0;
        for (std::size_t t = s * n_draws_; t < (s + 1) * n_draws_; ++t)
            total += weights_[t] =
                largest == minus_infinity ? 0.0 : std::exp(log_terms_[t] - largest);
        for (std::size_t t = s * n_draws_; t < (s + 1) * n_draws_; ++t)
            weights_[t] = total > 0.0 ? weights_[t] / total : 0.0;
        by_subject_[s] = largest + std::log(total / static_cast<double>(n_draws_)) -
                         0.5 * prior.log_determinant(s) - of.sum_log_values;
        if (with_gradient && total > 0.0) add_gradient(s, at, point, prior);
    });
    const double sum = -2.0 * sim::ordered_sum(by_subject_);
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
void ConditionalDraws::add_gradient(std::size_t subject,
                                    std::span<const double> at,
                                    const PopulationPoint& point,
                                    const EffectPrior& prior) {
    const FitData& data = engine_.data;
    const FitSubject& of = data.subjects[subject];
    const auto b = ix(of.n_effects), q = ix(data.n_eta()), r = ix(data.n_kappa());
    Eigen::VectorXd mean = Eigen::VectorXd::Zero(b);
    Eigen::MatrixXd square = Eigen::MatrixXd::Zero(b, b);
    std::vector<double> by_error(data.outputs.size() * n_error_numbers, 0.0);
    std::vector<double> by_direct(direct_.size(), 0.0);
    for (std::size_t t = subject * n_draws_; t < (subject + 1) * n_draws_; ++t) {
        const double weight = weights_[t];
        if (!(weight > 1e-14)) continue;
        const double* effects = effects_.data() + t * n_effects_;
        for (Eigen::Index i = 0; i < b; ++i) {
            const double weighted = weight * effects[i];
            mean(i) += weighted;
            for (Eigen::Index l = 0; l <= i; ++l)
                square(i, l) += weighted * effects[l];
        }
        add_error_slopes(t, point, weight, by_error, by_direct);
    }
    square.triangularView<Eigen::StrictlyUpper>() =
        square.transpose().triangularView<Eigen::StrictlyUpper>();
    auto gradient = gradients_.col(ix(subject));
    const Eigen::VectorXd pull = prior.omega_inverse() * mean.head(q);
    Eigen::MatrixXd slope;
    engine_.mu.slope(at, point, subject, slope);
    for (std::size_t k = 0; k < engine_.mu.mu().size(); ++k)
        if (is_direct_[engine_.mu.mu()[k]] == 0)
            gradient(ix(engine_.mu.mu()[k])) = -2.0 * slope.col(ix(k)).dot(pull);
    for (std::size_t i = 0; i < direct_.size(); ++i)
        gradient(ix(direct_[i])) = 2.0 * by_direct[i];
    for (std::size_t k = 0; k < engine_.scale.size(); ++k) {
        const FitScale::Coordinate& c = engine_.scale.coordinates[k];
        if (c.kind == FitScale::Kind::error) {
            const double factor = c.transform == FitScale::Transform::logarithm
                                      ? from_scale(c.transform, at[k])
                                      : 1.0;
            gradient(ix(k)) =
                2.0 * factor *
                by_error[c.output * n_error_numbers + static_cast<std::size_t>(c.error)];
        } else if (c.kind == FitScale::Kind::root) {
            const bool is_subject = engine_.scale.groups[c.group].level == pkpd::Level::subject;
            const Eigen::MatrixXd& precision =
                is_subject ? prior.omega_inverse() : prior.pi_inverse();
            const Eigen::MatrixXd change = precision * engine_.scale.change_of_covariance(k, point);
            const Eigen::MatrixXd of_square = change * precision;
            double sum = 0.0;
            for (std::size_t o = 0; o < (is_subject ? 1 : of.n_occasions); ++o) {
                const Eigen::Index first = is_subject ? 0 : q + ix(o) * r;
                const Eigen::Index width = is_subject ? q : r;
                sum +=
                    change.trace() - (of_square * square.block(first, first, width, width)).trace();
            }
            gradient(ix(k)) = sum;
        }
    }
}

double ConditionalDraws::weigh_at(std::span<const double> at) {
    Eigen::VectorXd unused;
    return weigh(at, engine_.scale.point(at), false, unused);
}

double ConditionalDraws::value(std::span<const double> at) {
    const PopulationPoint point = engine_.scale.point(at);
    shift_effects(point);
    if (!direct_.empty()) solve(point.theta, predictions_);
    Eigen::VectorXd unused;
    return weigh(at, point, false, unused);
}

double ConditionalDraws::value(std::span<const double> at, Eigen::VectorXd& gradient) {
    const PopulationPoint point = engine_.scale.point(at);
    shift_effects(point);
    solve_extra(at, point);
    return weigh(at, point, true, gradient);
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

void ConditionalDraws::moments(std::size_t subject,
                               Eigen::VectorXd& mean,
                               Eigen::MatrixXd& covariance) const {
    const auto b = ix(engine_.data.subjects[subject].n_effects);
    mean = Eigen::VectorXd::Zero(b);
    covariance = Eigen::MatrixXd::Zero(b, b);
    for (std::size_t t = subject * n_draws_; t < (subject + 1) * n_draws_; ++t) {
        const Eigen::Map<const Eigen::VectorXd> effects(effects_.data() + t * n_effects_, b);
        mean += weights_[t] * effects;
    }
    for (std::size_t t = subject * n_draws_; t < (subject + 1) * n_draws_; ++t) {
        const Eigen::Map<const Eigen::VectorXd> effects(effects_.data() + t * n_effects_, b);
        covariance.noalias() += weights_[t] * (effects - mean) * (effects - mean).transpose();
    }
}

std::vector<ConditionalProposal> ConditionalDraws::adapted() const {
    std::vector<ConditionalProposal> proposals;
    for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s) {
        ConditionalProposal& proposal = proposals.emplace_back();
        Eigen::MatrixXd covariance;
        moments(s, proposal.centre, covariance);
        // A floor for directions that few draws have seen.
        covariance.diagonal() *= 1.02;
        covariance.diagonal().array() += 1e-10;
        proposal.root = covariance.llt().matrixL();
    }
    return proposals;
}

double ConditionalDraws::least_effective_share() const {
    double least = 1.0;
    for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s) {
        double square = 0.0;
        for (std::size_t t = s * n_draws_; t < (s + 1) * n_draws_; ++t)
            square += weights_[t] * weights_[t];
        least = std::min(least, 1.0 / (square * static_cast<double>(n_draws_)));
    }
    return least;
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
    const FitData& data = engine_.data;
    Likelihood result;
    result.method = "importance sampling";
    const double n_values = static_cast<double>(data.n_measured - data.n_censored);
    double variance = 0.0, sum = 0.0;
    for (std::size_t s = 0; s < data.n_subjects(); ++s) {
        const auto first = weights_.begin() + static_cast<std::ptrdiff_t>(s * n_draws_);
        const std::vector<double> weights(first, first + static_cast<std::ptrdiff_t>(n_draws_));
        double square = 0.0;
        for (const double w : weights)
            square += w * w;
        result.effective_draws.push_back(1.0 / square);
        result.k_hat.push_back(pareto_shape(weights));
        variance += 4.0 * variance_of_mean(weights); // of −2·log of a mean, by the delta method
        std::size_t n_of = 0;
        for (const Measurement& measured : data.subjects[s].measured)
            n_of += measured.censoring == 0 ? 1 : 0;
        result.by_subject.push_back(-2.0 * by_subject_[s] +
                                    static_cast<double>(n_of) * std::log(2.0 * std::numbers::pi));
        sum += -2.0 * by_subject_[s];
    }
    result.minus_two_ll = sum + n_values * std::log(2.0 * std::numbers::pi);
    result.standard_error = std::sqrt(variance);
    return result;
}

double pareto_shape(std::vector<double> weights) {
    const double n_all = static_cast<double>(weights.size());
    const auto n_tail =
        static_cast<std::size_t>(std::ceil(std::min(0.2 * n_all, 3.0 * std::sqrt(n_all))));
    if (n_tail < 5) return std::numeric_limits<double>::quiet_NaN();
    std::ranges::sort(weights);
    const double cut = weights[weights.size() - n_tail - 1];
    std::vector<double> tail;
    for (std::size_t i = weights.size() - n_tail; i < weights.size(); ++i)
        tail.push_back(weights[i] - cut);
    if (!(tail.back() > 0.0)) return minus_infinity; // all alike
    const double n = static_cast<double>(n_tail);
    const auto n_grid = static_cast<int>(30.0 + std::floor(std::sqrt(n)));
    const double quartile = tail[static_cast<std::size_t>(std::floor(n / 4.0 + 0.5)) - 1];
    std::vector<double> theta, log_likelihood;
    const auto shape_at = [&](double t) {
        double sum = 0.0;
        for (const double x : tail)
            sum += std::log1p(-t * x);
        return sum / n;
    };
    for (int j = 1; j <= n_grid; ++j) {
        const double t = 1.0 / tail.back() +
                         (1.0 - std::sqrt(n_grid / (j - 0.5))) / (3.0 * std::max(quartile, 1e-300));
        const double k = shape_at(t);
        theta.push_back(t);
        log_likelihood.push_back(n * (std::log(-t / k) - k - 1.0));
    }
    double total = 0.0, mean = 0.0;
    for (std::size_t j = 0; j < theta.size(); ++j) {
        double inverse = 0.0;
        for (const double other : log_likelihood)
            inverse += std::exp(other - log_likelihood[j]);
        if (!std::isfinite(inverse)) continue;
        total += 1.0 / inverse;
        mean += theta[j] / inverse;
    }
    const double shape = shape_at(mean / total);
    constexpr double prior_count = 10.0; // weakly informative, about ½
    return (n * shape + prior_count * 0.5) / (n + prior_count);
}

} // namespace gemel::learners
