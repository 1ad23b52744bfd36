#include "proposals.hpp"

#include "small_systems.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gemel::learners {
namespace {

/// Widths of a normal law about its centre with their shares; the rest is drawn from the
/// population.
constexpr double widths[] = {1.0, 1.6, 3.0}, shares_of_widths[] = {0.6, 0.2, 0.1};
constexpr int n_widths = 3;

Eigen::Index as_index(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

} // namespace

Eigen::MatrixXd
effect_covariance(const FitData& data, std::size_t subject, const PopulationPoint& point) {
    const FitSubject& of = data.subjects[subject];
    Eigen::MatrixXd covariance =
        Eigen::MatrixXd::Zero(as_index(of.n_effects), as_index(of.n_effects));
    const auto q = as_index(data.n_eta()), r = as_index(data.n_kappa());
    covariance.topLeftCorner(q, q) = point.omega;
    for (std::size_t o = 0; r > 0 && o < of.n_occasions; ++o)
        covariance.block(q + as_index(o) * r, q + as_index(o) * r, r, r) = point.pi;
    return covariance;
}

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
            proposal.root = effect_covariance(data, s, point).llt().matrixL();
        }
        proposals.push_back(std::move(proposal));
    }
    return proposals;
}

ConditionalProposal proposal_of(const ConditionalMoments& moments) {
    Eigen::MatrixXd covariance = moments.covariance;
    covariance.diagonal() *= 1.02;
    covariance.diagonal().array() += 1e-10;
    return {moments.mean, covariance.llt().matrixL()};
}

std::vector<ConditionalProposal> proposals_of(const std::vector<ConditionalMoments>& moments) {
    std::vector<ConditionalProposal> proposals;
    for (const ConditionalMoments& of : moments)
        proposals.push_back(proposal_of(of));
    return proposals;
}

std::vector<ProposalMixture> mixtures_of(const std::vector<ConditionalProposal>& proposals) {
    std::vector<ProposalMixture> mixtures;
    for (const ConditionalProposal& proposal : proposals)
        mixtures.push_back({{{1.0, proposal}}});
    return mixtures;
}

std::vector<ProposalMixture> halves_of(const std::vector<ProposalMixture>& one,
                                       const std::vector<ProposalMixture>& other) {
    std::vector<ProposalMixture> both = one;
    for (std::size_t s = 0; s < both.size(); ++s) {
        both[s].parts.insert(both[s].parts.end(), other[s].parts.begin(), other[s].parts.end());
        for (ProposalMixture::Part& part : both[s].parts)
            part.share *= 0.5;
    }
    return both;
}

DrawLaws::DrawLaws(const ProposalMixture& mixture, std::size_t n) {
    double sum = 0.0;
    std::size_t before = 0;
    const auto add = [&](const ConditionalProposal* part, double width, double share) {
        sum += share;
        const auto end = std::min(
            n, static_cast<std::size_t>(std::lround(std::min(sum, 1.0) * static_cast<double>(n))));
        const double count = static_cast<double>(end - before);
        laws_.push_back({part, width, std::log(count / static_cast<double>(n)), end});
        before = end;
    };
    for (const ProposalMixture::Part& part : mixture.parts)
        for (int k = 0; k < n_widths; ++k)
            add(&part.law, widths[k], part.share * shares_of_widths[k]);
    add(nullptr, 1.0, 1.0);
}

ProposalDensity::ProposalDensity(const ProposalMixture& mixture,
                                 const DrawLaws& laws,
                                 double log_determinant_of_population)
    : mixture_(mixture) {
    for (const DrawLaws::Law& law : laws.laws()) {
        Term& term = terms_.emplace_back();
        term.log_factor = law.log_share;
        term.precision = 1.0 / (law.width * law.width);
        if (law.part == nullptr) {
            term.log_factor -= 0.5 * log_determinant_of_population;
            continue;
        }
        for (Eigen::Index i = 0; i < law.part->root.rows(); ++i)
            term.log_factor -= std::log(law.part->root(i, i) * law.width);
    }
    values_.resize(terms_.size());
    offset_.resize(static_cast<std::size_t>(mixture.parts.front().law.centre.size()));
}

double ProposalDensity::log_density(const double* effects, double square) {
    std::size_t k = 0;
    for (const ProposalMixture::Part& part : mixture_.parts) {
        for (std::size_t e = 0; e < offset_.size(); ++e)
            offset_[e] = effects[e] - part.law.centre.data()[e];
        const double of_part = square_of_solution(part.law.root, offset_.data());
        for (int w = 0; w < n_widths; ++w, ++k)
            values_[k] = terms_[k].log_factor - 0.5 * of_part * terms_[k].precision;
    }
    values_[k] = terms_[k].log_factor - 0.5 * square;
    const double largest = *std::ranges::max_element(values_);
    double sum = 0.0;
    for (const double value : values_)
        sum += value == largest ? 1.0 : std::exp(value - largest);
    return largest + std::log(sum);
}

ConditionalMoments weighted_moments(const WeightedDraws& draws, std::size_t n_effects) {
    const auto b = as_index(n_effects);
    ConditionalMoments moments{Eigen::VectorXd::Zero(b), Eigen::MatrixXd::Zero(b, b)};
    for (std::size_t d = 0; d < draws.n; ++d)
        for (std::size_t e = 0; e < n_effects; ++e)
            moments.mean(as_index(e)) += draws.weights[d] * draws.effects[d * draws.stride + e];
    std::vector<double> offset(n_effects);
    for (std::size_t d = 0; d < draws.n; ++d) {
        if (draws.weights[d] == 0.0) continue;
        for (std::size_t e = 0; e < n_effects; ++e)
            offset[e] = draws.effects[d * draws.stride + e] - moments.mean(as_index(e));
        add_square(draws.weights[d], offset.data(), moments.covariance);
    }
    fill_upper(moments.covariance);
    return moments;
}

