#pragma once

#include "plain_change.hpp"

#include <gemel/io/variants.hpp>
#include <gemel/pkpd/gene_table.hpp>

#include <map>

/// What a gene's alleles are told by: places in the genome, and what each allele has there.
namespace gemel::pkpd {

/// What a chromosome carries at a locus: 0 the reference, k ≥ 1 the k-th change, or one of these.
using LocusValue = std::int8_t;
inline constexpr LocusValue value_missing = -1; ///< not seen: may be anything
inline constexpr LocusValue value_other = -2;   ///< a change that no allele has
inline constexpr LocusValue value_none = -3;    ///< there is no second chromosome

struct GeneLocus {
    std::string chrom;
    std::int64_t pos = 0;
    bool is_indel = false;            ///< otherwise a single base
    std::vector<PlainChange> changes; ///< that alleles have here
    std::vector<std::string> names;   ///< [changes] for messages: "rs1801265 A>G"
    std::string name;                 ///< "rs1801265" or "chr1:97883329"
};

/// An allele as a row over the loci.
struct LocusAllele {
    int allele = 0;                      ///< of the gene
    std::vector<LocusValue> values;      ///< [n_loci] 0 or a change
    std::vector<std::uint8_t> is_either; ///< [n_loci] the reference will do as well
};

class GeneLoci {
public:
    explicit GeneLoci(const GeneTable& gene);

    /// Why the gene's alleles cannot be told by short variants; "" if they can.
    std::string why_not;
    std::string chrom;
    std::vector<GeneLocus> loci; ///< as the alleles name them
    std::vector<LocusAllele> alleles;

    /// "rs1801265 A>G", "another change at rs1801265"
    std::string change_name(std::size_t locus, LocusValue value) const;
    /// Where records are of interest.
    std::vector<io::VariantRegion> regions() const;
    /// The reference at a position, as far as the definitions tell.
    std::optional<char> base(std::int64_t pos) const;
    BaseLookup bases() const;

private:
    int locus_of(const AlleleVariant& variant, const PlainChange& change);
    void add_allele(const GeneTable& gene, int allele);

    std::map<std::int64_t, char> bases_;
};

} // namespace gemel::pkpd
