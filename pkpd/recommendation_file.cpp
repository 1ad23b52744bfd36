#include "keys.hpp"
#include "names_of.hpp"

#include <gemel/pkpd/file_format.hpp>
#include <gemel/pkpd/recommendation.hpp>
#include <gemel/sim/units.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace gemel::pkpd {
namespace {

struct ActionName {
    AdvisedAction action;
    std::string_view name, in_words;
};

constexpr std::array action_names{
    ActionName{AdvisedAction::standard, "standard", "the usual dose"},
    ActionName{
        AdvisedAction::standard_monitor, "standard_monitor", "the usual dose, response followed"},
    ActionName{AdvisedAction::standard_lowest, "standard_lowest", "the lowest usual dose"},
    ActionName{AdvisedAction::standard_consider_decrease,
               "standard_consider_decrease",
               "the usual starting dose; a decrease later to be considered"},
    ActionName{AdvisedAction::standard_consider_increase,
               "standard_consider_increase",
               "the usual starting dose; an increase to be considered"},
    ActionName{AdvisedAction::reduce_start, "reduce_start", "a lower starting dose"},
    ActionName{AdvisedAction::reduce_maintenance,
               "reduce_maintenance",
               "the usual first dose, a lower maintenance dose"},
    ActionName{AdvisedAction::increase_start, "increase_start", "a higher starting dose"},
    ActionName{AdvisedAction::dose_cap, "dose_cap", "a limit to the dose"},
    ActionName{AdvisedAction::titrate_faster, "titrate_faster", "faster titration"},
    ActionName{AdvisedAction::titrate_slower, "titrate_slower", "slower titration"},
    ActionName{
        AdvisedAction::measure_activity, "measure_activity", "enzyme activity measured first"},
    ActionName{AdvisedAction::caution, "caution", "use with caution"},
    ActionName{AdvisedAction::caution_continue,
               "caution_continue",
               "continuation with caution, as the drug was tolerated so far"},
    ActionName{
        AdvisedAction::alternative_preferred, "alternative_preferred", "another drug preferred"},
    ActionName{AdvisedAction::avoid, "avoid", "avoidance of this drug"},
    ActionName{AdvisedAction::contraindicated, "contraindicated", "contraindicated"},
    ActionName{AdvisedAction::algorithm, "algorithm", "a dose by a published equation"},
    ActionName{AdvisedAction::dose_clinically, "dose_clinically", "a dose without genotype"},
    ActionName{AdvisedAction::no_recommendation, "no_recommendation", "no recommendation"},
};

const ActionName& row_of(AdvisedAction action) {
    return action_names[static_cast<std::size_t>(action)];
}

struct ConditionWords {
    std::string gene;
    sim::SourceSpan gene_span;
    io::TomlView value;
};

struct RowWords {
    Recommendation row;
    std::vector<ConditionWords> genotype;
    io::TomlView dose_factor;
    sim::SourceSpan basis_span;
};

struct RecommendationWords {
    std::string format;
    DrugRecommendations drug;
    std::vector<RowWords> rows;
};

void describe_row(io::Fields& fields, RowWords& words) {
    Recommendation& row = words.row;
    row.span = fields.span();
    fields.any(optional_key("genotype",
                            "per gene a phenotype, \"known\", or { phenotype, score, diplotypes, "
                            "carries, carries_none }; all must hold",
                            "{ CYP2D6 = \"Poor Metabolizer\" }"),
               "conditions by gene",
               [&words](const io::TomlView& view) {
                   for (const auto& [gene, value] : view.members())
                       words.genotype.push_back({gene, value.key_span(), value});
               });
    fields.text(optional_key("condition", "what else must be, in words", "\"tested for *5\""),
                row.condition);
    fields.text(required_key("patients", "for whom", "\"general\""), row.patients);
    std::vector<std::string> actions;
    for (const ActionName& action : action_names)
        actions.emplace_back(action.name);
    int action = 0;
    fields.choice(required_key("action", "what it comes to", "\"reduce_start\""), actions, action);
    row.action = static_cast<AdvisedAction>(action);
    fields.any(
        optional_key("dose_factor", "of the usual starting dose, from and to", "[0.5, 0.75]"),
        "two numbers",
        [&words](const io::TomlView& view) { words.dose_factor = view; });
    fields.text(optional_key("dose_limit", "in words", "\"40 mg/day\""), row.dose_limit);
    fields.text(optional_key("monitoring", "in words", "\"yes\""), row.monitoring);
    fields.texts(optional_key("alternatives", "other drugs or ways", "[\"prasugrel\"]"),
                 row.alternatives);
    fields.text(required_key("implication", "what the genotype does", "\"higher exposure\""),
                row.implication);
    fields.text(required_key("strength", "as the guideline classifies it", "\"Strong\""),
                row.strength);
    std::int64_t year = 0;
    fields.integer(required_key("year", "of the guideline", "2021"), year);
    row.year = static_cast<int>(year);
    fields.texts(required_key("basis", "on what the row rests, keys of [basis]", "[\"p\"]"),
                 row.basis);
    words.basis_span = fields.span("basis");
}

void describe(io::Fields& fields, RecommendationWords& words) {
    fields.text(required_key("gemel", "what the file is; its first line", "\"recommendations/1\""),
                words.format);
    fields.any(required_key("basis", "on what rows may rest", "{ r = \"remembered\" }"),
               "texts by key",
               [&words](const io::TomlView& view) {
                   for (const auto& [key, text] : view.members())
                       words.drug.basis[key] = text.text().value_or("");
               });
    fields.table(required_key("recommendations", "of one drug", "{ … }"), [&](io::Fields& drug) {
        drug.text(required_key("drug", "its name", "\"codeine\""), words.drug.drug);
        drug.text(required_key("source", "whose they are", "\"CPIC guidelines, …\""),
                  words.drug.source);
        drug.text(required_key("licence", "of the source", "\"CC0-1.0\""), words.drug.licence);
        drug.list(required_key("rows", "one per genotype and group of patients", "[ { … } ]"),
                  [&](io::Fields& row) { describe_row(row, words.rows.emplace_back()); });
    });
}

/// Reads what rows ask, against the genes.
class ConditionReader {
public:
    ConditionReader(DrugRecommendations& drug,
                    const io::Library& library,
                    sim::DiagnosticList& diagnostics)
        : drug_(drug),
          library_(library),
          diagnostics_(diagnostics) {}

