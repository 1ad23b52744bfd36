#include "keys.hpp"
#include "population_reading.hpp"

#include <gemel/pkpd/population.hpp>

#include <fmt/format.h>

#include <map>

namespace gemel::pkpd {
namespace {

/// The counter of the random numbers has 48 bits for the subject.
constexpr double most_subjects = 281474976710655.0;

struct PopulationWords {
    std::int64_t size = 0;
    int variability = 0;
    io::TomlView ancestry, covariates, genotypes;
};

void describe(io::Fields& fields, PopulationWords& words) {
    io::Field size = optional_key("size", "number of patients", "1000");
    size.required = true;
    size.at_least = 1.0;
    size.at_most = most_subjects;
    fields.integer(size, words.size);
    fields.choice(optional_key("variability",
                               "none: every random effect is 0; covariates and genotypes are drawn",
                               "\"none\""),
                  {"full", "none"},
                  words.variability);
    const auto keep = [](io::TomlView& view) {
        return [&view](const io::TomlView& given) { view = given; };
    };
    fields.any(optional_key("ancestry",
                            "groups the patients come from; proportions sum to 1",
                            "{ EUR = 0.5, EAS = 0.5 }"),
               "a group, or a table of groups and proportions",
               keep(words.ancestry));
    fields.any(optional_key("covariates",
                            "a law or a value for each covariate of the model",
                            "{ WT = { lognormal = { median = \"75 kg\", sd = 0.2 }, within = [\"40 "
                            "kg\", \"140 kg\"] } }"),
               "per covariate: a value, a category, { normal = { mean, sd } }, { lognormal = { "
               "median, sd or cv } }, { uniform = [ lower, upper ] }, { categorical = { … } }; "
               "with within = [ lower, upper ]",
               keep(words.covariates));
    fields.any(optional_key("genotypes",
                            "diplotypes for each gene of the model's maps",
                            "{ CYP2C9 = { by = \"ancestry\" } }"),
               "per gene: a diplotype, a table of allele frequencies, { diplotypes = { … } }, "
               "{ by = \"ancestry\" }",
               keep(words.genotypes));
}

/// Two names with one number would share their random numbers.
void check_purposes(const Population& population,
                    const sim::SourceSpan& place,
                    sim::DiagnosticList& diagnostics) {
    std::vector<std::string> purposes{"ancestry"};
    for (const Covariate& covariate : population.model->covariates)
        purposes.push_back("covariate/" + covariate.name);
    for (const Parameter& parameter : population.model->parameters)
        purposes.push_back("eta/" + parameter.name);
    for (const auto& [gene, table] : population.model->genes) {
        purposes.push_back("diplotype/" + gene);
        purposes.push_back("activity/" + gene);
    }
    std::map<std::uint32_t, std::string> names;
    for (const std::string& purpose : purposes) {
        const auto [at, is_new] = names.emplace(sim::purpose_number(purpose), purpose);
        if (!is_new && at->second != purpose)
            diagnostics.add(
                place,
                fmt::format("'{}' and '{}' would share their random numbers", at->second, purpose),
                "rename one of the two");
    }
}

} // namespace

Population read_population(const io::TomlView& table,
                           std::shared_ptr<const Model> model,
                           std::uint64_t seed,
                           sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    PopulationWords words;
    io::read_fields(table, diagnostics, [&](io::Fields& fields) { describe(fields, words); });

    Population population;
    population.model = std::move(model);
    population.seed = seed;
    population.size = static_cast<std::uint64_t>(words.size);
    population.has_variability = words.variability == 0;
    if (words.ancestry.is_set()) read_ancestry(words.ancestry, population, diagnostics);
    population.covariates =
        read_covariates(words.covariates, table.span(), *population.model, diagnostics);
    read_genotypes(words.genotypes, table.span(), words.ancestry.is_set(), population, diagnostics);
    if (diagnostics.size() == n_before) check_maps_cover(population, words.genotypes, diagnostics);
    check_purposes(population, table.span(), diagnostics);
    return population;
}

void describe_population_for_reference(io::Fields& fields) {
    PopulationWords words;
    describe(fields, words);
}

} // namespace gemel::pkpd
