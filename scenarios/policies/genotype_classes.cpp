#include "policies/genotype_classes.hpp"

#include <gemel/sim/assert.hpp>

#include <fmt/format.h>

namespace gemel::scenarios {

std::vector<std::optional<pkpd::Diplotype>> SeenSubjects::genotype(const std::string& gene) const {
    std::vector<std::optional<pkpd::Diplotype>> seen(count());
    const auto known = knowledge_.find(gene);
    if (known == knowledge_.end()) return seen;
    for (std::size_t g = 0; g < population_.genotypes.size(); ++g) {
        if (population_.genotypes[g].gene != gene) continue;
        const pkpd::CohortBlock::Gene& drawn = cohort_.genes[g];
        std::vector<std::optional<pkpd::Diplotype>> readings;
        for (const pkpd::Diplotype& kind : drawn.kinds)
            readings.push_back(known->second ? known->second(kind) : std::optional(kind));
        for (std::size_t s = 0; s < seen.size(); ++s)
            seen[s] = readings[drawn.kind[s]];
    }
    return seen;
}

const pkpd::GenotypeDistribution* find_genotype(const pkpd::Population& population,
                                                const std::string& gene) {
    for (const pkpd::GenotypeDistribution& law : population.genotypes)
        if (law.gene == gene) return &law;
    return nullptr;
}

Readable
readable(const pkpd::Population& population, const Knowledge& knowledge, const std::string& gene) {
    Readable found;
    const auto known = knowledge.find(gene);
    const pkpd::GenotypeDistribution* law = find_genotype(population, gene);
    if (known == knowledge.end() || law == nullptr) {
        found.can_be_unknown = true;
        return found;
    }
    for (const pkpd::Diplotype& truth : pkpd::possible_diplotypes(population, *law)) {
        const auto read = known->second ? known->second(truth) : std::optional(truth);
        if (read) found.diplotypes.insert(*read);
        if (!read) found.can_be_unknown = true;
    }
    return found;
}

DiplotypeClasses classes_by(const std::string& gene, const Readable& of, const ClassKey& key) {
    DiplotypeClasses classes;
    classes.gene = gene;
    std::map<std::vector<double>, std::size_t> known;
    for (const pkpd::Diplotype& diplotype : of.diplotypes) {
        const auto value = key(diplotype);
        if (!value) continue;
        const auto [at, is_new] = known.try_emplace(*value, classes.representatives.size());
        if (is_new) classes.representatives.push_back(diplotype);
        classes.class_of[diplotype] = at->second;
    }
    return classes;
}

std::size_t GenotypeCombinations::count() const {
    std::size_t n = 1;
    for (const DiplotypeClasses& gene : genes_)
        n *= gene.count();
    return n;
}

std::vector<std::optional<pkpd::Diplotype>>
GenotypeCombinations::at(std::size_t combination) const {
    std::vector<std::optional<pkpd::Diplotype>> diplotypes;
    for (const DiplotypeClasses& gene : genes_) {
        const std::size_t c = combination % gene.count();
        combination /= gene.count();
        diplotypes.push_back(c < gene.representatives.size()
                                 ? std::optional(gene.representatives[c])
                                 : std::nullopt);
    }
    return diplotypes;
}

std::vector<std::size_t> GenotypeCombinations::of(const SeenSubjects& subjects) const {
    std::vector<std::size_t> combinations(subjects.count(), 0);
    std::size_t stride = 1;
    for (const DiplotypeClasses& gene : genes_) {
        const auto seen = subjects.genotype(gene.gene);
        for (std::size_t s = 0; s < seen.size(); ++s) {
            std::size_t c = gene.representatives.size();
            if (seen[s])
                if (const auto at = gene.class_of.find(*seen[s]); at != gene.class_of.end())
                    c = at->second;
            combinations[s] += stride * c;
        }
        stride *= gene.count();
    }
    return combinations;
}

std::string GenotypeCombinations::text(std::size_t combination,
                                       const pkpd::Population& population) const {
    const auto diplotypes = at(combination);
    std::string text;
    for (std::size_t g = 0; g < genes_.size(); ++g) {
        const pkpd::GenotypeDistribution* law = find_genotype(population, genes_[g].gene);
        text += fmt::format("{}{} {}",
                            text.empty() ? "" : ", ",
                            genes_[g].gene,
                            diplotypes[g] && law != nullptr ? law->table->text(*diplotypes[g])
                                                            : "not known");
    }
    return text;
}

} // namespace gemel::scenarios
