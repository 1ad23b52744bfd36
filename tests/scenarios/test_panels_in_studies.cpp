#include "study_runs.hpp"

#include <gemel/scenarios/audit.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

/// Studies in which a regimen knows genotypes as a panel reports them.
namespace gemel::tests {

namespace {

scenarios::Study tacrolimus(std::vector<std::string> overrides) {
    return scenarios::load_study(source_folder() / "examples/tacrolimus_cyp3a5/guided.toml",
                                 source_library(),
                                 {std::move(overrides), std::nullopt});
}

constexpr std::uint64_t n_treated = 4000;

std::vector<double> numbers(const io::ResultReader& file, const std::string& path, int arm = -1) {
    return file.reals(path, arm, 0, n_treated);
}

bool says_one(const std::string& diplotype) {
    return diplotype.find("*1/") != std::string::npos || diplotype.ends_with("/*1");
}

} // namespace

TEST_CASE("a regimen that knows genotypes by a panel doses what the panel reports") {
    // Oracle: a test of *3 alone reports *3/*3 for two of them and an expresser otherwise; the
    // equation gives an expresser 1.75 times 0.15 mg/kg a day, half of it at a time, to 0.5 mg. Of
    // a linear drug troughs differ as doses do.
    const TemporaryFolder folder;
    const auto study = tacrolimus({"population.size=4000"});
    run(study, folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const auto weight = numbers(file, "covariates/WT");
    const auto diplotype = file.texts("genotypes/CYP3A5", -1, 0, n_treated);
    const auto blind = numbers(file, "policies/standard_by_weight"),
               truth = numbers(file, "policies/genotype_by_weight"),
               panel = numbers(file, "policies/panel_by_weight");
    const auto trough_truth = numbers(file, "outcomes/trough", 1),
               trough_panel = numbers(file, "outcomes/trough", 2);
    const auto tablets = [](double mg) { return 0.5 * std::round(mg / 0.5); };
    std::size_t n_misread = 0;
    for (std::size_t s = 0; s < n_treated; ++s) {
        CAPTURE(diplotype[s]);
        const double usual = 0.075 * weight[s];
        const bool seen = diplotype[s] != "*3/*3", real = says_one(diplotype[s]);
        CHECK(blind[s] == doctest::Approx(tablets(usual)).epsilon(1e-12));
        CHECK(truth[s] == doctest::Approx(tablets(usual * (real ? 1.75 : 1.0))).epsilon(1e-12));
        CHECK(panel[s] == doctest::Approx(tablets(usual * (seen ? 1.75 : 1.0))).epsilon(1e-12));
        CHECK(trough_panel[s] / trough_truth[s] ==
              doctest::Approx(panel[s] / truth[s]).epsilon(1e-9));
        n_misread += seen != real ? 1 : 0;
    }
    CHECK(n_misread > 100);
}

TEST_CASE("as many are dosed too high in a study as the audit says") {
    // Oracle: the audit's exact share of people whose report makes more of them, binomial sampling
    // of those of the group.
    const TemporaryFolder folder;
    const auto study = tacrolimus({"population.size=4000", "population.ancestry=SSA"});
    run(study, folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const auto truth = numbers(file, "policies/genotype_by_weight"),
               panel = numbers(file, "policies/panel_by_weight");
    double n_over = 0.0;
    for (std::size_t s = 0; s < n_treated; ++s)
        n_over += panel[s] > 1.25 * truth[s] ? 1.0 : 0.0;
    sim::DiagnosticList diagnostics;
    scenarios::AuditSettings settings;
    settings.n_draws = 0;
    settings.model = study.model;
    settings.map = "CYP3A5_on_CL";
    const auto library = source_library();
    const auto read = pkpd::load_panel(library.find("panels", "CYP3A5_3"), library, diagnostics);
    REQUIRE(read);
    const double expected =
        scenarios::audit({read}, {"SSA"}, settings).genes[0].groups[0].exposure.over.value;
    CHECK(std::abs(n_over / double(n_treated) - expected) <
          4.0 * std::sqrt(expected * (1.0 - expected) / double(n_treated)));
}

} // namespace gemel::tests
