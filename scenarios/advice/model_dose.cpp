#include "advice/model_dose.hpp"

#include "outcome_text.hpp"
#include "policies/exposure_search.hpp"

#include <gemel/pkpd/dosing.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace gemel::scenarios {

namespace {

/// The doses and the outcome they are judged by; whoever ships a model sees their mistakes.
struct UsualDoses {
    pkpd::Regimen regimen;
    BoundOutcome outcome;
    double duration = 0.0;
};

UsualDoses usual_doses(const pkpd::Model& model) {
    sim::DiagnosticList diagnostics;
    UsualDoses usual;
    usual.duration = model.drug->duration.in(model.system.time_unit);
    usual.regimen =
        pkpd::plan_doses("usual", *model.drug->usual, model, usual.duration, diagnostics);
    const auto outcome = parse_outcome("exposure", model.drug->exposure, diagnostics);
    diagnostics.throw_if_any();
    const std::set<std::string> no_triggers;
    const OutcomeContext context{&model, &usual.regimen, usual.duration, false, &no_triggers};
    usual.outcome =
        find_outcome_function(outcome->call.function)->bind(outcome->call, context, diagnostics);
    diagnostics.throw_if_any();
    return usual;
}

/// Doses by a column of inputs, 1 for the usual ones.
TypicalExposure exposure_of(const pkpd::Model& model, const UsualDoses& usual) {
    sim::OdeSystem system = model.system;
    const std::size_t column = system.inputs.size();
    system.inputs.push_back({"share of the usual dose", {}});
    std::vector<sim::Record> records = usual.regimen.records;
    for (sim::Record& record : records)
        if (pkpd::is_dose(record)) record.amount_factor = static_cast<int>(column);
    return TypicalExposure(std::move(system),
                           column,
                           {records,
                            usual.duration,
                            usual.regimen.first_time,
                            usual.regimen.pending.value_or(sim::PendingDoses::given),
                            {}},
                           usual.outcome);
}

/// Whether all maps of a gene go by its activity score.
bool goes_by_score(const pkpd::Model& model, const std::string& gene) {
    return std::all_of(model.maps.begin(), model.maps.end(), [&](const pkpd::GenotypeMap& map) {
        return map.gene != gene || map.by == pkpd::GenotypeMap::By::activity_score;
    });
}

/// A diplotype that has a score.
std::optional<pkpd::Diplotype> with_score(const pkpd::GeneTable& gene, double score) {
    const auto n = static_cast<int>(gene.alleles.size());
    for (int a = 0; a < n; ++a)
        for (int b = a; b < n; ++b)
            if (const auto own = gene.score({a, b});
                own && std::abs(*own - score) <= pkpd::score_tolerance)
                return pkpd::Diplotype{a, b};
    return std::nullopt;
}

/// Stands in for the patient's own diplotype where another drug lowers the score, and says so.
void lower_scores(const pkpd::Model& model,
                  const PatientOfModel& patient,
                  pkpd::TypicalPatient& typical,
                  ModelDose& dose) {
    for (const auto& [gene, score] : patient.lowered_scores) {
        const auto table = model.genes.find(gene);
        if (table == model.genes.end()) continue;
        const auto stand_in =
            goes_by_score(model, gene) ? with_score(*table->second, score) : std::nullopt;
        if (stand_in) {
            typical.genotypes[gene] = table->second->text(*stand_in);
            dose.remarks.push_back(fmt::format(
                "with the activity score {:g} of {} that the inhibitor is taken to leave",
                score,
                gene));
        } else {
            dose.remarks.push_back(
                goes_by_score(model, gene)
                    ? fmt::format(
                          "without the inhibitor: no diplotype of {} has the activity score "
                          "{:g} that it is taken to leave",
                          gene,
                          score)
                    : fmt::format("without the inhibitor: the model does not go by the score of {}",
                                  gene));
        }
    }
}

void find_missing(const pkpd::Model& model, const PatientOfModel& patient, ModelDose& dose) {
    for (const auto& [gene, table] : model.genes)
        if (!patient.genotypes.contains(gene)) dose.missing.push_back("genotype of " + gene);
    for (const pkpd::Covariate& covariate : model.covariates) {
        if (patient.covariates.contains(covariate.name)) continue;
        if (!covariate.reference)
            dose.missing.push_back(covariate.name);
        else if (covariate.proportions.empty())
            dose.remarks.push_back(fmt::format(
                "{} of the typical patient: {}",
                covariate.name,
                covariate.categories.empty()
                    ? fmt::format("{:g} {}", *covariate.reference, covariate.unit.text)
                    : covariate.categories[static_cast<std::size_t>(*covariate.reference)]));
    }
}

std::string doses_text(const pkpd::Model& model) {
    std::string text;
    for (const pkpd::DoseWords& words : *model.drug->usual) {
        text += fmt::format("{}{}", text.empty() ? "" : ", then ", words.dose_text);
        if (words.every)
            text += fmt::format(" every {:g} {}", words.every->value, words.every->unit.text);
    }
    return text;
}

std::string reference_text(const pkpd::Model& model) {
    std::string text;
    for (const auto& [gene, table] : model.genes)
        text += fmt::format(
            "{}{} {}", text.empty() ? "" : ", ", gene, table->text(table->reference_diplotype()));
    return text;
}

/// Genes whose diplotype has no value in a map of the model.
void find_uncovered(const pkpd::Model& model,
                    const pkpd::TypicalPatient& typical,
                    ModelDose& dose) {
    for (const pkpd::GenotypeMap& map : model.maps) {
        const pkpd::GeneTable& gene = *model.genes.at(map.gene);
        const auto diplotype = gene.parse_diplotype(typical.genotypes.at(map.gene), nullptr);
        bool is_assumed = false;
        if (!pkpd::map_value(map, gene, *diplotype, gene.score(*diplotype), &is_assumed))
            dose.missing.push_back(fmt::format(
                "a value for {} {}, whose activity is not known", map.gene, gene.text(*diplotype)));
        else if (is_assumed)
            dose.remarks.push_back(
                fmt::format("{} {}: {}", map.gene, gene.text(*diplotype), map.otherwise->source));
    }
}

void solve(const pkpd::Model& model, const pkpd::TypicalPatient& typical, ModelDose& dose) {
    pkpd::TypicalPatient reference = typical;
    reference.genotypes.clear();
    const UsualDoses usual = usual_doses(model);
    const TypicalExposure exposure = exposure_of(model, usual);
    const std::vector<std::vector<double>> patients{pkpd::typical_inputs(model, reference),
                                                    pkpd::typical_inputs(model, typical)};
    const std::vector<double> at_usual = exposure(patients, {1.0, 1.0});
    dose.ratio = at_usual[1] / at_usual[0];
    std::vector<AmountSearch> search{AmountSearch(1.0, at_usual[0])};
    search_all(exposure, {patients[1]}, search);
    if (std::isfinite(search[0].found())) dose.factor = search[0].found();
}

} // namespace

ModelDose model_dose(const pkpd::Model& model, const PatientOfModel& patient) {
    ModelDose dose;
    dose.id = model.id;
    dose.name = model.name;
    dose.source = model.source;
    dose.exposure = model.drug->exposure.text;
    dose.usual = doses_text(model);
    dose.reference = reference_text(model);
    find_missing(model, patient, dose);
    if (!dose.missing.empty()) return dose;
    pkpd::TypicalPatient typical;
    for (const pkpd::Covariate& covariate : model.covariates)
        if (const auto own = patient.covariates.find(covariate.name);
            own != patient.covariates.end())
            typical.covariates[covariate.name] = own->second;
    for (const auto& [gene, table] : model.genes)
        typical.genotypes[gene] = patient.genotypes.at(gene);
    lower_scores(model, patient, typical, dose);
    find_uncovered(model, typical, dose);
    if (dose.missing.empty()) solve(model, typical, dose);
    return dose;
}

} // namespace gemel::scenarios
