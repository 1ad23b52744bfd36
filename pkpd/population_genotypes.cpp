#include "genotype_file.hpp"
#include "population_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace gemel::pkpd {
namespace {

using LawKind = GenotypeDistribution::Kind;

std::vector<std::string> allele_names(const GeneTable& gene) {
    std::vector<std::string> names;
    for (const Allele& allele : gene.alleles)
        names.push_back(allele.name);
    return names;
}

std::vector<std::string> group_codes(const GeneTable& gene) {
    std::vector<std::string> codes;
    for (const AlleleFrequencies& group : gene.frequencies)
        codes.push_back(group.group);
    return codes;
}

/// Reads the genotypes of one gene.
class GenotypeReader {
public:
    GenotypeReader(const Population& population,
                   const GeneTable& gene,
                   bool has_ancestry,
                   CallFiles& files,
                   sim::DiagnosticList& diagnostics)
        : population_(population),
          gene_(gene),
          has_ancestry_(has_ancestry),
          files_(files),
          diagnostics_(diagnostics) {}

    bool read(const io::TomlView& view, GenotypeDistribution& law) const;

private:
    bool mistake(const sim::SourceSpan& span,
                 const std::string& message,
                 const std::string& help = {}) const {
        diagnostics_.add(span, message, help);
        return false;
    }
    bool fixed(const io::TomlView& view, GenotypeDistribution& law) const;
    bool by_ancestry(const io::TomlView& table, GenotypeDistribution& law) const;
    bool missing_groups(const io::TomlView& table, const std::vector<std::string>& missing) const;
    bool alleles(const io::TomlView& table, GenotypeDistribution& law) const;
    bool diplotypes(const io::TomlView& table, GenotypeDistribution& law) const;
    bool hemizygous(const io::TomlView& table, GenotypeDistribution& law) const;
    bool one_copy(const io::TomlView& table, GenotypeDistribution& law) const;
    bool called(const io::TomlView& table, GenotypeDistribution& law) const;

