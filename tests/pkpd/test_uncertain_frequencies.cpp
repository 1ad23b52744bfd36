#include "pkpd/gene_frame.hpp"

#include <gemel/pkpd/frequency_posterior.hpp>
#include <gemel/pkpd/population.hpp>
#include <gemel/sim/distributions.hpp>

#include <cmath>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

constexpr std::uint32_t n_drawn_replicates = 60000;

CountedFrequencies counted_in(std::vector<double> frequencies, std::vector<std::int64_t> subjects) {
    CountedFrequencies counts;
    counts.purpose = "frequency/G/EUR";
    for (std::size_t a = 0; a < frequencies.size(); ++a)
        counts.names.push_back("*" + std::to_string(a + 1));
    counts.frequencies = std::move(frequencies);
    counts.n_subjects = std::move(subjects);
    return counts;
}

/// Draws of one allele's frequency in replicates 0, 1, …
std::vector<double> drawn(const FrequencyPosterior& posterior, std::size_t allele) {
    std::vector<double> values;
    for (std::uint32_t r = 0; r < n_drawn_replicates; ++r)
        values.push_back(posterior.draw(7, r)[allele]);
    return values;
}

double beta_variance(double a, double b) {
    return a * b / ((a + b) * (a + b) * (a + b + 1.0));
}

} // namespace

TEST_CASE("frequencies counted in the same people are of the Dirichlet law of their counts") {
    // Oracle: Dirichlet(2n·p + 1/K): each frequency is Beta(a, A − a), and two have the covariance
    // −a·b/(A²(A + 1)). 120 people, three alleles: a = (168, 48, 24) + 1/3, A = 241.
    const auto posterior = frequency_posterior(counted_in({0.7, 0.2, 0.1}, {0, 120, 120}));
    const double total = 241.0, counts[] = {168.0 + 1.0 / 3, 48.0 + 1.0 / 3, 24.0 + 1.0 / 3};
    for (std::size_t allele = 0; allele < 3; ++allele) {
        const double a = counts[allele];
        CHECK(ks_distance(drawn(posterior, allele), [&](double x) {
                  return sim::beta_probability(a, total - a, x);
              }) < ks_critical(n_drawn_replicates));
        CHECK(posterior.mean()[allele] == doctest::Approx(a / total).epsilon(1e-14));
    }
    const double expected = -counts[1] * counts[2] / (total * total * (total + 1.0)) /
                            std::sqrt(beta_variance(counts[1], total - counts[1]) *
                                      beta_variance(counts[2], total - counts[2]));
    CHECK(std::abs(correlation(drawn(posterior, 1), drawn(posterior, 2)) - expected) <
          4.0 / std::sqrt(double(n_drawn_replicates))); // of a sample's correlation
}

TEST_CASE("an allele tested in fewer people is open by its own count") {
    // Oracle: *2 was tested in 5000, *3 in 30 of them. *2 is Beta(2000.. ); *3 is a share of what
    // *2 leaves, Beta(60·0.1 + 1/3, 60·0.7 + 1/3): mean and variance of a product of independent
    // numbers. Order in the file has no part in it.
    const auto posterior = frequency_posterior(counted_in({0.7, 0.1, 0.2}, {0, 30, 5000}));
    const double a = 2000.0 + 1.0 / 3, b = 8000.0 + 2.0 / 3;
    const double c = 6.0 + 1.0 / 3, d = 42.0 + 1.0 / 3;
    CHECK(ks_distance(drawn(posterior, 2), [&](double x) {
              return sim::beta_probability(a, b, x);
          }) < ks_critical(n_drawn_replicates));
    const double mean_rest = b / (a + b), mean_share = c / (c + d);
    const double variance = beta_variance(a, b) * mean_share * mean_share +
                            beta_variance(c, d) * mean_rest * mean_rest +
                            beta_variance(a, b) * beta_variance(c, d);
    const auto rare = drawn(posterior, 1);
    const double root_n = std::sqrt(double(n_drawn_replicates));
    CHECK(std::abs(mean(rare) - mean_rest * mean_share) < 4.0 * std::sqrt(variance) / root_n);
    CHECK(std::abs(sd(rare) / std::sqrt(variance) - 1.0) <
          4.0 / std::sqrt(2.0 * n_drawn_replicates) * 1.5);
}

TEST_CASE("an allele that was looked for in vain may be there, one nobody looked for is not") {
    // Oracle: Beta(1/3, 2n + 2/3), whose mean is 1/(3(2n + 1)); n = 38.
    const auto posterior = frequency_posterior(counted_in({1.0, 0.0, 0.0, 0.0}, {0, 38, 38, 0}));
    CHECK(posterior.mean()[1] == doctest::Approx(1.0 / (3.0 * 77.0)).epsilon(1e-13));
    CHECK(posterior.mean()[3] == 0.0);
    CHECK(posterior.draw(7, 0)[3] == 0.0);
    CHECK(ks_distance(drawn(posterior, 1), [&](double x) {
              return sim::beta_probability(1.0 / 3, 76.0 + 2.0 / 3, x);
          }) < ks_critical(n_drawn_replicates));
}