namespace {

constexpr std::size_t most_parts = 4;
constexpr double draws_of_part = 15.0; ///< effective ones, per effect
constexpr int em_iterations = 10;
constexpr double floor_of_part = 0.05; ///< of the whole covariance
constexpr double least_share = 0.02;

/// Weights cut at √n times their mean, and what they are worth.
std::vector<double> cut_weights(const WeightedDraws& draws, double& effective) {
    std::vector<double> weights(draws.weights, draws.weights + draws.n);
    const double most = 1.0 / std::sqrt(static_cast<double>(draws.n));
    for (double& weight : weights)
        weight = std::min(weight, most);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    double square = 0.0;
    for (double& weight : weights) {
        weight = sum > 0.0 ? weight / sum : 1.0 / static_cast<double>(draws.n);
        square += weight * weight;
    }
    effective = 1.0 / square;
    return weights;
}

/// Draws share by share along the widest direction: where the algorithm begins.
std::vector<double>
first_shares(const WeightedDraws& draws, const ConditionalMoments& all, std::size_t n_parts) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> axes(all.covariance);
    const Eigen::VectorXd axis = axes.eigenvectors().col(all.covariance.rows() - 1);
    std::vector<double> along(draws.n, 0.0);
    for (std::size_t d = 0; d < draws.n; ++d)
        for (Eigen::Index e = 0; e < axis.size(); ++e)
            along[d] += axis(e) * draws.effects[d * draws.stride + static_cast<std::size_t>(e)];
    std::vector<std::size_t> order(draws.n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t d) { return along[d]; });
    std::vector<double> belongs(draws.n * n_parts, 0.0);
    double sum = 0.0;
    for (const std::size_t d : order) {
        const double place = (sum + 0.5 * draws.weights[d]) * static_cast<double>(n_parts);
        belongs[d * n_parts + std::min(n_parts - 1, static_cast<std::size_t>(place))] = 1.0;
        sum += draws.weights[d];
    }
    return belongs;
}

/// Each part's share and moments by what belongs to it.
ProposalMixture parts_of(const WeightedDraws& draws,
                         const std::vector<double>& belongs,
                         const ConditionalMoments& all,
                         std::size_t n_parts) {
    ProposalMixture mixture;
    double total = 0.0;
    std::vector<double> weights(draws.n);
    for (std::size_t k = 0; k < n_parts; ++k) {
        double share = 0.0;
        for (std::size_t d = 0; d < draws.n; ++d)
            share += weights[d] = draws.weights[d] * belongs[d * n_parts + k];
        if (!(share > 1e-6)) continue;
        for (double& weight : weights)
            weight /= share;
        ConditionalMoments of =
            weighted_moments({draws.effects, draws.stride, weights.data(), draws.n},
                             static_cast<std::size_t>(all.mean.size()));
        of.covariance += floor_of_part * all.covariance;
        share = std::max(share, least_share);
        total += share;
        mixture.parts.push_back({share, proposal_of(of)});
    }
    for (ProposalMixture::Part& part : mixture.parts)
        part.share /= total;
    return mixture;
}

/// The probability by which each draw belongs to each part.
std::vector<double> shares_by(const WeightedDraws& draws, const ProposalMixture& mixture) {
    const std::size_t n_parts = mixture.parts.size();
    std::vector<double> belongs(draws.n * n_parts, 0.0);
    std::vector<double> offset(static_cast<std::size_t>(mixture.parts.front().law.centre.size()));
    for (std::size_t d = 0; d < draws.n; ++d) {
        if (draws.weights[d] == 0.0) continue;
        double* of = belongs.data() + d * n_parts;
        for (std::size_t k = 0; k < n_parts; ++k) {
            const ConditionalProposal& law = mixture.parts[k].law;
            for (std::size_t e = 0; e < offset.size(); ++e)
                offset[e] = draws.effects[d * draws.stride + e] - law.centre.data()[e];
            of[k] = std::log(mixture.parts[k].share) -
                    0.5 * square_of_solution(law.root, offset.data()) -
                    law.root.diagonal().array().log().sum();
        }
        const double largest = *std::max_element(of, of + n_parts);
        double sum = 0.0;
        for (std::size_t k = 0; k < n_parts; ++k)
            sum += of[k] = std::exp(of[k] - largest);
        for (std::size_t k = 0; k < n_parts; ++k)
            of[k] /= sum;
    }
    return belongs;
}

} // namespace

ProposalMixture fit_mixture(const WeightedDraws& draws, std::size_t n_effects) {
    double effective = 0.0;
    const std::vector<double> weights = cut_weights(draws, effective);
    const WeightedDraws cut{draws.effects, draws.stride, weights.data(), draws.n};
    const ConditionalMoments all = weighted_moments(cut, n_effects);
    const double worth = effective / (draws_of_part * static_cast<double>(n_effects));
    const auto n_parts =
        static_cast<std::size_t>(std::clamp(worth, 1.0, static_cast<double>(most_parts)));
    ProposalMixture mixture = parts_of(cut, first_shares(cut, all, n_parts), all, n_parts);
    for (int iteration = 0; iteration < em_iterations && mixture.parts.size() > 1; ++iteration)
        mixture = parts_of(cut, shares_by(cut, mixture), all, mixture.parts.size());
    return mixture;
}

} // namespace gemel::learners