    const Population& population_;
    const GeneTable& gene_;
    bool has_ancestry_;
    CallFiles& files_;
    sim::DiagnosticList& diagnostics_;
};

bool GenotypeReader::fixed(const io::TomlView& view, GenotypeDistribution& law) const {
    const std::optional<std::string> text = view.text();
    if (!text)
        return mistake(view.span(),
                       fmt::format("{} stands where genotypes of {} are expected",
                                   name(view.kind()),
                                   gene_.name),
                       "a diplotype, allele frequencies, { diplotypes = { … } }, { by = "
                       "\"ancestry\" }, or { file = \"genotypes.csv\" }");
    std::string why;
    const std::optional<Diplotype> diplotype = gene_.parse_diplotype(*text, &why);
    if (!diplotype)
        return mistake(view.span(),
                       fmt::format("\"{}\" is no diplotype of {}: {}", *text, gene_.name, why));
    law.kind = LawKind::fixed;
    law.diplotype = *diplotype;
    return true;
}

bool GenotypeReader::by_ancestry(const io::TomlView& table, GenotypeDistribution& law) const {
    const bool is_alone = gene_.hemizygous.empty();
    const std::size_t n_keys = is_alone ? 1 : 2;
    if (table["by"].text().value_or("") != "ancestry" || table.members().size() != n_keys)
        return mistake(
            table.span(),
            fmt::format("`by` stands {} and its only word is \"ancestry\"",
                        is_alone ? "alone" : "beside `hemizygous` alone"),
            fmt::format("write {{ by = \"ancestry\"{} }}", is_alone ? "" : ", hemizygous = …"));
    if (population_.groups.empty() && has_ancestry_)
        return false; // what is wrong with the ancestry is reported there
    if (population_.groups.empty())
        return mistake(
            table.span(),
            fmt::format("genotypes of {} by ancestry need the ancestry of the population",
                        gene_.name),
            "as in ancestry = { EUR = 0.5, EAS = 0.5 }");
    law.kind = LawKind::ancestry;
    std::vector<std::string> missing;
    for (const auto& ancestors : population_.group_ancestors)
        for (const auto& [group, share] : ancestors)
            if (gene_.group(group) == nullptr && std::ranges::count(missing, group) == 0)
                missing.push_back(group);
    return missing.empty() || missing_groups(table, missing);
}

/// The groups a gene lacks are not zero: nobody's frequencies stand in for them.
bool GenotypeReader::missing_groups(const io::TomlView& table,
                                    const std::vector<std::string>& missing) const {
    const std::vector<std::string> known = group_codes(gene_);
    std::string help = sim::suggest(missing.front(), known);
    if (help.starts_with("did you mean"))
        help += fmt::format(" {} has {}", gene_.name, fmt::join(known, ", "));
    return mistake(table.span(),
                   fmt::format("{} has no frequencies for the group{} {}",
                               gene_.name,
                               missing.size() == 1 ? "" : "s",
                               fmt::join(missing, ", ")),
                   help + "; or give the frequencies of its alleles");
}

bool GenotypeReader::alleles(const io::TomlView& table, GenotypeDistribution& law) const {
    const auto given = read_probabilities(table, "allele frequencies", diagnostics_);
    bool is_right = !given.empty();
    std::vector<char> is_given(gene_.alleles.size(), 0);
    law.kind = LawKind::alleles;
    law.allele_frequencies.assign(gene_.alleles.size(), 0.0);
    for (const auto& [allele_name, frequency] : given) {
        const int found = gene_.find_allele(allele_name);
        const sim::SourceSpan span = table[allele_name].key_span();
        if (found < 0) {
            is_right = mistake(span,
                               fmt::format("{} has no allele '{}'", gene_.name, allele_name),
                               sim::suggest(allele_name, allele_names(gene_)));
            continue;
        }
        if (found == gene_.hemizygous_allele())
            is_right = mistake(
                span,
                fmt::format("'{}' stands for a missing copy and has no frequency", allele_name),
                "`hemizygous` says who has it");
        const auto allele = static_cast<std::size_t>(found);
        if (is_given[allele] != 0)
            is_right = mistake(span,
                               fmt::format("'{}' is the allele {}, which stands here already",
                                           allele_name,
                                           gene_.alleles[allele].name));
        is_given[allele] = 1;
        law.allele_frequencies[allele] = frequency;
    }
    return is_right;
}

bool GenotypeReader::diplotypes(const io::TomlView& table, GenotypeDistribution& law) const {
    if (table.members().size() != 1) return mistake(table.span(), "`diplotypes` stands alone");
    const io::TomlView body = table["diplotypes"];
    const auto given = read_probabilities(body, "diplotype frequencies", diagnostics_);
    bool is_right = !given.empty();
    std::set<Diplotype> seen;
    law.kind = LawKind::diplotypes;
    for (const auto& [text, probability] : given) {
        const sim::SourceSpan span = body[text].key_span();
        std::string why;
        const std::optional<Diplotype> diplotype = gene_.parse_diplotype(text, &why);
        if (!diplotype)
            is_right = mistake(
                span, fmt::format("\"{}\" is no diplotype of {}: {}", text, gene_.name, why));
        else if (!seen.insert(*diplotype).second)
            is_right = mistake(span,
                               fmt::format("\"{}\" is the diplotype {}, which stands here already",
                                           text,
                                           gene_.text(*diplotype)));
        else
            law.diplotypes.emplace_back(*diplotype, probability);
    }
    return is_right;
}

/// `{ by = "ancestry", hemizygous = "SEX_male" }` or `{ alleles = { … }, hemizygous = "SEX_male" }`
bool GenotypeReader::hemizygous(const io::TomlView& table, GenotypeDistribution& law) const {
    if (!one_copy(table, law)) return false;
    if (table["by"].is_set()) return by_ancestry(table, law);
    if (table["alleles"].is_set() && table.members().size() == 2)
        return alleles(table["alleles"], law);
    return mistake(
        table.span(),
        fmt::format("genotypes of {} are drawn by the frequencies of its alleles, as some "
                    "have one copy of it",
                    gene_.name),
        "write by = \"ancestry\" or alleles = { … } beside `hemizygous`");
}

/// A person's sex is said, never guessed.
bool GenotypeReader::one_copy(const io::TomlView& table, GenotypeDistribution& law) const {
    const io::TomlView view = table["hemizygous"];
    const std::string text = view.text().value_or("");
    std::vector<std::string> known;
    for (std::size_t k = 0; k < population_.covariates.size(); ++k) {
        const Covariate& covariate = population_.covariates[k];
        for (std::size_t c = 0; c < covariate.categories.size(); ++c) {
            known.push_back(covariate.name + "_" + covariate.categories[c]);
            if (text == known.back()) law.one_copy = {k, c};
        }
    }
    if (law.one_copy) return true;
    const std::string example = known.empty() ? "SEX_male" : known.back();
    if (!view.is_set())
        return mistake(
            table.span(),
            fmt::format("who has only one copy of {} is not said", gene_.name),
            fmt::format("write for example hemizygous = \"{}\", a category of a covariate",
                        example));
    return mistake(view.span(),
                   fmt::format("'{}' is no category of a covariate of this population", text),
                   known.empty() ? "it has none; declare for example SEX = { categories = "
                                   "[\"female\", \"male\"], … } among its covariates"
                                 : sim::suggest(text, known));
}

/// `{ file = "genotypes.csv", missing = … }`, where `missing` is as any genotypes but another file
bool GenotypeReader::called(const io::TomlView& table, GenotypeDistribution& law) const {
    bool is_right = check_called_keys(table, diagnostics_);
    const io::TomlView missing = table["missing"];
    if (missing.is_set() && missing["file"].is_set())
        is_right =
            mistake(missing.span(), "who has no call in a file is not looked for in another");
    else if (missing.is_set()) {
        GenotypeDistribution others;
        others.gene = law.gene;
        others.table = law.table;
        is_right = read(missing, others) && is_right;
        law.missing = std::make_shared<const GenotypeDistribution>(std::move(others));
    }
    law.kind = LawKind::called;
    law.called = files_.read(table["file"], gene_, law.missing != nullptr);
    return is_right && law.called != nullptr;
}

bool GenotypeReader::read(const io::TomlView& view, GenotypeDistribution& law) const {
    if (view.kind() != io::TomlKind::table) return fixed(view, law);
    if (view["file"].is_set()) return called(view, law);
    if (!gene_.hemizygous.empty()) return hemizygous(view, law);
    if (view["by"].is_set()) return by_ancestry(view, law);
    return view["diplotypes"].is_set() ? diplotypes(view, law) : alleles(view, law);
}

// Coverage of maps.

void add_single_copies(std::span<const double> frequencies,
                       int missing,
                       std::set<Diplotype>& drawable) {
    for (int a = 0; a < static_cast<int>(frequencies.size()); ++a)
        if (frequencies[static_cast<std::size_t>(a)] > 0.0)
            drawable.insert({std::min(a, missing), std::max(a, missing)});
}

void add_pairs(std::span<const double> frequencies, std::set<Diplotype>& drawable) {
    for (int a = 0; a < static_cast<int>(frequencies.size()); ++a)
        for (int b = a; b < static_cast<int>(frequencies.size()); ++b)
            if (frequencies[static_cast<std::size_t>(a)] > 0.0 &&
                frequencies[static_cast<std::size_t>(b)] > 0.0)
                drawable.insert({a, b});
}

void add_drawable(const Population& population,
                  const GenotypeDistribution& law,
                  std::set<Diplotype>& drawable);

void add_called(const Population& population,
                const GenotypeDistribution& law,
                std::set<Diplotype>& drawable) {
    bool is_complete = true;
    for (const auto& candidates : law.called->rows) {
        is_complete = is_complete && !candidates.empty();
        for (const auto& [diplotype, probability] : candidates)
            if (probability > 0.0) drawable.insert(diplotype);
    }
    if (!is_complete && law.missing != nullptr) add_drawable(population, *law.missing, drawable);
}

void add_drawable(const Population& population,
                  const GenotypeDistribution& law,
                  std::set<Diplotype>& drawable) {
    if (law.kind == LawKind::fixed) drawable.insert(law.diplotype);
    if (law.kind == LawKind::called) add_called(population, law, drawable);
    for (const auto& [diplotype, probability] : law.diplotypes)
        if (probability > 0.0) drawable.insert(diplotype);
    for (const std::vector<double>& frequencies : population.possible_frequencies(law)) {
        add_pairs(frequencies, drawable);
        if (law.one_copy) add_single_copies(frequencies, law.table->hemizygous_allele(), drawable);
    }
}

/// Every score a subject with this diplotype can have in a map: one, none, or several where the
/// activity of an allele is drawn.
std::vector<std::optional<double>>
possible_scores(const GenotypeMap& map, const GeneTable& gene, const Diplotype& diplotype) {
    const std::optional<double> score = gene.score(diplotype);
    if (score || !map.otherwise || map.otherwise->uncertain_activity.empty()) return {score};
    const auto activities = [&](int allele) {
        std::vector<double> possible;
        const std::optional<double>& known =
            gene.alleles[static_cast<std::size_t>(allele)].activity;
        if (known) return std::vector<double>{*known};
        for (const auto& [activity, probability] : map.otherwise->uncertain_activity)
            if (probability > 0.0) possible.push_back(activity);
        return possible;
    };
    std::vector<std::optional<double>> scores;
    for (double a : activities(diplotype.first))
        for (double b : activities(diplotype.second))
            scores.emplace_back(a + b);
    return scores;
}

bool is_covered(const GenotypeMap& map, const GeneTable& gene, const Diplotype& diplotype) {
    for (const std::optional<double>& score : possible_scores(map, gene, diplotype)) {
        bool is_assumed = false;
        if (!map_value(map, gene, diplotype, score, &is_assumed)) return false;
    }
    return true;
}

std::string first_few(const std::vector<std::string>& names) {
    constexpr std::size_t few = 5;
    std::vector<std::string> shown(
        names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(few, names.size())));
    std::string text = fmt::format("{}", fmt::join(shown, ", "));
    if (names.size() > few) text += fmt::format(" and {} more", names.size() - few);
    return text;
}

