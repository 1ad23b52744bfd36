#include "genotype_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace gemel::pkpd {

bool is_no_call(const std::string& diplotype) {
    constexpr std::array<std::string_view, 7> words{
        "", ".", "NA", "no call", "Unknown/Unknown", "Unknown", "./."};
    return std::ranges::count(words, diplotype) > 0;
}

std::optional<std::size_t> gene_to_read(const std::string& name,
                                        const sim::SourceSpan& place,
                                        const CallReading& reading,
                                        sim::DiagnosticList& diagnostics) {
    std::vector<std::string> known = reading.passed_over;
    for (std::size_t g = 0; g < reading.genes.size(); ++g) {
        if (reading.genes[g]->name == name) return g;
        known.push_back(reading.genes[g]->name);
    }
    if (std::ranges::count(reading.passed_over, name) == 0) {
        std::ranges::sort(known);
        known.erase(std::unique(known.begin(), known.end()), known.end());
        diagnostics.add(place,
                        fmt::format("'{}' is no gene that is known here", name),
                        sim::suggest(name, known));
    }
    return std::nullopt;
}

std::optional<CallCandidate>
parse_candidate(const GeneTable& gene, const std::string& diplotype, std::string& why) {
    const std::optional<Diplotype> parsed = gene.parse_diplotype(diplotype, &why);
    if (!parsed) return std::nullopt;
    return CallCandidate{*parsed, 1.0, gene.is_per_variant ? diplotype : gene.text(*parsed)};
}

} // namespace gemel::pkpd
