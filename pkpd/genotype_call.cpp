#include <gemel/io/toml.hpp>
#include <gemel/pkpd/genotype_call.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace gemel::pkpd {

std::string evidence_text(const CallEvidence& evidence) {
    std::vector<std::string> parts;
    if (evidence.is_outside) parts.emplace_back("called elsewhere");
    if (evidence.n_positions > 0)
        parts.push_back(fmt::format("{} of {} positions seen",
                                    evidence.n_positions - evidence.n_missing,
                                    evidence.n_positions));
    if (evidence.phase != CallEvidence::Phase::not_said)
        parts.emplace_back(evidence.phase == CallEvidence::Phase::phased ? "phased" : "unphased");
    parts.insert(parts.end(), evidence.notes.begin(), evidence.notes.end());
    const std::string text = fmt::format("{}", fmt::join(parts, ", "));
    if (evidence.source.empty() || text.empty()) return evidence.source + text;
    return evidence.source + ": " + text;
}

void finish_candidates(std::vector<CallCandidate>& candidates) {
    double sum = 0.0;
    for (const CallCandidate& candidate : candidates)
        sum += candidate.probability;
    for (CallCandidate& candidate : candidates)
        candidate.probability /= sum;
    std::ranges::stable_sort(candidates, [](const CallCandidate& a, const CallCandidate& b) {
        return a.probability != b.probability ? a.probability > b.probability
                                              : a.diplotype < b.diplotype;
    });
}

std::optional<std::size_t> GenotypeCalls::find_subject(const std::string& subject) const {
    const auto found = index_.find(subject);
    if (found == index_.end()) return std::nullopt;
    return found->second;
}

std::optional<std::size_t> GenotypeCalls::find_gene(const std::string& gene) const {
    for (std::size_t g = 0; g < genes.size(); ++g)
        if (genes[g]->name == gene) return g;
    return std::nullopt;
}

const GenotypeCall* GenotypeCalls::find(std::size_t subject, std::size_t gene) const {
    const std::optional<GenotypeCall>& call = calls_[subject][gene];
    return call ? &*call : nullptr;
}

std::size_t GenotypeCalls::add_subject(const std::string& subject) {
    const auto [at, is_new] = index_.emplace(subject, subjects_.size());
    if (is_new) {
        subjects_.push_back(subject);
        calls_.emplace_back(genes.size());
    }
    return at->second;
}

GenotypeCall& GenotypeCalls::at(std::size_t subject, std::size_t gene) {
    std::optional<GenotypeCall>& call = calls_[subject][gene];
    if (!call) call.emplace();
    return *call;
}

std::optional<GenotypeCalls> read_genotype_calls(const std::filesystem::path& file,
                                                 const CallReading& reading,
                                                 sim::DiagnosticList& diagnostics) {
    const auto text = io::read_source(file, diagnostics);
    if (!text) return std::nullopt;
    return file.extension() == ".json" ? read_pharmcat(text, reading, diagnostics)
                                       : read_genotype_table(text, reading, diagnostics);
}

} // namespace gemel::pkpd
