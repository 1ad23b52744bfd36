#include "covariate_draw.hpp"
#include "covariate_law.hpp"
#include "genome_draw.hpp"
#include "triangle.hpp"

#include <gemel/pkpd/population.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

/// Drawing: every number comes from the stream of (seed, replicate, subject, purpose, index), so a
/// block needs nothing but its range, and a new purpose moves no other number.
namespace gemel::pkpd {
namespace {

constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

std::uint32_t purpose(const char* kind, const std::string& name) {
    return sim::purpose_number(std::string(kind) + "/" + name);
}

/// An occasion's draws begin at its number times this.
constexpr std::uint32_t draws_per_occasion = 4096;
constexpr std::uint32_t most_occasions = 1u << 20; // of a 32-bit index

const char* kind_of(Level level) {
    return level == Level::subject ? "eta" : "iov";
}

bool has_occasions(const Model& model) {
    return std::any_of(model.parameters.begin(), model.parameters.end(), [](const Parameter& p) {
        return p.iov.has_value();
    });
}

/// Effects of normal scores, in place.
void scores_to_effects(const Variability& law, std::span<double> column) {
    if (law.law == VariabilityLaw::student)
        for (double& z : column)
            z = law.effect(z);
    else
        for (double& z : column)
            z *= law.sd;
}

/// The same of scores that are multiplied by their spread already.
void spread_scores_to_effects(const Variability& law, std::span<double> column) {
    if (law.law != VariabilityLaw::student || law.scale == 0.0) return;
    for (double& x : column)
        x = law.effect(x / law.scale);
}

/// What is drawn: a subject, by its number for random draws, and its row of the data, if any.
struct DrawnRow {
    std::uint64_t key = 0;
    std::size_t data_row = 0;
    std::uint32_t occasion = 0;
    std::uint64_t subject = 0; ///< of the population
};

std::vector<std::uint64_t> keys_of(const std::vector<DrawnRow>& rows) {
    std::vector<std::uint64_t> keys;
    keys.reserve(rows.size());
    for (const DrawnRow& row : rows)
        keys.push_back(row.key);
    return keys;
}

/// Where the draws of each row's occasion begin.
std::vector<std::uint32_t> first_draws_of(const std::vector<DrawnRow>& rows) {
    std::vector<std::uint32_t> first;
    first.reserve(rows.size());
    for (const DrawnRow& row : rows)
        first.push_back(row.occasion * draws_per_occasion);
    return first;
}

/// The first row of each subject of a range, or all.
std::vector<DrawnRow>
rows_to_draw(const Population& population, const sim::SubjectRange& range, bool all) {
    std::vector<DrawnRow> rows;
    for (std::uint64_t subject = range.first; subject < range.first + range.count; ++subject) {
        if (population.data == nullptr) {
            for (std::uint32_t occasion = 0; occasion < (all ? population.n_occasions : 1);
                 ++occasion)
                rows.push_back({subject, 0, occasion, subject});
            continue;
        }
        const std::size_t first = population.data->first_row[subject];
        const std::size_t n = all ? population.data->n_rows_of(subject) : 1;
        for (std::size_t row = first; row < first + n; ++row)
            rows.push_back(
                {population.data->keys[subject], row, population.data->occasion_of(row), subject});
    }
    return rows;
}

/// The diplotypes that occur, and which of them each subject has.
void find_kinds(std::size_t n_alleles, CohortBlock::Gene& gene) {
    constexpr std::uint32_t not_seen = 0xffffffff;
    std::vector<std::uint32_t> kind_of_pair(n_alleles * n_alleles, not_seen);
    gene.kind.reserve(gene.diplotype.size());
    for (const Diplotype& diplotype : gene.diplotype) {
        std::uint32_t& kind = kind_of_pair[static_cast<std::size_t>(diplotype.first) * n_alleles +
                                           static_cast<std::size_t>(diplotype.second)];
        if (kind == not_seen) {
            kind = static_cast<std::uint32_t>(gene.kinds.size());
            gene.kinds.push_back(diplotype);
        }
        gene.kind.push_back(kind);
    }
}

/// Score and phenotype, looked up once per diplotype that occurs.
void describe_gene(const GeneTable& table, CohortBlock::Gene& gene) {
    find_kinds(table.alleles.size(), gene);
    std::vector<double> scores;
    std::vector<std::uint8_t> phenotypes;
    for (const Diplotype& diplotype : gene.kinds) {
        scores.push_back(table.score(diplotype).value_or(not_known));
        phenotypes.push_back(static_cast<std::uint8_t>(table.phenotype(diplotype)));
    }
    for (const std::uint32_t kind : gene.kind) {
        gene.score.push_back(scores[kind]);
        gene.phenotype.push_back(phenotypes[kind]);
    }
}

/// What is the same for all subjects of a block, worked out once per block.
class Drawer {
public:
    Drawer(const Population& population, const sim::SubjectRange& range, std::vector<DrawnRow> rows)
        : population_(population),
          model_(*population.model),
          range_(range),
          rows_(std::move(rows)),
          n_(rows_.size()),
          random_(population.seed, range.replicate, keys_of(rows_)),
          occasions_(population.seed, range.replicate, keys_of(rows_), first_draws_of(rows_)),
          own_laws_(population.laws_of(range.replicate)) {}

