#pragma once

#include "drawn.hpp"

/// A model of nothing but maps by the phenotype of genes of the library.
namespace gemel::pkpd {

inline Model gene_frame(const std::vector<std::string>& genes) {
    Model model;
    model.id = "frame";
    for (const std::string& gene : genes) {
        const auto table = library_gene(gene);
        model.genes[gene] = table;
        GenotypeMap map;
        map.name = gene + "_on_CL";
        map.gene = gene;
        map.by = GenotypeMap::By::phenotype;
        for (std::size_t p = 0; p < table->phenotypes.size(); ++p)
            map.by_phenotype[static_cast<int>(p)] = 1.0 + static_cast<double>(p);
        model.maps.push_back(map);
    }
    list_inputs(model);
    return model;
}

/// How many alleles of a kind each subject has, 0 to 2.
inline std::vector<double> copies_of(const CohortBlock::Gene& gene, int allele) {
    std::vector<double> copies;
    for (const Diplotype& diplotype : gene.diplotype)
        copies.push_back((diplotype.first == allele ? 1.0 : 0.0) +
                         (diplotype.second == allele ? 1.0 : 0.0));
    return copies;
}

} // namespace gemel::pkpd
