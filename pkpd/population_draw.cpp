#include "covariate_draw.hpp"
#include "covariate_law.hpp"
#include "population_reading.hpp"
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

/// The effect of a score that is multiplied by its spread already.
double of_score(const Variability& law, double spread_score) {
    if (law.law != VariabilityLaw::student || law.scale == 0.0) return spread_score;
    return law.effect(spread_score / law.scale);
}

/// What is drawn: a subject, by its number for random draws, and its row of the data, if any.
struct DrawnRow {
    std::uint64_t key = 0;
    std::size_t data_row = 0;
    std::uint32_t occasion = 0;
};

/// The first row of each subject of a range, or all.
std::vector<DrawnRow>
rows_to_draw(const Population& population, const sim::SubjectRange& range, bool all) {
    std::vector<DrawnRow> rows;
    for (std::uint64_t subject = range.first; subject < range.first + range.count; ++subject) {
        if (population.data == nullptr) {
            for (std::uint32_t occasion = 0; occasion < (all ? population.n_occasions : 1);
                 ++occasion)
                rows.push_back({subject, 0, occasion});
            continue;
        }
        const std::size_t first = population.data->first_row[subject];
        const std::size_t n = all ? population.data->n_rows_of(subject) : 1;
        for (std::size_t row = first; row < first + n; ++row)
            rows.push_back(
                {population.data->keys[subject], row, population.data->occasion_of(row)});
    }
    return rows;
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
          own_laws_(population.laws_of(range.replicate)) {}

    CohortBlock draw();
    std::vector<double> draw_occasions(std::uint32_t n_occasions) const;

private:
    sim::RandomStream
    stream(std::uint64_t subject, std::uint32_t purpose_number, std::uint32_t index = 0) const {
        return {{population_.seed, range_.replicate, rows_[subject].key}, purpose_number, index};
    }

    void draw_strata();
    void draw_ancestry();
    void draw_covariates();
    void draw_gene(std::size_t gene);
    void draw_pairs(const std::vector<std::vector<double>>& cumulative,
                    const GenotypeDistribution& law,
                    std::vector<Diplotype>& drawn) const;
    void draw_listed(const GenotypeDistribution& law, std::vector<Diplotype>& drawn) const;
    void describe_gene(const GeneTable& table, CohortBlock::Gene& gene) const;
    /// Of the effects of a row: those of an occasion after its own.
    std::uint32_t index_of(Level level, std::uint64_t row, std::uint32_t further) const {
        return level == Level::subject ? 0 : (rows_[row].occasion + further) * draws_per_occasion;
    }
    /// Of the replicate; nothing is copied where it has none of its own.
    const std::optional<Variability>& effect(Level level, std::size_t parameter) const {
        return own_laws_ ? own_laws_->effect(level, parameter)
                         : model_.parameters[parameter].effect(level);
    }
    std::vector<double> draw_effects(Level level, std::uint32_t further) const;
    void
    draw_group(const OmegaBlock& omega, std::uint32_t further, std::vector<double>& effects) const;
    void fill_map(std::size_t map, double* column);
    double drawn_score(const GenotypeMap& map,
                       const GeneTable& table,
                       const Diplotype& diplotype,
                       std::uint64_t subject,
                       std::uint32_t activity_purpose) const;
    void fill_input(const InputSource& source, double* column);
    std::size_t gene_index(const std::string& name) const;

    const Population& population_;
    const Model& model_;
    sim::SubjectRange range_;
    std::vector<DrawnRow> rows_;
    std::uint64_t n_;                        ///< rows
    std::optional<PopulationLaws> own_laws_; ///< of the replicate, where they are not the model's
    CohortBlock block_;
};

void Drawer::draw_strata() {
    if (population_.strata.size() < 2) return;
    std::vector<double> shares;
    for (const Stratum& stratum : population_.strata)
        shares.push_back(stratum.share);
    const std::vector<double> cumulative = cumulative_sums(shares);
    const std::uint32_t number = sim::purpose_number("stratum");
    for (std::uint64_t s = 0; s < n_; ++s)
        block_.stratum.push_back(
            static_cast<std::uint8_t>(pick(cumulative, stream(s, number).uniform())));
}

