#include "endpoints/stratification.hpp"

#include "endpoints/column_expression.hpp"
#include "outcomes/window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace gemel::scenarios {

namespace {

constexpr std::size_t max_strata = 1000;

using Codes = std::vector<std::uint32_t>;

/// What has strata by its own name.
std::vector<std::string> known_names(const pkpd::Population& population) {
    std::vector<std::string> names;
    for (const pkpd::GenotypeDistribution& genotype : population.genotypes) {
        names.push_back(genotype.gene + ".phenotype");
        names.push_back(genotype.gene + ".diplotype");
    }
    if (!population.groups.empty()) names.emplace_back("ancestry");
    if (population.strata.size() > 1) names.emplace_back("stratum");
    for (const pkpd::Covariate& covariate : population.covariates)
        if (!covariate.categories.empty()) names.push_back(covariate.name);
    return names;
}

Codes codes_of(const std::vector<std::uint8_t>& column) {
    return {column.begin(), column.end()};
}

Stratification by_phenotype(const pkpd::GenotypeDistribution& genotype, std::size_t gene) {
    Stratification result;
    for (const pkpd::Phenotype& phenotype : genotype.table->phenotypes)
        result.strata.push_back(phenotype.name);
    result.codes = [gene](const pkpd::CohortBlock& block) {
        return codes_of(block.genes[gene].phenotype);
    };
    return result;
}

Stratification by_diplotype(const pkpd::GenotypeDistribution& genotype,
                            const pkpd::Population& population,
                            std::size_t gene) {
    Stratification result;
    std::vector<pkpd::Diplotype> diplotypes = pkpd::possible_diplotypes(population, genotype);
    for (const pkpd::Diplotype& diplotype : diplotypes)
        result.strata.push_back(genotype.table->text(diplotype));
    result.codes = [gene, diplotypes](const pkpd::CohortBlock& block) {
        Codes codes;
        for (const pkpd::Diplotype& diplotype : block.genes[gene].diplotype) {
            const auto at = std::lower_bound(diplotypes.begin(), diplotypes.end(), diplotype);
            codes.push_back(static_cast<std::uint32_t>(at - diplotypes.begin()));
        }
        return codes;
    };
    return result;
}

Stratification by_category(const pkpd::Covariate& covariate, std::size_t index) {
    Stratification result;
    result.strata = covariate.categories;
    result.codes = [index](const pkpd::CohortBlock& block) {
        const auto count = static_cast<std::size_t>(block.range.count);
        Codes codes(count);
        for (std::size_t s = 0; s < count; ++s)
            codes[s] = static_cast<std::uint32_t>(block.covariates[index * count + s]);
        return codes;
    };
    return result;
}

/// Where it holds, where not, and where it is not defined.
Stratification by_condition(ColumnExpression expression, const std::string& text) {
    Stratification result;
    result.strata = {text, "not (" + text + ")", undefined_stratum};
    const auto shared = std::make_shared<const ColumnExpression>(std::move(expression));
    result.codes = [shared](const pkpd::CohortBlock& block) {
        Codes codes;
        for (const double value : shared->evaluate(block))
            codes.push_back(value != value ? 2 : value != 0.0 ? 0 : 1);
        return codes;
    };
    return result;
}

/// Strata (−∞, c1), [c1, c2), … [cn, ∞), and one for subjects whose number is not defined.
Stratification
by_cuts(ColumnExpression expression, const std::string& text, const std::vector<double>& cuts) {
    const std::string unit = expression.unit().text == "1" ? "" : " " + expression.unit().text;
    Stratification result;
    result.strata.push_back(fmt::format("{} < {}{}", text, cuts.front(), unit));
    for (std::size_t i = 1; i < cuts.size(); ++i)
        result.strata.push_back(fmt::format("{} <= {} < {}{}", cuts[i - 1], text, cuts[i], unit));
    result.strata.push_back(fmt::format("{} >= {}{}", text, cuts.back(), unit));
    result.strata.push_back(undefined_stratum);
    const auto shared = std::make_shared<const ColumnExpression>(std::move(expression));
    result.codes = [shared, cuts](const pkpd::CohortBlock& block) {
        Codes codes;
        for (const double value : shared->evaluate(block)) {
            const auto above = std::upper_bound(cuts.begin(), cuts.end(), value);
            codes.push_back(static_cast<std::uint32_t>(
                value == value ? static_cast<std::size_t>(above - cuts.begin()) : cuts.size() + 1));
        }
        return codes;
    };
    return result;
}

Stratification by_stratum(const pkpd::Population& population) {
    Stratification result;
    for (const pkpd::Stratum& stratum : population.strata)
        result.strata.push_back(stratum.name);
    result.codes = [](const pkpd::CohortBlock& block) { return codes_of(block.stratum); };
    return result;
}

/// A name that has strata of its own; nothing if it is none.
std::optional<Stratification> by_name(const std::string& by, const pkpd::Population& population) {
    for (std::size_t g = 0; g < population.genotypes.size(); ++g) {
        const pkpd::GenotypeDistribution& genotype = population.genotypes[g];
        if (by == genotype.gene + ".phenotype") return by_phenotype(genotype, g);
        if (by == genotype.gene + ".diplotype") return by_diplotype(genotype, population, g);
    }
    if (by == "ancestry" && !population.groups.empty()) {
        Stratification result;
        result.strata = population.groups;
        result.codes = [](const pkpd::CohortBlock& block) { return codes_of(block.ancestry); };
        return result;
    }
    if (by == "stratum" && population.strata.size() > 1) return by_stratum(population);
    const auto& covariates = population.covariates;
    for (std::size_t i = 0; i < covariates.size(); ++i)
        if (covariates[i].name == by && !covariates[i].categories.empty())
            return by_category(covariates[i], i);
    return std::nullopt;
}

class StratificationReader {
public:
    StratificationReader(const StratificationWords& words,
                         const pkpd::Population& population,
                         sim::DiagnosticList& diagnostics)
        : words_(words),
          population_(population),
          diagnostics_(diagnostics) {}

