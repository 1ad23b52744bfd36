#include "cohort_columns.hpp"

#include <algorithm>

namespace gemel::scenarios {

namespace {

std::vector<std::string> phenotype_labels(const pkpd::GeneTable& gene) {
    std::vector<std::string> labels;
    for (const pkpd::Phenotype& phenotype : gene.phenotypes)
        labels.push_back(phenotype.label.empty() ? phenotype.name : phenotype.label);
    return labels;
}

void declare_covariate(const pkpd::Covariate& covariate, io::Layout& file) {
    io::Variable variable;
    variable.path = "covariates/" + covariate.name;
    variable.type = covariate.categories.empty() ? io::ValueType::real : io::ValueType::category;
    variable.axes = {"subject"};
    variable.units = covariate.categories.empty() ? covariate.unit.text : "1";
    variable.long_name = covariate.about.empty() ? covariate.name : covariate.about;
    variable.meanings = covariate.categories;
    file.add(variable);
}

std::vector<std::string> strata_names(const Study& study) {
    std::vector<std::string> names;
    for (const pkpd::Stratum& stratum : study.population.strata)
        names.push_back(stratum.name);
    return names;
}

void declare_strata(const Study& study, io::Layout& file) {
    if (study.population.strata.size() < 2) return;
    file.add({"population/stratum",
              io::ValueType::category,
              {"subject"},
              "1",
              "stratum of the population",
              strata_names(study),
              {}});
}

void declare_ids(const Study& study, io::Layout& file) {
    if (study.data == nullptr) return;
    file.add({"population/ID",
              io::ValueType::text,
              {"subject"},
              "1",
              "subject as in the data file",
              {},
              {}});
}

void declare_weight(const Study& study, io::Layout& file) {
    if (!study.population.has_weights()) return;
    file.add({"population/weight",
              io::ValueType::real,
              {"subject"},
              "1",
              "importance weight of the subject",
              {},
              {}});
}

void declare_gene(const pkpd::GeneTable& gene, io::Layout& file) {
    const std::string path = "genotypes/" + gene.name;
    file.add({path, io::ValueType::text, {"subject"}, "1", gene.name + " diplotype", {}, {}});
    if (gene.has_score)
        file.add({path + "_activity",
                  io::ValueType::real,
                  {"subject"},
                  "1",
                  gene.name + " activity score",
                  {},
                  {}});
    file.add({path + "_phenotype",
              io::ValueType::category,
              {"subject"},
              "1",
              gene.name + " phenotype",
              phenotype_labels(gene),
              {}});
}

/// Of each person's genome, where they differ from person to person.
void declare_shares(const Study& study, io::Layout& file) {
    if (!study.population.has_personal_shares()) return;
    for (const std::string& code : study.population.ancestors())
        file.add({"population/share_" + code,
                  io::ValueType::real,
                  {"subject"},
                  "1",
                  "share of " + code + " in the genome",
                  {},
                  {}});
}

void write_shares(const Study& study, const pkpd::CohortBlock& block, io::ResultFile& file) {
    if (block.ancestor_shares.empty()) return;
    const auto count = static_cast<std::size_t>(block.range.count);
    const std::vector<std::string> codes = study.population.ancestors();
    for (std::size_t k = 0; k < codes.size(); ++k)
        file.write("population/share_" + codes[k],
                   -1,
                   block.range.first,
                   std::span(block.ancestor_shares).subspan(k * count, count));
}

void write_covariates(const Study& study, const pkpd::CohortBlock& block, io::ResultFile& file) {
    const auto count = static_cast<std::size_t>(block.range.count);
    for (std::size_t i = 0; i < study.population.covariates.size(); ++i) {
        const pkpd::Covariate& covariate = study.population.covariates[i];
        const std::span<const double> column{block.covariates.data() + i * count, count};
        const std::string path = "covariates/" + covariate.name;
        if (covariate.categories.empty()) {
            file.write(path, -1, block.range.first, column);
            continue;
        }
        std::vector<std::uint8_t> codes(count);
        std::transform(column.begin(), column.end(), codes.begin(), [](double x) {
            return static_cast<std::uint8_t>(x);
        });
        file.write(path, -1, block.range.first, std::span<const std::uint8_t>(codes));
    }
    const std::uint64_t first = block.range.first;
    if (study.data != nullptr) {
        const auto begin = study.population.data->ids.begin() + static_cast<std::ptrdiff_t>(first);
        file.write("population/ID",
                   -1,
                   first,
                   std::vector<std::string>(begin, begin + static_cast<std::ptrdiff_t>(count)));
    }
    if (!block.stratum.empty())
        file.write("population/stratum", -1, first, std::span<const std::uint8_t>(block.stratum));
    if (!block.weight.empty())
        file.write("population/weight", -1, first, std::span<const double>(block.weight));
    if (!block.ancestry.empty())
        file.write("covariates/ancestry",
                   -1,
                   block.range.first,
                   std::span<const std::uint8_t>(block.ancestry));
    write_shares(study, block, file);
}

void write_gene(const pkpd::GeneTable& gene,
                const pkpd::CohortBlock::Gene& drawn,
                std::uint64_t first,
                io::ResultFile& file) {
    const std::string path = "genotypes/" + gene.name;
    std::vector<std::string> diplotypes;
    for (const pkpd::Diplotype& diplotype : drawn.diplotype)
        diplotypes.push_back(gene.text(diplotype));
    file.write(path, -1, first, diplotypes);
    if (gene.has_score)
        file.write(path + "_activity", -1, first, std::span<const double>(drawn.score));
    file.write(path + "_phenotype", -1, first, std::span<const std::uint8_t>(drawn.phenotype));
}

/// What a subject's value of a map rests on; the codes of `maps/NAME_basis`.
enum class Basis : std::uint8_t {
    table,
    assumed,
    assumed_unknown_function,
    score_lower_bound,
    assumed_score_lower_bound
};
const std::vector<std::string> basis_meanings{"table",
                                              "assumed",
                                              "assumed_unknown_function",
                                              "score_lower_bound",
                                              "assumed_score_lower_bound"};

void declare_map(const pkpd::GenotypeMap& map, io::Layout& file) {
    const std::string path = "maps/" + map.name;
    file.add({path,
              io::ValueType::real,
              {"subject"},
              map.unit.text,
              "value of the genotype map " + map.name,
              {},
              {}});
    file.add({path + "_basis",
              io::ValueType::category,
              {"subject"},
              "1",
              "what the value of " + map.name + " rests on",
              basis_meanings,
              {}});
}

bool asks_score(const pkpd::GenotypeMap& map, bool is_assumed) {
    const auto by = is_assumed && map.otherwise ? map.otherwise->by : map.by;
    return by == pkpd::GenotypeMap::By::activity_score;
}

Basis basis_of(const pkpd::GenotypeMap& map,
               const pkpd::GeneTable& gene,
               const pkpd::Diplotype& diplotype,
               bool is_assumed) {
    const bool is_bound = asks_score(map, is_assumed) && gene.is_score_lower_bound(diplotype);
    if (!is_assumed) return is_bound ? Basis::score_lower_bound : Basis::table;
    if (is_bound) return Basis::assumed_score_lower_bound;
    return gene.score(diplotype) ? Basis::assumed : Basis::assumed_unknown_function;
}

/// Splits every subject on a map's `otherwise` by what is missing, the table's row or the function,
/// and marks those whose score is known from below only.
std::vector<std::uint8_t>
bases_of(const Study& study, const pkpd::CohortBlock& block, std::size_t map) {
    const auto count = static_cast<std::size_t>(block.range.count);
    const auto& genotypes = study.population.genotypes;
    const auto gene =
        std::find_if(genotypes.begin(), genotypes.end(), [&](const auto& distribution) {
            return distribution.gene == study.model->maps[map].gene;
        });
    std::vector<std::uint8_t> bases(count, static_cast<std::uint8_t>(Basis::table));
    if (gene == genotypes.end()) return bases;
    const auto& drawn = block.genes[static_cast<std::size_t>(gene - genotypes.begin())];
    for (std::size_t s = 0; s < count; ++s) {
        const bool is_assumed = block.is_assumed[map * count + s] != 0;
        bases[s] = static_cast<std::uint8_t>(
            basis_of(study.model->maps[map], *gene->table, drawn.diplotype[s], is_assumed));
    }
    return bases;
}

void write_map(const Study& study,
               const pkpd::CohortBlock& block,
               std::size_t input,
               io::ResultFile& file) {
    const auto count = static_cast<std::size_t>(block.range.count);
    const auto map = static_cast<std::size_t>(study.model->inputs[input].index);
    const std::string path = "maps/" + study.model->maps[map].name;
    const std::vector<std::uint8_t> bases = bases_of(study, block, map);
    file.write(path,
               -1,
               block.range.first,
               std::span<const double>(block.inputs.data() + input * count, count));
    file.write(path + "_basis", -1, block.range.first, std::span<const std::uint8_t>(bases));
}

bool is_map(const pkpd::InputSource& input) {
    return input.kind == pkpd::InputSource::Kind::map;
}

} // namespace

void declare_cohort(const Study& study, io::Layout& file) {
    for (const pkpd::Covariate& covariate : study.population.covariates)
        declare_covariate(covariate, file);
    declare_ids(study, file);
    declare_strata(study, file);
    declare_weight(study, file);
    if (!study.population.groups.empty())
        file.add({"covariates/ancestry",
                  io::ValueType::category,
                  {"subject"},
                  "1",
                  "ancestry group",
                  study.population.groups,
                  {}});
    declare_shares(study, file);
    for (const pkpd::GenotypeDistribution& genotype : study.population.genotypes)
        declare_gene(*genotype.table, file);
    for (const pkpd::InputSource& input : study.model->inputs)
        if (is_map(input))
            declare_map(study.model->maps[static_cast<std::size_t>(input.index)], file);
}

void write_cohort(const Study& study, const pkpd::CohortBlock& block, io::ResultFile& file) {
    write_covariates(study, block, file);
    for (std::size_t g = 0; g < study.population.genotypes.size(); ++g)
        write_gene(*study.population.genotypes[g].table, block.genes[g], block.range.first, file);
    for (std::size_t i = 0; i < study.model->inputs.size(); ++i)
        if (is_map(study.model->inputs[i])) write_map(study, block, i, file);
}

void count_assumptions(const Study& study,
                       const pkpd::CohortBlock& block,
                       std::vector<Assumption>& assumptions) {
    for (const pkpd::InputSource& input : study.model->inputs) {
        if (!is_map(input)) continue;
        const auto map = static_cast<std::size_t>(input.index);
        const std::vector<std::uint8_t> bases = bases_of(study, block, map);
        const auto n_of = [&](Basis basis) {
            return static_cast<std::uint64_t>(
                std::count(bases.begin(), bases.end(), static_cast<std::uint8_t>(basis)));
        };
        const std::uint64_t n_assumed_bounds = n_of(Basis::assumed_score_lower_bound);
        assumptions[map].not_in_table += n_of(Basis::assumed) + n_assumed_bounds;
        assumptions[map].unknown_function += n_of(Basis::assumed_unknown_function);
        assumptions[map].lower_bound += n_of(Basis::score_lower_bound) + n_assumed_bounds;
    }
}

std::vector<Grouping> groupings_of(const Study& study) {
    std::vector<Grouping> groupings;
    for (std::size_t g = 0; g < study.population.genotypes.size(); ++g) {
        const pkpd::GenotypeDistribution& genotype = study.population.genotypes[g];
        Grouping grouping{genotype.gene + " phenotype", {}, {}};
        for (const pkpd::Phenotype& phenotype : genotype.table->phenotypes)
            grouping.groups.push_back(phenotype.name);
        grouping.codes = [g](const pkpd::CohortBlock& block) {
            return std::span<const std::uint8_t>(block.genes[g].phenotype);
        };
        groupings.push_back(std::move(grouping));
    }
    if (!study.population.groups.empty())
        groupings.push_back(
            {"ancestry", study.population.groups, [](const pkpd::CohortBlock& block) {
                 return std::span<const std::uint8_t>(block.ancestry);
             }});
    if (study.population.strata.size() > 1)
        groupings.push_back({"stratum", strata_names(study), [](const pkpd::CohortBlock& block) {
                                 return std::span<const std::uint8_t>(block.stratum);
                             }});
    return groupings;
}

} // namespace gemel::scenarios
