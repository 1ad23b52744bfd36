#include "gene_loci.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gemel::pkpd {
namespace {

/// Alleles of which more than one in a thousand chromosomes of some group is one are not
/// negligible: who carries one would be called something else.
constexpr double negligible_frequency = 1e-3;

/// How far to the right of its place an indel of a repeat may be written.
constexpr std::int64_t repeat_reach = 200;

double most_frequent_structure(const GeneTable& gene) {
    double most = 0.0;
    for (const AlleleFrequencies& group : gene.frequencies) {
        double sum = 0.0;
        for (std::size_t a = 0; a < gene.alleles.size(); ++a)
            if (!gene.alleles[a].structure.empty()) sum += group.frequencies[a];
        most = std::max(most, sum);
    }
    return most;
}

/// Which alleles short variants tell. Of several without variants only the reference allele is the
/// sequence of the genome; the others have no definition that can be looked for.
bool is_told_by_variants(const GeneTable& gene, int allele) {
    const Allele& one = gene.alleles[static_cast<std::size_t>(allele)];
    if (!one.structure.empty() || allele == gene.hemizygous_allele()) return false;
    if (!one.variants.empty()) return true;
    const int reference = gene.find_allele(gene.reference);
    const bool reference_is_plain =
        gene.alleles[static_cast<std::size_t>(reference)].variants.empty();
    return allele == reference || !reference_is_plain;
}

} // namespace

GeneLoci::GeneLoci(const GeneTable& gene) {
    for (const Allele& allele : gene.alleles)
        for (const AlleleVariant& variant : allele.variants) {
            chrom = variant.chrom;
            for (std::size_t i = 0; i < variant.ref.size(); ++i)
                bases_[variant.pos + static_cast<std::int64_t>(i)] = variant.ref[i];
        }
    if (chrom.empty()) {
        why_not = "its alleles are typed, not called from short variants";
        return;
    }
    if (const double most = most_frequent_structure(gene); most >= negligible_frequency) {
        why_not = fmt::format("up to {:.0f} % of chromosomes carry a deletion, copies or a hybrid "
                              "of it, which short variants do not show: give an outside call",
                              100.0 * most);
        return;
    }
    for (int a = 0; a < static_cast<int>(gene.alleles.size()); ++a)
        if (is_told_by_variants(gene, a)) add_allele(gene, a);
    for (LocusAllele& allele : alleles) {
        allele.values.resize(loci.size(), 0);
        allele.is_either.resize(loci.size(), 0);
    }
}

void GeneLoci::add_allele(const GeneTable& gene, int allele) {
    LocusAllele row;
    row.allele = allele;
    for (const AlleleVariant& variant : gene.alleles[static_cast<std::size_t>(allele)].variants)
        for (const PlainChange& change :
             plain_changes(variant.pos, variant.ref, variant.alt, bases()).changes) {
            const auto locus = static_cast<std::size_t>(locus_of(variant, change));
            row.values.resize(std::max(row.values.size(), locus + 1), 0);
            row.is_either.resize(row.values.size(), 0);
            const auto& known = loci[locus].changes;
            row.values[locus] =
                static_cast<LocusValue>(std::ranges::find(known, change) - known.begin() + 1);
            row.is_either[locus] = variant.is_optional ? 1 : 0;
        }
    alleles.push_back(std::move(row));
}

int GeneLoci::locus_of(const AlleleVariant& variant, const PlainChange& change) {
    const auto is_here = [&](const GeneLocus& locus) {
        return locus.pos == change.pos && locus.is_indel == change.is_indel();
    };
    auto at = std::ranges::find_if(loci, is_here);
    if (at == loci.end()) {
        loci.push_back({variant.chrom, change.pos, change.is_indel(), {}, {}, {}});
        at = loci.end() - 1;
        at->name =
            variant.rsid.empty() ? fmt::format("{}:{}", variant.chrom, variant.pos) : variant.rsid;
    }
    if (std::ranges::count(at->changes, change) == 0) {
        at->changes.push_back(change);
        at->names.push_back(fmt::format("{} {}>{}", at->name, variant.ref, variant.alt));
    }
    return static_cast<int>(at - loci.begin());
}

std::string GeneLoci::change_name(std::size_t locus, LocusValue value) const {
    return value == value_other ? fmt::format("another change at {}", loci[locus].name)
                                : loci[locus].names[static_cast<std::size_t>(value - 1)];
}

std::vector<io::VariantRegion> GeneLoci::regions() const {
    std::vector<io::VariantRegion> regions;
    for (const GeneLocus& locus : loci)
        regions.push_back({locus.chrom,
                           locus.is_indel ? locus.pos - 1 : locus.pos,
                           locus.is_indel ? locus.pos + repeat_reach : locus.pos});
    return regions;
}

std::optional<char> GeneLoci::base(std::int64_t pos) const {
    const auto found = bases_.find(pos);
    if (found == bases_.end()) return std::nullopt;
    return found->second;
}

BaseLookup GeneLoci::bases() const {
    return [this](std::int64_t pos) { return base(pos); };
}

} // namespace gemel::pkpd
