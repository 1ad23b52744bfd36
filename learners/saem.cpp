#include "saem.hpp"

#include "chains.hpp"
#include "small_systems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::learners {
namespace {

constexpr int most_chains = 255;  ///< whose random numbers have places of their own
constexpr int lanes_together = 4; ///< that chains of a subject fill
constexpr int least_exploration = 60;
constexpr int annealed_iterations = 60;    ///< in which variances fall slowly
constexpr double slowest_fall = 0.95;      ///< of a variance, per annealed iteration
constexpr int drift_window = 50;           ///< iterations over which parameters must not wander
constexpr double longest_error_fall = 0.2; ///< of a log sd: a path to a variance of 0 is left early
constexpr double held_share = 0.7; ///< of a variance that data leave open: μ is then found directly
constexpr std::size_t chains_of_direct = 4; ///< whose predictions are differentiated

Eigen::Index at_(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

std::size_t n_chains_for(const FitData& data) {
    const int asked = data.setup().options.n_chains;
    if (asked > 0) return static_cast<std::size_t>(std::min(asked, most_chains));
    const double fours = 100.0 / (lanes_together * static_cast<double>(data.n_subjects()));
    return lanes_together * static_cast<std::size_t>(std::clamp(std::round(fours), 1.0, 5.0));
}

/// One run, iteration by iteration.
class Saem {
public:
    Saem(FitEngine& engine, std::vector<double> start, std::uint64_t seed)
        : engine_(engine),
          data_(engine.data),
          at_place_(std::move(start)),
          point_(engine.scale.point(at_place_)),
          chains_(engine, n_chains_for(engine.data), seed),
          modes_(engine.data, engine.derivatives),
          is_direct_(engine.scale.size(), 0),
          mean_(data_.n_subjects() * data_.n_eta(), 0.0),
          square_(Eigen::MatrixXd::Zero(at_(data_.n_eta()), at_(data_.n_eta()))),
          kappa_square_(Eigen::MatrixXd::Zero(at_(data_.n_kappa()), at_(data_.n_kappa()))),
          error_square_(data_.outputs.size(), 0.0),
          moments_(data_.n_subjects()) {
        for (const std::size_t k : engine.mu.extra())
            is_direct_[k] = 1;
        for (const FitSubject& subject : data_.subjects)
            n_occasions_ += data_.n_kappa() > 0 ? subject.n_occasions : 0;
        for (const ErrorLaw& law : point_.errors)
            can_close_.push_back(data_.n_censored == 0 &&
                                 (law.law == pkpd::ResidualError::Law::additive ||
                                  law.law == pkpd::ResidualError::Law::proportional ||
                                  law.is_logarithmic()));
    }

    SaemResult run(FitMonitor* monitor);

private:
    void iterate(int iteration, double gain, bool is_exploring);
    void update_proposals();
    void sample(int iteration);
    void find_statistics(double gain);
    void find_centres();
    void find_covariances(bool is_annealed);
    void find_errors(double gain, bool is_annealed);
    void find_error_by_scoring(std::size_t output, double gain, bool is_annealed);
    void find_direct(double gain);
    void move_statistics(const std::vector<double>& theta_before);
    void choose_direct();
    void keep_mu_plus_eta(const std::vector<double>& theta_before);
    bool wanders() const;
    bool is_settled() const;
    void add_moments();

    FitEngine& engine_;
    const FitData& data_;
    std::vector<double> at_place_;
    PopulationPoint point_;
    Chains chains_;
    Modes modes_;
    std::vector<ConditionalProposal> proposals_;
    std::vector<char> is_direct_;
    // Sufficient statistics: E μ+η of each subject, Σ E (μ+η)(μ+η)', Σ E κκ', mean squared errors.
    std::vector<double> mean_;
    Eigen::MatrixXd square_, kappa_square_;
    std::vector<double> error_square_;
    std::vector<char> can_close_; ///< [outputs] the M-step of the error is closed
    std::size_t n_occasions_ = 0;
    Eigen::MatrixXd direct_information_;
    std::vector<std::vector<double>> trace_;
    std::vector<ConditionalMoments> moments_;
    double n_moments_ = 0.0;
};

/// Modes from where they were, and what is normal about them.
void Saem::update_proposals() {
    std::vector<double> starts;
    if (!proposals_.empty()) {
        starts.assign(data_.n_subjects() * data_.max_effects, 0.0);
        for (std::size_t s = 0; s < data_.n_subjects(); ++s)
            std::copy_n(proposals_[s].centre.data(),
                        proposals_[s].centre.size(),
                        starts.data() + s * data_.max_effects);
    }
    modes_.find(at_place_, point_, Interaction::full, starts, false, Effort::rough);
    proposals_ = proposals_at(data_, modes_, point_);
}

void Saem::sample(int iteration) {
    const EffectPrior prior(data_, point_);
    chains_.propose_from_population(point_, prior);
    chains_.propose_independent(point_, prior, proposals_);
    chains_.walk(point_, prior, proposals_);
    const std::size_t n = data_.max_effects;
    if (n > 0) chains_.walk_in(static_cast<std::size_t>(iteration) % n, point_, prior);
}

void Saem::find_statistics(double gain) {
    const std::size_t n_eta = data_.n_eta(), n_chains = chains_.n_chains();
    const double share = 1.0 / static_cast<double>(n_chains);
    Eigen::MatrixXd square = Eigen::MatrixXd::Zero(square_.rows(), square_.cols());
    Eigen::MatrixXd kappa = Eigen::MatrixXd::Zero(kappa_square_.rows(), kappa_square_.cols());
    std::vector<double> mu(n_eta), mean(n_eta), phi(n_eta);
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        engine_.mu.centre(point_.theta, s, mu.data());
        std::ranges::fill(mean, 0.0);
        for (std::size_t c = 0; c < n_chains; ++c) {
            const double* effects = chains_.effects(s * n_chains + c);
            for (std::size_t e = 0; e < n_eta; ++e) {
                phi[e] = mu[e] + effects[e];
                mean[e] += share * phi[e];
            }
            add_square(share, phi.data(), square);
            for (std::size_t o = 0; o < data_.subjects[s].n_occasions && data_.n_kappa() > 0; ++o)
                add_square(share, effects + n_eta + o * data_.n_kappa(), kappa);
        }
        for (std::size_t e = 0; e < n_eta; ++e)
            mean_[s * n_eta + e] += gain * (mean[e] - mean_[s * n_eta + e]);
    }
    fill_upper(square);
    fill_upper(kappa);
    square_ += gain * (square - square_);
    kappa_square_ += gain * (kappa - kappa_square_);
}

/// μ by generalised least squares of E(μ + η), one Newton step where it is not linear.
void Saem::find_centres() {
    // Those that are found directly have moved already.
    std::vector<std::size_t> mu;
    std::vector<Eigen::Index> columns;
    for (std::size_t k = 0; k < engine_.mu.mu().size(); ++k)
        if (is_direct_[engine_.mu.mu()[k]] == 0) {
            mu.push_back(engine_.mu.mu()[k]);
            columns.push_back(at_(k));
        }
    if (mu.empty()) return;
    const EffectPrior prior(data_, point_);
    const auto n = at_(mu.size()), n_eta = at_(data_.n_eta());
    Eigen::MatrixXd information = Eigen::MatrixXd::Zero(n, n), slope;
    Eigen::VectorXd pull = Eigen::VectorXd::Zero(n), rest(n_eta);
    std::vector<double> centre(data_.n_eta());
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        engine_.mu.slope(at_place_, point_, s, slope);
        slope = slope(Eigen::all, columns).eval();
        engine_.mu.centre(point_.theta, s, centre.data());
        for (std::size_t e = 0; e < data_.n_eta(); ++e)
            rest(at_(e)) = mean_[s * data_.n_eta() + e] - centre[e];
        const Eigen::MatrixXd weighted = slope.transpose() * prior.omega_inverse();
        information.noalias() += weighted * slope;
        pull.noalias() += weighted * rest;
    }
    const Eigen::VectorXd step = information.ldlt().solve(pull);
    for (std::size_t k = 0; k < mu.size(); ++k) {
        if (!std::isfinite(step(at_(k)))) continue;
        const FitScale::Coordinate& c = engine_.scale.coordinates[mu[k]];
        at_place_[mu[k]] =
            std::clamp(at_place_[mu[k]] + std::clamp(step(at_(k)), -2.0, 2.0), c.lower, c.upper);
        point_.theta[c.parameter] = from_scale(c.transform, at_place_[mu[k]]);
    }
}

