// Calls of genes that are held per variant: a person may carry any number of them.
#include "gene_caller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

namespace gemel::pkpd {

/// What is left to explain at a locus.
struct LeftAtLocus {
    std::map<LocusValue, int> n; ///< of each change
    int n_unseen = 0;            ///< chromosomes whose base is not seen
};

/// One list of variants that explains what is seen.
struct CarriedVariants {
    std::vector<int> alleles; ///< each as often as it is carried
    std::vector<LeftAtLocus> left;
    double frequency = 1.0; ///< product of theirs
    bool takes_unseen = false;

    bool is_complete() const {
        return std::ranges::all_of(left, [](const LeftAtLocus& locus) {
            return std::ranges::all_of(locus.n,
                                       [](const auto& change) { return change.second == 0; });
        });
    }
};

namespace {

std::vector<LeftAtLocus> left_of(std::span<const SeenLocus> seen) {
    std::vector<LeftAtLocus> left(seen.size());
    for (std::size_t l = 0; l < seen.size(); ++l)
        for (const LocusValue value : {seen[l].first, seen[l].second}) {
            left[l].n_unseen += value == value_missing ? 1 : 0;
            if (value > 0 || value == value_other) ++left[l].n[value];
        }
    return left;
}

std::vector<std::size_t> loci_of(const LocusAllele& allele) {
    std::vector<std::size_t> loci;
    for (std::size_t l = 0; l < allele.values.size(); ++l)
        if (allele.values[l] != 0) loci.push_back(l);
    return loci;
}

/// Takes a variant of several changes as often as they are carried together; a change that is not
/// seen may be there, if one other is.
void take_variant(const LocusAllele& allele, bool may_be_unseen, CarriedVariants& carried) {
    const std::vector<std::size_t> loci = loci_of(allele);
    for (;;) {
        bool is_whole = true, is_seen = false;
        for (const std::size_t l : loci) {
            const bool is_here = carried.left[l].n[allele.values[l]] > 0;
            is_seen = is_seen || is_here;
            is_whole = is_whole && (is_here || (may_be_unseen && carried.left[l].n_unseen > 0));
        }
        if (!is_whole || !is_seen) return;
        for (const std::size_t l : loci) {
            int& n = carried.left[l].n[allele.values[l]];
            carried.takes_unseen = carried.takes_unseen || n == 0;
            --(n > 0 ? n : carried.left[l].n_unseen);
        }
        carried.alleles.push_back(allele.allele);
    }
}

std::string left_over(const CarriedVariants& carried, const GeneLoci& gene) {
    std::vector<std::string> names;
    for (std::size_t l = 0; l < carried.left.size(); ++l)
        for (const auto& [value, n] : carried.left[l].n)
            if (n > 0) names.push_back(gene.change_name(l, value));
    return fmt::format("no variant of the gene has {}", fmt::join(names, " and "));
}

/// Variants that may be carried unseen, the least active first, and the probability that a
/// chromosome has one.
struct UnseenVariant {
    int allele = 0;
    int n_chromosomes = 0;
    double frequency = 0.0;
    double activity = 0.0;
};

/// The two least active of the variants drawn unseen, with their probability.
struct DrawnVariants {
    std::vector<int> alleles;
    double probability = 1.0;
};

/// Outcomes of one diplotype count together, by the words of the most probable.
void merge_equal_diplotypes(std::vector<CallCandidate>& candidates) {
    std::ranges::stable_sort(candidates, [](const CallCandidate& a, const CallCandidate& b) {
        return a.diplotype != b.diplotype ? a.diplotype < b.diplotype
                                          : a.probability > b.probability;
    });
    std::vector<CallCandidate> merged;
    for (CallCandidate& candidate : candidates)
        if (!merged.empty() && merged.back().diplotype == candidate.diplotype)
            merged.back().probability += candidate.probability;
        else
            merged.push_back(std::move(candidate));
    candidates = std::move(merged);
}

/// Every outcome of carrying none, one or two of the unseen variants, the less active ones first:
/// of each, independently, 0, 1 or 2 copies by its frequency. Sums to 1.
std::vector<DrawnVariants> outcomes_of(const std::vector<UnseenVariant>& unseen) {
    std::vector<DrawnVariants> ended, open{{}};
    for (const UnseenVariant& variant : unseen) {
        const double q = variant.frequency;
        const double none = variant.n_chromosomes == 2 ? (1 - q) * (1 - q) : 1 - q;
        const double both = variant.n_chromosomes == 2 ? q * q : 0.0;
        std::vector<DrawnVariants> next;
        for (const DrawnVariants& before : open) {
            const auto add = [&](int copies, double probability) {
                if (probability <= 0.0) return;
                DrawnVariants after = before;
                after.probability *= probability;
                for (int c = 0; c < copies && after.alleles.size() < 2; ++c)
                    after.alleles.push_back(variant.allele);
                (after.alleles.size() < 2 ? next : ended).push_back(std::move(after));
            };
            add(0, none);
            add(1, 1.0 - none - both);
            add(2, both);
        }
        open = std::move(next);
    }
    ended.insert(ended.end(), open.begin(), open.end());
    return ended;
}

} // namespace

GenotypeCall GeneCaller::call_variants(std::span<const SeenLocus> seen, GenotypeCall call) const {
    std::vector<const LocusAllele*> variants; // those of several changes first
    for (const LocusAllele& allele : loci_.alleles)
        if (!loci_of(allele).empty()) variants.push_back(&allele);
    std::ranges::stable_sort(variants, std::ranges::greater{}, [](const LocusAllele* allele) {
        return loci_of(*allele).size();
    });
    std::string left_word;
    for (const bool may_be_unseen : {false, true}) {
        CarriedVariants carried;
        carried.left = left_of(seen);
        for (const LocusAllele* variant : variants)
            take_variant(*variant, may_be_unseen, carried);
        if (!carried.is_complete()) left_word = left_over(carried, loci_);
        if (!carried.is_complete() || (may_be_unseen && !carried.takes_unseen)) continue;
        for (const int allele : carried.alleles)
            carried.frequency *= frequency(allele);
        std::ranges::sort(carried.alleles);
        if (!add_outcomes(carried, variants, call)) return call;
    }
    if (call.candidates.empty()) call.evidence.notes.push_back(left_word);
    merge_equal_diplotypes(call.candidates);
    weigh(call);
    return call;
}

/// What is carried, with what may be carried unseen.
/// @returns false for a no-call
bool GeneCaller::add_outcomes(const CarriedVariants& carried,
                              std::span<const LocusAllele* const> variants,
                              GenotypeCall& call) const {
    std::vector<UnseenVariant> unseen;
    for (const LocusAllele* variant : variants) {
        int n = 2;
        for (const std::size_t l : loci_of(*variant))
            n = std::min(n, carried.left[l].n_unseen);
        const Allele& allele = gene_->alleles[static_cast<std::size_t>(variant->allele)];
        if (n > 0)
            unseen.push_back({variant->allele,
                              n,
                              frequency(variant->allele),
                              allele.activity.value_or(std::numeric_limits<double>::denorm_min())});
    }
    if (!unseen.empty() && prior_.frequencies.empty()) {
        call.candidates.clear();
        call.evidence.notes.push_back(
            fmt::format("{} of {} variants are not seen and would be weighed by their frequencies: "
                        "{}",
                        unseen.size(),
                        variants.size(),
                        prior_.words));
        return false;
    }
    std::ranges::stable_sort(unseen, {}, &UnseenVariant::activity);
    for (const DrawnVariants& drawn : outcomes_of(unseen)) {
        std::vector<std::string> names;
        for (const std::vector<int>& alleles : {carried.alleles, drawn.alleles})
            for (const int allele : alleles)
                names.push_back(gene_->alleles[static_cast<std::size_t>(allele)].name);
        while (names.size() < 2)
            names.insert(names.begin(), gene_->reference);
        const std::string text = fmt::format("{}", fmt::join(names, "/"));
        call.candidates.push_back(
            {*gene_->parse_diplotype(text), carried.frequency * drawn.probability, text});
    }
    return true;
}

} // namespace gemel::pkpd
