#pragma once

#include "gene_loci.hpp"

#include <gemel/pkpd/genotype_call.hpp>

#include <span>

/// From what was seen at a gene's loci to the diplotypes that explain it (docs/theory/calling.md).
namespace gemel::pkpd {

/// What one person has at a locus.
struct SeenLocus {
    LocusValue first = value_missing;
    LocusValue second = value_missing; ///< value_none: one chromosome
    /// Loci of one set are told apart by the same chromosome's values being first; 0: the order of
    /// the two is not known.
    std::int32_t phase_set = 0;

    bool is_missing() const {
        return first == value_missing && second < 0 && second != value_other;
    }
    bool is_heterozygous() const { return second != value_none && first != second; }
};

/// Frequencies that alternatives are weighed by.
struct CallPrior {
    std::vector<double> frequencies; ///< [n_alleles] of the gene; empty: all are equally probable
    std::string words;               ///< "by the frequencies of EUR", "no ancestry given"
};

struct CarriedVariants; ///< of variant_caller.cpp

class GeneCaller {
public:
    GeneCaller(std::shared_ptr<const GeneTable> gene, CallPrior prior);

    const GeneTable& gene() const { return *gene_; }
    const GeneLoci& loci() const { return loci_; }

    /// @param seen  [n_loci]
    /// A no-call says in its notes why it is one.
    GenotypeCall call(std::span<const SeenLocus> seen) const;

private:
    GenotypeCall call_pairs(std::span<const SeenLocus> seen, GenotypeCall call) const;
    GenotypeCall call_single(std::span<const SeenLocus> seen, GenotypeCall call) const;
    GenotypeCall call_variants(std::span<const SeenLocus> seen, GenotypeCall call) const;
    bool add_outcomes(const CarriedVariants& carried,
                      std::span<const LocusAllele* const> variants,
                      GenotypeCall& call) const;
    void weigh(GenotypeCall& call) const;
    std::string unexplained(std::span<const SeenLocus> seen) const;
    double frequency(int allele) const;

    std::shared_ptr<const GeneTable> gene_;
    CallPrior prior_;
    GeneLoci loci_;
};

} // namespace gemel::pkpd
