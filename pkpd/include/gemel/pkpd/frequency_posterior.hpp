#pragma once

#include <gemel/pkpd/gene_table.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// How far the people who were tested leave the frequencies of alleles open. Theory manual:
/// populations.md, "Uncertain frequencies".
namespace gemel::pkpd {

/// Alleles of a gene in a group, or haplotypes, with how many were tested for each.
struct CountedFrequencies {
    std::string purpose;                  ///< "frequency/CYP2C9/EUR", of random draws
    std::vector<std::string> names;       ///< [n]
    std::vector<double> frequencies;      ///< [n]
    std::vector<std::int64_t> n_subjects; ///< [n]; 0: nobody was tested, or it is not known
    std::size_t reference = 0;            ///< has what the others leave
};
CountedFrequencies counted(const GeneTable& gene, const AlleleFrequencies& group);

/// A generalised Dirichlet law: each allele takes a share of law beta of what those before it
/// leave, the most tested first, and the reference has the rest. Where all were tested in the same
/// people it is the Dirichlet law of their counts, with a prior of weight 1/K for each of the K
/// alleles. Alleles that nobody was tested for are not there.
struct FrequencyPosterior {
    struct Share {
        std::size_t allele = 0;
        double carried = 0.0, others = 0.0; ///< chromosomes, with the prior's: of the law beta
        std::string purpose;                ///< of its draw, "frequency/CYP2C9/EUR/*2"
    };
    std::vector<Share> shares;
    std::size_t reference = 0;
    std::size_t n_alleles = 0;

    std::vector<double> mean() const; ///< [n_alleles]
    /// Subject 0; the same for a replicate wherever and in whatever order it is drawn.
    std::vector<double> draw(std::uint64_t seed, std::uint32_t replicate) const;
};
FrequencyPosterior frequency_posterior(const CountedFrequencies& counted);

/// Frequencies of a population that differ by replicate.
struct UncertainFrequencies {
    struct Law {
        std::string of, group;          ///< the gene, or the linked genes; the ancestry group
        std::vector<std::string> names; ///< [n_alleles]
        FrequencyPosterior posterior;
        std::vector<double> drawn; ///< [n_replicates × n_alleles] kept; others are drawn when asked
    };
    std::vector<Law> laws;
    std::uint64_t seed = 0;
    std::uint32_t n_replicates = 0; ///< kept

    const Law* find(const std::string& of, const std::string& group) const;
    std::vector<double> frequencies(const Law& law, std::uint32_t replicate) const;
    /// Draws those of the first replicates, once for all blocks of subjects. Changes no number.
    void keep(std::uint32_t n);
};

/// Names of alleles, but for the reference, that have a frequency and no number of people tested.
std::vector<std::string> not_counted(const CountedFrequencies& counted);

} // namespace gemel::pkpd
