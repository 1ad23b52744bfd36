#include "gene_caller.hpp"
#include "genome_build.hpp"
#include "seen_gene.hpp"
#include "table_cells.hpp"

#include <gemel/pkpd/variant_calls.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace gemel::pkpd {
namespace {

/// Patterns of what is seen whose calls are kept: in a large file most subjects share a few.
constexpr std::size_t most_patterns_kept = 4096;

std::string ancestry_words(const std::vector<std::pair<std::string, double>>& ancestry) {
    if (ancestry.size() == 1) return ancestry.front().first;
    std::vector<std::string> parts;
    for (const auto& [group, share] : ancestry)
        parts.push_back(fmt::format("{} {:g}", group, share));
    return fmt::format("{}", fmt::join(parts, " and "));
}

/// The frequencies of a gene's alleles in the groups, mixed by their shares.
CallPrior prior_of(const GeneTable& gene,
                   const std::vector<std::pair<std::string, double>>& ancestry) {
    if (ancestry.empty()) return {{}, "no ancestry is given"};
    CallPrior prior{std::vector<double>(gene.alleles.size(), 0.0),
                    "by the frequencies of " + ancestry_words(ancestry)};
    for (const auto& [code, share] : ancestry) {
        const AlleleFrequencies* group = gene.group(code);
        if (group == nullptr) return {{}, fmt::format("the gene has no frequencies of {}", code)};
        for (std::size_t a = 0; a < prior.frequencies.size(); ++a)
            prior.frequencies[a] += share * group->frequencies[a];
    }
    return prior;
}

/// What is seen, as a key: sets of phase by their order, so that equal patterns are equal.
std::string pattern_of(std::span<const SeenLocus> seen) {
    std::string key;
    std::vector<std::int32_t> sets{0};
    for (const SeenLocus& locus : seen) {
        const std::int32_t set = locus.is_heterozygous() ? locus.phase_set : 0;
        auto at = std::ranges::find(sets, set);
        if (at == sets.end()) at = sets.insert(sets.end(), set);
        key += static_cast<char>(locus.first);
        key += static_cast<char>(locus.second);
        key += static_cast<char>(at - sets.begin());
    }
    return key;
}

/// A gene while the file is read.
struct GeneInFile {
    GeneCaller caller;
    SeenGene seen;
    std::int64_t last = 0; ///< position of interest
    bool is_begun = false, is_finished = false;

    GeneInFile(std::shared_ptr<const GeneTable> gene, CallPrior prior, std::size_t n_samples)
        : caller(std::move(gene), std::move(prior)),
          seen(caller.loci(), n_samples) {
        for (const io::VariantRegion& region : caller.loci().regions())
            last = std::max(last, region.last);
    }
};

class CallingRun {
public:
    CallingRun(io::VariantFile& file,
               std::string name,
               const VariantCalling& calling,
               const CallSink& sink,
               sim::DiagnosticList& diagnostics)
        : file_(file),
          name_(std::move(name)),
          calling_(calling),
          sink_(sink),
          diagnostics_(diagnostics),
          n_before_(diagnostics.size()) {
        for (const auto& gene : calling.genes)
            genes_.push_back(std::make_unique<GeneInFile>(
                gene, prior_of(*gene, calling.ancestry), file.samples().size()));
    }

    bool run() {
        is_build_said_ = header_says_grch38(file_, place(), diagnostics_);
        if (file_.samples().empty())
            diagnostics_.add(place(), "the file has no samples: nobody's genotypes are in it");
        if (has_failed()) return false;
        std::vector<io::VariantRegion> regions;
        for (const auto& gene : genes_)
            for (const io::VariantRegion& region : gene->caller.loci().regions())
                regions.push_back(region);
        if (!file_.read(
                regions, [this](const io::VariantRecord& record) { take(record); }, diagnostics_))
            return false;
        check_build();
        for (const auto& gene : genes_)
            if (!gene->is_finished) finish(*gene);
        return !has_failed();
    }

private:
    sim::SourceSpan place() const {
        return {std::make_shared<const sim::SourceFile>(sim::SourceFile{name_, {}}), 0, 0, 1};
    }
    bool has_failed() const { return diagnostics_.size() != n_before_; }

