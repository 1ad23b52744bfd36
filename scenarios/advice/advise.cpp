#include "advice/drug_sources.hpp"
#include "advice/model_dose.hpp"

#include <gemel/pkpd/covariate_value.hpp>
#include <gemel/pkpd/dosing.hpp>
#include <gemel/scenarios/advice.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::scenarios {

namespace {

/// More combinations of what the diplotypes may be than this are too many to lay side by side.
constexpr std::size_t most_alternatives = 64;

/// The phenotype of a score; the gene's word for "not known" where no rule has it.
int phenotype_of(const pkpd::GeneTable& gene, double score) {
    for (const pkpd::GeneTable::ScoreRule& rule : gene.score_rules)
        if (score >= rule.from - pkpd::score_tolerance && score <= rule.to + pkpd::score_tolerance)
            return rule.phenotype;
    return gene.otherwise;
}

std::string phenotype_name(const pkpd::GeneTable& gene, int phenotype) {
    return gene.phenotypes[static_cast<std::size_t>(phenotype)].name;
}

class Adviser {
public:
    Adviser(const Patient& patient,
            const std::string& drug,
            const DrugSources& sources,
            const io::Library& library)
        : patient_(patient),
          sources_(sources),
          library_(library) {
        advice_.drug = drug;
        advice_.patient = patient.name;
        advice_.recommendations = sources.recommendations;
    }

    Advice advise() {
        read_inhibitors();
        for (const auto& [name, gene] : sources_.genes())
            add_gene(name, *gene);
        describe_comedication();
        combine();
        for (AdviceAlternative& alternative : advice_.alternatives)
            fill(alternative);
        diagnostics_.throw_if_any();
        return std::move(advice_);
    }

private:
    void read_inhibitors() {
        const auto path = library_.find("interactions", "inhibitors");
        if (!path.empty()) inhibitors_ = pkpd::load_inhibitors(path, diagnostics_);
    }

    std::optional<double> factor_of(const std::string& gene) const {
        const auto strength = patient_.inhibitors.find(gene);
        if (strength == patient_.inhibitors.end() || inhibitors_ == nullptr) return std::nullopt;
        return inhibitors_->factors[static_cast<std::size_t>(strength->second)];
    }

    void add_gene(const std::string& name, const pkpd::GeneTable& gene) {
        AdvisedGene& advised = advice_.genes.emplace_back();
        advised.gene = name;
        const auto factor = factor_of(name);
        if (factor)
            advised.inhibition = fmt::format("{}: taken to leave {:g} of the activity score ({}, "
                                             "{})",
                                             patient_.which.at(name),
                                             *factor,
                                             inhibitors_->factor_source,
                                             inhibitors_->factor_confidence);
        const auto known = patient_.genotypes.find(name);
        if (known == patient_.genotypes.end() || known->second.candidates.empty()) {
            advised.evidence = known == patient_.genotypes.end()
                                   ? "not in the patient's file"
                                   : "no call: " + known->second.evidence;
            return;
        }
        advised.evidence = known->second.evidence;
        for (const PatientGenotype::Candidate& candidate : known->second.candidates)
            advised.diplotypes.push_back(describe(gene, candidate, factor));
        std::stable_sort(
            advised.diplotypes.begin(), advised.diplotypes.end(), [](const auto& a, const auto& b) {
                return a.probability > b.probability;
            });
    }

    static AdvisedDiplotype describe(const pkpd::GeneTable& gene,
                                     const PatientGenotype::Candidate& candidate,
                                     std::optional<double> factor) {
        AdvisedDiplotype advised;
        advised.alleles = candidate.diplotype;
        advised.diplotype = gene.text(candidate.diplotype);
        advised.probability = candidate.probability;
        advised.score = gene.has_score ? gene.score_text(candidate.diplotype) : "";
        advised.seen = pkpd::seen(gene, candidate.diplotype);
        advised.phenotype = phenotype_name(gene, advised.seen.phenotype);
        if (factor) inhibit(gene, *factor, advised);
        return advised;
    }

    /// By the score where the gene has one; else only no activity at all is expressed.
    static void inhibit(const pkpd::GeneTable& gene, double factor, AdvisedDiplotype& advised) {
        const int none = gene.find_phenotype("PM");
        if (advised.seen.score) {
            advised.seen.score = *advised.seen.score * factor;
            advised.seen.phenotype = phenotype_of(gene, *advised.seen.score);
            advised.score_under_inhibition = fmt::format("{:g}", *advised.seen.score);
        } else if (factor == 0.0 && none >= 0) {
            advised.seen.phenotype = none;
            if (gene.has_score) {
                advised.seen.score = 0.0;
                advised.score_under_inhibition = "0";
            }
        }
        advised.phenotype_under_inhibition = phenotype_name(gene, advised.seen.phenotype);
    }

