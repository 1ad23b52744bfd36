#include "policies/policy_rules.hpp"

#include <gemel/pkpd/covariate_value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace gemel::scenarios {

namespace {

/// Where an input of the equation comes from.
struct EquationInput {
    double value = 0.0;                   ///< where it is given
    std::optional<std::size_t> covariate; ///< of the population
    double factor = 1.0;                  ///< from the population's unit
    std::vector<double> codes;            ///< per category of the population; empty: a number

    void fill(const SeenSubjects& subjects, std::span<double> column) const {
        if (!covariate) return void(std::fill(column.begin(), column.end(), value));
        const std::span<const double> drawn = subjects.covariate(*covariate);
        for (std::size_t s = 0; s < column.size(); ++s)
            column[s] =
                codes.empty() ? drawn[s] * factor : codes[static_cast<std::size_t>(drawn[s])];
    }
};

class EquationPolicy : public Policy {
public:
    EquationPolicy(std::shared_ptr<const pkpd::DoseEquation> equation,
                   std::vector<EquationInput> inputs)
        : equation_(std::move(equation)),
          inputs_(std::move(inputs)) {}

    PolicyAmounts amounts(const SeenSubjects& subjects) const override {
        const std::size_t n = subjects.count();
        std::vector<double> columns((inputs_.size() + equation_->maps.size()) * n);
        for (std::size_t i = 0; i < inputs_.size(); ++i)
            inputs_[i].fill(subjects, std::span(columns).subspan(i * n, n));
        for (std::size_t m = 0; m < equation_->maps.size(); ++m)
            fill_map(m, subjects, std::span(columns).subspan((inputs_.size() + m) * n, n));
        return {equation_->doses(columns, n), std::vector<PolicyAction>(n, PolicyAction::dosed)};
    }

private:
    void fill_map(std::size_t map, const SeenSubjects& subjects, std::span<double> column) const {
        const auto seen = subjects.genotype(equation_->maps[map].map.gene);
        std::map<std::optional<pkpd::Diplotype>, double> known;
        for (std::size_t s = 0; s < column.size(); ++s) {
            const auto [at, is_new] = known.try_emplace(seen[s], 0.0);
            if (is_new) {
                const auto value = equation_->map_value(map, seen[s]);
                at->second = value ? value->value : std::numeric_limits<double>::quiet_NaN();
            }
            column[s] = at->second;
        }
    }

    std::shared_ptr<const pkpd::DoseEquation> equation_;
    std::vector<EquationInput> inputs_;
};

/// Meets an equation with a population.
class EquationBinder {
public:
    EquationBinder(const PolicyPlace& place, const pkpd::DoseEquation& equation)
        : place_(place),
          equation_(equation) {}

    std::vector<EquationInput> inputs() {
        const std::map<std::string, double> given = read_given(place_, equation_.inputs);
        std::vector<EquationInput> bound;
        for (const pkpd::Covariate& input : equation_.inputs) {
            EquationInput& own = bound.emplace_back();
            if (const auto at = given.find(input.name); at != given.end())
                own.value = at->second;
            else if (!is_given(input.name)) // else its mistake is told
                take_from_population(input, own);
        }
        return bound;
    }

    void check_maps() {
        for (std::size_t m = 0; m < equation_.maps.size(); ++m)
            check_map(m);
    }

private:
    bool is_given(const std::string& name) const {
        return place_.words.given.is_set() && place_.words.given[name].is_set();
    }

    void mistake(std::string message, std::string help) const {
        place_.mistake(place_.words.file_span, std::move(message), std::move(help));
    }

    void take_from_population(const pkpd::Covariate& input, EquationInput& own) {
        const auto& covariates = place_.study.population.covariates;
        const auto found =
            std::find_if(covariates.begin(), covariates.end(), [&](const pkpd::Covariate& c) {
                return c.name == input.name;
            });
        if (found == covariates.end())
            return mistake(fmt::format("the equation {} asks for {}, which neither the population "
                                       "nor the policy gives",
                                       equation_.id,
                                       input.name),
                           example_of(input));
        own.covariate = static_cast<std::size_t>(found - covariates.begin());
        if (input.categories.empty() != found->categories.empty() ||
            !(input.unit.dimension == found->unit.dimension))
            return mistake(fmt::format("the equation {} asks for {} in {}; the population's {} is "
                                       "{}",
                                       equation_.id,
                                       input.name,
                                       kind_of(input),
                                       input.name,
                                       kind_of(*found)),
                           "give it in the policy, or name the covariate otherwise");
        if (input.categories.empty())
            own.factor = sim::conversion_factor(found->unit, input.unit);
        else
            match_categories(input, *found, own);
    }

