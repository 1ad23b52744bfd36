#include "chains.hpp"

#include <gemel/sim/parallel.hpp>

#include <algorithm>
#include <cmath>

namespace gemel::learners {
namespace {

/// Of independent proposals: widths about the centre with their shares.
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

/// log density of x = L⁻¹(b − centre) but for what is the same at every x.
class WidthMixture {
public:
    explicit WidthMixture(double n) {
        for (int k = 0; k < 3; ++k)
            share_[k] = chain_shares[k] * std::pow(chain_widths[k], -n);
    }
    double log_density(double square) const {
        const double widest = 0.5 * square / (chain_widths[2] * chain_widths[2]);
        double sum = share_[2];
        for (int k = 0; k < 2; ++k)
            sum +=
                share_[k] * std::exp(widest - 0.5 * square / (chain_widths[k] * chain_widths[k]));
        return std::log(sum) - widest;
    }

private:
    double share_[3] = {};
};

} // namespace

Chains::Chains(FitEngine& engine, std::size_t n_chains, std::uint64_t seed)
    : engine_(engine),
      n_chains_(n_chains),
      stride_(engine.data.max_effects),
      random_(seed, 0, keys_of(engine.data, n_chains), places_of(engine.data, n_chains)),
      purpose_(sim::purpose_number("fit/chains")),
      accept_purpose_(sim::purpose_number("fit/accept")) {
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
    for (auto* column :
         {&losses_, &squares_, &trial_losses_, &trial_squares_, &uniform_, &log_ratio_})
        column->assign(n, 0.0);
    normals_.assign(stride_, std::vector<double>(n));
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
    const Eigen::MatrixXd omega = point.omega.llt().matrixL();
    const Eigen::MatrixXd pi = point.pi.llt().matrixL();
    const auto q = at_row(engine_.data.n_eta()), r = at_row(engine_.data.n_kappa());
    for (std::size_t e = 0; e < stride_; ++e)
        draw_normals(normals_[e]);
    Eigen::VectorXd z(at_row(stride_));
    for (std::size_t t = 0; t < n_tasks(); ++t) {
        for (std::size_t e = 0; e < stride_; ++e)
            z(at_row(e)) = normals_[e][t];
        Eigen::Map<Eigen::VectorXd> effects(trial_effects_.data() + t * stride_, at_row(stride_));
        effects.head(q).noalias() = omega * z.head(q);
        for (Eigen::Index first = q; first + r <= effects.size() && r > 0; first += r)
            effects.segment(first, r).noalias() = pi * z.segment(first, r);
    }
    evaluate(point);
    accept(prior, nullptr);
}

void Chains::propose_independent(const PopulationPoint& point,
                                 const EffectPrior& prior,
                                 const std::vector<ConditionalProposal>& proposals) {
    for (std::size_t e = 0; e < stride_; ++e)
        draw_normals(normals_[e]);
    random_.uniforms(accept_purpose_, next_++, uniform_.data());
    Eigen::VectorXd z, x, old;
    std::vector<WidthMixture> mixtures;
    for (std::size_t n = 0; n <= stride_; ++n)
        mixtures.emplace_back(static_cast<double>(n));
    for (std::size_t t = 0; t < n_tasks(); ++t) {
        const ConditionalProposal& proposal = proposals[subjects_[t]];
        const Eigen::Index n = proposal.centre.size();
        z.resize(n);
        for (Eigen::Index k = 0; k < n; ++k)
            z(k) = normals_[static_cast<std::size_t>(k)][t];
        const int width = uniform_[t] < chain_shares[0]                     ? 0
                          : uniform_[t] < chain_shares[0] + chain_shares[1] ? 1
                                                                            : 2;
        x = chain_widths[width] * z;
        Eigen::Map<Eigen::VectorXd>(trial_effects_.data() + t * stride_, n) =
            proposal.centre + proposal.root * x;
        old = proposal.root.triangularView<Eigen::Lower>().solve(
            Eigen::Map<const Eigen::VectorXd>(effects_.data() + t * stride_, n) - proposal.centre);
        const WidthMixture& mixture = mixtures[static_cast<std::size_t>(n)];
        log_ratio_[t] =
            mixture.log_density(old.squaredNorm()) - mixture.log_density(x.squaredNorm());
    }
    evaluate(point);
    accept(prior, &log_ratio_);
}

void Chains::adapt(double& scale, double share_accepted) {
    scale = std::clamp(scale * (1.0 + 0.4 * (share_accepted - wanted_share)), 1e-3, 20.0);
}

void Chains::walk(const PopulationPoint& point,
                  const EffectPrior& prior,
                  const std::vector<ConditionalProposal>& proposals) {
    for (std::size_t e = 0; e < stride_; ++e)
        draw_normals(normals_[e]);
    Eigen::VectorXd z;
    for (std::size_t t = 0; t < n_tasks(); ++t) {
        const ConditionalProposal& proposal = proposals[subjects_[t]];
        const Eigen::Index n = proposal.centre.size();
        z.resize(n);
        for (Eigen::Index k = 0; k < n; ++k)
            z(k) = normals_[static_cast<std::size_t>(k)][t];
        Eigen::Map<Eigen::VectorXd>(trial_effects_.data() + t * stride_, n) =
            Eigen::Map<const Eigen::VectorXd>(effects_.data() + t * stride_, n) +
            walk_scale_[subjects_[t]] * (proposal.root * z);
    }
    evaluate(point);
    std::ranges::fill(log_ratio_, 0.0);
    accept(prior, &log_ratio_);
    for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s)
        adapt(walk_scale_[s],
              static_cast<double>(std::count(
                  is_accepted_.begin() + static_cast<std::ptrdiff_t>(s * n_chains_),
                  is_accepted_.begin() + static_cast<std::ptrdiff_t>((s + 1) * n_chains_),
                  1)) /
                  static_cast<double>(n_chains_));
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
        adapt(effect_scale_[s * stride_ + effect],
              static_cast<double>(std::count(
                  is_accepted_.begin() + static_cast<std::ptrdiff_t>(s * n_chains_),
                  is_accepted_.begin() + static_cast<std::ptrdiff_t>((s + 1) * n_chains_),
                  1)) /
                  static_cast<double>(n_chains_));
}

} // namespace gemel::learners
