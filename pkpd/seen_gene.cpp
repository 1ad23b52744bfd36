#include "seen_gene.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gemel::pkpd {
namespace {

bool is_symbolic(const std::string& allele) {
    return allele.find_first_not_of("ACGTN") != std::string::npos;
}

/// Of gVCF: any allele that is not listed.
bool is_unlisted(const std::string& allele) {
    return allele == "<NON_REF>" || allele == "<*>" || allele == "<X>";
}

/// A record that says of a stretch that nothing differs from the reference there.
bool is_block(const io::VariantRecord& record) {
    return std::all_of(record.alleles.begin() + 1, record.alleles.end(), is_unlisted);
}

/// A deletion, copy or other structure, in words only.
bool is_structural(const std::string& allele) {
    return is_symbolic(allele) && allele != "*" && !is_unlisted(allele);
}

/// The same bases, cut open at another place: what one indel of a repeat is to another.
bool are_rotations(const std::string& a, const std::string& b) {
    return a.size() == b.size() && (a + a).find(b) != std::string::npos;
}

/// Two records of one place, as of a multi-allelic one split into several: what one calls the
/// reference is what the other names. Nothing if they contradict each other.
std::optional<SeenLocus> combined(const SeenLocus& a, const SeenLocus& b) {
    const auto one = [](LocusValue x, LocusValue y) -> std::optional<LocusValue> {
        if (x == y || y == 0) return x;
        if (x == 0) return y;
        if (x == value_missing) return y;
        if (y == value_missing) return x;
        return std::nullopt;
    };
    if ((a.second == value_none) != (b.second == value_none)) return std::nullopt;
    const bool has_order = a.is_heterozygous() && b.is_heterozygous();
    const bool is_ordered = has_order && a.phase_set == b.phase_set && a.phase_set != 0;
    const std::int32_t set = !has_order   ? a.phase_set != 0 ? a.phase_set : b.phase_set
                             : is_ordered ? a.phase_set
                                          : 0;
    const std::array<std::pair<LocusValue, LocusValue>, 2> ways{
        {{b.first, b.second}, {b.second, b.first}}};
    for (std::size_t w = 0; w < (has_order && !is_ordered ? 2u : 1u); ++w) {
        const auto first = one(a.first, ways[w].first);
        const auto second = one(a.second, ways[w].second);
        if (first && second) return SeenLocus{*first, *second, set};
    }
    return std::nullopt;
}

} // namespace

SeenGene::SeenGene(const GeneLoci& gene, std::size_t n_samples)
    : gene_(gene),
      n_samples_(n_samples),
      columns_(gene.loci.size()) {}

void SeenGene::note(std::string text) {
    if (std::ranges::count(notes_, text) == 0) notes_.push_back(std::move(text));
}

std::size_t SeenGene::n_absent() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        columns_, [](const Column& column) { return !column.is_present && !column.is_useless; }));
}

void SeenGene::check_bases(const io::VariantRecord& record) {
    const std::string& ref = record.alleles.front();
    for (std::size_t i = 0; i < ref.size(); ++i) {
        const std::int64_t pos = record.pos + static_cast<std::int64_t>(i);
        const std::optional<char> known = gene_.base(pos);
        if (!known || ref[i] == 'N') continue;
        if (ref[i] == *known)
            ++n_agreed_;
        else if (disagreement_.empty())
            disagreement_ = fmt::format(
                "REF has {} at {}:{}, where GRCh38 has {}", ref[i], record.chrom, pos, *known);
    }
}

void SeenGene::add(const io::VariantRecord& record) {
    if (record.chrom != gene_.chrom) return;
    check_bases(record);
    for (const Reading& reading : readings(record)) {
        Column& column = columns_[reading.locus];
        if (reading.is_structure) {
            fill_structure(record, reading);
        } else if (record.is_filtered) {
            column.is_useless = true;
            note("positions that failed a filter are not seen");
        } else {
            fill(record, reading);
        }
    }
}