    void read(const RowWords& words, Recommendation& row) {
        for (const ConditionWords& asked : words.genotype)
            if (const GeneTable* gene = find_gene(asked))
                row.genotype.push_back(condition(asked, *gene));
        for (const std::string& letter : row.basis)
            if (!drug_.basis.contains(letter))
                diagnostics_.add(words.basis_span,
                                 fmt::format("[basis] does not say what '{}' means", letter));
        if (words.dose_factor.is_set()) row.dose_factor = pair(words.dose_factor);
        if (row.dose_factor && !(row.dose_factor->first > 0.0))
            diagnostics_.add(words.dose_factor.span(), "a factor of a dose is above 0");
    }

private:
    const GeneTable* find_gene(const ConditionWords& asked) {
        const auto [known, is_new] = drug_.genes.try_emplace(asked.gene);
        if (is_new) {
            const auto path = library_.find("genes", asked.gene);
            if (!path.empty()) known->second = load_gene(path, diagnostics_);
            if (path.empty())
                diagnostics_.add(asked.gene_span,
                                 fmt::format("the library has no gene '{}'", asked.gene),
                                 sim::suggest(asked.gene, library_.names("genes")));
        }
        return known->second.get();
    }

    GenotypeCondition condition(const ConditionWords& asked, const GeneTable& gene) {
        GenotypeCondition condition;
        condition.gene = asked.gene;
        if (asked.value.text() == "known") return condition;
        if (asked.value.kind() == io::TomlKind::text)
            condition.phenotype = phenotype(asked.value, gene);
        else
            io::read_fields(asked.value, diagnostics_, [&](io::Fields& fields) {
                read_parts(fields, gene, condition);
            });
        return condition;
    }