    CohortBlock draw();
    std::vector<double> draw_occasions(std::uint32_t n_occasions) const;

private:
    sim::RandomStream
    stream(std::uint64_t row, std::uint32_t purpose_number, std::uint32_t index) const {
        return {{population_.seed, range_.replicate, rows_[row].key}, purpose_number, index};
    }
    std::vector<double> uniforms(std::uint32_t purpose_number, std::uint32_t index = 0) const {
        std::vector<double> column(n_);
        random_.uniforms(purpose_number, index, column.data());
        return column;
    }

    /// Of some of the rows.
    sim::RandomColumns random_of(std::span<const std::uint32_t> rows) const {
        std::vector<std::uint64_t> keys;
        keys.reserve(rows.size());
        for (const std::uint32_t row : rows)
            keys.push_back(rows_[row].key);
        return {population_.seed, range_.replicate, std::move(keys)};
    }

    void draw_strata();
    void draw_ancestry();
    void draw_covariates();
    void draw_genes();
    void draw_diplotypes(const GenotypeDistribution& law,
                         const GenomeDraw& genomes,
                         std::size_t gene,
                         std::vector<Diplotype>& drawn) const;
    bool has_one_copy(const GenotypeDistribution& law, std::uint64_t subject) const;
    void draw_listed(const GenotypeDistribution& law, std::vector<Diplotype>& drawn) const;
    void draw_called(const GenotypeDistribution& law, std::vector<Diplotype>& drawn) const;
    /// Of the replicate; nothing is copied where it has none of its own.
    const std::optional<Variability>& effect(Level level, std::size_t parameter) const {
        return own_laws_ ? own_laws_->effect(level, parameter)
                         : model_.parameters[parameter].effect(level);
    }
    std::vector<double> draw_effects(Level level, std::uint32_t further) const;
    void draw_scores(Level level, std::size_t parameter, std::uint32_t further, double* z) const;
    void join_scores(const OmegaBlock& omega, std::vector<double>& effects) const;
    void fill_map(std::size_t map, double* column);
    struct MapValue {
        double value = not_known;
        bool is_assumed = false;
    };
    double drawn_score(const GenotypeMap& map,
                       const GeneTable& table,
                       const Diplotype& diplotype,
                       std::uint64_t subject) const;
    MapValue map_value_of(const GenotypeMap& map,
                          const GeneTable& table,
                          const Diplotype& diplotype,
                          double score) const;
    void fill_input(const InputSource& source, double* column);
    std::size_t gene_index(const std::string& name) const;

