#pragma once

#include <gemel/sim/diagnostic.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// Genotypes in VCF and BCF files, plain or compressed, with or without an index. The source of
/// this header is the only one that sees htslib.
namespace gemel::io {

/// Positions count from 1 as in a VCF; both ends belong to it. "chr10" and "10" are one chromosome.
struct VariantRegion {
    std::string chrom;
    std::int64_t first = 0, last = 0;
};

/// A chromosome as the header declares it.
struct VariantContig {
    std::string name;
    std::int64_t length = 0; ///< 0: not said
};

inline constexpr std::int32_t missing_allele = -1; ///< "."
inline constexpr std::int32_t no_allele = -2;      ///< beyond the copies the sample has

/// One record; the spans hold until the next.
struct VariantRecord {
    std::string chrom;                        ///< with "chr" before it
    std::int64_t pos = 0, end = 0;            ///< end: of REF, or as INFO says it
    std::vector<std::string> alleles;         ///< REF, then ALT; upper case
    bool is_filtered = false;                 ///< FILTER is neither PASS nor "."
    std::size_t n_copies = 0;                 ///< most of a sample
    std::span<const std::int32_t> genotypes;  ///< [n_samples × n_copies] index into alleles
    std::span<const std::uint8_t> is_phased;  ///< [n_samples]
    std::span<const std::int32_t> phase_sets; ///< [n_samples] 0: none said
};

class VariantFile {
public:
    virtual ~VariantFile() = default;

    virtual const std::vector<std::string>& samples() const = 0;
    virtual const std::vector<VariantContig>& contigs() const = 0;
    /// What header lines such as `##reference` and the contigs' `assembly` say.
    virtual const std::vector<std::string>& assemblies() const = 0;
    virtual bool has_index() const = 0;

    /// Visits the records that overlap the regions: in the order of the file, or with an index in
    /// that of the regions. Can be called once.
    /// @returns false after adding to diagnostics why the file cannot be read on
    virtual bool read(std::span<const VariantRegion> regions,
                      const std::function<void(const VariantRecord&)>& visit,
                      sim::DiagnosticList& diagnostics) = 0;
};

/// @returns nullptr after adding to diagnostics what is wrong
std::unique_ptr<VariantFile> open_variants(const std::filesystem::path& path,
                                           sim::DiagnosticList& diagnostics);

} // namespace gemel::io
