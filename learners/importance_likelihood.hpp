#pragma once

#include "conditional_draws.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace gemel::learners {

/// The likelihood by importance sampling, and what its draws tell of every subject.
struct ImportanceLikelihood {
    Likelihood likelihood;
    std::vector<ConditionalMoments> moments;    ///< [n_subjects] of effects given the data
    std::vector<ConditionalProposal> proposals; ///< [n_subjects] that more draws may come from
    std::vector<std::size_t> redrawn;           ///< subjects that took mixtures and more draws
};

/// By draws from `proposals`, or from what a pilot's draws saw where enough of them count. Subjects
/// whose weights are uneven are drawn for anew, several times, with more draws from mixtures that
/// follow the last ones: of 16 subjects or more at most three times the work of all again.
ImportanceLikelihood importance_likelihood(FitEngine& engine,
                                           std::span<const double> at,
                                           std::vector<ProposalMixture> proposals,
                                           const std::vector<char>& is_direct,
                                           int n_draws,
                                           std::uint64_t seed);

} // namespace gemel::learners