/// Ω = Σ E(φ − μ)(φ − μ)'/N, within groups; while annealed, variances fall by 5 % at most.
void Saem::find_covariances(bool is_annealed) {
    const std::size_t n_eta = data_.n_eta();
    Eigen::MatrixXd omega = square_;
    std::vector<double> centre(n_eta);
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        engine_.mu.centre(point_.theta, s, centre.data());
        const Eigen::Map<const Eigen::VectorXd> mu(centre.data(), at_(n_eta)),
            mean(mean_.data() + s * n_eta, at_(n_eta));
        omega += mu * mu.transpose() - mean * mu.transpose() - mu * mean.transpose();
    }
    omega /= static_cast<double>(data_.n_subjects());
    Eigen::MatrixXd pi = kappa_square_;
    if (n_occasions_ > 0) pi /= static_cast<double>(n_occasions_);
    for (const FitScale::Group& group : engine_.scale.groups) {
        if (group.is_fixed) continue;
        const bool is_subject = group.level == pkpd::Level::subject;
        Eigen::MatrixXd& to = is_subject ? point_.omega : point_.pi;
        const Eigen::MatrixXd& from = is_subject ? omega : pi;
        for (const std::size_t i : group.of)
            for (const std::size_t j : group.of) {
                double value = from(at_(i), at_(j));
                if (i == j) {
                    value = std::max(value, 1e-8);
                    if (is_annealed) value = std::max(value, slowest_fall * to(at_(i), at_(i)));
                }
                to(at_(i), at_(j)) = value;
            }
    }
}