    void match_categories(const pkpd::Covariate& input,
                          const pkpd::Covariate& drawn,
                          EquationInput& own) {
        for (const std::string& category : drawn.categories) {
            const auto at = std::find(input.categories.begin(), input.categories.end(), category);
            own.codes.push_back(static_cast<double>(at - input.categories.begin()));
            if (at == input.categories.end())
                mistake(fmt::format(
                            "the equation {} knows no {} '{}'", equation_.id, input.name, category),
                        sim::suggest(category, input.categories));
        }
    }

    static std::string kind_of(const pkpd::Covariate& covariate) {
        return covariate.categories.empty()
                   ? covariate.unit.text
                   : fmt::format("one of {}", fmt::join(covariate.categories, ", "));
    }

    static std::string example_of(const pkpd::Covariate& input) {
        const std::string value =
            input.categories.empty()
                ? (input.unit.text == "1" ? "2.5" : fmt::format("\"… {}\"", input.unit.text))
                : fmt::format("\"{}\"", input.categories.front());
        return fmt::format("add it to the population, or write given = {{ {} = {} }}: the same for "
                           "all",
                           input.name,
                           value);
    }

    void check_map(std::size_t m) {
        const pkpd::DoseMap& map = equation_.maps[m];
        const std::string& gene = map.map.gene;
        check_gene(place_, *equation_.genes.at(gene));
        const Readable seen = readable(place_.study.population, place_.knowledge, gene);
        if (seen.can_be_unknown && !equation_.map_value(m, std::nullopt))
            return mistake(
                fmt::format("the equation {} needs the genotype of {}, which the regimen "
                            "does not know of all subjects",
                            equation_.id,
                            gene),
                fmt::format("write knows = [\"{}\"] in the regimen", gene));
        std::vector<std::string> lacking;
        for (const pkpd::Diplotype& diplotype : seen.diplotypes)
            if (!equation_.map_value(m, diplotype))
                lacking.push_back(equation_.genes.at(gene)->text(diplotype));
        if (!lacking.empty())
            mistake(fmt::format("the equation {} has no number for {} {}{}, which this population "
                                "can draw",
                                equation_.id,
                                gene,
                                lacking.front(),
                                lacking.size() > 1 ? fmt::format(" and {} more", lacking.size() - 1)
                                                   : ""),
                    "say in its file what is assumed of them");
    }

    const PolicyPlace& place_;
    const pkpd::DoseEquation& equation_;
};

} // namespace

void check_gene(const PolicyPlace& place, const pkpd::GeneTable& gene) {
    const pkpd::GenotypeDistribution* law = find_genotype(place.study.population, gene.name);
    if (law != nullptr && law->table->file->text != gene.file->text)
        place.mistake(place.words.file_span,
                      fmt::format("the gene {} comes from two files here, whose alleles need not "
                                  "be the same",
                                  gene.name),
                      "use one file of the gene");
}

std::map<std::string, double> read_given(const PolicyPlace& place,
                                         const std::vector<pkpd::Covariate>& asked) {
    std::map<std::string, double> given;
    const io::TomlView& view = place.words.given;
    if (!view.is_set()) return given;
    for (const auto& [name, value] : view.members()) {
        const auto found =
            std::find_if(asked.begin(), asked.end(), [&name = name](const pkpd::Covariate& c) {
                return c.name == name;
            });
        if (found != asked.end()) {
            if (const auto number = pkpd::read_covariate_value(*found, value, place.diagnostics))
                given[name] = *number;
            continue;
        }
        std::vector<std::string> names;
        for (const pkpd::Covariate& covariate : asked)
            names.push_back(covariate.name);
        place.mistake(value.key_span(),
                      fmt::format("the policy does not ask for '{}'", name),
                      sim::suggest(name, names));
    }
    return given;
}

std::shared_ptr<const Policy> equation_policy(const PolicyPlace& place,
                                              std::shared_ptr<const pkpd::DoseEquation> equation) {
    const std::size_t n_before = place.diagnostics.size();
    EquationBinder binder(place, *equation);
    std::vector<EquationInput> inputs = binder.inputs();
    binder.check_maps();
    if (place.diagnostics.size() != n_before) return nullptr;
    return std::make_shared<EquationPolicy>(std::move(equation), std::move(inputs));
}

} // namespace gemel::scenarios
