#pragma once

#include "conditional_draws.hpp"

#include <gemel/learners/fit.hpp>

#include <string>
#include <vector>

namespace gemel::learners {

struct SaemResult {
    std::vector<double> at;
    bool is_finite = false;
    bool is_settled = false;                 ///< the last iterations hardly moved it
    std::string reason;                      ///< how exploration ended, in words
    std::vector<std::vector<double>> trace;  ///< [n_iterations] places
    std::vector<char> is_direct;             ///< [scale.size()] found with effects held, at the end
    std::vector<ConditionalMoments> moments; ///< [n_subjects] of effects, over the last iterations
};

/// Stochastic approximation EM: chains of every subject's effects by Metropolis' method, closed
/// M-steps where there are such, Newton's method on the complete data for typical values without
/// random effects (Delyon, Lavielle & Moulines 1999, Ann Stat 27:94–128; Kuhn & Lavielle 2005,
/// Comput Stat Data Anal 49:1020–1038). Theory manual: estimation.md.
SaemResult saem(FitEngine& engine,
                std::vector<double> start,
                std::uint64_t seed,
                FitMonitor* monitor = nullptr);

} // namespace gemel::learners
