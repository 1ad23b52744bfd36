#include "importance_likelihood.hpp"

#include <algorithm>
#include <memory>

namespace gemel::learners {
namespace {

constexpr int n_pilot_draws = 512;
constexpr double draws_of_moments = 10.0; ///< that count, per number of a mean, to be followed
constexpr std::uint32_t pilot_round = 8, first_round = 9, redrawing_round = 20;
constexpr double trusted_k_hat = 0.7, longest_error = 0.1; ///< of a subject's −2·log-likelihood
constexpr int most_redrawings = 3;
constexpr int times_more_draws = 4;
constexpr std::size_t share_of_redrawn = 4; ///< one in so many subjects, and so many at least

/// Of those in question, whose draws are not to be trusted: the worst first.
std::vector<std::size_t> uneven_subjects(const Likelihood& likelihood,
                                         const std::vector<std::size_t>& candidates) {
    std::vector<std::size_t> uneven;
    std::ranges::copy_if(candidates, std::back_inserter(uneven), [&](std::size_t s) {
        return !(likelihood.k_hat[s] <= trusted_k_hat) ||
               !(likelihood.standard_errors[s] <= longest_error);
    });
    std::ranges::stable_sort(uneven, std::ranges::greater{}, [&](std::size_t s) {
        return likelihood.standard_errors[s];
    });
    const std::size_t most =
        std::max(share_of_redrawn, likelihood.by_subject.size() / share_of_redrawn);
    if (uneven.size() > most) uneven.resize(most);
    std::ranges::sort(uneven);
    return uneven;
}

void take_over(const ConditionalDraws& draws,
               const std::vector<std::size_t>& subjects,
               ImportanceLikelihood& result) {
    const Likelihood of = draws.likelihood();
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const std::size_t s = subjects[i];
        result.likelihood.by_subject[s] = of.by_subject[i];
        result.likelihood.standard_errors[s] = of.standard_errors[i];
        result.likelihood.k_hat[s] = of.k_hat[i];
        result.likelihood.effective_draws[s] = of.effective_draws[i];
        result.moments[s] = draws.moments(s);
        result.proposals[s] = proposal_of(result.moments[s]);
    }
    result.likelihood.add_up();
}

} // namespace

ImportanceLikelihood importance_likelihood(FitEngine& engine,
                                           std::span<const double> at,
                                           std::vector<ProposalMixture> mixtures,
                                           const std::vector<char>& is_direct,
                                           int n_draws,
                                           std::uint64_t seed) {
    ImportanceLikelihood result;
    ConditionalDraws pilot(engine, std::min(n_pilot_draws, n_draws), is_direct, seed);
    pilot.draw(at, mixtures, pilot_round);
    pilot.weigh_at(at);
    const std::vector<ProposalMixture> adapted = pilot.adapted();
    for (std::size_t s = 0; s < mixtures.size(); ++s) {
        const double enough =
            draws_of_moments * (1.0 + static_cast<double>(engine.data.subjects[s].n_effects));
        if (pilot.effective_draws(s) > enough) mixtures[s] = adapted[s];
    }
    auto draws = std::make_unique<ConditionalDraws>(engine, n_draws, is_direct, seed);
    draws->draw(at, mixtures, first_round);
    draws->weigh_at(at);
    result.likelihood = draws->likelihood();
    std::vector<std::size_t> candidates;
    for (std::size_t s = 0; s < engine.data.n_subjects(); ++s) {
        candidates.push_back(s);
        result.moments.push_back(draws->moments(s));
        result.proposals.push_back(proposal_of(result.moments.back()));
    }
    for (std::uint32_t round = 0; round < most_redrawings; ++round) {
        candidates = uneven_subjects(result.likelihood, candidates);
        if (candidates.empty()) break;
        if (round == 0) result.redrawn = candidates;
        mixtures.clear();
        for (const std::size_t s : candidates)
            mixtures.push_back(draws->mixture(s));
        draws = std::make_unique<ConditionalDraws>(
            engine, times_more_draws * n_draws, is_direct, seed, candidates);
        draws->draw(at, mixtures, redrawing_round + round);
        draws->weigh_at(at);
        take_over(*draws, candidates, result);
    }
    return result;
}

} // namespace gemel::learners
