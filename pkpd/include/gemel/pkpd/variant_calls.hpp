#pragma once

#include <gemel/pkpd/genotype_call.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// Genotypes called from variants: a VCF or BCF file on GRCh38, and the definitions of the genes'
/// alleles (docs/guide/genotypes.md, docs/theory/calling.md).
namespace gemel::pkpd {

struct VariantCalling {
    std::vector<std::shared_ptr<const GeneTable>> genes;
    /// Groups the alternatives are weighed by, with the share of each in every genome; none: all
    /// alternatives are equally probable.
    std::vector<std::pair<std::string, double>> ancestry;
    /// Positions absent from the file are the reference's bases: of a file that leaves out
    /// positions where nobody differs from it. Otherwise they are not seen.
    bool missing_as_reference = false;
};

/// Takes the calls, gene after gene as the file reaches them and then subject after subject.
using CallSink = std::function<void(
    const std::string& subject, const GeneTable& gene, const GenotypeCall& call)>;

/// Every subject of the file gets a call of every gene, be it a no-call.
/// Mistakes: a file that cannot be read, that is not on GRCh38 or not sorted, a subject twice.
/// @returns false after a mistake; calls before it were passed on
bool call_variants(const std::filesystem::path& file,
                   const VariantCalling& calling,
                   const CallSink& sink,
                   sim::DiagnosticList& diagnostics);

/// "EUR" or "EUR=0.5,AAC=0.5": groups with their shares, which sum to 1.
/// @returns nothing (and `why`) if not understood
std::optional<std::vector<std::pair<std::string, double>>> parse_shares(const std::string& text,
                                                                        std::string& why);

} // namespace gemel::pkpd