void Drawer::draw_ancestry() {
    if (population_.groups.empty()) return;
    block_.ancestry.assign(n_, 0);
    std::vector<std::vector<double>> cumulative;
    for (const Stratum& stratum : population_.strata)
        cumulative.push_back(cumulative_sums(stratum.group_proportions));
    if (cumulative.empty()) cumulative.push_back(cumulative_sums(population_.group_proportions));
    const std::uint32_t number = sim::purpose_number("ancestry");
    if (population_.groups.size() > 1)
        for (std::uint64_t s = 0; s < n_; ++s)
            block_.ancestry[s] = static_cast<std::uint8_t>(
                pick(cumulative[block_.stratum.empty() ? 0 : block_.stratum[s]],
                     stream(s, number).uniform()));
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
    const auto uniform_of = [&](std::uint64_t subject, std::uint32_t purpose_number) {
        return stream(subject, purpose_number).uniform();
    };
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
                         uniform_of,
                         value_of,
                         own_laws_ ? &own_laws_->proportions : nullptr,
                         n_,
                         block_.covariates,
                         block_.weight);
}

/// Hardy–Weinberg: two alleles, each drawn from the frequencies of the subject's group.
void Drawer::draw_pairs(const std::vector<std::vector<double>>& cumulative,
                        const GenotypeDistribution& law,
                        std::vector<Diplotype>& drawn) const {
    const std::uint32_t number = purpose("diplotype", law.gene);
    const bool by_group = law.kind == GenotypeDistribution::Kind::ancestry;
    for (std::uint64_t s = 0; s < n_; ++s) {
        const std::vector<double>& sums = cumulative[by_group ? block_.ancestry[s] : 0];
        const int a = static_cast<int>(pick(sums, stream(s, number, 0).uniform()));
        const int b = static_cast<int>(pick(sums, stream(s, number, 1).uniform()));
        drawn[s] = {std::min(a, b), std::max(a, b)};
    }
}

void Drawer::draw_listed(const GenotypeDistribution& law, std::vector<Diplotype>& drawn) const {
    const std::uint32_t number = purpose("diplotype", law.gene);
    std::vector<double> probabilities;
    for (const auto& [diplotype, probability] : law.diplotypes)
        probabilities.push_back(probability);
    const std::vector<double> cumulative = cumulative_sums(probabilities);
    for (std::uint64_t s = 0; s < n_; ++s)
        drawn[s] = law.diplotypes[pick(cumulative, stream(s, number).uniform())].first;
}

void Drawer::draw_gene(std::size_t gene) {
    const GenotypeDistribution& law = population_.genotypes[gene];
    CohortBlock::Gene& drawn = block_.genes[gene];
    drawn.diplotype.assign(n_, law.diplotype);
    std::vector<std::vector<double>> cumulative;
    switch (law.kind) {
    case GenotypeDistribution::Kind::fixed:
        break;
    case GenotypeDistribution::Kind::diplotypes:
        draw_listed(law, drawn.diplotype);
        break;
    case GenotypeDistribution::Kind::alleles:
        draw_pairs({cumulative_sums(law.allele_frequencies)}, law, drawn.diplotype);
        break;
    case GenotypeDistribution::Kind::ancestry:
        for (std::size_t g = 0; g < population_.groups.size(); ++g)
            cumulative.push_back(cumulative_sums(group_frequencies(population_, g, *law.table)));
        draw_pairs(cumulative, law, drawn.diplotype);
        break;
    }
    describe_gene(*law.table, drawn);
}

/// Score and phenotype, looked up once per diplotype that occurs.
void Drawer::describe_gene(const GeneTable& table, CohortBlock::Gene& gene) const {
    struct Known {
        double score;
        std::uint8_t phenotype;
    };
    std::map<Diplotype, Known> known;
    gene.score.resize(n_);
    gene.phenotype.resize(n_);
    for (std::uint64_t s = 0; s < n_; ++s) {
        const Diplotype& diplotype = gene.diplotype[s];
        auto found = known.find(diplotype);
        if (found == known.end())
            found = known
                        .emplace(diplotype,
                                 Known{table.score(diplotype).value_or(not_known),
                                       static_cast<std::uint8_t>(table.phenotype(diplotype))})
                        .first;
        gene.score[s] = found->second.score;
        gene.phenotype[s] = found->second.phenotype;
    }
}

