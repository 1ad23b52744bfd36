#include "study_runs.hpp"

#include <gemel/pkpd/frequency_posterior.hpp>

#include <doctest/doctest.h>

#include <algorithm>

/// Studies whose patients' allele frequencies or shares of ancestors are not fixed.
namespace gemel::tests {

namespace {

std::string mistakes_of_frequencies(std::vector<std::string> overrides) {
    try {
        load("open_frequencies.toml", std::move(overrides));
        return {};
    } catch (const sim::InputError& error) {
        return error.diagnostics().render();
    }
}

} // namespace

TEST_CASE("what replicates drew as frequencies, and people as shares, is in the results") {
    // Oracle: the law itself, drawn again; shares of a person sum to 1. Threads and lanes change no
    // bit of it.
    const TemporaryFolder folder;
    const auto study =
        load("open_frequencies.toml", {"study.replicates=3", "population.frequencies=uncertain"});
    const auto one = run(study, folder / "x.h5", 1), more = run(study, folder / "y.h5", 3, 8);
    CHECK(one.results_sha256 == more.results_sha256);
    io::ResultReader file(folder / "x.h5");
    const pkpd::GeneTable& gene = *study.population.genotypes.front().table;
    for (std::uint32_t r = 0; r < 3; ++r) {
        file.select_replicate(r);
        const auto written =
            file.reals("uncertainty/frequency.CYP3A5.SSA", -1, 0, gene.alleles.size());
        CHECK(written ==
              pkpd::frequency_posterior(pkpd::counted(gene, *gene.group("SSA"))).draw(7, r));
        const auto eur = file.reals("population/share_EUR", -1, 0, 700),
                   ssa = file.reals("population/share_SSA", -1, 0, 700);
        for (std::size_t s = 0; s < 700; ++s)
            CHECK(eur[s] + ssa[s] == doctest::Approx(1.0).epsilon(1e-14));
        CHECK(std::count(ssa.begin(), ssa.end(), 1.0) > 250); // wholly of one group
    }
}

TEST_CASE("uncertain frequencies without replicates are told") {
    const std::string told = mistakes_of_frequencies({"population.frequencies=uncertain"});
    CHECK(told.find("uncertain frequencies differ by replicate, and the study has none") !=
          std::string::npos);
    CHECK(told.find("write for example replicates = 200 in [study]") != std::string::npos);
    CHECK(mistakes_of_frequencies({"population.frequencies=open"}).find("uncertain") !=
          std::string::npos);
}

} // namespace gemel::tests
