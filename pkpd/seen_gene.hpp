#pragma once

#include "gene_caller.hpp"

#include <gemel/io/variants.hpp>

/// What the records of a file say of one gene's loci.
namespace gemel::pkpd {

/// Gathers records, and keeps only who differs from the reference.
class SeenGene {
public:
    SeenGene(const GeneLoci& gene, std::size_t n_samples);

    void add(const io::VariantRecord& record);
    /// Bases of REF that were compared with the gene's definitions.
    std::size_t n_bases_agreed() const { return n_agreed_; }
    const std::string& disagreement() const { return disagreement_; } ///< "" if all agreed
    const std::vector<std::string>& notes() const { return notes_; }
    /// Loci that no record speaks of.
    std::size_t n_absent() const;

    /// Goes through the samples in order.
    /// @param missing_as_reference  loci that no record speaks of are the reference
    /// @param may_have_one_copy     of a gene that some people have one copy of
    void
    each_sample(bool missing_as_reference,
                bool may_have_one_copy,
                const std::function<void(std::size_t, std::span<const SeenLocus>)>& visit) const;

private:
    /// A sample that has more to say than twice the reference.
    struct Exception {
        std::uint32_t sample = 0;
        SeenLocus seen;
    };
    struct Column {
        bool is_present = false; ///< a record speaks of it
        bool is_useless = false; ///< a record was of no use: it failed a filter, or is unsure
        std::vector<Exception> exceptions; ///< by sample
    };
    /// What the alleles of a record are at a locus.
    struct Reading {
        std::size_t locus = 0;
        std::vector<LocusValue> values; ///< [alleles]
        bool is_structure = false;      ///< only says who carries something large across the locus
    };

    void check_bases(const io::VariantRecord& record);
    std::vector<Reading> readings(const io::VariantRecord& record);
    bool read_base(const io::VariantRecord& record,
                   std::span<const PlainChanges> changes,
                   Reading& reading) const;
    bool read_indel(const io::VariantRecord& record,
                    std::span<const PlainChanges> changes,
                    Reading& reading);
    void fill(const io::VariantRecord& record, const Reading& reading);
    void fill_structure(const io::VariantRecord& record, const Reading& reading);
    void note(std::string text);

    const GeneLoci& gene_;
    std::size_t n_samples_;
    std::vector<Column> columns_; ///< [n_loci]
    std::size_t n_agreed_ = 0;
    std::string disagreement_;
    std::vector<std::string> notes_;
};

} // namespace gemel::pkpd
