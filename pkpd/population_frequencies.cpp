#include "population_frequencies.hpp"

#include "population_reading.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gemel::pkpd {
namespace {

const UncertainFrequencies::Law*
uncertain_law(const Population& population, const std::string& of, const std::string& code) {
    return population.frequencies ? population.frequencies->find(of, code) : nullptr;
}

/// Above 0 where a frequency can be, in any replicate.
std::vector<double> possible(const Population& population,
                             const std::string& of,
                             const std::string& code,
                             const std::vector<double>& given) {
    const auto* law = uncertain_law(population, of, code);
    return law ? law->posterior.mean() : given;
}

void tell_not_counted(const CountedFrequencies& counts,
                      const GeneTable& gene,
                      const std::string& group,
                      const sim::SourceSpan& place,
                      sim::DiagnosticList& diagnostics) {
    const std::vector<std::string> alleles = not_counted(counts);
    if (alleles.empty()) return;
    diagnostics.add(place,
                    fmt::format("how many people the frequencies of {} {} in {} rest on is not "
                                "known, nor how uncertain they are",
                                gene.name,
                                fmt::join(alleles, ", "),
                                group),
                    fmt::format("give the frequencies of its alleles: {} = {{ \"{}\" = … }}",
                                gene.name,
                                gene.reference));
}

/// All haplotypes were counted in the same people; the first has what the others leave.
CountedFrequencies counted_haplotypes(const Population& population,
                                      const LinkedGenes& linked,
                                      const LinkedGenes::Group& group) {
    CountedFrequencies counts;
    counts.purpose = "frequency/" + linked.name + "/" + group.code;
    counts.frequencies = group.frequencies;
    for (const std::vector<int>& haplotype : linked.haplotypes) {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < haplotype.size(); ++i)
            names.push_back(population.model->genes.at(linked.genes[i])
                                ->alleles[static_cast<std::size_t>(haplotype[i])]
                                .name);
        counts.names.push_back(fmt::format("{}", fmt::join(names, " ")));
        counts.n_subjects.push_back(group.n_subjects);
    }
    return counts;
}

/// Makes the laws of `frequencies = "uncertain"`.
class UncertainMaker {
public:
    UncertainMaker(const sim::SourceSpan& place,
                   const Population& population,
                   sim::DiagnosticList& diagnostics)
        : place_(place),
          population_(population),
          diagnostics_(diagnostics) {
        made_.seed = population.seed;
    }

    UncertainFrequencies make() {
        for (const GenotypeDistribution& law : population_.genotypes) {
            const GenotypeDistribution& drawn = law.missing != nullptr ? *law.missing : law;
            if (drawn.kind == GenotypeDistribution::Kind::ancestry) add_gene(*law.table);
        }
        for (const LinkedGenes& linked : population_.linked)
            for (const LinkedGenes::Group& group : linked.groups)
                if (group.n_subjects > 0)
                    add(linked.name, group.code, counted_haplotypes(population_, linked, group));
        if (made_.laws.empty())
            diagnostics_.add(place_,
                             "no gene is drawn by ancestry: there are no counts that leave "
                             "frequencies open",
                             "frequencies that a study gives itself are as given; leave this out");
        return std::move(made_);
    }

private:
    void add(const std::string& of, const std::string& code, const CountedFrequencies& counts) {
        made_.laws.push_back({of, code, counts.names, frequency_posterior(counts), {}});
    }

    void add_gene(const GeneTable& gene) {
        for (const std::string& code : population_.ancestors()) {
            const CountedFrequencies counts = counted(gene, *gene.group(code));
            tell_not_counted(counts, gene, code, place_, diagnostics_);
            add(gene.name, code, counts);
        }
    }

    const sim::SourceSpan& place_;
    const Population& population_;
    sim::DiagnosticList& diagnostics_;
    UncertainFrequencies made_;
};

} // namespace