    void describe_comedication() {
        for (const std::string& drug : patient_.drugs) {
            const auto classes = inhibitors_ ? inhibitors_->of(drug) : std::map<std::string, int>();
            std::string text;
            for (const auto& [enzyme, strength] : classes)
                text += fmt::format("{}{} inhibitor of {}",
                                    text.empty() ? "" : ", ",
                                    pkpd::inhibitor_class_names[strength],
                                    enzyme);
            advice_.comedication.push_back(
                fmt::format("{}: {}", drug, text.empty() ? "in no list of inhibitors here" : text));
        }
    }

    /// Every combination of diplotypes; genes that are not known have none.
    void combine() {
        std::size_t n = 1;
        for (const AdvisedGene& gene : advice_.genes)
            n *= std::max<std::size_t>(1, gene.diplotypes.size());
        if (n > most_alternatives)
            diagnostics_.add({patient_.file, 0, 0, 1},
                             fmt::format("the genotypes leave {} combinations open; at most {} are "
                                         "laid side by side",
                                         n,
                                         most_alternatives),
                             "leave out alternatives of little probability");
        diagnostics_.throw_if_any();
        for (std::size_t number = 0; number < n; ++number)
            advice_.alternatives.push_back(combination(number));
        std::stable_sort(
            advice_.alternatives.begin(),
            advice_.alternatives.end(),
            [](const auto& a, const auto& b) { return a.probability > b.probability; });
    }

    AdviceAlternative combination(std::size_t number) const {
        AdviceAlternative alternative;
        for (const AdvisedGene& gene : advice_.genes) {
            const std::size_t count = std::max<std::size_t>(1, gene.diplotypes.size());
            alternative.diplotypes.push_back(number % count);
            if (!gene.diplotypes.empty())
                alternative.probability *= gene.diplotypes[number % count].probability;
            number /= count;
        }
        return alternative;
    }

    const AdvisedDiplotype* diplotype_of(const AdviceAlternative& alternative,
                                         std::size_t gene) const {
        const auto& diplotypes = advice_.genes[gene].diplotypes;
        return diplotypes.empty() ? nullptr : &diplotypes[alternative.diplotypes[gene]];
    }

    void fill(AdviceAlternative& alternative) {
        std::map<std::string, pkpd::SeenGenotype> seen;
        std::map<std::string, pkpd::Diplotype> diplotypes;
        PatientOfModel of_model;
        for (std::size_t g = 0; g < advice_.genes.size(); ++g) {
            const AdvisedDiplotype* known = diplotype_of(alternative, g);
            if (known == nullptr) continue;
            const std::string& gene = advice_.genes[g].gene;
            seen[gene] = known->seen;
            diplotypes[gene] = known->alleles;
            of_model.genotypes[gene] = known->diplotype;
            if (!known->score_under_inhibition.empty() &&
                known->score_under_inhibition != known->score)
                of_model.lowered_scores[gene] = *known->seen.score;
        }
        if (sources_.recommendations)
            alternative.recommendations = sources_.recommendations->matching(seen);
        for (const auto& equation : sources_.equations)
            alternative.equations.push_back(equation_dose(*equation, diplotypes));
        for (const auto& model : sources_.models) {
            of_model.covariates = covariates_of(model->covariates);
            alternative.models.push_back(model_dose(*model, of_model));
        }
    }

    /// A patient's file declares no units: a bare number of what has one could be anything.
    bool lacks_unit(const pkpd::Covariate& covariate, const io::TomlView& view) {
        if (!covariate.categories.empty() || covariate.unit.text == "1" || !view.number())
            return false;
        diagnostics_.add(view.span(),
                         fmt::format("'{}' needs a unit", covariate.name),
                         fmt::format("write {} = \"{:g} {}\", if that is what it is in",
                                     covariate.name,
                                     *view.number(),
                                     covariate.unit.text));
        return true;
    }

    /// Of those asked for, in their units; what the file says wrongly is told once.
    std::map<std::string, double> covariates_of(const std::vector<pkpd::Covariate>& asked) {
        std::map<std::string, double> values;
        for (const pkpd::Covariate& covariate : asked) {
            const auto given = patient_.covariates.find(covariate.name);
            if (given == patient_.covariates.end() || lacks_unit(covariate, given->second))
                continue;
            if (const auto value =
                    pkpd::read_covariate_value(covariate, given->second, diagnostics_))
                values[covariate.name] = *value;
        }
        return values;
    }

