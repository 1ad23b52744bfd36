#include "engine.hpp"
#include "outcome_text.hpp"
#include "outcomes/window.hpp"
#include "policies/combination_policy.hpp"
#include "policies/exposure_search.hpp"
#include "policies/policy_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::scenarios {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Meets the words with the study: one dose per combination of genotypes that differ in the model.
class ExposureBinder {
public:
    ExposureBinder(const PolicyPlace& place, std::size_t use)
        : place_(place),
          study_(place.study),
          model_(*place.study.model),
          use_(use) {}

    std::shared_ptr<const Policy> bind() {
        const std::size_t n_before = place_.diagnostics.size();
        const auto outcome = bind_outcome();
        read_patients();
        if (!outcome || place_.diagnostics.size() != n_before) return nullptr;
        GenotypeCombinations combinations = classify();
        const std::optional<double> not_known = dose_if_not_known(combinations);
        if (place_.diagnostics.size() != n_before) return nullptr;
        std::vector<CombinationDose> doses = solve(*outcome, combinations, not_known);
        if (place_.diagnostics.size() != n_before) return nullptr;
        return std::make_shared<CombinationPolicy>(std::move(combinations), std::move(doses));
    }

private:
    const PolicyWords& words() const { return place_.words; }

    std::optional<BoundOutcome> bind_outcome() {
        const auto outcome = parse_outcome("policy", words().matches, place_.diagnostics);
        if (!outcome) return std::nullopt;
        if (!outcome->comparison.empty()) {
            place_.mistake(words().matches.start,
                           "a number is matched, not a comparison",
                           "leave the comparison out, or write target = …");
            return std::nullopt;
        }
        const pkpd::Regimen& regimen = study_.regimens[study_.policy_uses[use_].regimen];
        const std::set<std::string> no_triggers;
        const OutcomeContext context{&model_, &regimen, study_.duration, false, &no_triggers};
        const std::size_t n_before = place_.diagnostics.size();
        const BoundOutcome bound = find_outcome_function(outcome->call.function)
                                       ->bind(outcome->call, context, place_.diagnostics);
        if (place_.diagnostics.size() != n_before) return std::nullopt;
        if (!words().target.text.empty())
            aim_ = constant_in(words().target,
                               bound.unit,
                               model_.system.time_unit,
                               "the target of a policy",
                               place_.diagnostics);
        return bound;
    }

    /// Covariates of typical patients, and the reference patient's genotypes.
    void read_patients() {
        typical_.covariates = read_given(place_, model_.covariates);
        for (const pkpd::Covariate& covariate : model_.covariates)
            if (!covariate.reference && !typical_.covariates.contains(covariate.name))
                place_.mistake(
                    words().span,
                    fmt::format("the model has no typical value of {}", covariate.name),
                    fmt::format("say the typical patient's: given = {{ {} = … }}", covariate.name));
        reference_ = typical_;
        if (!words().reference.is_set()) return;
        std::vector<std::string> known;
        for (const auto& [gene, table] : model_.genes)
            known.push_back(gene);
        for (const auto& [gene, view] : words().reference.members()) {
            const auto table = model_.genes.find(gene);
            if (table == model_.genes.end()) {
                place_.mistake(view.key_span(),
                               fmt::format("the model has no map of the gene '{}'", gene),
                               sim::suggest(gene, known));
                continue;
            }
            std::string why = "a diplotype such as \"*1/*1\" is expected";
            const auto text = view.text();
            if (text && table->second->parse_diplotype(*text, &why))
                reference_.genotypes[gene] = *text;
            else
                place_.mistake(view.span(), why);
        }
    }

    /// Diplotypes that have the same values in all maps are one class; those without a value in
    /// some map, as where an activity is drawn, are not known.
    GenotypeCombinations classify() const {
        std::vector<DiplotypeClasses> genes;
        for (const auto& [name, table] : model_.genes) {
            const auto key =
                [this, &name = name, &table = table](
                    const pkpd::Diplotype& diplotype) -> std::optional<std::vector<double>> {
                std::vector<double> values;
                for (const pkpd::GenotypeMap& map : model_.maps) {
                    if (map.gene != name) continue;
                    const auto value =
                        pkpd::map_value(map, *table, diplotype, table->score(diplotype), nullptr);
                    if (!value) return std::nullopt;
                    values.push_back(*value);
                }
                return values;
            };
            genes.push_back(
                classes_by(name, readable(study_.population, place_.knowledge, name), key));
        }
        return GenotypeCombinations(std::move(genes));
    }

