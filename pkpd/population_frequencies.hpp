#pragma once

#include <gemel/pkpd/population.hpp>

#include <functional>

/// What alleles, or haplotypes of linked genes, are drawn by in a replicate.
namespace gemel::pkpd {

/// Frequencies by the code of an ancestry group, which must have some; each sums to 1.
using FrequenciesOf = std::function<std::vector<double>(const std::string& code)>;

/// Outlived by the population.
FrequenciesOf
frequencies_of(const Population& population, const GeneTable& gene, std::uint32_t replicate);
FrequenciesOf
frequencies_of(const Population& population, const LinkedGenes& linked, std::uint32_t replicate);

/// Those of a group: of its ancestors, mixed by their shares.
std::vector<double>
group_frequencies(const Population& population, std::size_t group, const FrequenciesOf& of);

/// The sum of the frequencies of a gene's alleles over haplotypes, [n_alleles].
/// @param member  which of the linked genes
std::vector<double> allele_frequencies(const LinkedGenes& linked,
                                       std::size_t member,
                                       std::size_t n_alleles,
                                       std::span<const double> haplotypes);

} // namespace gemel::pkpd