/// Fisher scoring of log sds on the chains' own predictions, averaged over iterations.
void Saem::find_error_by_scoring(std::size_t output, double gain, bool is_annealed) {
    std::vector<std::size_t> numbers;
    for (std::size_t k = 0; k < engine_.scale.size(); ++k)
        if (engine_.scale.coordinates[k].kind == FitScale::Kind::error &&
            engine_.scale.coordinates[k].output == output)
            numbers.push_back(k);
    if (numbers.empty()) return;
    const auto n = at_(numbers.size());
    std::vector<double> place;
    for (const std::size_t k : numbers)
        place.push_back(at_place_[k]);
    ErrorLaw law = point_.errors[output];
    const auto put = [&](ErrorLaw& to) {
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const FitScale::Coordinate& c = engine_.scale.coordinates[numbers[i]];
            (c.error == ErrorNumber::additive       ? to.additive
             : c.error == ErrorNumber::proportional ? to.proportional
                                                    : to.exponent) =
                from_scale(c.transform, place[i]);
        }
    };
    for (int round = 0; round < 2; ++round) {
        put(law);
        Eigen::VectorXd pull = Eigen::VectorXd::Zero(n), by(n), sd_by(n);
        Eigen::MatrixXd information = Eigen::MatrixXd::Zero(n, n);
        for (std::size_t t = 0; t < chains_.n_tasks(); ++t) {
            const std::vector<Measurement>& measured =
                data_.subjects[chains_.subjects()[t]].measured;
            for (std::size_t j = 0; j < measured.size(); ++j) {
                if (measured[j].place != output) continue;
                double f = chains_.predictions()[chains_.first()[t] + j];
                if (law.is_logarithmic()) f = std::log(f);
                const LossTerm term = loss_term(law, measured[j], f);
                if (!std::isfinite(term.loss)) continue;
                const ErrorSd sd = error_sd(law, f);
                for (Eigen::Index i = 0; i < n; ++i) {
                    const FitScale::Coordinate& c =
                        engine_.scale.coordinates[numbers[static_cast<std::size_t>(i)]];
                    const double factor =
                        c.transform == FitScale::Transform::logarithm
                            ? from_scale(c.transform, place[static_cast<std::size_t>(i)])
                            : 1.0;
                    by(i) = factor * term.by[static_cast<int>(c.error)];
                    sd_by(i) = factor * sd.by[static_cast<int>(c.error)] / sd.s;
                }
                pull -= by;
                if (measured[j].censoring == 0)
                    information.noalias() += 2.0 * sd_by * sd_by.transpose();
                else
                    information.noalias() += by * by.transpose();
            }
        }
        information.diagonal() *= 1.001;
        information.diagonal().array() += 1e-10;
        const Eigen::VectorXd step = information.llt().solve(pull);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const FitScale::Coordinate& c = engine_.scale.coordinates[numbers[i]];
            if (std::isfinite(step(at_(i))))
                place[i] =
                    std::clamp(place[i] + std::clamp(step(at_(i)), -1.0, 1.0), c.lower, c.upper);
        }
    }
    for (std::size_t i = 0; i < numbers.size(); ++i)
        place[i] = at_place_[numbers[i]] +
                   std::max(gain * (place[i] - at_place_[numbers[i]]),
                            is_annealed ? 0.5 * std::log(slowest_fall) : -longest_error_fall);
    put(point_.errors[output]);
    for (std::size_t i = 0; i < numbers.size(); ++i)
        at_place_[numbers[i]] = place[i];
}