    void take(const io::VariantRecord& record) {
        if (has_failed()) return;
        for (const auto& gene : genes_) {
            const bool is_here = gene->caller.loci().chrom == record.chrom;
            if (gene->is_begun && !gene->is_finished && (!is_here || gene->last < record.pos))
                finish(*gene);
            if (!is_here || gene->last < record.pos) continue;
            if (gene->is_finished) {
                // By an index a long record comes once for each stretch it lies across.
                if (!file_.has_index()) tell_unsorted(record);
                continue;
            }
            gene->is_begun = true;
            gene->seen.add(record);
            if (!gene->seen.disagreement().empty()) tell_disagreement(*gene);
        }
    }

    void tell_unsorted(const io::VariantRecord& record) {
        diagnostics_.add(place(),
                         fmt::format("the file is not sorted: {}:{} follows later positions",
                                     record.chrom,
                                     record.pos),
                         "sort it with bcftools sort");
    }

    void tell_disagreement(const GeneInFile& gene) {
        diagnostics_.add(
            place(),
            fmt::format("the file is not on GRCh38, forward strand: {}", gene.seen.disagreement()),
            "lift the variants over to GRCh38, or call them on it");
    }

    void check_build() {
        std::size_t n_agreed = 0;
        for (const auto& gene : genes_)
            n_agreed += gene->seen.n_bases_agreed();
        if (is_build_said_ || n_agreed > 0 || has_failed()) return;
        diagnostics_.add(place(),
                         "the header does not say on which genome the file is, and no record is at "
                         "a position of these genes",
                         "a header with ##contig lines and their lengths says it");
    }

    void finish(GeneInFile& gene) {
        gene.is_finished = true;
        if (has_failed()) return;
        const GeneTable& table = gene.caller.gene();
        std::unordered_map<std::string, GenotypeCall> known;
        gene.seen.each_sample(calling_.missing_as_reference,
                              table.hemizygous_allele() >= 0,
                              [&](std::size_t sample, std::span<const SeenLocus> seen) {
                                  if (known.size() > most_patterns_kept) known.clear();
                                  const auto [at, is_new] = known.try_emplace(pattern_of(seen));
                                  if (is_new) at->second = call(gene, seen);
                                  sink_(file_.samples()[sample], table, at->second);
                              });
    }

    GenotypeCall call(const GeneInFile& gene, std::span<const SeenLocus> seen) const {
        GenotypeCall call = gene.caller.call(seen);
        call.evidence.source = name_;
        if (!gene.caller.loci().why_not.empty()) return call;
        std::vector<std::string>& notes = call.evidence.notes;
        notes.insert(notes.end(), gene.seen.notes().begin(), gene.seen.notes().end());
        const std::size_t n_absent = gene.seen.n_absent();
        const bool has_seen = call.evidence.n_missing < call.evidence.n_positions;
        if (calling_.missing_as_reference && n_absent > 0 && has_seen) {
            call.evidence.n_missing += static_cast<int>(n_absent);
            notes.push_back(
                fmt::format("{} absent from the file taken as the reference", n_absent));
        }
        return call;
    }

    io::VariantFile& file_;
    std::string name_;
    const VariantCalling& calling_;
    const CallSink& sink_;
    sim::DiagnosticList& diagnostics_;
    std::size_t n_before_;
    std::vector<std::unique_ptr<GeneInFile>> genes_;
    bool is_build_said_ = false;
};

} // namespace

bool call_variants(const std::filesystem::path& path,
                   const VariantCalling& calling,
                   const CallSink& sink,
                   sim::DiagnosticList& diagnostics) {
    const auto file = io::open_variants(path, diagnostics);
    if (file == nullptr) return false;
    return CallingRun(*file, path.string(), calling, sink, diagnostics).run();
}

std::optional<std::vector<std::pair<std::string, double>>> parse_shares(const std::string& text,
                                                                        std::string& why) {
    std::vector<std::pair<std::string, double>> shares;
    double sum = 0.0;
    std::size_t from = 0;
    while (from <= text.size()) {
        const std::size_t comma = std::min(text.find(',', from), text.size());
        const std::string part = text.substr(from, comma - from);
        const std::size_t equals = part.find('=');
        const auto share = equals == std::string::npos ? std::optional<double>(1.0)
                                                       : number_in(part.substr(equals + 1));
        if (!share || !(*share > 0.0) || part.empty() || equals == 0) {
            why = fmt::format("'{}' is no group with its share", part);
            return std::nullopt;
        }
        shares.emplace_back(part.substr(0, equals), *share);
        sum += *share;
        from = comma + 1;
    }
    if (std::abs(sum - 1.0) > 1e-6) {
        why = fmt::format("the shares sum to {:g}; 1 is expected", sum);
        return std::nullopt;
    }
    return shares;
}

} // namespace gemel::pkpd