void check_map(const GenotypeMap& map,
               const Population& population,
               const GenotypeDistribution& law,
               const sim::SourceSpan& place,
               sim::DiagnosticList& diagnostics) {
    const GeneTable& gene = *law.table;
    std::vector<std::string> uncovered;
    std::set<int> without_activity;
    for (const Diplotype& diplotype : possible_diplotypes(population, law)) {
        if (is_covered(map, gene, diplotype)) continue;
        uncovered.push_back(gene.text(diplotype));
        for (int allele : {diplotype.first, diplotype.second})
            if (!gene.alleles[static_cast<std::size_t>(allele)].activity)
                without_activity.insert(allele);
    }
    if (uncovered.empty()) return;
    std::vector<std::string> unknown;
    for (int allele : without_activity)
        unknown.push_back(gene.alleles[static_cast<std::size_t>(allele)].name);
    const bool uses_score =
        gene.has_score && map.otherwise && map.otherwise->by == GenotypeMap::By::activity_score;
    diagnostics.add(
        place,
        fmt::format("the map {} has no value for {}, which this population can draw",
                    map.name,
                    first_few(uncovered)),
        uses_score && !unknown.empty()
            ? fmt::format("the activity of {} is not known: state uncertain_activity in the map's "
                          "`otherwise`",
                          first_few(unknown))
            : fmt::format("add them to the table of the map {}, or state in its `otherwise` what "
                          "is assumed",
                          map.name));
}

} // namespace