void Saem::find_errors(double gain, bool is_annealed) {
    for (std::size_t output = 0; output < data_.outputs.size(); ++output) {
        if (can_close_[output] == 0) {
            find_error_by_scoring(output, gain, is_annealed);
            continue;
        }
        ErrorLaw& law = point_.errors[output];
        const bool is_relative = law.law == pkpd::ResidualError::Law::proportional;
        double sum = 0.0, n = 0.0;
        for (std::size_t t = 0; t < chains_.n_tasks(); ++t) {
            const double* f = chains_.predictions().data() + chains_.first()[t];
            for (const Measurement& measured : data_.subjects[chains_.subjects()[t]].measured) {
                const double value = law.is_logarithmic() ? std::log(*f) : *f;
                ++f;
                if (measured.place != output) continue;
                const double e = (measured.value - value) / (is_relative ? value : 1.0);
                if (!std::isfinite(e)) continue;
                sum += e * e;
                n += 1.0;
            }
        }
        error_square_[output] += gain * (sum / n - error_square_[output]);
        double sd = std::sqrt(error_square_[output]);
        double& number = is_relative ? law.proportional : law.additive;
        for (std::size_t k = 0; k < engine_.scale.size(); ++k) {
            const FitScale::Coordinate& c = engine_.scale.coordinates[k];
            if (c.kind != FitScale::Kind::error || c.output != output) continue;
            if (is_annealed) sd = std::max(sd, std::sqrt(slowest_fall) * number);
            number = std::max(sd, std::exp(c.lower));
            at_place_[k] = std::log(number);
        }
    }
}