    static bool is_known(const std::vector<std::optional<pkpd::Diplotype>>& diplotypes) {
        return std::all_of(
            diplotypes.begin(), diplotypes.end(), [](const auto& d) { return d.has_value(); });
    }

    /// Whether a subject can be of the gene's last class.
    bool can_be_unknown(const DiplotypeClasses& gene) const {
        const Readable of = readable(study_.population, place_.knowledge, gene.gene);
        return of.can_be_unknown || of.diplotypes.size() > gene.class_of.size();
    }

    std::optional<double> dose_if_not_known(const GenotypeCombinations& combinations) const {
        if (words().not_known.amount)
            return words().not_known.amount->in(words().usual.amount->unit);
        for (const DiplotypeClasses& gene : combinations.genes())
            if (can_be_unknown(gene))
                place_.mistake(words().span,
                               fmt::format("of {} the model gives no number to some subjects of "
                                           "this population, or the regimen does not know it",
                                           gene.gene),
                               "say what they receive: not_known = \"30 mg\"");
        return std::nullopt;
    }

    std::vector<CombinationDose> solve(const BoundOutcome& outcome,
                                       const GenotypeCombinations& combinations,
                                       std::optional<double> not_known) {
        const pkpd::Regimen& regimen = study_.regimens[study_.policy_uses[use_].regimen];
        const TypicalExposure exposure(system_of(study_),
                                       model_.inputs.size() + use_,
                                       {regimen.records,
                                        study_.duration,
                                        study_.start,
                                        regimen.pending.value_or(study_.pending),
                                        regimen.triggers},
                                       outcome);
        const double usual = words().usual.amount->value;
        if (!aim_) aim_ = exposure({pkpd::typical_inputs(model_, reference_)}, {usual}).front();
        if (!std::isfinite(*aim_))
            place_.mistake(words().matches.start,
                           "the outcome has no value in the reference patient");
        std::vector<CombinationDose> doses(combinations.count());
        std::vector<std::vector<double>> patients;
        std::vector<AmountSearch> searches;
        std::vector<std::size_t> numbers;
        for (std::size_t c = 0; c < doses.size(); ++c) {
            const auto diplotypes = combinations.at(c);
            doses[c] = {not_known.value_or(not_a_number), PolicyAction::no_advice};
            if (!is_known(diplotypes)) continue;
            patients.push_back(pkpd::typical_inputs(model_, patient(combinations, diplotypes)));
            searches.emplace_back(usual, *aim_);
            numbers.push_back(c);
        }
        search_all(exposure, patients, searches);
        for (std::size_t i = 0; i < numbers.size(); ++i)
            doses[numbers[i]] = {searches[i].found(), PolicyAction::dosed};
        return doses;
    }

    pkpd::TypicalPatient
    patient(const GenotypeCombinations& combinations,
            const std::vector<std::optional<pkpd::Diplotype>>& diplotypes) const {
        pkpd::TypicalPatient patient = typical_;
        for (std::size_t g = 0; g < diplotypes.size(); ++g) {
            const std::string& gene = combinations.genes()[g].gene;
            patient.genotypes[gene] = model_.genes.at(gene)->text(*diplotypes[g]);
        }
        return patient;
    }

    const PolicyPlace& place_;
    const Study& study_;
    const pkpd::Model& model_;
    std::size_t use_;
    std::optional<double> aim_;
    pkpd::TypicalPatient typical_, reference_;
};

} // namespace

std::shared_ptr<const Policy> exposure_policy(const PolicyPlace& place, std::size_t use) {
    return ExposureBinder(place, use).bind();
}

} // namespace gemel::scenarios
