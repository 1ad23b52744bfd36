#include "gene_caller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace gemel::pkpd {
namespace {

bool goes_with(LocusValue value, const LocusAllele& allele, std::size_t locus) {
    if (value == value_missing) return true;
    return value == allele.values[locus] || (value == 0 && allele.is_either[locus] != 0);
}

/// An allele that could be one of the two chromosomes, and at which loci it could be which.
struct CandidateAllele {
    int allele = 0;
    std::vector<std::uint8_t> is_first, is_second; ///< [n_loci]
};

std::vector<CandidateAllele> candidate_alleles(const GeneLoci& gene,
                                               std::span<const SeenLocus> seen) {
    std::vector<CandidateAllele> candidates;
    for (const LocusAllele& allele : gene.alleles) {
        CandidateAllele candidate{allele.allele, {}, {}};
        bool is_possible = true;
        for (std::size_t l = 0; is_possible && l < seen.size(); ++l) {
            candidate.is_first.push_back(goes_with(seen[l].first, allele, l));
            candidate.is_second.push_back(goes_with(seen[l].second, allele, l));
            is_possible = candidate.is_first[l] != 0 || candidate.is_second[l] != 0;
        }
        if (is_possible) candidates.push_back(std::move(candidate));
    }
    return candidates;
}

/// Loci whose two values keep their order together.
using PhaseGroups = std::vector<std::vector<std::size_t>>;

/// Homozygous loci have no order and stand alone, as do those whose order is not known.
PhaseGroups phase_groups(std::span<const SeenLocus> seen) {
    PhaseGroups groups;
    std::map<std::int32_t, std::size_t> by_set;
    for (std::size_t l = 0; l < seen.size(); ++l) {
        if (seen[l].phase_set == 0 || !seen[l].is_heterozygous()) {
            groups.push_back({l});
            continue;
        }
        const auto [at, is_new] = by_set.emplace(seen[l].phase_set, groups.size());
        if (is_new) groups.emplace_back();
        groups[at->second].push_back(l);
    }
    return groups;
}

/// Each group may lie one way round or the other, whatever the others do.
bool explain(const CandidateAllele& a, const CandidateAllele& b, const PhaseGroups& groups) {
    return std::ranges::all_of(groups, [&](const std::vector<std::size_t>& group) {
        bool straight = true, crossed = true;
        for (const std::size_t l : group) {
            straight = straight && a.is_first[l] != 0 && b.is_second[l] != 0;
            crossed = crossed && a.is_second[l] != 0 && b.is_first[l] != 0;
        }
        return straight || crossed;
    });
}

CallEvidence::Phase phase_of(std::span<const SeenLocus> seen) {
    int n_alone = 0;
    std::vector<std::int32_t> sets;
    for (const SeenLocus& locus : seen) {
        if (!locus.is_heterozygous() || locus.is_missing()) continue;
        if (locus.phase_set == 0)
            ++n_alone;
        else if (std::ranges::count(sets, locus.phase_set) == 0)
            sets.push_back(locus.phase_set);
    }
    const std::size_t n_parts = sets.size() + static_cast<std::size_t>(n_alone);
    if (n_parts > 1) return CallEvidence::Phase::unphased;
    return sets.empty() ? CallEvidence::Phase::not_said : CallEvidence::Phase::phased;
}

/// Every change that is seen, each as often as it is carried.
std::vector<std::pair<std::size_t, LocusValue>> carried_changes(std::span<const SeenLocus> seen) {
    std::vector<std::pair<std::size_t, LocusValue>> carried;
    for (std::size_t l = 0; l < seen.size(); ++l)
        for (const LocusValue value : {seen[l].first, seen[l].second})
            if (value > 0 || value == value_other) carried.emplace_back(l, value);
    return carried;
}

/// How many of the changes an allele takes; nothing if it needs one that is not there.
std::optional<std::vector<std::size_t>>
taken_by(const LocusAllele& allele,
         const std::vector<std::pair<std::size_t, LocusValue>>& carried,
         std::span<const SeenLocus> seen,
         const std::vector<std::uint8_t>& is_taken) {
    std::vector<std::size_t> taken;
    for (std::size_t l = 0; l < allele.values.size(); ++l) {
        if (allele.values[l] == 0) continue;
        std::size_t at = 0;
        while (at < carried.size() &&
               (is_taken[at] != 0 || carried[at] != std::pair{l, allele.values[l]}))
            ++at;
        const bool may_lack = allele.is_either[l] != 0 || seen[l].first == value_missing ||
                              seen[l].second == value_missing;
        if (at == carried.size() && !may_lack) return std::nullopt;
        if (at < carried.size()) taken.push_back(at);
    }
    return taken;
}

} // namespace

GeneCaller::GeneCaller(std::shared_ptr<const GeneTable> gene, CallPrior prior)
    : gene_(std::move(gene)),
      prior_(std::move(prior)),
      loci_(*gene_) {}

double GeneCaller::frequency(int allele) const {
    return prior_.frequencies.empty() ? 1.0 : prior_.frequencies[static_cast<std::size_t>(allele)];
}

