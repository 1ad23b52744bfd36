#include "policies/combination_policy.hpp"
#include "policies/policy_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace gemel::scenarios {

namespace {

/// Meets recommendations with a population: one dose per combination of genotypes.
class RecommendationBinder {
public:
    RecommendationBinder(const PolicyPlace& place, const pkpd::DrugRecommendations& drug)
        : place_(place),
          drug_(drug) {}

    std::shared_ptr<const Policy> bind() {
        const std::size_t n_before = place_.diagnostics.size();
        choose_patients();
        read_assumed();
        for (const auto& [name, gene] : drug_.genes)
            check_gene(place_, *gene);
        if (place_.diagnostics.size() != n_before) return nullptr;
        GenotypeCombinations combinations = classify();
        std::vector<CombinationDose> doses;
        for (std::size_t c = 0; c < combinations.count(); ++c)
            doses.push_back(dose_of(combinations, c));
        if (place_.diagnostics.size() != n_before) return nullptr;
        return std::make_shared<CombinationPolicy>(std::move(combinations), std::move(doses));
    }

private:
    void mistake(const sim::SourceSpan& span, std::string message, std::string help = {}) const {
        place_.mistake(span, std::move(message), std::move(help));
    }

    /// Rows for all patients go with any kind.
    void choose_patients() {
        const std::vector<std::string> groups = drug_.patients();
        patients_ = place_.words.patients;
        if (patients_.empty() && groups.size() == 1) patients_ = groups.front();
        if (std::find(groups.begin(), groups.end(), patients_) != groups.end()) return;
        const std::string list = fmt::format("one of \"{}\"", fmt::join(groups, "\", \""));
        if (patients_.empty())
            mistake(place_.words.file_span,
                    fmt::format("the recommendations for {} differ by patients", drug_.drug),
                    fmt::format("write patients = …, {}", list));
        else
            mistake(place_.words.patients_span,
                    fmt::format("there are no recommendations for {} of patients '{}'",
                                drug_.drug,
                                patients_),
                    list);
    }

    void read_assumed() {
        const io::TomlView& view = place_.words.assume;
        if (!view.is_set()) return;
        std::vector<std::string> known;
        for (const pkpd::Recommendation& row : drug_.rows)
            known.emplace_back(pkpd::name(row.action));
        for (const auto& [action, value] : view.members()) {
            if (std::find(known.begin(), known.end(), action) == known.end())
                mistake(value.key_span(),
                        fmt::format("no recommendation for {} is '{}'", drug_.drug, action),
                        sim::suggest(action, known));
            else if (value.text() == "withhold")
                assumed_[action] = 0.0;
            else if (const auto factor = value.number(); factor && *factor > 0.0)
                assumed_[action] = *factor;
            else
                mistake(value.span(), "a factor above 0, or \"withhold\", is expected");
        }
    }

    /// Diplotypes of which the same conditions of all rows hold are one class.
    GenotypeCombinations classify() const {
        std::vector<DiplotypeClasses> genes;
        for (const auto& [name, gene] : drug_.genes) {
            const auto key = [&name = name, &gene = gene, this](
                                 const pkpd::Diplotype& diplotype) -> std::vector<double> {
                std::vector<double> truths;
                for (const pkpd::Recommendation& row : drug_.rows)
                    for (const pkpd::GenotypeCondition& condition : row.genotype)
                        if (condition.gene == name)
                            truths.push_back(
                                pkpd::holds(condition, pkpd::seen(*gene, diplotype)) ? 1.0 : 0.0);
                return truths;
            };
            genes.push_back(
                classes_by(name, readable(place_.study.population, place_.knowledge, name), key));
        }
        return GenotypeCombinations(std::move(genes));
    }

    CombinationDose dose_of(const GenotypeCombinations& combinations, std::size_t combination) {
        const auto diplotypes = combinations.at(combination);
        std::map<std::string, pkpd::SeenGenotype> known;
        for (std::size_t g = 0; g < diplotypes.size(); ++g) {
            const std::string& gene = combinations.genes()[g].gene;
            if (diplotypes[g]) known[gene] = pkpd::seen(*drug_.genes.at(gene), *diplotypes[g]);
        }
        const pkpd::Recommendation* chosen = nullptr;
        for (const pkpd::Recommendation* row : drug_.matching(known)) {
            if (!row->condition.empty()) continue; // which nobody can check here
            if (row->patients != patients_ && row->patients != general) continue;
            if (chosen == nullptr) chosen = row;
            if (row->genotype.size() < chosen->genotype.size()) break;
            if (!(dose_of(*row) == dose_of(*chosen)))
                ambiguous(combinations.text(combination, place_.study.population), *row, *chosen);
        }
        return chosen == nullptr ? usual(PolicyAction::no_advice) : dose_of(*chosen);
    }

    void ambiguous(const std::string& genotypes,
                   const pkpd::Recommendation& row,
                   const pkpd::Recommendation& other) const {
        mistake(place_.words.file_span,
                fmt::format("two recommendations for {} hold for {}: {} and {}",
                            drug_.drug,
                            genotypes,
                            pkpd::name(other.action),
                            pkpd::name(row.action)));
    }

    CombinationDose usual(PolicyAction action, double factor = 1.0) const {
        return {factor * place_.words.usual.amount->value, action};
    }

    CombinationDose dose_of(const pkpd::Recommendation& row) {
        using Action = pkpd::AdvisedAction;
        const std::string action(pkpd::name(row.action));
        if (const auto assumed = assumed_.find(action); assumed != assumed_.end())
            return assumed->second > 0.0 ? usual(PolicyAction::dosed, assumed->second)
                                         : CombinationDose{0.0, PolicyAction::withheld};
        if (pkpd::is_another_drug(row.action)) return {0.0, PolicyAction::withheld};
        if (row.dose_factor) return usual(PolicyAction::dosed, part_of(*row.dose_factor));
        if (row.action == Action::no_recommendation) return usual(PolicyAction::no_advice);
        if (row.action == Action::standard || row.action == Action::standard_monitor)
            return usual(PolicyAction::dosed);
        if (told_.insert(action).second)
            mistake(place_.words.file_span,
                    fmt::format("the recommendations for {} give no number for '{}' ({})",
                                drug_.drug,
                                action,
                                pkpd::in_words(row.action)),
                    fmt::format("say what is assumed: assume = {{ {} = 0.75 }}, of the usual dose, "
                                "or \"withhold\"",
                                action));
        return usual(PolicyAction::no_advice);
    }

    double part_of(const std::pair<double, double>& range) const {
        const double parts[] = {range.first, 0.5 * (range.first + range.second), range.second};
        return parts[place_.words.part_of_range];
    }

    static constexpr const char* general = "general";

    const PolicyPlace& place_;
    const pkpd::DrugRecommendations& drug_;
    std::string patients_;
    std::map<std::string, double> assumed_; ///< by action; 0: withheld
    std::set<std::string> told_;
};

} // namespace

std::shared_ptr<const Policy>
recommendation_policy(const PolicyPlace& place,
                      std::shared_ptr<const pkpd::DrugRecommendations> drug) {
    return RecommendationBinder(place, *drug).bind();
}

} // namespace gemel::scenarios