    std::optional<Stratification> read() {
        if (words_.by.text.empty()) {
            if (!words_.cuts.empty())
                return mistake(words_.cuts_span, "cuts belong to `by`", "add by = \"WT\"");
            return no_stratification();
        }
        auto result = by_name(words_.by.text, population_);
        if (result && !words_.cuts.empty())
            return mistake(
                words_.cuts_span,
                fmt::format("'{}' has strata of its own; cuts do not apply to it", words_.by.text));
        if (!result) result = is_property() ? unknown_property() : by_expression();
        if (!result) return std::nullopt;
        result->by = words_.by.text;
        if (result->strata.size() > max_strata)
            return mistake(words_.by.start,
                           fmt::format("'{}' makes {} strata; {} are the most",
                                       words_.by.text,
                                       result->strata.size(),
                                       max_strata),
                           "by phenotype there are fewer");
        return result;
    }

private:
    std::optional<Stratification>
    mistake(const sim::SourceSpan& span, std::string message, std::string help = {}) {
        diagnostics_.add(span, std::move(message), std::move(help));
        return std::nullopt;
    }

    /// `CYP2D6.phenotype` is no expression.
    bool is_property() const {
        return words_.by.text.ends_with(".phenotype") || words_.by.text.ends_with(".diplotype") ||
               words_.by.text == "ancestry" || words_.by.text == "stratum";
    }

    std::optional<Stratification> unknown_property() {
        return mistake(words_.by.start,
                       fmt::format("the population has no '{}'", words_.by.text),
                       sim::suggest(words_.by.text, known_names(population_)));
    }

    std::optional<Stratification> by_expression() {
        auto expression = ColumnExpression::parse(words_.by, population_, diagnostics_);
        if (!expression) return std::nullopt;
        if (expression->is_condition()) {
            if (words_.cuts.empty()) return by_condition(std::move(*expression), words_.by.text);
            return mistake(words_.cuts_span, "a condition has two strata; cuts do not apply to it");
        }
        if (words_.cuts.empty())
            return mistake(
                words_.by.start,
                fmt::format("'{}' is a number; where its strata begin is missing", words_.by.text),
                fmt::format("add cuts = [\"40[{0}]\", \"60[{0}]\"], or write a "
                            "condition as in \"{1} >= 40[{0}]\"",
                            expression->unit().text,
                            words_.by.text));
        const std::vector<double> cuts = read_cuts(expression->unit());
        if (cuts.empty()) return std::nullopt;
        return by_cuts(std::move(*expression), words_.by.text, cuts);
    }

    /// Empty after a mistake.
    std::vector<double> read_cuts(const sim::Unit& unit) {
        const sim::Unit time_unit = population_.model->system.time_unit;
        std::vector<double> cuts;
        for (const io::TomlView& view : words_.cuts) {
            std::optional<double> cut;
            if (const auto text = view.source_text())
                cut =
                    constant_in(*text, unit, time_unit, "a cut of " + words_.by.text, diagnostics_);
            else if (const auto number = view.number(); number && unit.text == "1")
                cut = *number;
            else
                diagnostics_.add(view.span(),
                                 fmt::format("a cut of {} is a text with its unit", words_.by.text),
                                 fmt::format("write \"40[{}]\"", unit.text));
            if (!cut) return {};
            if (!cuts.empty() && !(cuts.back() < *cut)) {
                diagnostics_.add(view.span(), "the cuts do not rise");
                return {};
            }
            cuts.push_back(*cut);
        }
        return cuts;
    }

    const StratificationWords& words_;
    const pkpd::Population& population_;
    sim::DiagnosticList& diagnostics_;
};

} // namespace

Stratification no_stratification() {
    return {"", {"all"}, [](const pkpd::CohortBlock& block) {
                return Codes(static_cast<std::size_t>(block.range.count), 0);
            }};
}

std::optional<Stratification> read_stratification(const StratificationWords& words,
                                                  const pkpd::Population& population,
                                                  sim::DiagnosticList& diagnostics) {
    return StratificationReader(words, population, diagnostics).read();
}

} // namespace gemel::scenarios
