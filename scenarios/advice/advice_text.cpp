#include <gemel/scenarios/advice.hpp>
#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

/// Advice as a person reads it. It tells what sources say, never what to do.
namespace gemel::scenarios {

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string indented(const std::string& text) {
    std::string lines = "  ";
    for (std::size_t i = 0; i < text.size(); ++i) {
        lines += text[i];
        if (text[i] == '\n' && i + 1 < text.size()) lines += "  ";
    }
    return lines;
}

std::string percent(double probability) {
    return fmt::format("{:.3g} %", 100.0 * probability);
}

/// "Poor Metabolizer, activity score 0"
std::string phenotype_text(const std::string& phenotype, const std::string& score) {
    return score.empty() ? phenotype : fmt::format("{}, activity score {}", phenotype, score);
}

Rows diplotype_rows(const Advice& advice) {
    Rows rows;
    for (const AdvisedGene& gene : advice.genes) {
        if (gene.diplotypes.empty()) rows.push_back({gene.gene, "not known", "", gene.evidence});
        for (const AdvisedDiplotype& known : gene.diplotypes)
            rows.push_back(
                {gene.gene,
                 gene.diplotypes.size() > 1
                     ? fmt::format("{} ({})", known.diplotype, percent(known.probability))
                     : known.diplotype,
                 phenotype_text(known.phenotype, known.score),
                 gene.evidence});
    }
    return rows;
}

std::string inhibition_text(const AdvisedGene& gene) {
    if (gene.inhibition.empty()) return {};
    std::string text = fmt::format("{}: {}\n", gene.gene, gene.inhibition);
    for (const AdvisedDiplotype& known : gene.diplotypes)
        text += fmt::format(
            "  {} seen as {}\n",
            known.diplotype,
            phenotype_text(known.phenotype_under_inhibition, known.score_under_inhibition));
    return text;
}

std::string comedication_text(const Advice& advice) {
    std::string text;
    for (const std::string& line : advice.comedication)
        text += line + "\n";
    for (const AdvisedGene& gene : advice.genes)
        text += inhibition_text(gene);
    return text.empty() ? text : fmt::format("\ntaken beside\n{}", indented(text));
}

std::string factor_text(const std::pair<double, double>& factor) {
    if (factor.first == factor.second)
        return factor.first == 1.0 ? "" : fmt::format("; {:g} times the usual dose", factor.first);
    return fmt::format("; {:g} to {:g} times the usual dose", factor.first, factor.second);
}

std::string asked_text(const pkpd::DrugRecommendations& drug, const pkpd::Recommendation& row) {
    std::vector<std::string> parts;
    for (const pkpd::GenotypeCondition& condition : row.genotype)
        parts.push_back(pkpd::condition_text(condition, *drug.genes.at(condition.gene)));
    if (!row.condition.empty()) parts.push_back(row.condition);
    return fmt::format("{}", fmt::join(parts, "; "));
}

std::string basis_text(const pkpd::DrugRecommendations& drug, const pkpd::Recommendation& row) {
    if (row.is_remembered()) return "remembered, to be checked against the guideline";
    std::vector<std::string> meanings;
    for (const std::string& letter : row.basis)
        meanings.push_back(drug.basis.at(letter));
    return fmt::format("{}", fmt::join(meanings, "; "));
}

std::string recommendation_text(const pkpd::DrugRecommendations& drug,
                                const pkpd::Recommendation& row) {
    std::string text = fmt::format("for patients: {}\n", row.patients);
    text += fmt::format("  advised         {}{}\n",
                        pkpd::in_words(row.action),
                        row.dose_factor ? factor_text(*row.dose_factor) : "");
    const auto add = [&](const char* what, const std::string& value) {
        if (!value.empty()) text += fmt::format("  {:<15} {}\n", what, value);
    };
    add("dose", row.dose_limit);
    add("monitoring", row.monitoring);
    add("alternatives", fmt::format("{}", fmt::join(row.alternatives, ", ")));
    add("genotype", asked_text(drug, row));
    add("because", row.implication);
    add("strength", fmt::format("{}, {}", row.strength, row.year));
    add("rests on", basis_text(drug, row));
    return text;
}

std::string recommendations_text(const Advice& advice, const AdviceAlternative& alternative) {
    if (!advice.recommendations) return {};
    std::string text = fmt::format("\nrecommendations: {}\n", advice.recommendations->source);
    if (alternative.recommendations.empty())
        return text + "  none for what is known of the genotype\n";
    for (const pkpd::Recommendation* row : alternative.recommendations)
        text += indented(recommendation_text(*advice.recommendations, *row));
    return text;
}

std::string remarks_text(const std::vector<std::string>& remarks) {
    std::string text;
    for (const std::string& remark : remarks)
        text += fmt::format("    {}\n", remark);
    return text;
}

std::string equation_text(const EquationDose& dose) {
    std::string text = fmt::format("  {}: {}\n", dose.id, dose.name);
    if (!dose.dose) return text + fmt::format("    asks for {}\n", fmt::join(dose.missing, ", "));
    text += fmt::format("    {:.4g} {}", *dose.dose, dose.unit);
    if (dose.daily) text += fmt::format(", {:.4g} {}", *dose.daily, dose.daily_unit);
    text += dose.confidence == "remembered" ? " (numbers remembered, to be checked)\n"
                                            : fmt::format(" (numbers {})\n", dose.confidence);
    return text + remarks_text(dose.remarks) + fmt::format("    {}\n", dose.source);
}

std::string model_text(const ModelDose& dose) {
    std::string text = fmt::format("  {}: {}\n", dose.id, dose.name);
    if (!dose.missing.empty())
        return text + fmt::format("    asks for {}\n", fmt::join(dose.missing, ", "));
    text += fmt::format("    {} under {}: {:.3g} times that of {}\n",
                        dose.exposure,
                        dose.usual,
                        *dose.ratio,
                        dose.reference);
    text += dose.factor
                ? fmt::format("    the same as there with {:.3g} times these doses\n", *dose.factor)
                : "    no dose from 1/10000 to 10000 times these gives the same\n";
    return text + remarks_text(dose.remarks) + fmt::format("    {}\n", dose.source);
}

std::string alternative_text(const Advice& advice, const AdviceAlternative& alternative) {
    std::string text = recommendations_text(advice, alternative);
    if (!alternative.equations.empty()) text += "\nby published equations\n";
    for (const EquationDose& dose : alternative.equations)
        text += equation_text(dose);
    if (!alternative.models.empty()) text += "\nby models, in a typical patient\n";
    for (const ModelDose& dose : alternative.models)
        text += model_text(dose);
    return text;
}

std::string heading_of(const Advice& advice, const AdviceAlternative& alternative) {
    std::vector<std::string> parts;
    for (std::size_t g = 0; g < advice.genes.size(); ++g)
        if (advice.genes[g].diplotypes.size() > 1)
            parts.push_back(
                fmt::format("{} is {}",
                            advice.genes[g].gene,
                            advice.genes[g].diplotypes[alternative.diplotypes[g]].diplotype));
    return fmt::format(
        "\n== if {} ({})\n", fmt::join(parts, " and "), percent(alternative.probability));
}

std::string agreement_text(const Advice& advice) {
    if (!advice.recommendations || advice.alternatives.size() < 2) return {};
    return fmt::format("\nthe recommendations {} for the {} genotypes that this patient may have\n",
                       advice.agree() ? "agree" : "differ",
                       advice.alternatives.size());
}

std::string capitalised(std::string text) {
    if (!text.empty())
        text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    return text;
}

} // namespace

std::string advice_text(const Advice& advice) {
    std::string text =
        fmt::format("{}: {}\nfor research; what sources say, no medical advice\n\ngenotype\n",
                    capitalised(advice.drug),
                    advice.patient);
    const Rows rows = diplotype_rows(advice);
    text += rows.empty() ? "  no gene is asked for\n" : text_table(rows, Alignment::left);
    text += comedication_text(advice) + agreement_text(advice);
    for (const AdviceAlternative& alternative : advice.alternatives) {
        if (advice.alternatives.size() > 1) text += heading_of(advice, alternative);
        text += alternative_text(advice, alternative);
    }
    return text;
}

} // namespace gemel::scenarios