    const Population& population_;
    const Model& model_;
    sim::SubjectRange range_;
    std::vector<DrawnRow> rows_;
    std::uint64_t n_; ///< rows
    sim::RandomColumns random_;
    sim::RandomColumns occasions_;           ///< the same from each row's occasion on
    std::optional<PopulationLaws> own_laws_; ///< of the replicate, where they are not the model's
    CohortBlock block_;
};

void Drawer::draw_strata() {
    if (population_.strata.size() < 2) return;
    std::vector<double> shares;
    for (const Stratum& stratum : population_.strata)
        shares.push_back(stratum.share);
    const std::vector<double> cumulative = cumulative_sums(shares);
    for (const double u : uniforms(sim::purpose_number("stratum")))
        block_.stratum.push_back(static_cast<std::uint8_t>(pick(cumulative, u)));
}

void Drawer::draw_ancestry() {
    if (population_.groups.empty()) return;
    block_.ancestry.assign(n_, 0);
    std::vector<std::vector<double>> cumulative;
    for (const Stratum& stratum : population_.strata)
        cumulative.push_back(cumulative_sums(stratum.group_proportions));
    if (cumulative.empty()) cumulative.push_back(cumulative_sums(population_.group_proportions));
    if (population_.groups.size() < 2) return;
    const std::vector<double> u = uniforms(sim::purpose_number("ancestry"));
    for (std::uint64_t s = 0; s < n_; ++s)
        block_.ancestry[s] = static_cast<std::uint8_t>(
            pick(cumulative[block_.stratum.empty() ? 0 : block_.stratum[s]], u[s]));
}

void Drawer::draw_covariates() {
    const std::size_t n_covariates = population_.covariates.size();
    if (n_covariates == 0 && population_.strata.size() < 2) return;
    block_.covariates.assign(n_covariates * n_, not_known);
    if (population_.has_weights()) block_.weight.assign(n_, 1.0);
    std::vector<std::vector<std::uint32_t>> subjects(population_.strata.size());
    for (std::uint64_t s = 0; s < n_; ++s)
        subjects[block_.stratum.empty() ? 0 : block_.stratum[s]].push_back(
            static_cast<std::uint32_t>(s));
    const auto value_of = [&](std::uint64_t subject, std::size_t covariate) {
        const DataCohort& data = *population_.data;
        const auto at = std::find(data.covariates.begin(), data.covariates.end(), covariate);
        return data.values[static_cast<std::size_t>(at - data.covariates.begin()) * data.n_rows() +
                           rows_[subject].data_row];
    };
    for (std::size_t k = 0; k < subjects.size(); ++k)
        if (!subjects[k].empty())
            draw_stratum(population_,
                         k,
                         subjects[k],
                         range_.first,
                         random_of(subjects[k]),
                         value_of,
                         own_laws_ ? &own_laws_->proportions : nullptr,
                         n_,
                         block_.covariates,
                         block_.weight);
}

bool Drawer::has_one_copy(const GenotypeDistribution& law, std::uint64_t subject) const {
    return law.one_copy && block_.covariates[law.one_copy->covariate * n_ + subject] ==
                               static_cast<double>(law.one_copy->category);
}

void Drawer::draw_listed(const GenotypeDistribution& law, std::vector<Diplotype>& drawn) const {
    std::vector<double> probabilities;
    for (const auto& [diplotype, probability] : law.diplotypes)
        probabilities.push_back(probability);
    const std::vector<double> cumulative = cumulative_sums(probabilities);
    const std::vector<double> u = uniforms(purpose("diplotype", law.gene));
    for (std::uint64_t s = 0; s < n_; ++s)
        drawn[s] = law.diplotypes[pick(cumulative, u[s])].first;
}

/// One of the diplotypes a subject's evidence leaves, by their probabilities. Who has no call keeps
/// what was drawn before.
void Drawer::draw_called(const GenotypeDistribution& law, std::vector<Diplotype>& drawn) const {
    const auto& rows = law.called->rows;
    const std::vector<double> u = uniforms(purpose("diplotype", law.gene));
    std::vector<double> probabilities;
    for (std::uint64_t s = 0; s < n_; ++s) {
        const auto& candidates = rows[rows_[s].subject % rows.size()];
        if (candidates.empty()) continue;
        probabilities.clear();
        for (const auto& [diplotype, probability] : candidates)
            probabilities.push_back(probability);
        drawn[s] = candidates.size() == 1
                       ? candidates.front().first
                       : candidates[pick(cumulative_sums(probabilities), u[s])].first;
    }
}

void Drawer::draw_diplotypes(const GenotypeDistribution& law,
                             const GenomeDraw& genomes,
                             std::size_t gene,
                             std::vector<Diplotype>& drawn) const {
    using Genotypes = GenotypeDistribution::Kind;
    drawn.assign(n_, law.diplotype);
    if (law.kind == Genotypes::fixed) return;
    if (law.kind == Genotypes::diplotypes) return draw_listed(law, drawn);
    if (law.kind == Genotypes::called) {
        if (law.missing != nullptr) draw_diplotypes(*law.missing, genomes, gene, drawn);
        return draw_called(law, drawn);
    }
    for (std::uint64_t s = 0; s < n_; ++s) {
        const int a = genomes.allele(gene, 0, s);
        const int b =
            has_one_copy(law, s) ? law.table->hemizygous_allele() : genomes.allele(gene, 1, s);
        drawn[s] = {std::min(a, b), std::max(a, b)};
    }
}

void Drawer::draw_genes() {
    block_.genes.resize(population_.genotypes.size());
    const GenomeDraw genomes(population_, range_.replicate, random_, block_);
    block_.ancestor_shares = genomes.ancestor_shares();
    for (std::size_t g = 0; g < population_.genotypes.size(); ++g) {
        const GenotypeDistribution& law = population_.genotypes[g];
        draw_diplotypes(law, genomes, g, block_.genes[g].diplotype);
        describe_gene(*law.table, block_.genes[g]);
    }
}

/// The effects of one level, [n_parameters × count], 0 where a parameter has none.
/// @param further  occasions after the row's own
std::vector<double> Drawer::draw_effects(Level level, std::uint32_t further) const {
    const std::size_t n_parameters = model_.parameters.size();
    std::vector<double> effects(n_parameters * n_, 0.0);
    if (!population_.has_variability) return effects;
    for (std::size_t p = 0; p < n_parameters; ++p)
        if (effect(level, p)) draw_scores(level, p, further, effects.data() + p * n_);
    std::vector<char> is_correlated(n_parameters, 0);
    for (const OmegaBlock& omega : own_laws_ ? own_laws_->omega : model_.omega) {
        if (omega.level != level) continue;
        for (int parameter : omega.of)
            is_correlated[static_cast<std::size_t>(parameter)] = 1;
        join_scores(omega, effects);
    }
    for (std::size_t p = 0; p < n_parameters; ++p)
        if (effect(level, p) && is_correlated[p] == 0)
            scores_to_effects(*effect(level, p), std::span(effects).subspan(p * n_, n_));
    return effects;
}

/// An occasion's draws are at its number; those between subjects at 0.
void Drawer::draw_scores(Level level,
                         std::size_t parameter,
                         std::uint32_t further,
                         double* z) const {
    const std::uint32_t number = purpose(kind_of(level), model_.parameters[parameter].name);
    if (level == Level::subject)
        random_.normals(number, 0, z);
    else
        occasions_.normals(number, further * draws_per_occasion, z);
}

/// From scores to effects x = L·z, from the last of the group to the first: those before are
/// scores still.
void Drawer::join_scores(const OmegaBlock& omega, std::vector<double>& effects) const {
    const std::size_t size = omega.of.size();
    const std::vector<double> lower = cholesky(omega.covariance, size);
    const auto column = [&](std::size_t member) {
        return std::span(effects).subspan(static_cast<std::size_t>(omega.of[member]) * n_, n_);
    };
    std::vector<double> joint(n_);
    for (std::size_t i = size; i-- > 0;) {
        std::fill(joint.begin(), joint.end(), 0.0);
        for (std::size_t k = 0; k <= i; ++k) {
            const double factor = lower[i * size + k];
            const std::span<const double> z = column(k);
            for (std::uint64_t s = 0; s < n_; ++s)
                joint[s] += factor * z[s];
        }
        std::ranges::copy(joint, column(i).begin());
        const auto parameter = static_cast<std::size_t>(omega.of[i]);
        spread_scores_to_effects(*effect(omega.level, parameter), column(i));
    }
}
std::vector<double> Drawer::draw_occasions(std::uint32_t n_occasions) const {
    const std::size_t n_parameters = model_.parameters.size();
    std::vector<double> all(n_parameters * n_occasions * n_);
    for (std::uint32_t occasion = 0; occasion < n_occasions; ++occasion) {
        const std::vector<double> effects = draw_effects(Level::occasion, occasion);
        for (std::size_t p = 0; p < n_parameters; ++p)
            std::copy_n(
                effects.data() + p * n_, n_, all.data() + (p * n_occasions + occasion) * n_);
    }
    return all;
}

std::size_t Drawer::gene_index(const std::string& name) const {
    for (std::size_t g = 0; g < population_.genotypes.size(); ++g)
        if (population_.genotypes[g].gene == name) return g;
    throw std::invalid_argument("the population has no genotypes of " + name);
}

/// Score with the activities of uncertain alleles drawn from the map's law; the uniform number of
/// an allele is one for all maps of its gene.
double Drawer::drawn_score(const GenotypeMap& map,
                           const GeneTable& table,
                           const Diplotype& diplotype,
                           std::uint64_t subject) const {
    const auto& law = map.otherwise->uncertain_activity;
    const std::uint32_t number = purpose("activity", map.gene);
    std::vector<double> probabilities;
    for (const auto& [activity, probability] : law)
        probabilities.push_back(probability);
    const std::vector<double> cumulative = cumulative_sums(probabilities);
    double score = 0.0;
    std::uint32_t index = 0;
    for (int allele : {diplotype.first, diplotype.second}) {
        const std::optional<double>& known =
            table.alleles[static_cast<std::size_t>(allele)].activity;
        score +=
            known ? *known : law[pick(cumulative, stream(subject, number, index).uniform())].first;
        ++index;
    }
    return score;
}

Drawer::MapValue Drawer::map_value_of(const GenotypeMap& map,
                                      const GeneTable& table,
                                      const Diplotype& diplotype,
                                      double score) const {
    MapValue found;
    const std::optional<double> value =
        map_value(map,
                  table,
                  diplotype,
                  std::isnan(score) ? std::nullopt : std::optional<double>(score),
                  &found.is_assumed);
    found.value = value.value_or(not_known);
    return found;
}

/// Once per diplotype that occurs, and per drawn score of those whose activity is drawn.
void Drawer::fill_map(std::size_t m, double* column) {
    const GenotypeMap& map = model_.maps[m];
    const std::size_t g = gene_index(map.gene);
    const GeneTable& table = *population_.genotypes[g].table;
    const CohortBlock::Gene& gene = block_.genes[g];
    const bool draws_activity = map.otherwise && !map.otherwise->uncertain_activity.empty();
    std::vector<std::map<double, MapValue>> known(gene.kinds.size());
    std::vector<MapValue> own(gene.kinds.size());
    std::vector<char> is_drawn(gene.kinds.size());
    for (std::size_t k = 0; k < gene.kinds.size(); ++k) {
        const double score = table.score(gene.kinds[k]).value_or(not_known);
        is_drawn[k] = std::isnan(score) && draws_activity;
        if (is_drawn[k] == 0) own[k] = map_value_of(map, table, gene.kinds[k], score);
    }
    for (std::uint64_t s = 0; s < n_; ++s) {
        const std::uint32_t kind = gene.kind[s];
        MapValue found = own[kind];
        if (is_drawn[kind] != 0) {
            const double score = drawn_score(map, table, gene.kinds[kind], s);
            const auto [at, is_new] = known[kind].try_emplace(score);
            if (is_new) at->second = map_value_of(map, table, gene.kinds[kind], score);
            found = at->second;
        }
        column[s] = found.value;
        block_.is_assumed[m * n_ + s] = found.is_assumed;
    }
}

void Drawer::fill_input(const InputSource& source, double* column) {
    const auto index = static_cast<std::size_t>(source.index);
    switch (source.kind) {
    case InputSource::Kind::theta:
        std::fill(column,
                  column + n_,
                  own_laws_ ? own_laws_->typical[index] : model_.parameters[index].value);
        break;
    case InputSource::Kind::eta:
        std::copy_n(block_.etas.data() + index * n_, n_, column);
        break;
    case InputSource::Kind::iov:
        std::copy_n(block_.iovs.data() + index * n_, n_, column);
        break;
    case InputSource::Kind::covariate:
        std::copy_n(block_.covariates.data() + index * n_, n_, column);
        break;
    case InputSource::Kind::category:
        for (std::uint64_t s = 0; s < n_; ++s)
            column[s] = block_.covariates[index * n_ + s] == source.category ? 1.0 : 0.0;
        break;
    case InputSource::Kind::map:
        fill_map(index, column);
        break;
    }
}

CohortBlock Drawer::draw() {
    block_.range = range_;
    draw_strata();
    draw_ancestry();
    draw_covariates();
    draw_genes();
    block_.etas = draw_effects(Level::subject, 0);
    if (has_occasions(model_)) block_.iovs = draw_effects(Level::occasion, 0);
    block_.is_assumed.assign(model_.maps.size() * n_, 0);
    block_.inputs.resize(model_.inputs.size() * n_);
    for (std::size_t i = 0; i < model_.inputs.size(); ++i)
        fill_input(model_.inputs[i], block_.inputs.data() + i * n_);
    return std::move(block_);
}

} // namespace

std::optional<PopulationLaws> Population::laws_of(std::uint32_t replicate) const {
    return laws_of_replicate(*model, uncertainty.get(), seed, replicate);
}

bool Population::has_weights() const {
    return std::any_of(strata.begin(), strata.end(), [](const Stratum& stratum) {
        return stratum.rows && !stratum.rows->weights.empty();
    });
}

namespace {

/// @throws std::invalid_argument naming what a population lacks, or a range beyond it
void check_can_draw(const Population& population, const sim::SubjectRange& range) {
    if (population.model == nullptr ||
        population.covariates.size() < population.model->covariates.size() ||
        (population.strata.empty() && !population.covariates.empty()))
        throw std::invalid_argument(
            "Population::draw: a model and a stratum with its covariates are needed");
    for (const Stratum& stratum : population.strata)
        if (stratum.laws.size() != population.covariates.size())
            throw std::invalid_argument(
                "Population::draw: a law for each covariate of the model is needed");
    if (range.first + range.count > population.size)
        throw std::invalid_argument("Population::draw: subjects up to " +
                                    std::to_string(range.first + range.count) + " of " +
                                    std::to_string(population.size));
}

} // namespace

CohortBlock Population::draw(const sim::SubjectRange& range) const {
    check_can_draw(*this, range);
    return Drawer(*this, range, rows_to_draw(*this, range, false)).draw();
}

std::size_t Population::n_rows(const sim::SubjectRange& range) const {
    return data == nullptr
               ? range.count * n_occasions
               : data->first_row[range.first + range.count] - data->first_row[range.first];
}

std::vector<double> Population::draw_rows(const sim::SubjectRange& range) const {
    check_can_draw(*this, range);
    return Drawer(*this, range, rows_to_draw(*this, range, true)).draw().inputs;
}

std::vector<double> Population::draw_occasions(const sim::SubjectRange& range,
                                               std::uint32_t n) const {
    check_can_draw(*this, range);
    if (n > most_occasions)
        throw std::invalid_argument("Population::draw_occasions: n is " + std::to_string(n) +
                                    "; at most " + std::to_string(most_occasions) +
                                    " are expected");
    return Drawer(*this, range, rows_to_draw(*this, range, false)).draw_occasions(n);
}

} // namespace gemel::pkpd
