#pragma once

#include "marginal.hpp"

#include <Eigen/Dense>

#include <cstddef>
#include <vector>

/// Where draws of a subject's effects come from (theory manual: estimation.md, likelihood).
namespace gemel::learners {

/// Mean and covariance of a subject's effects given its data.
struct ConditionalMoments {
    Eigen::VectorXd mean;
    Eigen::MatrixXd covariance;
};

/// A normal law.
struct ConditionalProposal {
    Eigen::VectorXd centre; ///< of the effects
    Eigen::MatrixXd root;   ///< L, lower: covariance L·Lᵀ
};

/// Normal laws with their shares. Draws come from each in three widths, and a tenth from the
/// population's own law.
struct ProposalMixture {
    struct Part {
        double share = 1.0;
        ConditionalProposal law;
    };
    std::vector<Part> parts;
};

/// About the modes, with the inverse of the full Hessian.
std::vector<ConditionalProposal>
proposals_at(const FitData& data, const Modes& modes, const PopulationPoint& point);
/// Of moments, with a floor for directions that few draws have seen.
ConditionalProposal proposal_of(const ConditionalMoments& moments);
std::vector<ConditionalProposal> proposals_of(const std::vector<ConditionalMoments>& moments);
/// Each by itself.
std::vector<ProposalMixture> mixtures_of(const std::vector<ConditionalProposal>& proposals);

/// Both, half and half.
std::vector<ProposalMixture> halves_of(const std::vector<ProposalMixture>& one,
                                       const std::vector<ProposalMixture>& other);

/// The law of a subject's effects: η, then κ of each occasion.
Eigen::MatrixXd
effect_covariance(const FitData& data, std::size_t subject, const PopulationPoint& point);

/// Which law each of n draws comes from: pieces, one after another. What was drawn is what the
/// density says: shares are of the counts.
class DrawLaws {
public:
    DrawLaws(const ProposalMixture& mixture, std::size_t n);
    struct Law {
        const ConditionalProposal* part = nullptr; ///< none: the population's
        double width = 1.0, log_share = 0.0;       ///< −∞: no draw is
        std::size_t end = 0;
    };
    const Law& of(std::size_t draw) const {
        std::size_t k = 0;
        while (draw >= laws_[k].end)
            ++k;
        return laws_[k];
    }
    const std::vector<Law>& laws() const { return laws_; }

private:
    std::vector<Law> laws_;
};

/// The density of one subject's draws, without (2π)^(−n/2), as the prior's.
class ProposalDensity {
public:
    ProposalDensity(const ProposalMixture& mixture,
                    const DrawLaws& laws,
                    double log_determinant_of_population);
    /// @param square  of the prior: b'·C⁻¹·b
    double log_density(const double* effects, double square);

private:
    struct Term {
        double log_factor = 0.0, precision = 1.0;
    };
    const ProposalMixture& mixture_;
    std::vector<Term> terms_; ///< as the laws
    std::vector<double> offset_, values_;
};

/// Draws of one subject with weights whose sum is 1.
struct WeightedDraws {
    const double* effects = nullptr; ///< [n × stride]
    std::size_t stride = 0;
    const double* weights = nullptr; ///< [n]
    std::size_t n = 0;
};
ConditionalMoments weighted_moments(const WeightedDraws& draws, std::size_t n_effects);

/// Normal laws that follow weighted draws, by the EM algorithm: adaptive importance sampling in a
/// mixture (Cappé et al. 2008, Stat Comput 18:447–459), with weights cut at √n times their mean
/// (Ionides 2008, J Comput Graph Stat 17:295–311).
ProposalMixture fit_mixture(const WeightedDraws& draws, std::size_t n_effects);

} // namespace gemel::learners
