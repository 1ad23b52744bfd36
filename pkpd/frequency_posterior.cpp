#include <gemel/pkpd/frequency_posterior.hpp>
#include <gemel/sim/distributions.hpp>
#include <gemel/sim/random.hpp>

#include <algorithm>

namespace gemel::pkpd {
namespace {

/// Alleles somebody was tested for, those that most were tested for first.
std::vector<std::size_t> tested(const CountedFrequencies& counted) {
    std::vector<std::size_t> alleles;
    for (std::size_t a = 0; a < counted.names.size(); ++a)
        if (a != counted.reference && counted.n_subjects[a] > 0) alleles.push_back(a);
    std::ranges::stable_sort(alleles, [&](std::size_t a, std::size_t b) {
        return counted.n_subjects[a] > counted.n_subjects[b];
    });
    return alleles;
}

/// Beta of two gammas.
double draw_share(const FrequencyPosterior::Share& share, const sim::RandomStream::Key& key) {
    sim::RandomStream stream(key, sim::purpose_number(share.purpose));
    const double carried = sim::gamma_variate(share.carried, stream.uniform());
    const double others = sim::gamma_variate(share.others, stream.uniform());
    return carried > 0.0 ? carried / (carried + others) : 0.0;
}

} // namespace

CountedFrequencies counted(const GeneTable& gene, const AlleleFrequencies& group) {
    CountedFrequencies counts{"frequency/" + gene.name + "/" + group.group,
                              {},
                              group.frequencies,
                              group.n_subjects,
                              static_cast<std::size_t>(gene.find_allele(gene.reference))};
    for (const Allele& allele : gene.alleles)
        counts.names.push_back(allele.name);
    counts.n_subjects.resize(counts.names.size(), 0);
    return counts;
}

std::vector<std::string> not_counted(const CountedFrequencies& counted) {
    std::vector<std::string> names;
    for (std::size_t a = 0; a < counted.names.size(); ++a)
        if (a != counted.reference && counted.frequencies[a] > 0.0 && counted.n_subjects[a] == 0)
            names.push_back(counted.names[a]);
    return names;
}

/// Of the 2n chromosomes tested for an allele, those with an allele before it say nothing of its
/// share in the rest.
FrequencyPosterior frequency_posterior(const CountedFrequencies& counted) {
    FrequencyPosterior posterior;
    posterior.reference = counted.reference;
    posterior.n_alleles = counted.names.size();
    const std::vector<std::size_t> alleles = tested(counted);
    const double n_classes = static_cast<double>(alleles.size() + 1);
    double rest = 1.0, n_after = n_classes - 1.0;
    for (const std::size_t allele : alleles) {
        const double n_chromosomes = 2.0 * static_cast<double>(counted.n_subjects[allele]);
        rest = std::max(0.0, rest - counted.frequencies[allele]);
        posterior.shares.push_back({allele,
                                    n_chromosomes * counted.frequencies[allele] + 1.0 / n_classes,
                                    n_chromosomes * rest + n_after / n_classes,
                                    counted.purpose + "/" + counted.names[allele]});
        n_after -= 1.0;
    }
    return posterior;
}

std::vector<double> FrequencyPosterior::mean() const {
    std::vector<double> frequencies(n_alleles, 0.0);
    double rest = 1.0;
    for (const Share& share : shares) {
        const double mean_share = share.carried / (share.carried + share.others);
        frequencies[share.allele] = rest * mean_share;
        rest *= 1.0 - mean_share;
    }
    frequencies[reference] = rest;
    return frequencies;
}

std::vector<double> FrequencyPosterior::draw(std::uint64_t seed, std::uint32_t replicate) const {
    std::vector<double> frequencies(n_alleles, 0.0);
    double rest = 1.0;
    for (const Share& share : shares) {
        const double taken = draw_share(share, {seed, replicate, 0});
        frequencies[share.allele] = rest * taken;
        rest *= 1.0 - taken;
    }
    frequencies[reference] = rest;
    return frequencies;
}

const UncertainFrequencies::Law* UncertainFrequencies::find(const std::string& of,
                                                            const std::string& group) const {
    const auto found = std::ranges::find_if(
        laws, [&](const Law& law) { return law.of == of && law.group == group; });
    return found == laws.end() ? nullptr : &*found;
}

std::vector<double> UncertainFrequencies::frequencies(const Law& law,
                                                      std::uint32_t replicate) const {
    if (replicate >= n_replicates) return law.posterior.draw(seed, replicate);
    const auto first =
        law.drawn.begin() + static_cast<std::ptrdiff_t>(replicate * law.posterior.n_alleles);
    return {first, first + static_cast<std::ptrdiff_t>(law.posterior.n_alleles)};
}

void UncertainFrequencies::keep(std::uint32_t n) {
    for (Law& law : laws)
        for (std::uint32_t replicate = n_replicates; replicate < n; ++replicate) {
            const std::vector<double> drawn = law.posterior.draw(seed, replicate);
            law.drawn.insert(law.drawn.end(), drawn.begin(), drawn.end());
        }
    n_replicates = n;
}

} // namespace gemel::pkpd