std::vector<Diplotype> possible_diplotypes(const Population& population,
                                           const GenotypeDistribution& law) {
    std::set<Diplotype> drawable;
    add_drawable(population, law, drawable);
    return {drawable.begin(), drawable.end()};
}

void read_genotypes(const io::TomlView& genotypes,
                    const sim::SourceSpan& place,
                    const PopulationPlace& files,
                    bool has_ancestry,
                    Population& population,
                    sim::DiagnosticList& diagnostics) {
    const Model& model = *population.model;
    CallFiles call_files(files, population, diagnostics);
    std::vector<std::string> known;
    for (const auto& [gene, table] : model.genes)
        known.push_back(gene);
    const auto is_linked = [&](const std::string& gene) {
        return std::ranges::any_of(population.linked, [&](const LinkedGenes& linked) {
            return std::ranges::count(linked.genes, gene) > 0;
        });
    };
    if (genotypes.is_set() && genotypes.kind() != io::TomlKind::table) {
        diagnostics.add(genotypes.span(), "`genotypes` is a table, one entry per gene");
        return;
    }
    if (genotypes.is_set())
        for (const auto& [gene, view] : genotypes.members()) {
            const auto found = model.genes.find(gene);
            if (found == model.genes.end()) {
                diagnostics.add(
                    view.key_span(),
                    fmt::format("the model {} has no map of the gene '{}'", model.id, gene),
                    sim::suggest(gene, known));
                continue;
            }
            if (is_linked(gene)) {
                diagnostics.add(view.key_span(),
                                fmt::format("{} stands in `genotypes` and in `linked`", gene),
                                "keep one of the two");
                continue;
            }
            GenotypeDistribution law;
            law.gene = gene;
            law.table = found->second;
            const GenotypeReader reader(
                population, *law.table, has_ancestry, call_files, diagnostics);
            if (reader.read(view, law)) population.genotypes.push_back(std::move(law));
        }
    for (const std::string& gene : known)
        if (!is_linked(gene) && (!genotypes.is_set() || !genotypes[gene].is_set()))
            diagnostics.add(population.data != nullptr ? population.data->header : place,
                            fmt::format("the model {} needs genotypes of {}, which the population "
                                        "does not give",
                                        model.id,
                                        gene),
                            fmt::format("in genotypes: {} = {{ by = \"ancestry\" }}, allele "
                                        "frequencies, or a diplotype",
                                        gene));
}

void check_maps_cover(const Population& population,
                      const io::TomlView& genotypes,
                      sim::DiagnosticList& diagnostics) {
    for (const GenotypeMap& map : population.model->maps)
        for (const GenotypeDistribution& law : population.genotypes)
            if (law.gene == map.gene)
                check_map(map,
                          population,
                          law,
                          law.kind == LawKind::linked ? population.linked[law.linked].span
                                                   : genotypes[law.gene].span(),
                          diagnostics);
}

} // namespace gemel::pkpd