    void read_parts(io::Fields& fields, const GeneTable& gene, GenotypeCondition& condition) {
        const auto any = [&](const char* key, const auto& read) {
            fields.any(optional_key(key, "", ""), "", read);
        };
        any("phenotype",
            [&](const io::TomlView& view) { condition.phenotype = phenotype(view, gene); });
        any("score", [&](const io::TomlView& view) {
            condition.score = pair(view);
            if (!gene.has_score)
                diagnostics_.add(view.span(), fmt::format("{} has no activity score", gene.name));
        });
        any("diplotypes", [&](const io::TomlView& view) {
            for (const io::TomlView& element : view.elements())
                read_diplotype(element, gene, condition);
        });
        any("carries", [&](const io::TomlView& view) { condition.carries = alleles(view, gene); });
        any("carries_none",
            [&](const io::TomlView& view) { condition.carries_none = alleles(view, gene); });
    }

    std::optional<int> phenotype(const io::TomlView& view, const GeneTable& gene) {
        const std::string text = view.text().value_or("");
        const int found = gene.find_phenotype(text);
        if (found >= 0) return found;
        diagnostics_.add(view.span(),
                         fmt::format("'{}' is no phenotype of {}", text, gene.name),
                         sim::suggest(text, names_of(gene.phenotypes)));
        return std::nullopt;
    }

    void
    read_diplotype(const io::TomlView& view, const GeneTable& gene, GenotypeCondition& condition) {
        std::string why = "a diplotype such as \"*1/*2\" is expected";
        const auto text = view.text();
        const auto diplotype = text ? gene.parse_diplotype(*text, &why) : std::nullopt;
        if (diplotype)
            condition.diplotypes.push_back(*diplotype);
        else
            diagnostics_.add(view.span(), why);
    }

    std::vector<int> alleles(const io::TomlView& view, const GeneTable& gene) {
        std::vector<int> found;
        for (const io::TomlView& element : view.elements()) {
            const std::string text = element.text().value_or("");
            found.push_back(gene.find_allele(text));
            if (found.back() < 0)
                diagnostics_.add(element.span(),
                                 fmt::format("'{}' is no allele of {}", text, gene.name),
                                 sim::suggest(text, names_of(gene.alleles)));
        }
        return found;
    }

    std::optional<std::pair<double, double>> pair(const io::TomlView& view) {
        const std::vector<io::TomlView> elements =
            view.kind() == io::TomlKind::array ? view.elements() : std::vector<io::TomlView>{};
        const auto from = elements.size() == 2 ? elements[0].number() : std::nullopt;
        const auto to = elements.size() == 2 ? elements[1].number() : std::nullopt;
        if (from && to && *from <= *to) return std::pair{*from, *to};
        diagnostics_.add(view.span(), "two numbers in rising order are expected", "as in [0.5, 1]");
        return std::nullopt;
    }

    DrugRecommendations& drug_;
    const io::Library& library_;
    sim::DiagnosticList& diagnostics_;
};

bool has_allele(const Diplotype& diplotype, const std::vector<int>& alleles) {
    return std::any_of(alleles.begin(), alleles.end(), [&](int allele) {
        return diplotype.first == allele || diplotype.second == allele;
    });
}

std::string joined_alleles(const std::vector<int>& alleles, const GeneTable& gene) {
    std::vector<std::string> names;
    for (const int allele : alleles)
        names.push_back(gene.alleles[static_cast<std::size_t>(allele)].name);
    return fmt::format("{}", fmt::join(names, ", "));
}

std::string range_text(const std::pair<double, double>& range) {
    if (range.first == range.second) return fmt::format("{:g}", range.first);
    if (std::isinf(range.second)) return fmt::format("{:g} or more", range.first);
    return fmt::format("{:g} to {:g}", range.first, range.second);
}

} // namespace

