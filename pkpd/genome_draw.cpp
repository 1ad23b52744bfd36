#include "genome_draw.hpp"

#include "covariate_law.hpp"

#include <gemel/sim/distributions.hpp>

#include <algorithm>

namespace gemel::pkpd {
namespace {

using DrawnBy = GenotypeDistribution::Kind;

/// What those are drawn by who have no call, where there are calls.
const GenotypeDistribution& drawn_law(const GenotypeDistribution& law) {
    return law.missing != nullptr ? *law.missing : law;
}

} // namespace

GenomeDraw::GenomeDraw(const Population& population,
                       std::uint32_t replicate,
                       const sim::RandomColumns& random,
                       const CohortBlock& block)
    : population_(population),
      replicate_(replicate),
      random_(random),
      block_(block),
      n_(random.size()),
      alleles_(population.genotypes.size()) {
    if (population_.has_personal_shares()) draw_shares();
    for (std::size_t gene = 0; gene < population_.genotypes.size(); ++gene)
        draw_gene(gene);
    for (const LinkedGenes& linked : population_.linked)
        draw_linked(linked);
}

std::vector<double> GenomeDraw::uniforms(const std::string& purpose, std::uint32_t index) const {
    std::vector<double> column(n_);
    random_.uniforms(sim::purpose_number(purpose), index, column.data());
    return column;
}

double& GenomeDraw::share(std::size_t group, std::size_t ancestor, std::uint64_t subject) {
    return shares_[place_[group][ancestor] * n_ + subject];
}

/// A person's shares are those of its group unless they are its own.
void GenomeDraw::draw_shares() {
    ancestors_ = population_.ancestors();
    shares_.assign(ancestors_.size() * n_, 0.0);
    for (const auto& of_group : population_.group_ancestors) {
        std::vector<std::size_t>& places = place_.emplace_back();
        for (const auto& [code, unused] : of_group)
            places.push_back(
                static_cast<std::size_t>(std::ranges::find(ancestors_, code) - ancestors_.begin()));
    }
    for (std::uint64_t s = 0; s < n_; ++s)
        if (is_personal(group_of(s)) && !population_.group_shares[group_of(s)].covariates.empty())
            share_as_covariates(s);
        else
            share_as_group(s);
    for (std::size_t g = 0; g < population_.groups.size(); ++g)
        if (is_personal(g) && population_.group_shares[g].concentration > 0.0)
            share_by_dirichlet(g);
}

void GenomeDraw::share_as_group(std::uint64_t subject) {
    const std::size_t group = group_of(subject);
    const auto& ancestors = population_.group_ancestors[group];
    for (std::size_t k = 0; k < ancestors.size(); ++k)
        share(group, k, subject) = ancestors[k].second;
}

/// Checked at load: they are not below 0, and no more than 1 in all.
void GenomeDraw::share_as_covariates(std::uint64_t subject) {
    const std::size_t group = group_of(subject);
    const std::vector<int>& covariates = population_.group_shares[group].covariates;
    double rest = 1.0;
    for (std::size_t k = 0; k < covariates.size(); ++k)
        if (covariates[k] >= 0) {
            share(group, k, subject) =
                block_.covariates[static_cast<std::size_t>(covariates[k]) * n_ + subject];
            rest -= share(group, k, subject);
        }
    for (std::size_t k = 0; k < covariates.size(); ++k)
        if (covariates[k] < 0) share(group, k, subject) = std::max(0.0, rest);
}

/// Gammas divided by their sum.
void GenomeDraw::share_by_dirichlet(std::size_t group) {
    const auto& ancestors = population_.group_ancestors[group];
    const double concentration = population_.group_shares[group].concentration;
    std::vector<std::vector<double>> u;
    for (const auto& [code, mean] : ancestors)
        u.push_back(uniforms("admixture/" + code));
    std::vector<double> gammas(ancestors.size());
    for (std::uint64_t s = 0; s < n_; ++s) {
        if (group_of(s) != group) continue;
        double sum = 0.0;
        for (std::size_t k = 0; k < ancestors.size(); ++k) {
            const double shape = concentration * ancestors[k].second;
            gammas[k] = shape > 0.0 ? sim::gamma_variate(shape, u[k][s]) : 0.0;
            sum += gammas[k];
        }
        for (std::size_t k = 0; k < ancestors.size(); ++k)
            share(group, k, s) = sum > 0.0 ? gammas[k] / sum : ancestors[k].second;
    }
}

/// Ancestors a chromosome's gene comes from, of those whose shares are their own.
GenomeDraw::Column GenomeDraw::descent(const std::string& name, std::uint32_t chromosome) const {
    const std::vector<double> u = uniforms("descent/" + name, chromosome);
    Column ancestors(n_);
    std::vector<double> own(ancestors_.size());
    for (std::uint64_t s = 0; s < n_; ++s) {
        for (std::size_t k = 0; k < own.size(); ++k)
            own[k] = shares_[k * n_ + s];
        ancestors[s] = static_cast<std::uint32_t>(pick(cumulative_sums(own), u[s]));
    }
    return ancestors;
}

GenomeDraw::Column GenomeDraw::picked(const std::vector<double>& frequencies,
                                      const std::string& name,
                                      std::uint32_t chromosome) const {
    const std::vector<double> cumulative = cumulative_sums(frequencies);
    Column column;
    for (const double u : uniforms("diplotype/" + name, chromosome))
        column.push_back(static_cast<std::uint32_t>(pick(cumulative, u)));
    return column;
}

GenomeDraw::Column GenomeDraw::picked(const FrequenciesOf& of,
                                      const std::string& name,
                                      std::uint32_t chromosome) const {
    std::vector<std::vector<double>> by_group, by_ancestor;
    for (std::size_t g = 0; g < population_.groups.size(); ++g)
        by_group.push_back(cumulative_sums(group_frequencies(population_, g, of)));
    for (const std::string& code : ancestors_)
        by_ancestor.push_back(cumulative_sums(of(code)));
    const Column ancestors = ancestors_.empty() ? Column() : descent(name, chromosome);
    const std::vector<double> u = uniforms("diplotype/" + name, chromosome);
    Column column(n_);
    for (std::uint64_t s = 0; s < n_; ++s) {
        const std::size_t group = group_of(s);
        column[s] = static_cast<std::uint32_t>(
            pick(is_personal(group) ? by_ancestor[ancestors[s]] : by_group[group], u[s]));
    }
    return column;
}

void GenomeDraw::draw_gene(std::size_t gene) {
    const GenotypeDistribution& law = drawn_law(population_.genotypes[gene]);
    if (law.kind != DrawnBy::alleles && law.kind != DrawnBy::ancestry) return;
    for (std::uint32_t chromosome : {0u, 1u}) {
        const Column column =
            law.kind == DrawnBy::alleles
                ? picked(law.allele_frequencies, law.gene, chromosome)
                : picked(frequencies_of(population_, *law.table, replicate_), law.gene, chromosome);
        alleles_[gene].emplace_back(column.begin(), column.end());
    }
}

void GenomeDraw::draw_linked(const LinkedGenes& linked) {
    const FrequenciesOf of = frequencies_of(population_, linked, replicate_);
    for (std::uint32_t chromosome : {0u, 1u}) {
        const Column column = linked.is_for_all() ? picked(of(""), linked.name, chromosome)
                                                  : picked(of, linked.name, chromosome);
        for (std::size_t gene = 0; gene < population_.genotypes.size(); ++gene) {
            const GenotypeDistribution& law = population_.genotypes[gene];
            if (law.kind != DrawnBy::linked || &population_.linked[law.linked] != &linked) continue;
            std::vector<int>& alleles = alleles_[gene].emplace_back();
            for (const std::uint32_t haplotype : column)
                alleles.push_back(linked.haplotypes[haplotype][law.member]);
        }
    }
}

} // namespace gemel::pkpd