std::vector<SeenGene::Reading> SeenGene::readings(const io::VariantRecord& record) {
    std::vector<PlainChanges> changes(record.alleles.size());
    for (std::size_t a = 1; a < record.alleles.size(); ++a)
        if (!is_symbolic(record.alleles[a]))
            changes[a] =
                plain_changes(record.pos, record.alleles.front(), record.alleles[a], gene_.bases());
    std::vector<Reading> readings;
    for (std::size_t l = 0; l < gene_.loci.size(); ++l) {
        Reading reading{l, std::vector<LocusValue>(record.alleles.size(), 0)};
        const bool speaks = gene_.loci[l].is_indel ? read_indel(record, changes, reading)
                                                   : read_base(record, changes, reading);
        reading.is_structure = !speaks && std::ranges::count(reading.values, value_other) > 0;
        if (speaks || reading.is_structure) readings.push_back(std::move(reading));
    }
    return readings;
}

/// Who carries a structure that lies across the locus has there what no allele has; of the others
/// the record says nothing.
void SeenGene::fill_structure(const io::VariantRecord& record, const Reading& reading) {
    std::vector<Exception>& exceptions = columns_[reading.locus].exceptions;
    for (std::size_t s = 0; s < n_samples_; ++s) {
        const auto copies = record.genotypes.subspan(s * record.n_copies, record.n_copies);
        const bool carries = std::ranges::any_of(copies, [&](std::int32_t allele) {
            return allele > 0 && reading.values[static_cast<std::size_t>(allele)] == value_other;
        });
        if (!carries) continue;
        const auto at = std::ranges::lower_bound(exceptions, s, {}, &Exception::sample);
        const SeenLocus seen{value_other, value_missing, 0};
        if (at != exceptions.end() && at->sample == s)
            at->seen = seen;
        else
            exceptions.insert(at, {static_cast<std::uint32_t>(s), seen});
    }
}

/// A single base: the record has a change of it, or says that nothing differs there.
bool SeenGene::read_base(const io::VariantRecord& record,
                         std::span<const PlainChanges> changes,
                         Reading& reading) const {
    const GeneLocus& locus = gene_.loci[reading.locus];
    if (record.pos > locus.pos || record.end < locus.pos) return false;
    bool speaks = is_block(record);
    for (std::size_t a = 1; a < record.alleles.size(); ++a) {
        LocusValue& value = reading.values[a];
        if (is_unlisted(record.alleles[a]) || record.alleles[a] == "*") {
            value = value_missing; // another allele, or a base that is deleted
            speaks = speaks || record.pos == locus.pos;
        } else if (is_structural(record.alleles[a])) {
            value = value_other;
        }
        for (const PlainChange& change : changes[a].changes) {
            if (change.pos > locus.pos || change.last() < locus.pos || change.removed.empty())
                continue;
            const auto known = std::ranges::find(locus.changes, change);
            const bool is_deletion = change.is_indel();
            value = known != locus.changes.end()
                        ? static_cast<LocusValue>(known - locus.changes.begin() + 1)
                    : is_deletion ? value_missing
                                  : value_other;
            speaks = speaks || !is_deletion;
        }
    }
    return speaks;
}

/// An indel: the record has one at the same place, or says that nothing differs there. One that
/// may be the same, but whose surroundings are not known, makes the locus useless.
bool SeenGene::read_indel(const io::VariantRecord& record,
                          std::span<const PlainChanges> changes,
                          Reading& reading) {
    const GeneLocus& locus = gene_.loci[reading.locus];
    bool speaks = is_block(record) && record.pos < locus.pos && record.end >= locus.pos - 1;
    for (std::size_t a = 1; a < record.alleles.size(); ++a) {
        LocusValue& value = reading.values[a];
        if (is_unlisted(record.alleles[a]) || record.alleles[a] == "*") value = value_missing;
        if (is_structural(record.alleles[a]) && record.pos < locus.pos && record.end >= locus.pos)
            value = value_other;
        for (const PlainChange& change : changes[a].changes) {
            if (!change.is_indel()) continue;
            const auto known = std::ranges::find(locus.changes, change);
            if (change.pos == locus.pos) {
                value = known != locus.changes.end()
                            ? static_cast<LocusValue>(known - locus.changes.begin() + 1)
                            : value_other;
                speaks = true;
            } else if (changes[a].is_unsure && change.pos > locus.pos &&
                       std::ranges::any_of(locus.changes, [&](const PlainChange& other) {
                           return are_rotations(other.inserted, change.inserted) &&
                                  are_rotations(other.removed, change.removed);
                       })) {
                columns_[reading.locus].is_useless = true;
                note(fmt::format("the indel at {}:{} may be {}: align it to the left (bcftools "
                                 "norm -f)",
                                 record.chrom,
                                 record.pos,
                                 locus.name));
            }
        }
    }
    return speaks;
}