TEST_CASE("draws of the library's frequencies sum to one and lie about those published") {
    // Oracle: the mean is the published frequency but for the prior, which moves it by less than
    // the weight of one chromosome, 1/(2n + 1) of the allele least tested.
    for (const char* name : {"CYP2C9", "CYP2D6", "CYP3A5", "TPMT"}) {
        const auto gene = library_gene(name);
        for (const AlleleFrequencies& group : gene->frequencies) {
            const CountedFrequencies counts = counted(*gene, group);
            CHECK(not_counted(counts).empty());
            const FrequencyPosterior posterior = frequency_posterior(counts);
            const auto draw = posterior.draw(3, 0), typical = posterior.mean();
            double sum = 0.0;
            for (std::size_t a = 0; a < draw.size(); ++a) {
                INFO(name, " ", group.group, " ", counts.names[a]);
                CHECK((draw[a] >= 0.0 && draw[a] <= 1.0));
                sum += draw[a];
                if (a != counts.reference && group.n_subjects[a] > 0)
                    CHECK(std::abs(typical[a] - group.frequencies[a]) <
                          1.0 / (2.0 * static_cast<double>(group.n_subjects[a]) + 1.0));
            }
            CHECK(sum == doctest::Approx(1.0).epsilon(1e-13));
        }
    }
}

TEST_CASE("replicates draw their patients by frequencies of their own, given ones by the file's") {
    // Invariants: any range is that part of the whole, in any replicate; another replicate has
    // other frequencies; a population that does not ask for it draws the bits it drew before.
    const Model model = gene_frame({"CYP3A5"});
    const std::string given = "size = 3000\nancestry = { SSA = 0.5, AAC = 0.5 }\n"
                              "[population.genotypes]\nCYP3A5 = { by = \"ancestry\" }\n";
    const Population plain = read_well(given, model),
                     open = read_well("frequencies = \"uncertain\"\n" + given, model),
                     said = read_well("frequencies = \"given\"\n" + given, model);
    CHECK(said.frequencies == nullptr);
    REQUIRE(open.frequencies != nullptr);
    CHECK(open.frequencies->laws.size() == 2);
    CHECK(draw_all(plain).genes[0].diplotype == draw_all(said).genes[0].diplotype);
    CHECK(plain.draw({1, 0, 3000}).ancestry == open.draw({1, 0, 3000}).ancestry);
    const auto whole = open.draw({5, 0, 3000}).genes[0].diplotype;
    const auto part = open.draw({5, 1000, 100}).genes[0].diplotype;
    CHECK(std::equal(part.begin(), part.end(), whole.begin() + 1000));

    Population kept = open;
    auto frequencies = std::make_shared<UncertainFrequencies>(*open.frequencies);
    frequencies->keep(8);
    kept.frequencies = frequencies;
    CHECK(kept.draw({5, 0, 3000}).genes[0].diplotype == whole);
    const auto& law = open.frequencies->laws[0];
    CHECK(open.frequencies->frequencies(law, 5) != open.frequencies->frequencies(law, 6));
    CHECK(frequencies->frequencies(frequencies->laws[0], 5) ==
          open.frequencies->frequencies(law, 5));
}

TEST_CASE("patients of a replicate have its frequencies") {
    // Oracle: binomial sampling of 2·n chromosomes about the frequency that the replicate drew.
    const Model model = gene_frame({"CYP3A5"});
    constexpr std::uint64_t n = 50000;
    const Population population =
        read_well("size = 50000\nfrequencies = \"uncertain\"\nancestry = \"AAC\"\n"
                  "[population.genotypes]\nCYP3A5 = { by = \"ancestry\" }\n",
                  model);
    for (std::uint32_t r : {0u, 1u, 2u}) {
        const auto frequencies =
            population.frequencies->frequencies(*population.frequencies->find("CYP3A5", "AAC"), r);
        std::vector<double> seen(frequencies.size(), 0.0);
        const CohortBlock block = population.draw({r, 0, n});
        for (const Diplotype& d : block.genes[0].diplotype)
            for (int allele : {d.first, d.second})
                seen[static_cast<std::size_t>(allele)] += 1.0 / (2.0 * n);
        for (std::size_t a = 0; a < seen.size(); ++a)
            CHECK(std::abs(seen[a] - frequencies[a]) <=
                  4.5 * std::sqrt(frequencies[a] * (1.0 - frequencies[a]) / (2.0 * n)));
    }
}

TEST_CASE("uncertain frequencies that nothing is known of are told") {
    const std::string head = "size = 10\nfrequencies = \"uncertain\"\nancestry = \"EUR\"\n";
    const auto messages = [&](const char* gene, const std::string& genotypes) {
        return read(head + "[population.genotypes]\n" + genotypes, gene_frame({gene})).messages;
    };
    CHECK(
        messages("CYP3A4", "CYP3A4 = { by = \"ancestry\" }\n")
            .find("how many people the frequencies of CYP3A4 *20, *22 in EUR rest on is not known, "
                  "nor how uncertain they are") != std::string::npos);
    CHECK(messages("CYP3A5", "CYP3A5 = { \"*1\" = 0.1, \"*3\" = 0.9 }\n")
              .find("no gene is drawn by ancestry") != std::string::npos);
}
