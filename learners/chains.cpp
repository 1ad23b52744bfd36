#include "chains.hpp"

#include "small_systems.hpp"

#include <gemel/sim/parallel.hpp>

#include <algorithm>
#include <cmath>

namespace gemel::learners {
namespace {

constexpr double chain_widths[] = {1.0, 1.7, 3.0}, chain_shares[] = {0.75, 0.17, 0.08};
constexpr double wanted_share = 0.3; ///< of steps that are taken

Eigen::Index at_row(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

std::vector<std::uint64_t> keys_of(const FitData& data, std::size_t n_chains) {
    std::vector<std::uint64_t> keys;
    for (const FitSubject& subject : data.subjects)
        keys.insert(keys.end(), n_chains, subject.key);
    return keys;
}

/// A chain's numbers begin at its own place.
std::vector<std::uint32_t> places_of(const FitData& data, std::size_t n_chains) {
    std::vector<std::uint32_t> places;
    for (std::size_t s = 0; s < data.n_subjects(); ++s)
        for (std::size_t c = 0; c < n_chains; ++c)
            places.push_back(static_cast<std::uint32_t>(c) << 24U);
    return places;
}

} // namespace

WidthMixture::WidthMixture(double n_effects) {
    for (int k = 0; k < 3; ++k)
        share_[k] = chain_shares[k] * std::pow(chain_widths[k], -n_effects);
}

double WidthMixture::log_density(double square) const {
    const double widest = 0.5 * square / (chain_widths[2] * chain_widths[2]);
    double sum = share_[2];
    for (int k = 0; k < 2; ++k)
        sum += share_[k] * std::exp(widest - 0.5 * square / (chain_widths[k] * chain_widths[k]));
    return std::log(sum) - widest;
}

double WidthMixture::width_at(double uniform) {
    return uniform < chain_shares[0]                     ? chain_widths[0]
           : uniform < chain_shares[0] + chain_shares[1] ? chain_widths[1]
                                                         : chain_widths[2];
}

Chains::Chains(FitEngine& engine, std::size_t n_chains, std::uint64_t seed)
    : engine_(engine),
      n_chains_(n_chains),
      stride_(engine.data.max_effects),
      random_(seed, 0, keys_of(engine.data, n_chains), places_of(engine.data, n_chains)),
      purpose_(sim::purpose_number("fit/chains")),
      accept_purpose_(sim::purpose_number("fit/accept")) {
    for (std::size_t n = 0; n <= stride_; ++n)
        mixtures_.emplace_back(static_cast<double>(n));
    std::size_t n_values = 0;
    for (std::size_t s = 0; s < engine.data.n_subjects(); ++s)
        for (std::size_t c = 0; c < n_chains; ++c) {
            subjects_.push_back(s);
            first_.push_back(n_values);
            n_values += engine.data.subjects[s].measured.size();
        }
    const std::size_t n = subjects_.size();
    effects_.assign(n * stride_, 0.0);
    trial_effects_ = effects_;
    predictions_.resize(n_values);
    trial_predictions_.resize(n_values);
    for (auto* column : {&losses_, &trial_losses_, &uniform_, &log_ratio_})
        column->assign(n, 0.0);
    normals_.assign(stride_, std::vector<double>(n));
    z_.resize(stride_);
    old_.resize(stride_);
    walk_scale_.assign(engine.data.n_subjects(), 0.6);
    effect_scale_.assign(engine.data.n_subjects() * stride_, 0.5);
    is_accepted_.assign(n, 0);
}

void Chains::refresh(const PopulationPoint& point) {
    engine_.predictor.predict({subjects_, point.theta, effects_, stride_, first_}, predictions_);
    reweigh(point);
}

void Chains::reweigh(const PopulationPoint& point) {
    const LossSum loss_of(engine_.data, point.errors);
    for (std::size_t t = 0; t < n_tasks(); ++t)
        losses_[t] = loss_of(engine_.data.subjects[subjects_[t]], predictions_.data() + first_[t]);
}

void Chains::evaluate(const PopulationPoint& point) {
    engine_.predictor.predict({subjects_, point.theta, trial_effects_, stride_, first_},
                              trial_predictions_);
    const LossSum loss_of(engine_.data, point.errors);
    for (std::size_t t = 0; t < n_tasks(); ++t)
        trial_losses_[t] =
            loss_of(engine_.data.subjects[subjects_[t]], trial_predictions_.data() + first_[t]);
}

void Chains::draw_normals(std::vector<double>& z) {
    random_.normals(purpose_, next_, z.data());
    ++next_;
}

void Chains::draw_all_normals() {
    for (std::vector<double>& column : normals_)
        draw_normals(column);
}

void Chains::take_normals(std::size_t task, std::size_t n) {
    for (std::size_t k = 0; k < n; ++k)
        z_[k] = normals_[k][task];
}

/// @param log_ratio  of proposal densities, old over new, beside those of the data and the prior;
///                   nullptr: the proposal is the prior
void Chains::accept(const EffectPrior& prior, const std::vector<double>* log_ratio) {
    random_.uniforms(accept_purpose_, next_++, uniform_.data());
    for (std::size_t t = 0; t < n_tasks(); ++t) {
        double log_share = losses_[t] - trial_losses_[t];
        if (log_ratio != nullptr)
            log_share += 0.5 * prior.square(subjects_[t], effects_.data() + t * stride_) -
                         0.5 * prior.square(subjects_[t], trial_effects_.data() + t * stride_) +
                         (*log_ratio)[t];
        is_accepted_[t] = log_share >= 0.0 || std::log(uniform_[t]) < log_share;
        if (is_accepted_[t] == 0) continue;
        std::copy_n(trial_effects_.data() + t * stride_, stride_, effects_.data() + t * stride_);
        std::copy_n(trial_predictions_.data() + first_[t],
                    engine_.data.subjects[subjects_[t]].measured.size(),
                    predictions_.data() + first_[t]);
        losses_[t] = trial_losses_[t];
    }
}

void Chains::propose_from_population(const PopulationPoint& point, const EffectPrior& prior) {
    const Eigen::MatrixXd omega = point.omega.llt().matrixL(), pi = point.pi.llt().matrixL();
    const auto q = engine_.data.n_eta(), r = engine_.data.n_kappa();
    draw_all_normals();
    for (std::size_t t = 0; t < n_tasks(); ++t) {
        double* effects = trial_effects_.data() + t * stride_;
        std::fill_n(effects, stride_, 0.0);
        take_normals(t, stride_);
        add_product(omega, z_.data(), effects);
        for (std::size_t first = q; r > 0 && first + r <= stride_; first += r)
            add_product(pi, z_.data() + first, effects + first);
    }
    evaluate(point);
    accept(prior, nullptr);
}

void Chains::propose_independent(const PopulationPoint& point,
                                 const EffectPrior& prior,
                                 const std::vector<ConditionalProposal>& proposals) {
    draw_all_normals();
    random_.uniforms(accept_purpose_, next_++, uniform_.data());
    for (std::size_t t = 0; t < n_tasks(); ++t) {
        const ConditionalProposal& proposal = proposals[subjects_[t]];
        const auto n = static_cast<std::size_t>(proposal.centre.size());
        const double* at = effects_.data() + t * stride_;
        double* to = trial_effects_.data() + t * stride_;
        for (std::size_t k = 0; k < n; ++k)
            old_[k] = at[k] - proposal.centre.data()[k];
        const double old_square = square_of_solution(proposal.root, old_.data());
        take_normals(t, n);
        const double width = WidthMixture::width_at(uniform_[t]);
        double square = 0.0;
        for (std::size_t k = 0; k < n; ++k) {
            z_[k] *= width;
            square += z_[k] * z_[k];
        }
        std::copy_n(proposal.centre.data(), n, to);
        add_product(proposal.root, z_.data(), to);
        log_ratio_[t] = mixtures_[n].log_density(old_square) - mixtures_[n].log_density(square);
    }
    evaluate(point);
    accept(prior, &log_ratio_);
}

/// To the share of the subject's last steps that were taken.
void Chains::adapt(std::size_t subject, double& scale) const {
    const auto first = is_accepted_.begin() + static_cast<std::ptrdiff_t>(subject * n_chains_);
    const auto taken = std::count(first, first + static_cast<std::ptrdiff_t>(n_chains_), 1);
    const double share = static_cast<double>(taken) / static_cast<double>(n_chains_);
    scale = std::clamp(scale * (1.0 + 0.4 * (share - wanted_share)), 1e-3, 20.0);
}

void Chains::walk(const PopulationPoint& point,
                  const EffectPrior& prior,
                  const std::vector<ConditionalProposal>& proposals) {
    draw_all_normals();
    for (std::size_t t = 0; t < n_tasks(); ++t) {
        const ConditionalProposal& proposal = proposals[subjects_[t]];
        const auto n = static_cast<std::size_t>(proposal.centre.size());
        take_normals(t, n);
        for (std::size_t k = 0; k < n; ++k)
            z_[k] *= walk_scale_[subjects_[t]];
        double* to = trial_effects_.data() + t * stride_;
        std::copy_n(effects_.data() + t * stride_, n, to);
        add_product(proposal.root, z_.data(), to);
    }
    evaluate(point);
    std::ranges::fill(log_ratio_, 0.0);
    accept(prior, &log_ratio_);
    for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s)
        adapt(s, walk_scale_[s]);
}

void Chains::walk_in(std::size_t effect, const PopulationPoint& point, const EffectPrior& prior) {
    draw_normals(normals_[effect]);
    const std::size_t n_eta = engine_.data.n_eta();
    const auto of_level =
        at_row(effect < n_eta ? effect : (effect - n_eta) % engine_.data.n_kappa());
    const double sd =
        std::sqrt(effect < n_eta ? point.omega(of_level, of_level) : point.pi(of_level, of_level));
    trial_effects_ = effects_;
    for (std::size_t t = 0; t < n_tasks(); ++t)
        trial_effects_[t * stride_ + effect] +=
            effect_scale_[subjects_[t] * stride_ + effect] * sd * normals_[effect][t];
    evaluate(point);
    std::ranges::fill(log_ratio_, 0.0);
    accept(prior, &log_ratio_);
    for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s)
        adapt(s, effect_scale_[s * stride_ + effect]);
}

} // namespace gemel::learners
