#include <gemel/pkpd/model.hpp>

namespace gemel::pkpd {

namespace {

std::optional<double> at_score(const std::map<double, double>& table, double score) {
    const auto found = table.lower_bound(score - score_tolerance);
    if (found == table.end() || found->first > score + score_tolerance) return std::nullopt;
    return found->second;
}

std::optional<double> at_phenotype(const std::map<int, double>& table, int phenotype) {
    const auto found = table.find(phenotype);
    return found == table.end() ? std::nullopt : std::optional(found->second);
}

/// s: score, r: that of the reference. power: (s/r)^exponent; emax: (s/(half+s)) / (r/(half+r)).
/// The lanes' own power, so that drawn patients are the same everywhere.
std::optional<double> by_law(const GenotypeMap& map, double score) {
    if (map.law == GenotypeMap::Law::table) return at_score(map.by_score, score);
    const double r = map.reference_score;
    if (map.law == GenotypeMap::Law::power)
        return sim::apply(sim::Op::power, score / r, map.exponent, 0.0);
    return score / (map.half + score) * ((map.half + r) / r);
}

std::optional<double>
named_value(const GenotypeMap& map, const GeneTable& gene, const Diplotype& diplotype) {
    switch (map.by) {
    case GenotypeMap::By::diplotype:
    case GenotypeMap::By::allele: {
        const auto found = map.by_diplotype.find(diplotype);
        return found == map.by_diplotype.end() ? std::nullopt : std::optional(found->second);
    }
    case GenotypeMap::By::phenotype:
        return at_phenotype(map.by_phenotype, gene.phenotype(diplotype));
    case GenotypeMap::By::activity_score:
        break;
    }
    const auto score = gene.score(diplotype);
    return score ? by_law(map, *score) : std::nullopt;
}

} // namespace

std::optional<double> map_value(const GenotypeMap& map,
                                const GeneTable& gene,
                                const Diplotype& diplotype,
                                std::optional<double> score,
                                bool* is_assumed) {
    if (is_assumed) *is_assumed = false;
    if (const auto value = named_value(map, gene, diplotype)) return value;
    if (!map.otherwise) return std::nullopt;
    if (is_assumed) *is_assumed = true;
    if (map.otherwise->by == GenotypeMap::By::phenotype)
        return at_phenotype(map.otherwise->by_phenotype, gene.phenotype(diplotype));
    if (!score) return std::nullopt;
    return map.otherwise->uses_map ? by_law(map, *score)
                                   : at_score(map.otherwise->by_score, *score);
}

} // namespace gemel::pkpd