/// Typical values at whose change η stays: Newton's step on the complete data, with an information
/// that is averaged over iterations (Gu & Kong 1998, Proc Natl Acad Sci 95:7270–7274).
void Saem::find_direct(double gain) {
    std::vector<std::size_t> direct;
    for (std::size_t k = 0; k < is_direct_.size(); ++k)
        if (is_direct_[k] != 0) direct.push_back(k);
    if (direct.empty()) return;
    const std::size_t n_chains = std::min(chains_.n_chains(), chains_of_direct),
                      stride = data_.max_effects, n_parameters = data_.n_parameters();
    std::vector<std::size_t> subjects, first;
    std::vector<double> effects, theta;
    std::size_t n_values = 0;
    const double step = engine_.predictor.has_steps() ? 1e-3 : 1e-4;
    const auto step_of = [&](std::size_t k) {
        return engine_.scale.coordinates[k].transform == FitScale::Transform::none
                   ? step * std::max(std::abs(at_place_[k]), 1e-2)
                   : step;
    };
    for (std::size_t s = 0; s < data_.n_subjects(); ++s)
        for (std::size_t c = 0; c < n_chains; ++c)
            for (const std::size_t k : direct)
                for (const double sign : {1.0, -1.0}) {
                    subjects.push_back(s);
                    first.push_back(n_values);
                    n_values += data_.subjects[s].measured.size();
                    const double* of = chains_.effects(s * chains_.n_chains() + c);
                    effects.insert(effects.end(), of, of + stride);
                    theta.insert(theta.end(), point_.theta.begin(), point_.theta.end());
                    const FitScale::Coordinate& coordinate = engine_.scale.coordinates[k];
                    theta[theta.size() - n_parameters + coordinate.parameter] =
                        from_scale(coordinate.transform, at_place_[k] + sign * step_of(k));
                }
    std::vector<double> values(n_values);
    engine_.predictor.predict({subjects, theta, effects, stride, first}, values);
    const auto n = at_(direct.size());
    Eigen::MatrixXd information = Eigen::MatrixXd::Zero(n, n);
    Eigen::VectorXd pull = Eigen::VectorXd::Zero(n), slope(n);
    std::size_t task = 0;
    for (std::size_t s = 0; s < data_.n_subjects(); ++s)
        for (std::size_t c = 0; c < n_chains; ++c, task += 2 * direct.size()) {
            const std::vector<Measurement>& measured = data_.subjects[s].measured;
            const double* f =
                chains_.predictions().data() + chains_.first()[s * chains_.n_chains() + c];
            for (std::size_t j = 0; j < measured.size(); ++j) {
                const ErrorLaw& law = point_.errors[measured[j].place];
                for (std::size_t i = 0; i < direct.size(); ++i) {
                    double up = values[first[task + 2 * i] + j],
                           down = values[first[task + 2 * i + 1] + j];
                    if (law.is_logarithmic()) {
                        up = std::log(up);
                        down = std::log(down);
                    }
                    slope(at_(i)) = (up - down) / (2.0 * step_of(direct[i]));
                }
                const LossTerm term =
                    loss_term(law, measured[j], law.is_logarithmic() ? std::log(f[j]) : f[j]);
                if (!std::isfinite(term.loss) || !slope.allFinite()) continue;
                pull -= term.f * slope;
                information.noalias() += std::max(term.info, 0.0) * slope * slope.transpose();
            }
        }
    if (direct_information_.rows() != n) direct_information_ = information;
    direct_information_ += gain * (information - direct_information_);
    Eigen::MatrixXd damped = direct_information_;
    damped.diagonal() *= 1.001;
    damped.diagonal().array() += 1e-8;
    const Eigen::VectorXd move = gain * damped.ldlt().solve(pull);
    for (std::size_t i = 0; i < direct.size(); ++i) {
        if (!std::isfinite(move(at_(i)))) continue;
        const FitScale::Coordinate& c = engine_.scale.coordinates[direct[i]];
        const double longest = c.transform == FitScale::Transform::none
                                   ? 0.5 * std::max(std::abs(at_place_[direct[i]]), 0.1)
                                   : 0.5;
        at_place_[direct[i]] = std::clamp(
            at_place_[direct[i]] + std::clamp(move(at_(i)), -longest, longest), c.lower, c.upper);
        point_.theta[c.parameter] = from_scale(c.transform, at_place_[direct[i]]);
    }
}