/// The effects of one level, [n_parameters × count], 0 where a parameter has none.
/// @param further  occasions after the row's own
std::vector<double> Drawer::draw_effects(Level level, std::uint32_t further) const {
    const std::size_t n_parameters = model_.parameters.size();
    std::vector<double> effects(n_parameters * n_, 0.0);
    if (!population_.has_variability) return effects;
    std::vector<char> is_correlated(n_parameters, 0);
    for (const OmegaBlock& omega : own_laws_ ? own_laws_->omega : model_.omega) {
        if (omega.level != level) continue;
        for (int parameter : omega.of)
            is_correlated[static_cast<std::size_t>(parameter)] = 1;
        draw_group(omega, further, effects);
    }
    for (std::size_t p = 0; p < n_parameters; ++p) {
        const auto& law = effect(level, p);
        if (!law || is_correlated[p] != 0) continue;
        const std::uint32_t number = purpose(kind_of(level), model_.parameters[p].name);
        for (std::uint64_t s = 0; s < n_; ++s)
            effects[p * n_ + s] =
                law->effect(stream(s, number, index_of(level, s, further)).normal());
    }
    return effects;
}

void Drawer::draw_group(const OmegaBlock& omega,
                        std::uint32_t further,
                        std::vector<double>& effects) const {
    const std::size_t size = omega.of.size();
    const std::vector<double> lower = cholesky(omega.covariance, size);
    std::vector<std::uint32_t> numbers;
    std::vector<const Variability*> laws;
    for (int parameter : omega.of) {
        const auto p = static_cast<std::size_t>(parameter);
        numbers.push_back(purpose(kind_of(omega.level), model_.parameters[p].name));
        laws.push_back(&*effect(omega.level, p));
    }
    std::vector<double> z(size);
    for (std::uint64_t s = 0; s < n_; ++s) {
        for (std::size_t k = 0; k < size; ++k)
            z[k] = stream(s, numbers[k], index_of(omega.level, s, further)).normal();
        for (std::size_t i = 0; i < size; ++i) {
            double x = 0.0;
            for (std::size_t k = 0; k <= i; ++k)
                x += lower[i * size + k] * z[k];
            effects[static_cast<std::size_t>(omega.of[i]) * n_ + s] = of_score(*laws[i], x);
        }
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
                           std::uint64_t subject,
                           std::uint32_t activity_purpose) const {
    const auto& law = map.otherwise->uncertain_activity;
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
            known ? *known
                  : law[pick(cumulative, stream(subject, activity_purpose, index).uniform())].first;
        ++index;
    }
    return score;
}

void Drawer::fill_map(std::size_t m, double* column) {
    const GenotypeMap& map = model_.maps[m];
    const std::size_t g = gene_index(map.gene);
    const GeneTable& table = *population_.genotypes[g].table;
    const CohortBlock::Gene& gene = block_.genes[g];
    const std::uint32_t activity_purpose = purpose("activity", map.gene);
    const bool draws_activity = map.otherwise && !map.otherwise->uncertain_activity.empty();
    struct Value {
        double value;
        std::uint8_t is_assumed;
    };
    std::map<std::pair<Diplotype, double>, Value> known;
    for (std::uint64_t s = 0; s < n_; ++s) {
        const Diplotype& diplotype = gene.diplotype[s];
        double score = gene.score[s];
        if (std::isnan(score) && draws_activity)
            score = drawn_score(map, table, diplotype, s, activity_purpose);
        const bool has_score = !std::isnan(score);
        // −1 stands for "no score" in the key: activities are not negative.
        const std::pair<Diplotype, double> key{diplotype, has_score ? score : -1.0};
        auto found = known.find(key);
        if (found == known.end()) {
            bool is_assumed = false;
            const std::optional<double> value =
                map_value(map,
                          table,
                          diplotype,
                          has_score ? std::optional<double>(score) : std::nullopt,
                          &is_assumed);
            found = known
                        .emplace(key,
                                 Value{value.value_or(not_known),
                                       is_assumed ? std::uint8_t{1} : std::uint8_t{0}})
                        .first;
        }
        column[s] = found->second.value;
        block_.is_assumed[m * n_ + s] = found->second.is_assumed;
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
    block_.genes.resize(population_.genotypes.size());
    for (std::size_t g = 0; g < population_.genotypes.size(); ++g)
        draw_gene(g);
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
