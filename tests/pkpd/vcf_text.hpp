#pragma once

#include "pkpd/library.hpp"
#include "pkpd/loaded.hpp"

#include <gemel/pkpd/variant_calls.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

/// VCF files made in a test, and what is called from them.
namespace gemel::pkpd {

inline const std::string grch38_contigs = "##contig=<ID=chr1,length=248956422>\n"
                                          "##contig=<ID=chr2,length=242193529>\n"
                                          "##contig=<ID=chr4,length=190214555>\n"
                                          "##contig=<ID=chr6,length=170805979>\n"
                                          "##contig=<ID=chr7,length=159345973>\n"
                                          "##contig=<ID=chr8,length=145138636>\n"
                                          "##contig=<ID=chr10,length=133797422>\n"
                                          "##contig=<ID=chr12,length=133275309>\n"
                                          "##contig=<ID=chr13,length=114364328>\n"
                                          "##contig=<ID=chr16,length=90338345>\n"
                                          "##contig=<ID=chr19,length=58617616>\n"
                                          "##contig=<ID=chrX,length=156040895>\n";

inline std::string vcf_header(const std::vector<std::string>& samples,
                              const std::string& contigs = grch38_contigs) {
    return "##fileformat=VCFv4.2\n" + contigs +
           "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
           "##FORMAT=<ID=PS,Number=1,Type=Integer,Description=\"Phase set\">\n"
           "##INFO=<ID=END,Number=1,Type=Integer,Description=\"End\">\n"
           "##FILTER=<ID=low,Description=\"Low\">\n"
           "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" +
           fmt::format("{}\n", fmt::join(samples, "\t"));
}

/// A place where a gene's alleles differ, as one record of a VCF.
struct VcfSite {
    std::string chrom;
    std::int64_t pos = 0;
    std::string ref;
    std::vector<std::string> alts;

    std::string columns(const std::string& format = "GT") const {
        return fmt::format("{}\t{}\t.\t{}\t{}\t.\tPASS\t.\t{}",
                           chrom,
                           pos,
                           ref,
                           alts.empty() ? "." : fmt::format("{}", fmt::join(alts, ",")),
                           format);
    }
};

/// Straight from the gene's file: one record for each position and REF.
inline std::vector<VcfSite> vcf_sites(const GeneTable& gene) {
    std::map<std::pair<std::int64_t, std::string>, VcfSite> sites;
    for (const Allele& allele : gene.alleles)
        for (const AlleleVariant& variant : allele.variants) {
            VcfSite& site = sites[{variant.pos, variant.ref}];
            site.chrom = variant.chrom;
            site.pos = variant.pos;
            site.ref = variant.ref;
            if (std::ranges::count(site.alts, variant.alt) == 0) site.alts.push_back(variant.alt);
        }
    std::vector<VcfSite> all;
    for (auto& [key, site] : sites)
        all.push_back(std::move(site));
    return all;
}

/// What an allele has at a site: 0 REF, k the k-th ALT.
inline int vcf_value(const Allele& allele, const VcfSite& site, bool with_optional = true) {
    for (const AlleleVariant& variant : allele.variants)
        if (variant.pos == site.pos && variant.ref == site.ref &&
            (with_optional || !variant.is_optional))
            return static_cast<int>(std::ranges::find(site.alts, variant.alt) - site.alts.begin()) +
                   1;
    return 0;
}

struct VcfCalls {
    std::map<std::pair<std::string, std::string>, GenotypeCall> calls; ///< by subject and gene
    std::string messages;

    const GenotypeCall& of(const std::string& subject, const std::string& gene) const {
        INFO(messages);
        REQUIRE(calls.contains({subject, gene}));
        return calls.at({subject, gene});
    }
    /// "*1/*2" or "*1/*2 0.25, *3/*4 0.75", or "no call: why"
    std::string text(const std::string& subject, const std::string& gene) const {
        const GenotypeCall& call = of(subject, gene);
        if (!call.is_called()) return "no call: " + call.evidence.notes.front();
        std::string text;
        for (const CallCandidate& candidate : call.candidates)
            text += fmt::format(
                "{}{}{}",
                text.empty() ? "" : ", ",
                candidate.text,
                call.candidates.size() == 1 ? "" : fmt::format(" {:.4g}", candidate.probability));
        return text;
    }
};

struct VcfOptions {
    std::vector<std::pair<std::string, double>> ancestry = {};
    bool missing_as_reference = false;
};

inline VcfCalls call_vcf_file(const std::filesystem::path& file,
                              const std::vector<std::string>& genes,
                              const VcfOptions& options = {}) {
    VariantCalling calling;
    for (const std::string& gene : genes)
        calling.genes.push_back(library_gene(gene));
    calling.ancestry = options.ancestry;
    calling.missing_as_reference = options.missing_as_reference;
    VcfCalls result;
    sim::DiagnosticList diagnostics;
    const bool is_right = call_variants(
        file,
        calling,
        [&](const std::string& subject, const GeneTable& gene, const GenotypeCall& call) {
            result.calls[{subject, gene.name}] = call;
        },
        diagnostics);
    CHECK(is_right == diagnostics.empty());
    if (!diagnostics.empty()) result.messages = diagnostics.render();
    return result;
}

inline VcfCalls call_vcf(const std::string& text,
                         const std::vector<std::string>& genes,
                         const VcfOptions& options = {}) {
    const auto path = temporary_path("calls.vcf");
    std::ofstream(path) << text;
    VcfCalls result = call_vcf_file(path, genes, options);
    std::filesystem::remove(path);
    return result;
}

/// A file of one gene in which every site is the reference, but for some genotypes of sample "s".
/// @param changed  by position: genotype, or "" to leave the record out
inline std::string vcf_of(const std::string& gene_name,
                          const std::map<std::int64_t, std::string>& changed,
                          const std::string& rest = "0/0") {
    std::string text = vcf_header({"s"});
    for (const VcfSite& site : vcf_sites(*library_gene(gene_name))) {
        const auto found = changed.find(site.pos);
        const std::string genotype = found == changed.end() ? rest : found->second;
        if (!genotype.empty()) text += site.columns() + "\t" + genotype + "\n";
    }
    return text;
}

} // namespace gemel::pkpd