std::string_view name(AdvisedAction action) {
    return row_of(action).name;
}

std::string_view in_words(AdvisedAction action) {
    return row_of(action).in_words;
}

bool is_another_drug(AdvisedAction action) {
    return action == AdvisedAction::alternative_preferred || action == AdvisedAction::avoid ||
           action == AdvisedAction::contraindicated;
}

bool holds(const GenotypeCondition& condition, const SeenGenotype& genotype) {
    if (condition.phenotype && *condition.phenotype != genotype.phenotype) return false;
    if (condition.score &&
        (!genotype.score || *genotype.score < condition.score->first - score_tolerance ||
         *genotype.score > condition.score->second + score_tolerance))
        return false;
    const auto& listed = condition.diplotypes;
    if (!listed.empty() &&
        std::find(listed.begin(), listed.end(), genotype.diplotype) == listed.end())
        return false;
    if (!condition.carries.empty() && !has_allele(genotype.diplotype, condition.carries))
        return false;
    return !has_allele(genotype.diplotype, condition.carries_none);
}

std::string condition_text(const GenotypeCondition& condition, const GeneTable& gene) {
    std::vector<std::string> parts;
    if (condition.phenotype)
        parts.push_back(gene.phenotypes[static_cast<std::size_t>(*condition.phenotype)].name);
    if (condition.score)
        parts.push_back(fmt::format("activity score {}", range_text(*condition.score)));
    for (const Diplotype& diplotype : condition.diplotypes)
        parts.push_back(gene.text(diplotype));
    if (!condition.carries.empty())
        parts.push_back(joined_alleles(condition.carries, gene) + " carried");
    if (!condition.carries_none.empty())
        parts.push_back(joined_alleles(condition.carries_none, gene) + " not carried");
    if (parts.empty()) parts.emplace_back("known");
    return fmt::format("{} {}", condition.gene, fmt::join(parts, ", "));
}

SeenGenotype seen(const GeneTable& gene, const Diplotype& diplotype) {
    return {diplotype, gene.phenotype(diplotype), gene.score(diplotype)};
}

std::vector<std::string> DrugRecommendations::patients() const {
    std::vector<std::string> groups;
    for (const Recommendation& row : rows)
        if (std::find(groups.begin(), groups.end(), row.patients) == groups.end())
            groups.push_back(row.patients);
    return groups;
}

std::vector<const Recommendation*>
DrugRecommendations::matching(const std::map<std::string, SeenGenotype>& genotypes) const {
    std::vector<const Recommendation*> found;
    for (const Recommendation& row : rows)
        if (std::all_of(row.genotype.begin(), row.genotype.end(), [&](const auto& condition) {
                const auto known = genotypes.find(condition.gene);
                return known != genotypes.end() && holds(condition, known->second);
            }))
            found.push_back(&row);
    std::stable_sort(found.begin(), found.end(), [](const auto* a, const auto* b) {
        return a->genotype.size() > b->genotype.size();
    });
    return found;
}

std::shared_ptr<const DrugRecommendations> load_recommendations(const std::filesystem::path& file,
                                                                const io::Library& library,
                                                                sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    const io::TomlView root = open_format(file, "recommendations/1", diagnostics);
    if (!root.is_set()) return nullptr;
    RecommendationWords words;
    io::read_fields(root, diagnostics, [&](io::Fields& fields) { describe(fields, words); });
    auto drug = std::make_shared<DrugRecommendations>(std::move(words.drug));
    drug->path = file;
    drug->file = root.span().file;
    ConditionReader reader(*drug, library, diagnostics);
    for (RowWords& row : words.rows) {
        reader.read(row, row.row);
        drug->rows.push_back(std::move(row.row));
    }
    return diagnostics.size() == n_before ? drug : nullptr;
}

void describe_recommendations_for_reference(io::Fields& fields) {
    RecommendationWords words;
    describe(fields, words);
}

} // namespace gemel::pkpd