    EquationDose equation_dose(const pkpd::DoseEquation& equation,
                               const std::map<std::string, pkpd::Diplotype>& diplotypes) {
        EquationDose dose;
        dose.id = equation.id;
        dose.name = equation.name;
        dose.source = equation.source;
        dose.confidence = equation.confidence;
        dose.unit = equation.unit.text;
        std::vector<double> columns;
        const std::map<std::string, double> given = covariates_of(equation.inputs);
        for (const pkpd::Covariate& input : equation.inputs) {
            const auto value = given.find(input.name);
            if (value == given.end()) dose.missing.push_back(missing_text(input));
            columns.push_back(value == given.end() ? 0.0 : value->second);
        }
        for (std::size_t m = 0; m < equation.maps.size(); ++m)
            columns.push_back(map_number(equation, m, diplotypes, dose));
        if (!dose.missing.empty()) return dose;
        dose.dose = equation.doses(columns, 1).front();
        to_daily(equation, dose);
        return dose;
    }

    static std::string missing_text(const pkpd::Covariate& input) {
        return input.about.empty() ? input.name : fmt::format("{} ({})", input.name, input.about);
    }

    /// A note is made once, however many maps ask a gene.
    static void note(std::vector<std::string>& notes, std::string text) {
        if (std::find(notes.begin(), notes.end(), text) == notes.end())
            notes.push_back(std::move(text));
    }

    static double map_number(const pkpd::DoseEquation& equation,
                             std::size_t m,
                             const std::map<std::string, pkpd::Diplotype>& diplotypes,
                             EquationDose& dose) {
        const std::string& gene = equation.maps[m].map.gene;
        const pkpd::GeneTable& table = *equation.genes.at(gene);
        const auto known = diplotypes.find(gene);
        const auto diplotype =
            known == diplotypes.end() ? std::nullopt : std::optional(known->second);
        const auto value = equation.map_value(m, diplotype);
        if (!value) {
            note(dose.missing,
                 diplotype ? fmt::format("a number for {} {}", gene, table.text(*diplotype))
                           : "genotype of " + gene);
            return 0.0;
        }
        if (value->basis == pkpd::DoseMapBasis::unnamed_allele)
            note(
                dose.remarks,
                fmt::format("of {} {} the equation knows only some alleles; the others count as {}",
                            gene,
                            table.text(*diplotype),
                            table.reference));
        if (value->basis == pkpd::DoseMapBasis::not_known)
            note(dose.remarks,
                 fmt::format("by its term for a genotype of {} that is not known", gene));
        return value->value;
    }

    static void to_daily(const pkpd::DoseEquation& equation, EquationDose& dose) {
        const sim::Unit& unit = equation.unit;
        if (!equation.is_rate()) return;
        const auto daily = sim::parse_unit(unit.text.substr(0, unit.text.find('/')) + "/d");
        if (!daily || !(daily->dimension == unit.dimension) || daily->text == unit.text) return;
        dose.daily = *dose.dose * sim::conversion_factor(unit, *daily);
        dose.daily_unit = daily->text;
    }

    const Patient& patient_;
    const DrugSources& sources_;
    const io::Library& library_;
    std::shared_ptr<const pkpd::Inhibitors> inhibitors_;
    sim::DiagnosticList diagnostics_;
    Advice advice_;
};

} // namespace

bool Advice::agree() const {
    return std::all_of(alternatives.begin(), alternatives.end(), [&](const auto& alternative) {
        const auto& first = alternatives.front().recommendations;
        return std::equal(alternative.recommendations.begin(),
                          alternative.recommendations.end(),
                          first.begin(),
                          first.end(),
                          [](const auto* a, const auto* b) {
                              return a->action == b->action && a->dose_factor == b->dose_factor &&
                                     a->patients == b->patients;
                          });
    });
}

Advice advise(const Patient& patient, const std::string& drug, const io::Library& library) {
    sim::DiagnosticList diagnostics;
    const DrugSources sources = sources_of(drug, library, diagnostics);
    if (sources.is_empty() && diagnostics.empty())
        diagnostics.add({},
                        fmt::format("nothing in the library is about the drug '{}'", drug),
                        sim::suggest(drug, advised_drugs(library)));
    diagnostics.throw_if_any();
    return Adviser(patient, drug, sources, library).advise();
}

} // namespace gemel::scenarios
