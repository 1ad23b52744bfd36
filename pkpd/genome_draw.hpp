#pragma once

#include "population_frequencies.hpp"

#include <gemel/sim/random.hpp>

#include <string>
#include <vector>

namespace gemel::pkpd {

/// The two chromosomes of each subject of a block: which ancestor each gene of them comes from, and
/// which allele it carries. Hardy–Weinberg within a group; where shares of ancestors differ from
/// person to person, an allele's ancestor is drawn by the person's own shares first, so that genes
/// of one person go together through descent.
class GenomeDraw {
public:
    /// @param random  of the subjects of the block
    /// @param block   with strata, ancestry and covariates drawn
    GenomeDraw(const Population& population,
               std::uint32_t replicate,
               const sim::RandomColumns& random,
               const CohortBlock& block);

    /// Of a gene drawn by alleles, by ancestry or linked to others.
    int allele(std::size_t gene, std::size_t chromosome, std::uint64_t subject) const {
        return alleles_[gene][chromosome][subject];
    }

    /// As CohortBlock::ancestor_shares.
    const std::vector<double>& ancestor_shares() const { return shares_; }

private:
    using Column = std::vector<std::uint32_t>;

    void draw_shares();
    void share_as_group(std::uint64_t subject);
    void share_as_covariates(std::uint64_t subject);
    void share_by_dirichlet(std::size_t group);
    double& share(std::size_t group, std::size_t ancestor, std::uint64_t subject);
    std::size_t group_of(std::uint64_t subject) const {
        return block_.ancestry.empty() ? 0 : block_.ancestry[subject];
    }
    bool is_personal(std::size_t group) const {
        return !population_.group_shares.empty() && population_.group_shares[group].differ();
    }
    std::vector<double> uniforms(const std::string& purpose, std::uint32_t index = 0) const;
    Column picked(const std::vector<double>& frequencies,
                  const std::string& name,
                  std::uint32_t chromosome) const;
    Column picked(const FrequenciesOf& of, const std::string& name, std::uint32_t chromosome) const;
    Column descent(const std::string& name, std::uint32_t chromosome) const;
    void draw_gene(std::size_t gene);
    void draw_linked(const LinkedGenes& linked);

    const Population& population_;
    std::uint32_t replicate_;
    const sim::RandomColumns& random_;
    const CohortBlock& block_;
    std::size_t n_;
    std::vector<std::string> ancestors_;          ///< where shares differ from person to person
    std::vector<std::vector<std::size_t>> place_; ///< [group][ancestor of it] in ancestors_
    std::vector<double> shares_;                  ///< [n_ancestors × n_]
    std::vector<std::vector<std::vector<int>>> alleles_; ///< [gene][chromosome][subject]
};

} // namespace gemel::pkpd