GenotypeCall GeneCaller::call(std::span<const SeenLocus> seen) const {
    GenotypeCall call;
    if (!loci_.why_not.empty()) {
        call.evidence.notes.push_back(loci_.why_not);
        return call;
    }
    call.evidence.n_positions = static_cast<int>(seen.size());
    int n_with_one = 0;
    for (const SeenLocus& locus : seen) {
        call.evidence.n_missing += locus.is_missing() ? 1 : 0;
        n_with_one += locus.second == value_none && !locus.is_missing() ? 1 : 0;
    }
    call.evidence.phase = phase_of(seen);
    const int n_seen = call.evidence.n_positions - call.evidence.n_missing;
    if (n_seen == 0) {
        call.evidence.notes.emplace_back("none of the gene's positions is seen");
        return call;
    }
    if (n_with_one > 0 && n_with_one < n_seen) {
        call.evidence.notes.emplace_back("one copy at some positions and two at others");
        return call;
    }
    if (gene_->is_per_variant) return call_variants(seen, std::move(call));
    return n_with_one > 0 ? call_single(seen, std::move(call)) : call_pairs(seen, std::move(call));
}

/// One chromosome: of a gene that some people have one copy of.
GenotypeCall GeneCaller::call_single(std::span<const SeenLocus> seen, GenotypeCall call) const {
    const int missing = gene_->hemizygous_allele();
    for (const LocusAllele& allele : loci_.alleles) {
        bool is_possible = true;
        for (std::size_t l = 0; is_possible && l < seen.size(); ++l)
            is_possible = goes_with(seen[l].first, allele, l);
        if (!is_possible) continue;
        const Diplotype diplotype{std::min(allele.allele, missing),
                                  std::max(allele.allele, missing)};
        call.candidates.push_back({diplotype, frequency(allele.allele), gene_->text(diplotype)});
    }
    if (call.candidates.empty()) call.evidence.notes.push_back(unexplained(seen));
    weigh(call);
    return call;
}

GenotypeCall GeneCaller::call_pairs(std::span<const SeenLocus> seen, GenotypeCall call) const {
    const std::vector<CandidateAllele> alleles = candidate_alleles(loci_, seen);
    const PhaseGroups groups = phase_groups(seen);
    for (std::size_t i = 0; i < alleles.size(); ++i)
        for (std::size_t j = i; j < alleles.size(); ++j) {
            if (!explain(alleles[i], alleles[j], groups)) continue;
            const Diplotype diplotype{alleles[i].allele, alleles[j].allele};
            const double weight =
                (i == j ? 1.0 : 2.0) * frequency(diplotype.first) * frequency(diplotype.second);
            call.candidates.push_back({diplotype, weight, gene_->text(diplotype)});
        }
    if (call.candidates.empty()) call.evidence.notes.push_back(unexplained(seen));
    weigh(call);
    return call;
}

/// Hardy–Weinberg weights to probabilities; where there are none, all are equally probable.
void GeneCaller::weigh(GenotypeCall& call) const {
    if (call.candidates.empty()) return;
    const bool is_weighed =
        !prior_.frequencies.empty() &&
        std::ranges::any_of(call.candidates, [](const CallCandidate& candidate) {
            return candidate.probability > 0.0;
        });
    if (!is_weighed)
        for (CallCandidate& candidate : call.candidates)
            candidate.probability = 1.0;
    if (call.candidates.size() > 1)
        call.evidence.notes.push_back(is_weighed ? "alternatives weighed " + prior_.words
                                      : prior_.frequencies.empty()
                                          ? "alternatives equally probable: " + prior_.words
                                          : "alternatives equally probable: none has a frequency " +
                                                prior_.words);
    finish_candidates(call.candidates);
}

/// What stays over beside the pair of alleles that takes most of the changes.
std::string GeneCaller::unexplained(std::span<const SeenLocus> seen) const {
    const auto carried = carried_changes(seen);
    std::vector<std::uint8_t> best(carried.size(), 0);
    const LocusAllele* best_first = nullptr;
    const LocusAllele* best_second = nullptr;
    std::size_t most = 0;
    const std::vector<std::uint8_t> none(carried.size(), 0);
    for (const LocusAllele& first : loci_.alleles) {
        const auto taken = taken_by(first, carried, seen, none);
        if (!taken) continue;
        std::vector<std::uint8_t> is_taken = none;
        for (const std::size_t at : *taken)
            is_taken[at] = 1;
        for (const LocusAllele& second : loci_.alleles) {
            const auto more = taken_by(second, carried, seen, is_taken);
            if (!more || taken->size() + more->size() < most ||
                (best_first != nullptr && taken->size() + more->size() == most))
                continue;
            most = taken->size() + more->size();
            best = is_taken;
            for (const std::size_t at : *more)
                best[at] = 1;
            best_first = &first;
            best_second = &second;
        }
    }
    std::vector<std::string> left;
    for (std::size_t i = 0; i < carried.size(); ++i)
        if (best[i] == 0) left.push_back(loci_.change_name(carried[i].first, carried[i].second));
    if (left.empty()) return "no two alleles explain the positions together";
    std::string text = fmt::format("no allele has {}", fmt::join(left, " and "));
    if (best_first != nullptr && most > 0)
        text += fmt::format(" beside {}/{}",
                            gene_->alleles[static_cast<std::size_t>(best_first->allele)].name,
                            gene_->alleles[static_cast<std::size_t>(best_second->allele)].name);
    return text;
}

} // namespace gemel::pkpd