/// Also of mu-referenced parameters whose effects the data hardly tell from 0: EM alone would take
/// steps as small as their variance.
void Saem::choose_direct() {
    const std::size_t n_eta = data_.n_eta();
    std::vector<double> told(n_eta, 0.0), centre(n_eta);
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        engine_.mu.centre(point_.theta, s, centre.data());
        for (std::size_t e = 0; e < n_eta; ++e) {
            const double mean = mean_[s * n_eta + e] - centre[e];
            told[e] += mean * mean / static_cast<double>(data_.n_subjects());
        }
    }
    std::vector<char> before = is_direct_;
    for (std::size_t k = 0; k < engine_.mu.mu().size(); ++k) {
        const std::size_t coordinate = engine_.mu.mu()[k];
        const std::size_t parameter = engine_.scale.coordinates[coordinate].parameter;
        const auto found = std::ranges::find(data_.eta_parameters, parameter);
        if (found == data_.eta_parameters.end()) continue;
        const auto e = static_cast<std::size_t>(found - data_.eta_parameters.begin());
        const double open = 1.0 - told[e] / point_.omega(at_(e), at_(e));
        is_direct_[coordinate] = open > held_share ? 1 : 0;
    }
    if (before != is_direct_) direct_information_.resize(0, 0);
}

/// Where μ moved and η stayed, E(μ + η) and its square moved along.
void Saem::move_statistics(const std::vector<double>& theta_before) {
    if (theta_before == point_.theta) return;
    const std::size_t n_eta = data_.n_eta();
    std::vector<double> before(n_eta), after(n_eta);
    Eigen::VectorXd shift(at_(n_eta));
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        engine_.mu.centre(theta_before, s, before.data());
        engine_.mu.centre(point_.theta, s, after.data());
        Eigen::Map<Eigen::VectorXd> mean(mean_.data() + s * n_eta, at_(n_eta));
        for (std::size_t e = 0; e < n_eta; ++e)
            shift(at_(e)) = after[e] - before[e];
        square_ += mean * shift.transpose() + shift * mean.transpose() + shift * shift.transpose();
        mean += shift;
    }
}

/// φ = μ + η stays where μ moved.
void Saem::keep_mu_plus_eta(const std::vector<double>& theta_before) {
    std::vector<double> before(data_.n_eta()), after(data_.n_eta());
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        engine_.mu.centre(theta_before, s, before.data());
        engine_.mu.centre(point_.theta, s, after.data());
        for (std::size_t c = 0; c < chains_.n_chains(); ++c)
            for (std::size_t e = 0; e < data_.n_eta(); ++e)
                chains_.effects(s * chains_.n_chains() + c)[e] += before[e] - after[e];
    }
}

void Saem::iterate(int iteration, double gain, bool is_exploring) {
    const bool is_annealed = is_exploring && iteration < annealed_iterations;
    const bool is_due =
        iteration < 6 || (iteration < 60 ? iteration % 10 == 0 : iteration % 40 == 0);
    if (is_due) update_proposals();
    sample(iteration);
    find_statistics(gain);
    find_errors(gain, is_annealed);
    if (iteration >= 20 && iteration % 10 == 0) choose_direct();
    const std::vector<double> undirected = point_.theta;
    find_direct(gain);
    move_statistics(undirected);
    const bool was_moved = std::ranges::count(is_direct_, 1) > 0;
    const std::vector<double> before = point_.theta;
    find_centres();
    find_covariances(is_annealed);
    keep_mu_plus_eta(before);
    at_place_ = engine_.scale.place(point_);
    point_ = engine_.scale.point(at_place_);
    if (was_moved)
        chains_.refresh(point_);
    else
        chains_.reweigh(point_);
    trace_.push_back(at_place_);
}

/// Whether a parameter still drifts: the halves of the last iterations differ by more than their
/// scatter explains.
bool Saem::wanders() const {
    if (trace_.size() < drift_window) return true;
    const std::size_t first = trace_.size() - drift_window, half = drift_window / 2;
    for (std::size_t k = 0; k < at_place_.size(); ++k) {
        double mean[2] = {}, square = 0.0;
        for (std::size_t i = 0; i < drift_window; ++i)
            mean[i / half] += trace_[first + i][k] / static_cast<double>(half);
        for (std::size_t i = 0; i < drift_window; ++i)
            square += std::pow(trace_[first + i][k] - mean[i / half], 2);
        const double sd = std::sqrt(square / drift_window);
        if (std::abs(mean[1] - mean[0]) > 1.0 * sd + 1e-4) return true;
    }
    return false;
}