void SeenGene::fill(const io::VariantRecord& record, const Reading& reading) {
    Column& column = columns_[reading.locus];
    const auto value_of = [&](std::int32_t allele) {
        if (allele == io::no_allele) return value_none;
        if (allele == io::missing_allele) return value_missing;
        return reading.values[static_cast<std::size_t>(allele)];
    };
    std::vector<Exception> merged;
    auto before = column.exceptions.begin();
    for (std::size_t s = 0; s < n_samples_; ++s) {
        const std::span<const std::int32_t> copies =
            record.genotypes.subspan(s * record.n_copies, record.n_copies);
        SeenLocus seen{value_of(copies[0]), value_none, 0};
        if (record.n_copies > 1) seen.second = value_of(copies[1]);
        if (copies[0] == io::missing_allele && seen.second == value_none)
            seen.second = value_missing; // "." says nothing of copies
        if (record.n_copies > 2 && copies[2] != io::no_allele)
            seen = {value_missing, value_missing, 0}; // more than two copies
        if (record.is_phased[s] != 0 && seen.is_heterozygous())
            seen.phase_set = record.phase_sets[s] == 0 ? -1 : record.phase_sets[s];
        const bool was_there = before != column.exceptions.end() && before->sample == s;
        if (was_there || column.is_present) {
            const SeenLocus earlier = was_there ? (before++)->seen : SeenLocus{0, 0, 0};
            const auto both = combined(earlier, seen);
            if (!both)
                note(fmt::format("records of {} contradict each other",
                                 gene_.loci[reading.locus].name));
            seen = both.value_or(SeenLocus{});
        }
        if (seen.first != 0 || seen.second != 0)
            merged.push_back({static_cast<std::uint32_t>(s), seen});
    }
    column.exceptions = std::move(merged);
    column.is_present = true;
}

void SeenGene::each_sample(
    bool missing_as_reference,
    bool may_have_one_copy,
    const std::function<void(std::size_t, std::span<const SeenLocus>)>& visit) const {
    std::vector<std::size_t> next(columns_.size(), 0);
    std::vector<SeenLocus> seen(columns_.size());
    std::vector<std::uint8_t> is_told(columns_.size());
    for (std::size_t s = 0; s < n_samples_; ++s) {
        bool has_one_copy = false, has_seen = false;
        std::fill(is_told.begin(), is_told.end(), 0);
        for (std::size_t l = 0; l < columns_.size(); ++l) {
            const Column& column = columns_[l];
            seen[l] = column.is_present ? SeenLocus{0, 0, 0} : SeenLocus{};
            is_told[l] = column.is_present || column.is_useless;
            if (next[l] < column.exceptions.size() && column.exceptions[next[l]].sample == s) {
                seen[l] = column.exceptions[next[l]++].seen;
                is_told[l] = 1;
            }
            if (seen[l].second == value_none && !may_have_one_copy) seen[l].second = value_missing;
            has_seen = has_seen || !seen[l].is_missing();
            has_one_copy =
                has_one_copy || (seen[l].second == value_none && seen[l].first != value_missing);
        }
        // Where some have one copy, who says nothing at all says nothing of copies either.
        const bool fills = missing_as_reference && (has_seen || !may_have_one_copy);
        for (std::size_t l = 0; fills && l < columns_.size(); ++l)
            if (is_told[l] == 0) seen[l] = {0, has_one_copy ? value_none : LocusValue{0}, 0};
        visit(s, seen);
    }
}

} // namespace gemel::pkpd