void make_frequencies_uncertain(const sim::SourceSpan& place,
                                Population& population,
                                sim::DiagnosticList& diagnostics) {
    population.frequencies = std::make_shared<const UncertainFrequencies>(
        UncertainMaker(place, population, diagnostics).make());
}

FrequenciesOf
frequencies_of(const Population& population, const GeneTable& gene, std::uint32_t replicate) {
    return [&population, &gene, replicate](const std::string& code) {
        const auto* law = uncertain_law(population, gene.name, code);
        return law ? population.frequencies->frequencies(*law, replicate)
                   : gene.group(code)->frequencies;
    };
}

FrequenciesOf
frequencies_of(const Population& population, const LinkedGenes& linked, std::uint32_t replicate) {
    return [&population, &linked, replicate](const std::string& code) {
        const auto* law = uncertain_law(population, linked.name, code);
        return law ? population.frequencies->frequencies(*law, replicate)
                   : linked.group(code)->frequencies;
    };
}

std::vector<double>
group_frequencies(const Population& population, std::size_t group, const FrequenciesOf& of) {
    if (population.group_ancestors.empty()) return of(population.groups[group]);
    const auto& ancestors = population.group_ancestors[group];
    if (ancestors.size() == 1) return of(ancestors.front().first);
    std::vector<double> mixed;
    for (const auto& [code, share] : ancestors) {
        const std::vector<double> frequencies = of(code);
        mixed.resize(frequencies.size(), 0.0);
        for (std::size_t a = 0; a < mixed.size(); ++a)
            mixed[a] += share * frequencies[a];
    }
    return mixed;
}

std::vector<double> allele_frequencies(const LinkedGenes& linked,
                                       std::size_t member,
                                       std::size_t n_alleles,
                                       std::span<const double> haplotypes) {
    std::vector<double> frequencies(n_alleles, 0.0);
    for (std::size_t h = 0; h < linked.haplotypes.size(); ++h)
        frequencies[static_cast<std::size_t>(linked.haplotypes[h][member])] += haplotypes[h];
    return frequencies;
}

const LinkedGenes::Group* LinkedGenes::group(const std::string& code) const {
    const auto found = std::ranges::find_if(
        groups, [&](const Group& group) { return group.code == code || group.code.empty(); });
    return found == groups.end() ? nullptr : &*found;
}

std::vector<std::string> Population::ancestors() const {
    std::vector<std::string> codes;
    for (const auto& ancestors : group_ancestors)
        for (const auto& [code, share] : ancestors)
            if (std::ranges::count(codes, code) == 0) codes.push_back(code);
    return codes;
}

bool Population::has_personal_shares() const {
    return std::ranges::any_of(group_shares,
                               [](const PersonalShares& shares) { return shares.differ(); });
}

std::vector<std::vector<double>>
Population::possible_frequencies(const GenotypeDistribution& law) const {
    using Kind = GenotypeDistribution::Kind;
    if (law.kind == Kind::alleles) return {law.allele_frequencies};
    std::vector<std::vector<double>> possibles;
    const auto add = [&](const FrequenciesOf& of) {
        for (std::size_t g = 0; g < groups.size(); ++g)
            if (group_proportions[g] > 0.0) possibles.push_back(group_frequencies(*this, g, of));
    };
    if (law.kind == Kind::ancestry)
        add([&](const std::string& code) {
            return possible(*this, law.gene, code, law.table->group(code)->frequencies);
        });
    if (law.kind != Kind::linked) return possibles;
    const LinkedGenes& set = linked[law.linked];
    const auto of = [&](const std::string& code) {
        return possible(*this, set.name, code, set.group(code)->frequencies);
    };
    if (set.is_for_all())
        possibles.push_back(of(""));
    else
        add(of);
    for (std::vector<double>& haplotypes : possibles)
        haplotypes = allele_frequencies(set, law.member, law.table->alleles.size(), haplotypes);
    return possibles;
}

} // namespace gemel::pkpd