/// Whether the second half of smoothing moved no coordinate by more than a tenth.
bool Saem::is_settled() const {
    const auto n = static_cast<std::size_t>(std::max(2, data_.setup().options.n_smoothing));
    if (trace_.size() < n) return false;
    const std::vector<double>& middle = trace_[trace_.size() - n / 2 - 1];
    for (std::size_t k = 0; k < at_place_.size(); ++k) {
        const FitScale::Transform transform = engine_.scale.coordinates[k].transform;
        // Near 0 and 1 a logit may wander far without moving its fraction.
        const bool is_fraction = transform == FitScale::Transform::logit;
        const double moved =
            is_fraction
                ? 10.0 * (from_scale(transform, at_place_[k]) - from_scale(transform, middle[k]))
                : at_place_[k] - middle[k];
        const double size = is_fraction ? 1.0 : std::max(1.0, std::abs(middle[k]));
        if (!(std::abs(moved) <= 0.1 * size)) return false;
    }
    return true;
}

/// Of the chains of the last iterations.
void Saem::add_moments() {
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        const auto n = at_(data_.subjects[s].n_effects);
        ConditionalMoments& of = moments_[s];
        if (of.mean.size() != n) of = {Eigen::VectorXd::Zero(n), Eigen::MatrixXd::Zero(n, n)};
        for (std::size_t c = 0; c < chains_.n_chains(); ++c) {
            const double* effects = chains_.effects(s * chains_.n_chains() + c);
            of.mean += Eigen::Map<const Eigen::VectorXd>(effects, n);
            add_square(1.0, effects, of.covariance);
        }
    }
    n_moments_ += static_cast<double>(chains_.n_chains());
}

SaemResult Saem::run(FitMonitor* monitor) {
    const FitOptions& options = data_.setup().options;
    chains_.refresh(point_);
    int iteration = 0;
    SaemResult result;
    const auto tell = [&](const char* phase, int done, int all) {
        if (monitor == nullptr) return true;
        const std::vector<double> values = engine_.scale.values(point_);
        monitor->advance({phase, done, all, std::numeric_limits<double>::quiet_NaN(), &values});
        return !monitor->is_cancelled();
    };
    result.reason = fmt::format("exploration took all of its {} iterations", options.n_exploration);
    for (; iteration < options.n_exploration; ++iteration) {
        iterate(iteration, 1.0, true);
        if (!tell("exploration", iteration + 1, options.n_exploration)) break;
        if (iteration + 1 >= least_exploration + drift_window && !wanders()) {
            result.reason = fmt::format(
                "exploration ended after {} iterations, as no parameter drifted any more",
                iteration + 1);
            ++iteration;
            break;
        }
    }
    for (int k = 1; k <= options.n_smoothing; ++k, ++iteration) {
        iterate(iteration, std::pow(static_cast<double>(k), -0.8), false);
        if (2 * k > options.n_smoothing) add_moments();
        if (!tell("smoothing", k, options.n_smoothing)) break;
    }
    for (ConditionalMoments& of : moments_) {
        if (n_moments_ == 0.0) break;
        of.mean /= n_moments_;
        fill_upper(of.covariance);
        of.covariance = of.covariance / n_moments_ - of.mean * of.mean.transpose();
    }
    result.at = at_place_;
    result.is_settled = is_settled();
    result.is_finite = std::ranges::all_of(at_place_, [](double x) { return std::isfinite(x); });
    result.trace = std::move(trace_);
    result.is_direct = is_direct_;
    result.moments = std::move(moments_);
    return result;
}

} // namespace

SaemResult
saem(FitEngine& engine, std::vector<double> start, std::uint64_t seed, FitMonitor* monitor) {
    return Saem(engine, std::move(start), seed).run(monitor);
}

} // namespace gemel::learners
